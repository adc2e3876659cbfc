package io.vaultdr.rehearsal;

import io.vaultdr.aws.DynamoDbEvidence;
import io.vaultdr.aws.DynamoDbLedger;
import io.vaultdr.failover.Incident;
import io.vaultdr.infra.config.Config;
import io.vaultdr.model.PairId;
import io.vaultdr.model.Side;
import io.vaultdr.model.Slots;
import io.vaultdr.rehearsal.Console.Tone;
import io.vaultdr.rehearsal.world.World;
import io.vaultdr.runtime.Json;
import io.vaultdr.snapshot.Manifest;
import io.vaultdr.testing.TestTls;

import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.secretsmanager.SecretsManagerClient;

import java.io.IOException;
import java.net.InetAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;

import javax.net.ssl.SSLContext;

/**
 * One rehearsal of a cluster that the CDK app made, from blank machines to its report: the
 * templates' groups launch machines, these run the image's own boot script, InitializeCluster
 * brings home to service, and clients work by the load balancer.
 */
final class ClusterRehearsal {
    private final ClusterScenario scenario;
    private final Rehearse.Options options;
    private final Console console;
    private final Path scratch;
    private final Children children;
    private final Backstage backstage;
    private final Chronicle chronicle;
    private final Slots slots;

    ClusterRehearsal(
            Rehearse.Options options,
            ClusterScenario scenario,
            Console console,
            Path scratch,
            Children children) {
        this.options = options;
        this.scenario = scenario;
        this.console = console;
        this.scratch = scratch;
        this.children = children;
        this.backstage = Backstage.of(options, scenario.name(), console, scratch);
        this.slots = backstage.slots();
        this.chronicle = new Chronicle(console);
    }

    /** Plays, reports; 0 if it went as expected, else 1. */
    int play() throws Exception {
        backstage.head(scenario.what(), scenario.expected());
        var made = new AtomicReference<World>();
        Path hosts = scratch.resolve("hosts");
        writeHosts(hosts, Map.of());
        byte[] sealKey = new byte[32];
        new SecureRandom().nextBytes(sealKey);
        var hash = CompletableFuture.supplyAsync(Setup::serverHash);
        try (var machines = machines(made, sealKey);
                var world =
                        World.start(
                                new World.Setup(
                                        options.root(),
                                        scratch,
                                        slots.length(),
                                        region -> hosts,
                                        machines,
                                        children::start,
                                        chronicle::add))) {
            made.set(world);
            TestTls tls = certificate(world);
            Config config =
                    ClusterConfiguration.write(
                            Files.createDirectories(scratch.resolve("config")),
                            tls,
                            world.createHostedZone("example.com"),
                            hash.get());
            Path assembly = backstage.synthesise(config);
            ClusterMachines.moveAuditFile(
                    assembly, config.pair(Configuration.PAIR).orElseThrow().auditFile());
            backstage.apply(world, assembly, ClusterConfiguration.PARAMETERS);
            writeHosts(hosts, world.names());
            bringCertificate(world, tls);
            Setup.bringServer(world, Base64.getEncoder().encodeToString(sealKey));
            world.startGroups();
            console.say(Tone.GOOD, "the groups launch blank machines: " + world.names());
            return played(world, machines, tls);
        } catch (Exception | AssertionError e) {
            backstage.keepLogs();
            throw e;
        }
    }

    private TestTls certificate(World world) {
        List<String> names =
                new ArrayList<>(
                        List.of(
                                ClusterConfiguration.SERVER_NAME,
                                ClusterConfiguration.host(Side.HOME),
                                ClusterConfiguration.host(Side.DR)));
        // Clients of the rehearsal's own JVM look no name up.
        world.balancerAddresses(2).forEach(it -> names.add("ip:" + it.getHostAddress()));
        return TestTls.in(scratch.resolve("tls"), names.toArray(String[]::new));
    }

    /** What a customer brings: the servers' certificate, in both regions. */
    private static void bringCertificate(World world, TestTls tls) throws IOException {
        String secret =
                Json.MAPPER
                        .createObjectNode()
                        .put("certificate", Files.readString(tls.certificate()))
                        .put("private_key", Files.readString(tls.key()))
                        .put("ca", tls.caPem())
                        .toString();
        for (String region : List.of(Configuration.HOME, Configuration.DR)) {
            try (SecretsManagerClient secrets =
                    world.aws().at(SecretsManagerClient.builder(), region).build()) {
                secrets.createSecret(it -> it.name(ClusterConfiguration.TLS).secretString(secret));
            }
        }
    }

