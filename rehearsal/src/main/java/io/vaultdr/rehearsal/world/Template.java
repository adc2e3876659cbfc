package io.vaultdr.rehearsal.world;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;

import io.vaultdr.runtime.Json;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;

/**
 * A synthesised stack.
 *
 * @param resources logical id to resource; {@link Compression} may have changed them
 */
record Template(
        String stack,
        String account,
        String region,
        Path assembly,
        Map<String, ObjectNode> resources) {
    private static final Pattern ENVIRONMENT = Pattern.compile("aws://(\\d{12})/([a-z0-9-]+)");
    private static final Pattern VARIABLE = Pattern.compile("\\$\\{([^!}][^}]*)}");

    /** What a resource's Ref and attributes are. */
    interface References {
        String ref(String logicalId);

        String attribute(String logicalId, String attribute);
    }

    /** Reads every stack of a cloud assembly, sorted by name. */
    static List<Template> read(Path assembly) {
        try {
            JsonNode manifest = Json.MAPPER.readTree(assembly.resolve("manifest.json").toFile());
            List<Template> templates = new ArrayList<>();
            for (var artifact : manifest.path("artifacts").properties()) {
                JsonNode value = artifact.getValue();
                switch (value.path("type").asText()) {
                    case "aws:cloudformation:stack" ->
                            templates.add(stack(assembly, artifact.getKey(), value));
                    case "cdk:cloud-assembly" ->
                            throw new IllegalArgumentException(
                                    artifact.getKey()
                                            + ": a nested assembly, expected stacks without"
                                            + " stages");
                    default -> {}
                }
            }
            templates.sort(Comparator.comparing(Template::stack));
            return templates;
        } catch (IOException e) {
            throw new UncheckedIOException(
                    assembly + ": expected the folder of a synthesised CDK app", e);
        }
    }

    private static Template stack(Path assembly, String id, JsonNode artifact) throws IOException {
        Matcher environment = ENVIRONMENT.matcher(artifact.path("environment").asText());
        if (!environment.matches()) {
            throw new IllegalArgumentException(
                    id
                            + ": its environment is "
                            + artifact.path("environment")
                            + ", expected a stack with account and region");
        }
        Path file = assembly.resolve(artifact.path("properties").path("templateFile").asText());
        JsonNode template = Json.MAPPER.readTree(Files.newInputStream(file));
        if (!template.path("Conditions").isEmpty()) {
            throw new IllegalArgumentException(file + ": Conditions aren't evaluated here");
        }
        Map<String, ObjectNode> resources = new LinkedHashMap<>();
        template.path("Resources")
                .properties()
                .forEach(r -> resources.put(r.getKey(), (ObjectNode) r.getValue()));
        return new Template(
                artifact.path("properties").path("stackName").asText(id),
                environment.group(1),
                environment.group(2),
                assembly,
                resources);
    }

    /**
     * The value with every intrinsic function carried out.
     *
     * @throws IllegalArgumentException for one that isn't known here
     */
    JsonNode resolve(JsonNode value, References references) {
        if (value instanceof ArrayNode array) {
            ArrayNode resolved = Json.MAPPER.createArrayNode();
            array.forEach(item -> resolved.add(resolve(item, references)));
            return resolved;
        }
        if (!(value instanceof ObjectNode object)) {
            return value;
        }
        if (object.size() == 1) {
            String name = object.fieldNames().next();
            if (name.equals("Ref") || name.startsWith("Fn::")) {
                return intrinsic(name, object.get(name), references);
            }
        }
        ObjectNode resolved = Json.MAPPER.createObjectNode();
        object.properties()
                .forEach(p -> resolved.set(p.getKey(), resolve(p.getValue(), references)));
        return resolved;
    }

    private JsonNode intrinsic(String name, JsonNode argument, References references) {
        return switch (name) {
            case "Ref" -> TextNode.valueOf(ref(argument.asText(), references));
            case "Fn::GetAtt" -> {
                String[] parts =
                        argument.isArray()
                                ? new String[] {argument.get(0).asText(), argument.get(1).asText()}
                                : argument.asText().split("\\.", 2);
                yield TextNode.valueOf(references.attribute(parts[0], parts[1]));
            }
            case "Fn::Join" ->
                    TextNode.valueOf(
                            StreamSupport.stream(
                                            resolve(argument.get(1), references).spliterator(),
                                            false)
                                    .map(JsonNode::asText)
                                    .collect(Collectors.joining(argument.get(0).asText())));
            case "Fn::Split" -> {
                ArrayNode parts = Json.MAPPER.createArrayNode();
                Arrays.stream(
                                resolve(argument.get(1), references)
                                        .asText()
                                        .split(Pattern.quote(argument.get(0).asText()), -1))
                        .forEach(parts::add);
                yield parts;
            }
            case "Fn::Select" -> resolve(argument.get(1), references).get(argument.get(0).asInt());
            case "Fn::GetAZs" -> Json.MAPPER.createArrayNode().add(region + "a").add(region + "b");
            case "Fn::Sub" -> TextNode.valueOf(substitute(argument, references));
            default ->
                    throw new IllegalArgumentException(
                            stack + ": " + name + " isn't carried out here: " + argument);
        };
    }

    private String substitute(JsonNode argument, References references) {
        String text = argument.isArray() ? argument.get(0).asText() : argument.asText();
        JsonNode variables = argument.isArray() ? argument.get(1) : Json.MAPPER.createObjectNode();
        return VARIABLE.matcher(text)
                .replaceAll(
                        match -> {
                            String name = match.group(1);
                            String value;
                            if (variables.has(name)) {
                                value = resolve(variables.get(name), references).asText();
                            } else if (name.contains(".")) {
                                String[] parts = name.split("\\.", 2);
                                value = references.attribute(parts[0], parts[1]);
                            } else {
                                value = ref(name, references);
                            }
                            return Matcher.quoteReplacement(value);
                        })
                .replace("${!", "${");
    }

    private String ref(String name, References references) {
        return switch (name) {
            case "AWS::AccountId" -> account;
            case "AWS::Region" -> region;
            case "AWS::Partition" -> "aws";
            case "AWS::URLSuffix" -> "amazonaws.com";
            case "AWS::StackName" -> stack;
            default -> references.ref(name);
        };
    }
}
