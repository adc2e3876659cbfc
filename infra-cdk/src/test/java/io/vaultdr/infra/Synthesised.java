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

    /** The VPC of the smallest examples, which name no subnets, as the CLI looks it up. */
    private static final String LOOKUP =
            "vpc-provider:account=111122223333:filter.vpc-id=vpc-0a1b2c3d4e5f60718"
                    + ":region=eu-west-1:returnAsymmetricSubnets=true";

    private static final Map<String, Object> LOOKED_UP =
            Map.of(
                    "vpcId",
                    "vpc-0a1b2c3d4e5f60718",
                    "vpcCidrBlock",
                    "10.0.0.0/16",
                    "ownerAccountId",
                    "111122223333",
                    "availabilityZones",
                    List.of(),
                    "subnetGroups",
                    List.of(
                            Map.of(
                                    "name",
                                    "Private",
                                    "type",
                                    "Private",
                                    "subnets",
                                    List.of(subnet("a", 1), subnet("b", 2)))));

    private static Map<String, String> subnet(String zone, int number) {
        return Map.of(
                "subnetId",
                "subnet-0a1b2c3d4e5f6071" + number,
                "cidr",
                "10.0." + number + ".0/24",
                "availabilityZone",
                "eu-west-1" + zone,
                "routeTableId",
                "rtb-0a1b2c3d4e5f6071" + number);
    }

    /** The example of that name. */
    static Synthesised example(String name) {
        return EXAMPLES.computeIfAbsent(name, key -> of(Examples.load(name)));
    }

    /** {@link Examples#apart}. */
    static Synthesised apart() {
        return EXAMPLES.computeIfAbsent("apart", key -> of(Examples.apart()));
    }

    /** Any configuration. */
    static Synthesised of(Config config) {
        try {
            Path directory = Files.createTempDirectory(Path.of("target"), "synth");
            App app = VaultDrApp.app(directory.resolve("cdk.out"), true);
            app.getNode().setContext(LOOKUP, LOOKED_UP);
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
