package io.vaultdr.infra.config;

import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.NodeTuple;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.SequenceNode;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiFunction;

/**
 * One mapping of a YAML file. Reading goes on after a mistake, so that all are found in one go; a
 * key that nobody asked for is a mistake too.
 */
final class Section {
    private final String path;
    private final int line;
    private final Map<String, Node> entries = new LinkedHashMap<>();
    private final Map<String, Integer> lines = new LinkedHashMap<>();
    private final Set<String> known = new LinkedHashSet<>();
    private final List<Mistake> mistakes;

    Section(String path, MappingNode node, List<Mistake> mistakes) {
        this(path, node.getValue(), node.getStartMark().getLine() + 1, mistakes);
    }

    private Section(String path, List<NodeTuple> tuples, int line, List<Mistake> mistakes) {
        this.path = path;
        this.line = line;
        this.mistakes = mistakes;
        for (NodeTuple entry : tuples) {
            int at = entry.getKeyNode().getStartMark().getLine() + 1;
            if (!(entry.getKeyNode() instanceof ScalarNode key)) {
                mistakes.add(new Mistake(at, at("?"), "a key that isn't text", "a text"));
            } else if (entries.put(key.getValue(), entry.getValueNode()) != null) {
                mistakes.add(
                        new Mistake(at, at(key.getValue()), "the key a second time", "it once"));
            } else {
                lines.put(key.getValue(), at);
            }
        }
    }

    /** The full path of {@code key}. */
    String at(String key) {
        return path.isEmpty() ? key : key.isEmpty() ? path : path + "." + key;
    }

    /** Whether {@code key} is there. */
    boolean has(String key) {
        known.add(key);
        return entries.containsKey(key);
    }

    /** The keys, in the file's order. */
    Collection<String> keys() {
        return List.copyOf(entries.keySet());
    }

    /** The value of {@code key}; a mistake where it is missing. */
    <T> T required(String key, Kind<T> kind) {
        if (!has(key)) {
            missing(key, kind.expected());
        }
        return optional(key, kind).orElse(kind.placeholder());
    }

    /** The value of {@code key}, if it is there. */
    <T> Optional<T> optional(String key, Kind<T> kind) {
        return has(key) ? value(at(key), node(key), kind) : Optional.empty();
    }

    /** The values of {@code key}: a list, or one value without a list's marks. */
    <T> List<T> list(String key, Kind<T> kind) {
        if (!has(key)) {
            return List.of();
        }
        if (!(node(key) instanceof SequenceNode sequence)) {
            return value(at(key), node(key), kind).map(List::of).orElse(List.of());
        }
        List<T> values = new ArrayList<>();
        for (int i = 0; i < sequence.getValue().size(); i++) {
            value(at(key) + "[" + i + "]", sequence.getValue().get(i), kind).ifPresent(values::add);
        }
        return List.copyOf(values);
    }

    /** Whether what is under {@code key} is a mapping. */
    boolean isMapping(String key) {
        return has(key) && node(key) instanceof MappingNode;
    }

    /** The mapping under {@code key}; a mistake where it is missing. */
    Section requiredSection(String key, String expected) {
        if (!has(key)) {
            missing(key, expected);
        }
        // What is missing inside something that is missing would be told twice.
        return section(key).orElseGet(() -> empty(key, new ArrayList<>()));
    }

    /** The mapping under {@code key}, if it is there. */
    Optional<Section> section(String key) {
        if (!has(key)) {
            return Optional.empty();
        }
        if (node(key) instanceof MappingNode mapping) {
            return Optional.of(
                    new Section(
                            at(key), mapping.getValue(), lines.getOrDefault(key, line), mistakes));
        }
        mistake(key, described(node(key)), "a mapping of keys to values");
        return Optional.empty();
    }

    /** The mapping under {@code key}, or one without keys, which isn't a mistake. */
    Section sectionOrEmpty(String key) {
        return section(key).orElseGet(() -> empty(key, mistakes));
    }

    /** Every entry of this mapping, with its key's form checked. */
    <K, V> Map<K, V> each(Kind<K> form, BiFunction<K, Section, V> read) {
        Map<K, V> all = new LinkedHashMap<>();
        for (String key : keys()) {
            known.add(key);
            Optional<K> name = form.parse().apply(key);
            if (name.isEmpty()) {
                mistake(key, "the key '" + key + "'", form.expected());
            }
            section(key)
                    .ifPresent(
                            section ->
                                    all.put(
                                            name.orElse(form.placeholder()),
                                            read.apply(name.orElse(form.placeholder()), section)));
        }
        return all;
    }

    /** Notes a mistake at {@code key}. */
    void mistake(String key, String read, String expected) {
        mistakes.add(new Mistake(lines.getOrDefault(key, line), at(key), read, expected));
    }

    /** Notes that {@code key} isn't there. */
    void missing(String key, String expected) {
        mistake(key, "nothing", expected);
    }

    /** Whether nothing below this mapping was wrong so far. */
    boolean good() {
        return mistakes.stream()
                .noneMatch(
                        it ->
                                it.path().equals(path)
                                        || it.path().startsWith(path + ".")
                                        || path.isEmpty());
    }

    /** Notes every key that nobody asked for. */
    void finish() {
        for (String key : keys()) {
            if (!known.contains(key)) {
                mistake(key, "an unknown key", suggestion(key));
            }
        }
    }

    private String suggestion(String key) {
        return known.stream()
                .filter(one -> !entries.containsKey(one))
                .min(Comparator.comparingInt(one -> distance(key, one)))
                .filter(one -> distance(key, one) <= Math.max(2, one.length() / 3))
                .map(one -> "'" + one + "' perhaps")
                .orElse("one of " + String.join(", ", known));
    }

    /** The same mapping, of which nothing is noted: it has been read before. */
    Section silent() {
        Section copy = new Section(path, List.of(), line, new ArrayList<>());
        copy.entries.putAll(entries);
        copy.lines.putAll(lines);
        return copy;
    }

    private Section empty(String key, List<Mistake> told) {
        return new Section(at(key), List.of(), lines.getOrDefault(key, line), told);
    }

    private <T> Optional<T> value(String where, Node node, Kind<T> kind) {
        Optional<T> value =
                node instanceof ScalarNode scalar
                        ? kind.parse().apply(scalar.getValue())
                        : Optional.empty();
        if (value.isEmpty()) {
            mistakes.add(
                    new Mistake(
                            node.getStartMark().getLine() + 1,
                            where,
                            described(node),
                            kind.expected()));
        }
        return value;
    }

    private Node node(String key) {
        return Objects.requireNonNull(entries.get(key));
    }

    private static String described(Node node) {
        return switch (node) {
            case ScalarNode scalar when scalar.getValue().isEmpty() -> "nothing";
            case ScalarNode scalar -> "'" + scalar.getValue() + "'";
            case SequenceNode list -> "a list of " + list.getValue().size();
            default -> "a mapping";
        };
    }

    /** How many characters have to be changed, added or removed to make one text the other. */
    private static int distance(String from, String to) {
        int[] previous = new int[to.length() + 1];
        for (int column = 0; column <= to.length(); column++) {
            previous[column] = column;
        }
        for (int row = 1; row <= from.length(); row++) {
            int[] current = new int[to.length() + 1];
            current[0] = row;
            for (int column = 1; column <= to.length(); column++) {
                int changed = from.charAt(row - 1) == to.charAt(column - 1) ? 0 : 1;
                current[column] =
                        Math.min(
                                previous[column - 1] + changed,
                                1 + Math.min(previous[column], current[column - 1]));
            }
            previous = current;
        }
        return previous[to.length()];
    }
}