    /** Whole at once, since a JVM may be reading it. */
    private static void writeHosts(Path file, Map<String, InetAddress> names) throws IOException {
        var lines = new StringBuilder("127.0.0.1 localhost\n");
        names.forEach(
                (name, address) ->
                        lines.append(address.getHostAddress())
                                .append(' ')
                                .append(name)
                                .append('\n'));
        Path fresh = Files.writeString(file.resolveSibling(file.getFileName() + ".new"), lines);
        Files.move(
                fresh, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
    }

    private ClusterMachines machines(AtomicReference<World> made, byte[] sealKey)
            throws IOException {
        return new ClusterMachines(
                new ClusterMachines.Setup(
                        Files.createDirectories(scratch.resolve("machines")),
                        ClusterMachines.script(scratch),
                        Configuration.UNIT,
                        Files.write(scratch.resolve("seal.key"), sealKey),
                        slots.length(),
                        () -> made.get().endpoint(),
                        () -> made.get().aws(),
                        children::start,
                        console));
    }

    private static URI address(World world, Side side) {
        InetAddress address =
                Optional.ofNullable(world.names().get(ClusterConfiguration.host(side)))
                        .orElseThrow(
                                () ->
                                        new IllegalStateException(
                                                "no load balancer has the name "
                                                        + ClusterConfiguration.host(side)));
        return URI.create("https://" + address.getHostAddress() + ":" + ClusterConfiguration.PORT);
    }

    private int played(World world, ClusterMachines machines, TestTls tls) throws Exception {
        SSLContext trust = Fleet.trust(tls);
        DynamoDbClient dynamo = world.aws().at(DynamoDbClient.builder(), Configuration.DR).build();
        String table = Stage.function("ledger");
        var ledger = new DynamoDbLedger(dynamo, table, new PairId(Configuration.PAIR));
        var evidence =
                new DynamoDbEvidence(
                        dynamo,
                        table,
                        List.of(Configuration.HOME, Configuration.DR, Configuration.WITNESS));
        var zone = new MotoZone(world);
        var resolver = new Resolver(zone.model().times(backstage.pace()), zone);
        Server server = Server.at(trust, address(world, Side.HOME));
        try (ScheduledExecutorService clock =
                        Executors.newScheduledThreadPool(
                                2, Thread.ofPlatform().daemon().name("clock-", 0).factory());
                var writer =
                        new Writer(
                                trust,
                                resolver::side,
                                side -> List.of(address(world, side)),
                                Backstage.BETWEEN_WRITES)) {
            var stage =
                    new ClusterStage(
                            console,
                            world,
                            machines,
                            server,
                            Server.at(trust, address(world, Side.DR)),
                            scratch,
                            ledger,
                            slots,
                            chronicle::pages);
            try {
                Writer.Login login = bringToService(stage, trust);
                writer.start(Backstage.CLIENTS, login);
                Manifest taken = stage.takeSnapshot();
                backstage.lookAtAges(world);
                backstage.repeat(
                        clock,
                        Duration.ofMillis(options.fast() ? 20 : 100),
                        () -> resolver.tick(Instant.now()));
                backstage.warm(
                        world, evidence, () -> stage.awaitProof(taken.id(), Optional.empty()));
                world.startClock();
                backstage.awaitReady(stage, evidence);
                stage.awaitSteady();
                Instant start = Instant.now();
                Optional<String> broken = Optional.empty();
                try {
                    scenario.play().on(stage);
                } catch (TimeoutException | RuntimeException | AssertionError e) {
                    // It didn't go as it had to; what there is to see is reported all the same.
                    broken = Optional.of(String.valueOf(e.getMessage()));
                    console.say(Tone.BAD, broken.get());
                }
                return end(stage, writer, login, resolver, zone, evidence, start, broken);
            } finally {
                clock.shutdownNow();
            }
        }
    }

    /**
     * What every rehearsal of a made cluster begins with: blank machines, InitializeCluster, five
     * voters; then the person with the break-glass role makes the clients' engine and login.
     */
    private Writer.Login bringToService(ClusterStage stage, SSLContext trust) throws Exception {
        stage.awaitBlank();
        stage.initialise();
        BreakGlass person =
                BreakGlass.with(
                        stage.door(),
                        stage.secret(Configuration.HOME, "recovery-keys").orElseThrow());
        stage.check("no root token is left", person.rootTokens() == 1);
        Server all = person.server();
        Writer.Login login = Writer.setUp(trust, all.address(), all.token());
        stage.watchWith(person.watcher());
        person.done();
        console.say(
                Tone.GOOD,
                "the recovery keys made a root token, which set the clients up and is revoked");
        stage.awaitWhole(Set.of());
        return login;
    }

    private int end(
            ClusterStage stage,
            Writer writer,
            Writer.Login login,
            Resolver resolver,
            MotoZone zone,
            DynamoDbEvidence evidence,
            Instant start,
            Optional<String> broken)
            throws Exception {
        // A few more writes.
        Thread.sleep(options.fast() ? 1_000 : 3_000);
        Instant end = Instant.now();
        writer.stop();
        console.say(Tone.PLAIN, "clients stop; every acknowledged write is looked for");
        Writer.Account account = writer.readBack(Side.HOME, login);
        Ending ending =
                new Ending(
                        slots.length(),
                        stage.struck(),
                        stage.ledger().state(),
                        stage.ledger().incidents(10),
                        chronicle.executions(Configuration.PAIR),
                        zone.weights(),
                        zone.standing(),
                        resolver.side(),
                        account,
                        stage.drInitialised(),
                        0,
                        Map.of(),
                        List.of(),
                        pages(start).stream().map(Story.Page::subject).toList(),
                        stage.facts(),
                        stage.world().callsNotGranted().stream()
                                .map(Object::toString)
                                .distinct()
                                .toList());
        List<String> differences = new ArrayList<>();
        broken.ifPresent(differences::add);
        differences.addAll(ending.differences(scenario.expectation()));
        gap(writer.written(), "write", differences);
        gap(writer.read(), "read", differences);
        Story story =
                story(stage, writer, resolver, zone, evidence, ending, start, end, differences);
        Summary.print(story, console);
        Path directory = backstage.report();
        console.print(Tone.PLAIN, "report:  " + directory.resolve("report.html"));
        Report.write(story, directory);
        if (!story.asExpected()) {
            backstage.keepLogs();
        }
        return story.asExpected() ? 0 : 1;
    }

    /** What people were called for since all was well. */
    private List<Story.Page> pages(Instant start) {
        return chronicle.pages().stream()
                .filter(page -> !page.subject().startsWith("OK: "))
                .filter(page -> !page.at().isBefore(start))
                .toList();
    }

    private void gap(Writer.Seen seen, String what, List<String> differences) {
        if (seen.longestGap().compareTo(scenario.longestGap()) > 0) {
            differences.add(
                    "nobody could "
                            + what
                            + " for "
                            + Report.seconds(seen.longestGap())
                            + ", at most "
                            + Report.seconds(scenario.longestGap())
                            + " was expected");
        }
    }

    private Story story(
            ClusterStage stage,
            Writer writer,
            Resolver resolver,
            MotoZone zone,
            DynamoDbEvidence evidence,
            Ending ending,
            Instant start,
            Instant end,
            List<String> differences) {
        Optional<Incident> incident = ending.incident();
        var assessment = stage.ledger().assessment();
        List<Story.Span> spans = new ArrayList<>(chronicle.alarms(end));
        spans.addAll(zone.spans(start, end));
        spans.addAll(Backstage.told(resolver, start, end));
        spans.addAll(chronicle.instances(ClusterConfiguration.group(Side.HOME), start, end));
        List<Story.Model> models = new ArrayList<>(zone.models(backstage.pace()));
        models.removeIf(it -> it.name().equals("an instance's start"));
        World.modelledOfGroups(backstage.pace())
                .forEach(it -> models.add(new Story.Model(it.name(), it.value(), it.source())));
        return new Story(
                scenario.name(),
                scenario.what(),
                "warm-standby, clusters made",
                stage.version(),
                options.fast(),
                slots.length(),
                start,
                end,
                stage.struck(),
                scenario.expected(),
                incident.map(i -> i.outcome().name()).orElse("NONE"),
                differences,
                assessment.map(it -> it.diagnosis()).orElse("none"),
                assessment.map(it -> it.gates()).orElse(List.of()),
                assessment.map(it -> it.verdict()).orElse("none"),
                Optional.empty(),
                List.of(),
                Optional.empty(),
                Optional.empty(),
                ending.account(),
                Optional.empty(),
                writer.written(),
                writer.read(),
                new TreeMap<>(evidence.between(slots.at(start), slots.at(end))),
                stage.marks().stream().filter(it -> !it.at().isBefore(start)).toList(),
                spans,
                writer.attempts(),
                models,
                stage.world().compressed(),
                stage.world().notApplied().stream().map(Object::toString).toList(),
                ending.callsNotGranted(),
                List.copyOf(stage.facts()),
                pages(start),
                console.lines());
    }
}
