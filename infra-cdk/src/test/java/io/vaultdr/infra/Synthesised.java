package io.vaultdr.infra;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

import io.vaultdr.infra.config.Config;

import software.amazon.awscdk.App;
import software.amazon.awscdk.Stack;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A configuration's stacks, synthesised with the checks of cdk-nag; each example only once for all
 * tests.
 *
 * @param templates stack name → template
 */
record Synthesised(List<Stack> stacks, Map<String, JsonNode> templates, Path outdir) {
    static final ObjectMapper JSON = new ObjectMapper();
    private static final Map<String, Synthesised> EXAMPLES = new ConcurrentHashMap<>();

    /** The example of that name. */
    static Synthesised example(String name) {
        return EXAMPLES.computeIfAbsent(name, key -> of(Examples.load(name)));
    }

    /** Any configuration. */
    static Synthesised of(Config config) {
        try {
            Path directory = Files.createTempDirectory(Path.of("target"), "synth");
            App app = VaultDrApp.app(directory.resolve("cdk.out"), true);
            List<Stack> stacks = VaultDrApp.stacks(app, config, Examples.zip(directory));
            app.synth();
            Map<String, JsonNode> templates = new LinkedHashMap<>();
            for (Stack stack : stacks) {
                templates.put(
                        stack.getStackName(),
                        JSON.readTree(
                                directory
                                        .resolve("cdk.out")
                                        .resolve(stack.getTemplateFile())
                                        .toFile()));
            }
            return new Synthesised(stacks, templates, directory.resolve("cdk.out"));
        } catch (IOException e) {
            throw new UncheckedIOException("synthesis", e);
        }
    }

    /** The template of a stack. */
    JsonNode template(String stack) {
        JsonNode template = templates.get(stack);
        if (template == null) {
            throw new AssertionError(stack + ": expected one of " + templates.keySet());
        }
        return template;
    }

    /** The resources of one type, by logical id. */
    Map<String, JsonNode> resources(String stack, String type) {
        Map<String, JsonNode> found = new LinkedHashMap<>();
        template(stack)
                .get("Resources")
                .properties()
                .forEach(
                        entry -> {
                            if (entry.getValue().get("Type").asText().equals(type)) {
                                found.put(entry.getKey(), entry.getValue());
                            }
                        });
        return found;
    }

    /** The properties of the resource of that type whose {@code property} is {@code value}. */
    JsonNode properties(String stack, String type, String property, String value) {
        return resources(stack, type).values().stream()
                .map(resource -> resource.get("Properties"))
                .filter(it -> it.path(property).asText().equals(value))
                .findFirst()
                .orElseThrow(
                        () ->
                                new AssertionError(
                                        stack + ": no " + type + " with " + property + " "
                                                + value));
    }

    /** A tree of JSON text. */
    static JsonNode json(String text) {
        try {
            return JSON.readTree(text);
        } catch (JsonProcessingException e) {
            throw new AssertionError(text, e);
        }
    }
}
