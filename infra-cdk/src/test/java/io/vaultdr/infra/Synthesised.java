package io.vaultdr.infra;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

import io.vaultdr.infra.config.Config;

import software.amazon.awscdk.App;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/**
 * A configuration's stacks, synthesised with the checks of cdk-nag; each example only once for all
 * tests of a run, in whichever JVM they are.
 *
 * @param templates stack name → template
 */
public record Synthesised(List<Assembled> stacks, Map<String, JsonNode> templates, Path outdir) {
    /**
     * A stack, as the assembly's manifest describes it.
     *
     * @param template the name of its file
     * @param dependencies the names of stacks that are deployed before it
     */
    public record Assembled(
            String name,
            String account,
            String region,
            String template,
            List<String> dependencies) {}

    /** Of this run of Maven's tests, or of this JVM alone. */
    private static final Path RUN =
            Path.of(
                    "target",
                    "synthesised",
                    System.getProperty(
                            "vaultdr.run", Long.toString(ProcessHandle.current().pid())));

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
    public static Synthesised example(String name) {
        return EXAMPLES.computeIfAbsent(name, key -> once(key, () -> Examples.load(name)));
    }

    /** {@link Examples#apart}. */
    static Synthesised apart() {
        return EXAMPLES.computeIfAbsent("apart", key -> once(key, Examples::apart));
    }

    /** Any configuration. */
    static Synthesised of(Config config) {
        try {
            Path directory =
                    Files.createTempDirectory(Files.createDirectories(Path.of("target")), "synth");
            synthesise(config, directory);
            return read(directory);
        } catch (IOException e) {
            throw new UncheckedIOException("synthesis", e);
        }
    }

    /** By the first JVM that wants it; others wait for it. */
    private static Synthesised once(String name, Supplier<Config> config) {
        try {
            Path directory = Files.createDirectories(RUN.resolve(name));
            try (FileChannel file =
                            FileChannel.open(
                                    directory.resolve("lock"),
                                    StandardOpenOption.CREATE,
                                    StandardOpenOption.WRITE);
                    FileLock held = file.lock()) {
                Path done = directory.resolve("done");
                if (held.isValid() && !Files.exists(done)) {
                    synthesise(config.get(), directory);
                    Files.createFile(done);
                }
            }
            return read(directory);
        } catch (IOException e) {
            throw new UncheckedIOException("synthesis of " + name, e);
        }
    }

    private static void synthesise(Config config, Path directory) {
        App app = VaultDrApp.app(directory.resolve("cdk.out"), true);
        app.getNode().setContext(LOOKUP, LOOKED_UP);
        VaultDrApp.stacks(app, config, Examples.zip(directory));
        app.synth();
    }

    private static Synthesised read(Path directory) throws IOException {
        Path outdir = directory.resolve("cdk.out");
        List<Assembled> stacks = new ArrayList<>();
        Map<String, JsonNode> templates = new LinkedHashMap<>();
        for (var artifact :
                JSON.readTree(outdir.resolve("manifest.json").toFile())
                        .get("artifacts")
                        .properties()) {
            JsonNode it = artifact.getValue();
            if (!it.get("type").asText().equals("aws:cloudformation:stack")) {
                continue;
            }
            // Such as aws://111122223333/eu-west-1.
            URI environment = URI.create(it.get("environment").asText());
            List<String> dependencies = new ArrayList<>();
            for (JsonNode other : it.path("dependencies")) {
                if (!other.asText().endsWith(".assets")) {
                    dependencies.add(other.asText());
                }
            }
            Assembled stack =
                    new Assembled(
                            artifact.getKey(),
                            environment.getAuthority(),
                            environment.getPath().substring(1),
                            it.at("/properties/templateFile").asText(),
                            dependencies);
            stacks.add(stack);
            templates.put(stack.name(), JSON.readTree(outdir.resolve(stack.template()).toFile()));
        }
        return new Synthesised(stacks, templates, outdir);
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
    public static JsonNode json(String text) {
        try {
            return JSON.readTree(text);
        } catch (JsonProcessingException e) {
            throw new AssertionError(text, e);
        }
    }
}
