package io.vaultdr.infra;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The templates of every example, as they were looked at. A change shows as a difference; {@code
 * -Dgolden=update} writes them anew.
 */
class GoldenTest {
    private static final Path GOLDEN =
            Examples.DIRECTORY.resolveSibling("src/test/resources/golden");

    /** How the records begin that functions are told. */
    private static final List<String> SETTINGS = List.of("{\"pair\"", "{\"bucket\"", "{\"last\"");

    private static final Pattern ASSET = Pattern.compile("[0-9a-f]{64}\\.zip");
    private static final Pattern VERSION =
            Pattern.compile("(CurrentVersion[0-9A-F]{8})[0-9a-f]{32}");

    /** Each pair of several is what it is alone: {@link PairsApartTest}. */
    private static Stream<String> examples() {
        return Examples.names().filter(example -> !example.equals("several"));
    }

    @ParameterizedTest
    @MethodSource("examples")
    void isWhatWasLookedAt(String example) throws IOException {
        Map<String, JsonNode> all = new TreeMap<>();
        Synthesised.example(example)
                .templates()
                .forEach((stack, template) -> all.put(stack, normalised(template)));
        String now =
                Synthesised.JSON
                                .writer()
                                .with(SerializationFeature.INDENT_OUTPUT)
                                .with(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS)
                                .writeValueAsString(all)
                        + "\n";
        Path golden = GOLDEN.resolve(example + ".json");
        if (System.getProperty("golden", "").equals("update")) {
            Files.createDirectories(GOLDEN);
            Files.writeString(golden, now);
        }
        String before = Files.exists(golden) ? Files.readString(golden) : "";
        assertEquals(
                before,
                now,
                example + ": the templates changed; look, then run with -Dgolden=update");
    }

    /** Without what changes with the functions' code, and with nested JSON as a tree. */
    private static JsonNode normalised(JsonNode node) {
        return switch (node) {
            case ObjectNode object -> {
                ObjectNode result = Synthesised.JSON.createObjectNode();
                object.properties()
                        .forEach(
                                entry -> {
                                    String key = version(entry.getKey());
                                    JsonNode value = normalised(entry.getValue());
                                    result.set(
                                            key,
                                            key.equals("DefinitionString")
                                                    ? Machine.definition(value)
                                                    : value);
                                });
                yield result;
            }
            case ArrayNode array -> {
                ArrayNode result = Synthesised.JSON.createArrayNode();
                array.forEach(item -> result.add(normalised(item)));
                yield result;
            }
            case TextNode text -> {
                String value = version(ASSET.matcher(text.asText()).replaceAll("ASSET.zip"));
                yield SETTINGS.stream().anyMatch(value::startsWith)
                        ? Synthesised.json(value)
                        : TextNode.valueOf(value);
            }
            default -> node;
        };
    }

    private static String version(String text) {
        return VERSION.matcher(text).replaceAll("$1");
    }
}
