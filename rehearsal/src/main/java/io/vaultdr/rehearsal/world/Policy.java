package io.vaultdr.rehearsal.world;

import com.fasterxml.jackson.databind.JsonNode;

import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * The part of IAM that our policies use: Allow and Deny, actions and resources with wildcards, and
 * the conditions below. Anything else is refused when the policy is read, so that nothing is
 * granted by not being understood.
 */
final class Policy {
    private record Condition(
            String operator, boolean all, boolean ifExists, String key, List<String> values) {}

    private record Statement(
            boolean allow,
            boolean everyone,
            List<String> actions,
            List<String> resources,
            List<Condition> conditions) {}

    private static final Set<String> OPERATORS =
            Set.of(
                    "StringEquals",
                    "StringNotEquals",
                    "StringLike",
                    "ArnLike",
                    "ArnEquals",
                    "Bool",
                    "Null",
                    "NumericLessThan",
                    "IpAddress");
    private static final Set<String> ELEMENTS =
            Set.of("Sid", "Effect", "Action", "Resource", "Condition", "Principal");

    private final List<Statement> statements;

    private Policy(List<Statement> statements) {
        this.statements = statements;
    }

    /** Reads resolved policy documents; {@code where} says whose they are, for the error. */
    static Policy of(List<JsonNode> documents, String where) {
        List<Statement> statements = new ArrayList<>();
        for (JsonNode document : documents) {
            for (JsonNode statement : several(document.path("Statement"))) {
                statements.add(statement(statement, where));
            }
        }
        return new Policy(List.copyOf(statements));
    }

    private static Statement statement(JsonNode json, String where) {
        json.fieldNames()
                .forEachRemaining(
                        name -> {
                            if (!ELEMENTS.contains(name)) {
                                throw new IllegalArgumentException(
                                        where
                                                + ": policy element "
                                                + name
                                                + " isn't evaluated here");
                            }
                        });
        List<Condition> conditions = new ArrayList<>();
        json.path("Condition")
                .properties()
                .forEach(
                        operator ->
                                operator.getValue()
                                        .properties()
                                        .forEach(
                                                key ->
                                                        conditions.add(
                                                                condition(
                                                                        operator.getKey(),
                                                                        key.getKey(),
                                                                        texts(key.getValue()),
                                                                        where))));
        JsonNode principal = json.path("Principal");
        return new Statement(
                json.path("Effect").asText().equals("Allow"),
                principal.asText().equals("*") || principal.path("AWS").asText().equals("*"),
                texts(json.path("Action")),
                texts(json.path("Resource")),
                conditions);
    }

    private static Condition condition(
            String operator, String key, List<String> values, String where) {
        boolean all = operator.startsWith("ForAllValues:");
        String plain = operator.replaceFirst("^For(All|Any)Values?:", "");
        boolean ifExists = plain.endsWith("IfExists");
        plain = plain.replaceFirst("IfExists$", "");
        if (!OPERATORS.contains(plain)) {
            throw new IllegalArgumentException(
                    where + ": condition operator " + operator + " isn't evaluated here");
        }
        return new Condition(plain, all, ifExists, key, values);
    }

    /** Whether an identity with this policy may do it: an Allow matches and no Deny does. */
    boolean grants(String action, String resource, Map<String, List<String>> context) {
        return decide(action, resource, context, false);
    }

    /** Whether everybody may do it: as {@link #grants}, of a resource's policy. */
    boolean grantsEveryone(String action, String resource, Map<String, List<String>> context) {
        return decide(action, resource, context, true);
    }

    private boolean decide(
            String action, String resource, Map<String, List<String>> context, boolean everyone) {
        boolean allowed = false;
        for (Statement statement : statements) {
            if ((everyone && !statement.everyone)
                    || statement.actions.stream().noneMatch(a -> like(lower(a), lower(action)))
                    || !covers(statement, resource)
                    || !statement.conditions.stream().allMatch(c -> holds(c, context))) {
                continue;
            }
            if (!statement.allow) {
                return false;
            }
            allowed = true;
        }
        return allowed;
    }

    private static boolean covers(Statement statement, String resource) {
        return resource.equals("unnamed")
                || statement.resources.stream().anyMatch(r -> like(r, resource));
    }

    private static boolean holds(Condition condition, Map<String, List<String>> context) {
        List<String> actual =
                context.entrySet().stream()
                        .filter(e -> e.getKey().equalsIgnoreCase(condition.key))
                        .map(Map.Entry::getValue)
                        .findFirst()
                        .orElse(List.of());
        if (condition.operator.equals("Null")) {
            return condition.values.contains(Boolean.toString(actual.isEmpty()));
        }
        if (actual.isEmpty()) {
            // As IAM: a negated operator, IfExists and ForAllValues hold for an absent key.
            return condition.ifExists
                    || condition.all
                    || condition.operator.equals("StringNotEquals");
        }
        return condition.all
                ? actual.stream().allMatch(value -> matches(condition, value))
                : actual.stream().anyMatch(value -> matches(condition, value));
    }

    private static boolean matches(Condition condition, String value) {
        return switch (condition.operator) {
            case "StringNotEquals" -> !condition.values.contains(value);
            case "StringLike", "ArnLike", "ArnEquals" ->
                    condition.values.stream().anyMatch(v -> like(v, value));
            case "Bool" -> condition.values.stream().anyMatch(v -> v.equalsIgnoreCase(value));
            case "NumericLessThan" ->
                    condition.values.stream()
                            .anyMatch(v -> Double.parseDouble(value) < Double.parseDouble(v));
            case "IpAddress" -> condition.values.stream().anyMatch(v -> inRange(v, value));
            default -> condition.values.contains(value);
        };
    }

    private static boolean like(String pattern, String value) {
        StringBuilder regex = new StringBuilder();
        for (int i = 0; i < pattern.length(); i++) {
            char c = pattern.charAt(i);
            regex.append(c == '*' ? ".*" : c == '?' ? "." : Pattern.quote(String.valueOf(c)));
        }
        return Pattern.compile(regex.toString(), Pattern.DOTALL).matcher(value).matches();
    }

    private static boolean inRange(String range, String address) {
        String[] parts = range.split("/", -1);
        byte[] net = InetAddress.ofLiteral(parts[0]).getAddress();
        byte[] host = InetAddress.ofLiteral(address).getAddress();
        int bits = parts.length > 1 ? Integer.parseInt(parts[1]) : net.length * 8;
        if (net.length != host.length) {
            return false;
        }
        for (int bit = 0; bit < bits; bit++) {
            int mask = 0x80 >> (bit % 8);
            if ((net[bit / 8] & mask) != (host[bit / 8] & mask)) {
                return false;
            }
        }
        return true;
    }

    private static String lower(String text) {
        return text.toLowerCase(Locale.ROOT);
    }

    private static List<JsonNode> several(JsonNode node) {
        List<JsonNode> list = new ArrayList<>();
        if (node.isArray()) {
            node.forEach(list::add);
        } else if (!node.isMissingNode()) {
            list.add(node);
        }
        return list;
    }

    private static List<String> texts(JsonNode node) {
        return several(node).stream().map(JsonNode::asText).toList();
    }
}
