package io.vaultdr.cli;

import com.fasterxml.jackson.databind.JsonNode;

import java.util.Locale;

/** Shows a function's JSON answer to a person: a line per value, nested ones indented. */
final class Answer {
    private Answer() {}

    /** {@code answer} as lines, each ending with a line feed. */
    static String text(JsonNode answer) {
        StringBuilder text = new StringBuilder();
        append(text, answer, "");
        return text.toString();
    }

    private static void append(StringBuilder text, JsonNode node, String indent) {
        if (node.isObject()) {
            int width =
                    node.properties().stream()
                            .filter(field -> field.getValue().isValueNode())
                            .mapToInt(field -> words(field.getKey()).length())
                            .max()
                            .orElse(0);
            node.properties()
                    .forEach(
                            field -> {
                                if (field.getValue().isValueNode()) {
                                    text.append(indent)
                                            .append(pad(words(field.getKey()), width))
                                            .append("  ")
                                            .append(field.getValue().asText())
                                            .append('\n');
                                } else if (!field.getValue().isEmpty()) {
                                    text.append(indent).append(words(field.getKey())).append('\n');
                                    append(text, field.getValue(), indent + "  ");
                                }
                            });
        } else if (node.isArray()) {
            node.forEach(
                    element -> {
                        if (element.isValueNode()) {
                            text.append(indent).append("- ").append(element.asText()).append('\n');
                        } else {
                            StringBuilder item = new StringBuilder();
                            append(item, element, indent + "  ");
                            text.append(indent).append("- ").append(item.toString().stripLeading());
                        }
                    });
        } else {
            text.append(indent).append(node.asText()).append('\n');
        }
    }

    private static String pad(String word, int width) {
        return word + " ".repeat(width - word.length());
    }

    /** {@code predictedLoss} → {@code predicted loss}; names that aren't camel case stay. */
    private static String words(String name) {
        return name.matches("[a-z]+([A-Z][a-z]*)+")
                ? name.replaceAll("([A-Z])", " $1").toLowerCase(Locale.ROOT)
                : name;
    }
}
