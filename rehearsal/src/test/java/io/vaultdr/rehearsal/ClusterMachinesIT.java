package io.vaultdr.rehearsal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

import io.vaultdr.rehearsal.world.Instance;
import io.vaultdr.rehearsal.world.World;
import io.vaultdr.rehearsal.world.WorldEvent;
import io.vaultdr.runtime.Json;
import io.vaultdr.testing.Eventually;
import io.vaultdr.testing.TestTls;

import org.junit.jupiter.api.Test;

import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.autoscaling.AutoScalingClient;
import software.amazon.awssdk.services.autoscaling.model.AutoScalingGroup;
import software.amazon.awssdk.services.secretsmanager.SecretsManagerClient;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Three machines of a small template, started by the image's boot script: they find each other, are
 * reached by their load balancer, their recovery keys make a root token, and one that dies is
 * replaced.
 */
class ClusterMachinesIT {
    private static final String REGION = "eu-west-1";
    private static final String GROUP = "nodes";
    private static final Duration LONG = Duration.ofMinutes(3);

    private final List<WorldEvent> events = new CopyOnWriteArrayList<>();

    @Test
    void bootsFindsOneAnotherAndReplacesWhoDies() throws Exception {
        Path scratch = Files.createTempDirectory("machines");
        var made = new AtomicReference<World>();
        var console =
                new Console(
                        new java.io.PrintStream(java.io.OutputStream.nullOutputStream()),
                        false,
                        Clock.systemUTC());
        try (var children = new Children(scratch);
                var machines = machines(scratch, children, made, console);
                var world =
                        World.start(
                                new World.Setup(
                                        Path.of(System.getProperty("vaultdr.root")),
                                        scratch,
                                        Duration.ofSeconds(1),
                                        region -> scratch,
                                        machines,
                                        children::start,
                                        events::add))) {
            made.set(world);
            TestTls tls =
                    TestTls.in(
                            scratch.resolve("tls"),
                            "server.test",
                            "ip:" + world.balancerAddresses(1).getFirst().getHostAddress());
            world.apply(assembly(scratch.resolve("assembly")));
            bring(world, tls);
            world.startGroups();
            try (AutoScalingClient groups = groups(world)) {
                machinesServe(world, machines, groups, tls);
            }
        }
    }

    private void machinesServe(
            World world, ClusterMachines machines, AutoScalingClient groups, TestTls tls)
            throws IOException {
        AutoScalingGroup group = describe(groups);
        assertEquals(3, group.instances().size());
        assertEquals("Pending:Wait", group.instances().getFirst().lifecycleStateAsString());
        Server nlb =
                Server.at(
                        Fleet.trust(tls),
                        URI.create(
                                "https://"
                                        + Objects.requireNonNull(world.names().get("vault.test"))
                                                .getHostAddress()
                                        + ":8200"));
        letIn(groups, ids(world));
        Eventually.await("a blank node", LONG, () -> health(nlb) == 501);

        JsonNode keys =
                nlb.must("PUT", "sys/init", Map.of("recovery_shares", 1, "recovery_threshold", 1));
        Server root = nlb.with(keys.path("root_token").asText());
        Eventually.await("three voters", LONG, () -> voters(root).equals(ids(world)));
        assertTrue(events.stream().anyMatch(ClusterMachinesIT::takenIn), "by its health check");

        breakGlass(nlb, root, keys.path("recovery_keys"));

        String dead = ids(world).iterator().next();
        machines.end(dead);
        Eventually.await("its replacement", LONG, () -> describe(groups).instances().size() == 4);
        Set<String> fresh = new HashSet<>(ids(world));
        fresh.remove(dead);
        letIn(groups, fresh);
        Eventually.await("its vote", LONG, () -> voters(root).containsAll(fresh));
        Eventually.await(
                "the hook",
                LONG,
                () -> world.instances(REGION, GROUP).containsValue("Terminating:Wait"));
        groups.completeLifecycleAction(
                it ->
                        it.autoScalingGroupName(GROUP)
                                .lifecycleHookName("end")
                                .instanceId(dead)
                                .lifecycleActionResult("CONTINUE"));
        Eventually.await("it is gone", LONG, () -> ids(world).equals(fresh));
        assertFalse(world.callsNotGranted().stream().findAny().isPresent());
    }

