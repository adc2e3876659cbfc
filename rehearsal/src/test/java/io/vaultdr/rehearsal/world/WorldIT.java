package io.vaultdr.rehearsal.world;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;

import io.vaultdr.infra.VaultDrApp;
import io.vaultdr.infra.config.ConfigFile;
import io.vaultdr.infra.config.ConfigFile.Loaded;
import io.vaultdr.rehearsal.Children;
import io.vaultdr.rehearsal.world.WorldEvent.AlarmChanged;
import io.vaultdr.rehearsal.world.WorldEvent.ExecutionChanged;
import io.vaultdr.rehearsal.world.WorldEvent.FunctionEnded;
import io.vaultdr.runtime.Json;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.route53.Route53Client;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.sfn.SfnClient;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;

/** The deployed example, synthesised, applied and run with a slot of a second and no servers. */
class WorldIT {
    private static final List<WorldEvent> EVENTS = new CopyOnWriteArrayList<>();
    private static final String FLAG = "vault-dr-payments-flag-123456789012-eu-central-1";
    private static Children children;
    private static World world;
    private static String zone;

    @BeforeAll
    static void start() throws IOException {
        Path scratch = Files.createTempDirectory("world");
        Path hosts = Files.writeString(scratch.resolve("hosts"), "127.0.0.1 localhost\n");
        Path root = Path.of(System.getProperty("vaultdr.root"));
        children = new Children(scratch);
        world =
                World.start(
                        new World.Setup(
                                root,
                                scratch,
                                Duration.ofSeconds(1),
                                region -> hosts,
                                Machines.none(),
                                children::start,
                                EVENTS::add));
        zone = world.createHostedZone("example.com");
        world.apply(synthesised(root.resolve("infra-cdk/examples"), scratch));
        world.startClock();
    }

    private static Path synthesised(Path examples, Path scratch) throws IOException {
        Path folder = Files.createDirectories(scratch.resolve("config/ca"));
        try (Stream<Path> files = Files.list(examples.resolve("ca"))) {
            for (Path file : files.toList()) {
                Files.copy(file, folder.resolve(file.getFileName().toString()));
            }
        }
        Path yaml = folder.resolveSibling("automatic.yaml");
        Files.writeString(
                yaml,
                Files.readString(examples.resolve("automatic.yaml"))
                        .replace("111122223333", MotoServer.ACCOUNT)
                        .replace("Z0123456789ABC", zone));
        Path assembly = scratch.resolve("cdk.out");
        switch (ConfigFile.load(yaml)) {
            case Loaded.Good(var config) ->
                    VaultDrApp.synth(
                            config,
                            Path.of(
                                    System.getProperty("vaultdr.root"),
                                    "functions/target/vault-dr-functions.zip"),
                            assembly);
            case Loaded.Bad(var mistakes) -> throw new IOException(mistakes.toString());
        }
        return assembly;
    }

    @AfterAll
    static void stop() {
        world.close();
        children.close();
    }

    @Test
    void makesWhatTheTemplatesDescribeAndListsTheRest() {
        try (DynamoDbClient tables =
                        world.aws().at(DynamoDbClient.builder(), "eu-central-1").build();
                Route53Client dns = world.aws().at(Route53Client.builder(), "aws-global").build();
                SfnClient machines = world.aws().at(SfnClient.builder(), "eu-central-1").build()) {
            assertEquals(List.of("vault-dr-payments-ledger"), tables.listTables().tableNames());
            assertEquals(
                    List.of(100L, 0L),
                    dns
                            .listResourceRecordSets(r -> r.hostedZoneId(zone))
                            .resourceRecordSets()
                            .stream()
                            .filter(r -> r.weight() != null)
                            .map(r -> r.weight())
                            .sorted((a, b) -> Long.compare(b, a))
                            .toList());
            assertEquals(
                    List.of("vault-dr-payments-drill", "vault-dr-payments-failover"),
                    machines.listStateMachines().stateMachines().stream()
                            .map(machine -> machine.name())
                            .sorted()
                            .toList());
        }
        assertTrue(
                world.notApplied().stream()
                        .allMatch(n -> !n.why().contains("doesn't know this type")),
                world.notApplied().toString());
        assertTrue(world.compressed().stream().anyMatch(c -> c.contains("WaitThreeSlots")));
    }

