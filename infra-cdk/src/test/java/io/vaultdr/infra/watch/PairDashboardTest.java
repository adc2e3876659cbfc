package io.vaultdr.infra.watch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;

import io.vaultdr.infra.Examples;
import io.vaultdr.infra.Synthesised;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What people on call look at. */
class PairDashboardTest {
    private static final Pattern RUNBOOK = Pattern.compile("docs/runbooks/[a-z-]+\\.md");

    /** Pair → the widgets of its dashboard. */
    private static Map<String, JsonNode> dashboards(String example) {
        Map<String, JsonNode> all = new TreeMap<>();
        Synthesised.example(example)
                .templates()
                .values()
                .forEach(
                        template ->
                                template.get("Resources")
                                        .forEach(
                                                resource -> {
                                                    if (resource.get("Type")
                                                            .asText()
                                                            .equals("AWS::CloudWatch::Dashboard")) {
                                                        JsonNode properties =
                                                                resource.get("Properties");
                                                        all.put(
                                                                properties
                                                                        .get("DashboardName")
                                                                        .asText(),
                                                                Synthesised.json(
                                                                                text(
                                                                                        properties
                                                                                                .get(
                                                                                                        "DashboardBody")))
                                                                        .get("widgets"));
                                                    }
                                                }));
        return all;
    }

    private static String text(JsonNode body) {
        if (body.isTextual()) {
            return body.asText();
        }
        StringBuilder text = new StringBuilder();
        for (JsonNode part : body.get("Fn::Join").get(1)) {
            text.append(part.isTextual() ? part.asText() : "REF");
        }
        return text.toString();
    }

    private static List<String> headings(String example) {
        List<String> headings = new ArrayList<>();
        for (JsonNode widget :
                Objects.requireNonNull(dashboards(example).get("vault-dr-payments"))) {
            if (widget.get("type").asText().equals("text")) {
                headings.add(
                        widget.at("/properties/markdown").asText().lines().findFirst().orElse(""));
            }
        }
        return headings;
    }

    @Test
    void isReadFromWhetherItServesDownToOurOwnFunctions() {
        assertEquals(
                List.of(
                        "## Is it serving, and from where is it seen?",
                        "## What follows from it?",
                        "## What could be restored?",
                        "## This project's own functions"),
                headings("automatic"));
        assertEquals(
                List.of("## What could be restored?", "## This project's own functions"),
                headings("backup"));
    }

    @ParameterizedTest
    @MethodSource("io.vaultdr.infra.Examples#names")
    void namesRunbooksThatAreThere(String example) {
        Path root = Examples.DIRECTORY.resolve("../..");
        dashboards(example)
                .forEach(
                        (name, widgets) -> {
                            Set<String> runbooks = new TreeSet<>();
                            Matcher runbook = RUNBOOK.matcher(widgets.toString());
                            while (runbook.find()) {
                                runbooks.add(runbook.group());
                            }
                            assertTrue(runbooks.size() > 3, name);
                            runbooks.removeIf(it -> Files.exists(root.resolve(it)));
                            assertEquals(Set.of(), runbooks);
                        });
    }

    @ParameterizedTest
    @MethodSource("io.vaultdr.infra.Examples#names")
    void showsEachFunctionThatIsDeployed(String example) {
        Map<String, Set<String>> shown = new TreeMap<>();
        dashboards(example)
                .forEach(
                        (pair, widgets) -> {
                            Set<String> functions = new TreeSet<>();
                            for (JsonNode widget : widgets) {
                                for (JsonNode metric : widget.at("/properties/metrics")) {
                                    if (metric.get(0).asText().equals("AWS/Lambda")) {
                                        functions.add(
                                                widget.at("/properties/region").asText()
                                                        + " "
                                                        + metric.get(3).asText());
                                    }
                                }
                            }
                            shown.put(pair, functions);
                        });
        Map<String, Set<String>> deployed = new TreeMap<>();
        shown.keySet().forEach(pair -> deployed.put(pair, new TreeSet<>()));
        Synthesised all = Synthesised.example(example);
        all.stacks()
                .forEach(
                        stack -> {
                            // Those of a copy's account and of all pairs are on no pair's
                            // dashboard.
                            if (stack.name().contains("-vantage-")
                                    || !stack.account().equals(all.stacks().getFirst().account())) {
                                return;
                            }
                            for (JsonNode resource :
                                    Objects.requireNonNull(all.templates().get(stack.name()))
                                            .get("Resources")) {
                                if (resource.get("Type").asText().equals("AWS::Lambda::Function")) {
                                    String name = resource.at("/Properties/FunctionName").asText();
                                    deployed.entrySet().stream()
                                            .filter(it -> name.startsWith(it.getKey() + "-"))
                                            .forEach(
                                                    it ->
                                                            it.getValue()
                                                                    .add(
                                                                            stack.region()
                                                                                    + " "
                                                                                    + name));
                                }
                            }
                        });
        assertEquals(deployed, shown);
    }
}