    /** The recovery keys make a root token, with which all is told and given up again. */
    private static void breakGlass(Server nlb, Server root, JsonNode keys) throws IOException {
        String secret = Json.MAPPER.createObjectNode().set("recovery_keys", keys).toString();
        Server door = BreakGlass.door(nlb).orElseThrow();
        BreakGlass person = BreakGlass.with(door, secret);
        assertEquals(2, person.rootTokens(), "the one of the initialisation, and its own");
        Server watcher = nlb.with(person.watcher());
        person.done();

        assertEquals(403, person.server().call("GET", "sys/mounts", Map.of()).status());
        assertEquals(403, watcher.call("GET", "sys/mounts", Map.of()).status());
        assertEquals(voters(root), voters(watcher));
        assertThrows(
                IllegalStateException.class,
                () -> BreakGlass.with(door, "{\"recovery_keys\":[]}"),
                "no keys, no token");
    }

    private static boolean takenIn(WorldEvent event) {
        return event instanceof WorldEvent.TargetChanged it && it.healthy();
    }

    private static int health(Server server) {
        try {
            return server.call("GET", "sys/health", Map.of()).status();
        } catch (IOException e) {
            return 0;
        }
    }

    private static Set<String> voters(Server root) {
        Set<String> voters = new HashSet<>();
        root.tells("GET", "sys/storage/raft/configuration")
                .ifPresent(
                        data ->
                                data.path("config")
                                        .path("servers")
                                        .forEach(
                                                it -> {
                                                    if (it.path("voter").asBoolean()) {
                                                        voters.add(it.path("node_id").asText());
                                                    }
                                                }));
        return voters;
    }

    private static Set<String> ids(World world) {
        Set<String> ids = new HashSet<>();
        world.instances(REGION, GROUP).keySet().stream().map(Instance::id).forEach(ids::add);
        return ids;
    }

    private static AutoScalingGroup describe(AutoScalingClient groups) {
        return groups.describeAutoScalingGroups(it -> it.autoScalingGroupNames(GROUP))
                .autoScalingGroups()
                .getFirst();
    }

    /** Completes the launch hook of those that it holds. */
    private static void letIn(AutoScalingClient groups, Set<String> which) {
        describe(groups).instances().stream()
                .filter(it -> it.lifecycleStateAsString().equals("Pending:Wait"))
                .filter(it -> which.contains(it.instanceId()))
                .forEach(
                        instance ->
                                groups.completeLifecycleAction(
                                        it ->
                                                it.autoScalingGroupName(GROUP)
                                                        .lifecycleHookName("launch")
                                                        .instanceId(instance.instanceId())
                                                        .lifecycleActionResult("CONTINUE")));
    }

    private static AutoScalingClient groups(World world) {
        return AutoScalingClient.builder()
                .region(Region.of(REGION))
                .endpointOverride(world.endpoint())
                .httpClient(UrlConnectionHttpClient.create())
                .credentialsProvider(
                        StaticCredentialsProvider.create(
                                AwsBasicCredentials.create("operator", "unchecked")))
                .build();
    }

    private static void bring(World world, TestTls tls) throws IOException {
        String secret =
                Json.MAPPER
                        .createObjectNode()
                        .put("certificate", Files.readString(tls.certificate()))
                        .put("private_key", Files.readString(tls.key()))
                        .put("ca", tls.caPem())
                        .toString();
        try (SecretsManagerClient secrets =
                world.aws().at(SecretsManagerClient.builder(), REGION).build()) {
            secrets.createSecret(it -> it.name("tls").secretString(secret));
        }
    }

    private static ClusterMachines machines(
            Path scratch, Children children, AtomicReference<World> made, Console console)
            throws IOException {
        return new ClusterMachines(
                new ClusterMachines.Setup(
                        Files.createDirectories(scratch.resolve("machines")),
                        ClusterMachines.script(scratch),
                        "openbao",
                        Files.write(scratch.resolve("seal.key"), new byte[32]),
                        Duration.ofSeconds(1),
                        () -> made.get().endpoint(),
                        () -> made.get().aws(),
                        children::start,
                        console));
    }

    /** A synthesised app of one stack: what a cluster needs, and nothing else. */
    private static Path assembly(Path directory) throws IOException {
        Files.createDirectories(directory);
        Files.writeString(
                directory.resolve("manifest.json"),
                """
                { "artifacts": { "cluster": {
                    "type": "aws:cloudformation:stack",
                    "environment": "aws://123456789012/eu-west-1",
                    "properties": { "templateFile": "cluster.json" } } } }
                """);
        ObjectNode template =
                (ObjectNode)
                        Json.MAPPER.readTree(
                                ClusterMachinesIT.class.getResourceAsStream("cluster.json"));
        Files.writeString(directory.resolve("cluster.json"), template.toString());
        return directory;
    }
}