    @Test
    void archivesTheFunctionsClassesOnce() throws IOException {
        Path kept = Path.of(System.getProperty("vaultdr.root"), ".vault-dr/functions");
        Path zip = world.functions().iterator().next().code();
        FunctionCode.Unpacked code =
                FunctionCode.keptIn(
                                kept,
                                new FunctionCode.Training(
                                        kept,
                                        builder -> {
                                            throw new IOException(
                                                    "archived again: " + builder.command());
                                        }))
                        .of(zip);

        assertTrue(code.arguments().getFirst().startsWith("-XX:AOTCache=" + kept), code.toString());
    }

    @Test
    void showsTheFlagToHealthCheckersOnly() {
        assertEquals(OptionalInt.of(403), world.anonymousGet("eu-central-1", FLAG, "traffic/dr"));
        try (S3Client s3 = world.aws().at(S3Client.builder(), "eu-central-1").build()) {
            s3.putObject(p -> p.bucket(FLAG).key("traffic/dr"), RequestBody.fromString("dr"));
            s3.putObject(p -> p.bucket(FLAG).key("other"), RequestBody.fromString("dr"));
        }
        assertEquals(OptionalInt.of(200), world.anonymousGet("eu-central-1", FLAG, "traffic/dr"));
        assertEquals(OptionalInt.of(403), world.anonymousGet("eu-central-1", FLAG, "other"));
    }

    @Test
    void letsPeopleAskForTheStateByControl() throws IOException {
        World.Result status =
                world.invoke(
                        "vault-dr-payments-control",
                        "read",
                        "{\"action\":\"status\",\"by\":\"test\",\"reason\":\"test\"}");

        JsonNode answer = Json.MAPPER.readTree(status.payload());
        assertTrue(status.error().isEmpty(), status.payload());
        assertTrue(answer.toString().contains("payments"), status.payload());
    }

    @Test
    void probesByTheClockAndTellsOfAPairThatNobodyReaches() throws InterruptedException {
        await(
                Duration.ofMinutes(3),
                () ->
                        EVENTS.stream()
                                .anyMatch(
                                        e ->
                                                e instanceof AlarmChanged alarm
                                                        && alarm.alarm().contains("unreached")
                                                        && alarm.to().equals("ALARM")));
        await(
                Duration.ofMinutes(2),
                () ->
                        EVENTS.stream()
                                .anyMatch(
                                        e ->
                                                e instanceof FunctionEnded ended
                                                        && ended.function()
                                                                .equals(
                                                                        "vault-dr-payments-evaluate-failover")
                                                        && ended.error().isEmpty()));
        assertEquals(List.of(), world.callsNotGranted());
    }

    @Test
    void runsTheStateMachineWithTheFunctionsInIt() throws InterruptedException {
        try (SfnClient machines = world.aws().at(SfnClient.builder(), "eu-central-1").build()) {
            machines.startExecution(
                    e ->
                            e.stateMachineArn(
                                            "arn:aws:states:eu-central-1:123456789012:stateMachine:"
                                                    + "vault-dr-payments-failover")
                                    .name("payments-dryrun-1")
                                    .input("{\"dryRun\":true,\"pair\":\"payments\",\"epoch\":0}"));
        }
        await(
                Duration.ofMinutes(3),
                () ->
                        EVENTS.stream()
                                .anyMatch(
                                        e ->
                                                e instanceof FunctionEnded ended
                                                        && ended.function()
                                                                .equals(
                                                                        "vault-dr-payments-judge")));
        assertTrue(
                EVENTS.stream()
                        .noneMatch(
                                e ->
                                        e instanceof ExecutionChanged changed
                                                && changed.status().equals("UNKNOWN")));
    }

    private static void await(Duration limit, BooleanSupplier condition)
            throws InterruptedException {
        long end = System.nanoTime() + limit.toNanos();
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() < end, "not within " + limit);
            Thread.sleep(200);
        }
    }
}
