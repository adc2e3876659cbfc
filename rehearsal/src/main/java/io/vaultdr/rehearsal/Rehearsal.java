package io.vaultdr.rehearsal;

import io.vaultdr.aws.DynamoDbEvidence;
import io.vaultdr.aws.DynamoDbLedger;
import io.vaultdr.failover.Incident;
import io.vaultdr.infra.config.Config;
import io.vaultdr.model.PairId;
import io.vaultdr.model.Side;
import io.vaultdr.model.Slots;
import io.vaultdr.model.StepName;
import io.vaultdr.rehearsal.Console.Tone;
import io.vaultdr.rehearsal.Story.Basis;
import io.vaultdr.rehearsal.Story.StageTime;
import io.vaultdr.rehearsal.world.World;
import io.vaultdr.snapshot.Archive;
import io.vaultdr.snapshot.Manifest;
import io.vaultdr.workflow.RedirectTraffic;

import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.InvalidObjectStateException;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.FutureTask;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeoutException;

import javax.net.ssl.SSLContext;

/** One rehearsal of one scenario, from nothing to its report. */
final class Rehearsal {
    /** Five voters: what two of them may be lost of. */
    private static final int HOME_NODES = 5;

    private final Rehearse.Options options;
    private final Scenario scenario;
    private final Console console;
    private final Path scratch;
    private final Children children;
    private final Backstage backstage;
    private final Slots slots;
    private final Chronicle chronicle;

    Rehearsal(
            Rehearse.Options options,
            Scenario scenario,
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
        List<String> places =
                List.of(Configuration.HOME, Configuration.DR, Configuration.WITNESS, Stage.CLIENTS);
        try (var links = new Links(places, scratch);
                var fleet = Fleet.layOut(scratch.resolve("servers"), links, HOME_NODES)) {
            var leading = begin("home", fleet::initialiseHome);
            var hash = CompletableFuture.supplyAsync(Setup::serverHash);
            var complete =
                    begin(
                            "servers",
                            () -> {
                                leading.get();
                                startServers(fleet);
                            });
            try (var world =
                    World.start(
                            new World.Setup(
                                    options.root(),
                                    scratch,
                                    slots.length(),
                                    links::hostsFile,
                                    machines(fleet),
                                    children::start,
                                    chronicle::add))) {
                Config config = configuration(world, fleet, hash.get());
                // Logins take a while, since each is a call of the aws command.
                var prepared =
                        begin(
                                "setup",
                                () -> {
                                    leading.get();
                                    Setup.run(
                                            config,
                                            fleet,
                                            fleet.local(fleet.nodes(Side.HOME).getFirst()),
                                            world.endpoint(),
                                            scratch,
                                            children::start);
                                    console.say(
                                            Tone.GOOD, "policies, logins and secrets are set up");
                                });
                backstage.apply(world, backstage.synthesise(config), Map.of());
                Setup.bringServer(world, fleet.sealKey());
                prepared.get();
                complete.get();
                return played(world, fleet, links, operator(world, fleet, links, config));
            }
        } catch (Exception | AssertionError e) {
            backstage.keepLogs();
            throw e;
        }
    }

    /** Something that is done beside everything else. */
    @FunctionalInterface
    private interface Task {
        void run() throws Exception;
    }

    private static FutureTask<Boolean> begin(String name, Task task) {
        var future =
                new FutureTask<>(
                        () -> {
                            task.run();
                            return true;
                        });
        Thread.ofPlatform().daemon().name(name).start(future);
        return future;
    }

    private void startServers(Fleet fleet) {
        Instant start = Instant.now();
        fleet.completeHome();
        fleet.nodes(Side.DR).getFirst().server().start();
        console.say(
                Tone.GOOD,
                "home serves with "
                        + HOME_NODES
                        + " voters, the DR side's standby is blank (ready after "
                        + Report.seconds(Duration.between(start, Instant.now()))
                        + ")");
    }

    private FleetMachines machines(Fleet fleet) throws IOException {
        return new FleetMachines(
                fleet,
                Map.of(
                        Side.HOME,
                        new FleetMachines.Place(
                                Configuration.HOME, "vault-dr", "payments-home", "payments-home"),
                        Side.DR,
                        new FleetMachines.Place(
                                Configuration.DR, "vault-dr", "payments-dr", Configuration.GROUP)),
                Configuration.UNIT,
                Configuration.DATA,
                Files.createDirectories(scratch.resolve("machines")),
                children::start,
                console);
    }

    private Config configuration(World world, Fleet fleet, String server) throws IOException {
        return Configuration.write(
                Files.createDirectories(scratch.resolve("config")),
                fleet,
                scenario.stage(),
                world.createHostedZone("example.com"),
                server);
    }

    /** Whoever runs the pair reaches the servers as clients do. */
    private Operator operator(World world, Fleet fleet, Links links, Config config) {
        return new Operator(
                options.commands(),
                config,
                world.endpoint(),
                links.hostsFile(Stage.CLIENTS),
                fleet,
                children::start,
                console);
    }

    private int played(World world, Fleet fleet, Links links, Operator operator) throws Exception {
        SSLContext trust = fleet.trust();
        Writer.Login login = Writer.setUp(trust, fleet.local(fleet.leader()), fleet.rootToken());
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
        try (ScheduledExecutorService clock =
                        Executors.newScheduledThreadPool(
                                2, Thread.ofPlatform().daemon().name("clock-", 0).factory());
                var writer =
                        new Writer(
                                trust,
                                resolver::side,
                                side -> fleet.addresses(side, links, Stage.CLIENTS),
                                Backstage.BETWEEN_WRITES)) {
            var stage =
                    new Stage(
                            console,
                            world,
                            fleet,
                            links,
                            writer,
                            resolver,
                            operator,
                            ledger,
                            slots,
                            chronicle::pages);
            try {
                writer.start(Backstage.CLIENTS, login);
                Manifest taken = stage.takeSnapshot();
                Instant start = Instant.now();
                backstage.repeat(
                        clock,
                        Duration.ofMillis(options.fast() ? 20 : 100),
                        () -> resolver.tick(Instant.now()));
                backstage.lookAtAges(world);
                backstage.warm(
                        world, evidence, () -> stage.awaitProof(taken.id(), Optional.empty()));
                world.startClock();
                backstage.awaitReady(stage, evidence);
                var progress = new Progress(console, stage, evidence, slots);
                backstage.repeat(clock, Duration.ofMillis(100), progress::tick);
                Optional<String> broken = Optional.empty();
                try {
                    scenario.play().on(stage);
                } catch (TimeoutException | RuntimeException | AssertionError e) {
                    // It didn't go as it had to; what there is to see is reported all the same.
                    String what = String.valueOf(e.getMessage());
                    broken = Optional.of(what);
                    console.say(Tone.BAD, what);
                }
                return end(
                        world, fleet, stage, writer, login, resolver, zone, ledger, evidence, start,
                        broken);
            } finally {
                clock.shutdownNow();
            }
        }
    }

    private int end(
            World world,
            Fleet fleet,
            Stage stage,
            Writer writer,
            Writer.Login login,
            Resolver resolver,
            MotoZone zone,
            DynamoDbLedger ledger,
            DynamoDbEvidence evidence,
            Instant start,
            Optional<String> broken)
            throws Exception {
        // A few more writes where they go now.
        Thread.sleep(options.fast() ? 1_000 : 3_000);
        Instant end = Instant.now();
        writer.stop();
        console.say(Tone.PLAIN, "clients stop; every acknowledged write is looked for");
        Side serving = ledger.state().serving();
        Writer.Account account =
                serves(fleet, serving) ? writer.readBack(serving, login) : writer.unread();
        Ending ending = ending(world, fleet, stage, resolver, zone, ledger, account, serving);
        List<String> differences = new ArrayList<>();
        broken.ifPresent(differences::add);
        differences.addAll(ending.differences(scenario.expectation()));
        Story story =
                story(
                        world,
                        fleet,
                        stage,
                        writer,
                        resolver,
                        zone,
                        evidence,
                        ending,
                        start,
                        end,
                        differences);
        Path directory = backstage.report();
        Summary.print(story, console);
        console.print(Tone.PLAIN, "report:  " + directory.resolve("report.html"));
        Report.write(story, directory);
        if (!story.asExpected()) {
            backstage.keepLogs();
        }
        return story.asExpected() ? 0 : 1;
    }

    private static boolean serves(Fleet fleet, Side side) {
        return fleet.nodes(side).stream()
                .anyMatch(node -> node.server().running() && node.server().health() == 200);
    }

    private Ending ending(
            World world,
            Fleet fleet,
            Stage stage,
            Resolver resolver,
            MotoZone zone,
            DynamoDbLedger ledger,
            Writer.Account account,
            Side serving)
            throws IOException {
        List<Incident> incidents = ledger.incidents(10);
        if (fleet.nodes(Side.HOME).stream().noneMatch(node -> node.server().running())) {
            stage.check("home's servers are stopped", true);
        }
        var standby = fleet.nodes(Side.DR).getFirst().server();
        boolean initialised = standby.health() != 501;
        Map<String, List<Manifest>> snapshots = new TreeMap<>();
        List<String> bad = new ArrayList<>();
        for (String region : Buckets.REGIONS) {
            if (!world.isLost(region)) {
                List<Manifest> listed = stage.buckets().listed(region);
                snapshots.put(region, listed);
                for (Manifest manifest : listed) {
                    if (!stage.damaged().contains(manifest.id())) {
                        wrong(world, region, manifest).ifPresent(bad::add);
                    }
                }
            }
        }
        return new Ending(
                slots.length(),
                stage.struck(),
                ledger.state(),
                incidents,
                chronicle.executions(Configuration.PAIR),
                zone.weights(),
                zone.standing(),
                resolver.side(),
                account,
                initialised,
                serving == Side.DR ? voters(fleet) : 0,
                snapshots,
                bad,
                chronicle.pages().stream().map(Story.Page::subject).toList(),
                stage.facts(),
                world.callsNotGranted().stream().map(Object::toString).distinct().toList());
    }

    private static Optional<String> wrong(World world, String region, Manifest manifest)
            throws IOException {
        S3Client s3 = world.aws().at(S3Client.builder(), region).build();
        try (InputStream in =
                s3.getObject(it -> it.bucket(Buckets.name(region)).key(manifest.archiveKey()))) {
            return switch (Archive.check(in)) {
                case Archive.Bad bad -> Optional.of(manifest.id() + " in " + region + ": " + bad);
                case Archive.Sound sound when !sound.sha256().equals(manifest.sha256()) ->
                        Optional.of(manifest.id() + " in " + region + ": another hash");
                case Archive.Sound _ -> Optional.empty();
            };
        } catch (InvalidObjectStateException e) {
            // In a Glacier class: a copy that was moved there is as whole as it was.
            return Optional.empty();
        }
    }

    private static int voters(Fleet fleet) {
        var servers =
                fleet.nodes(Side.DR)
                        .getFirst()
                        .server()
                        // A restore brings home's tokens back, its root token too.
                        .call("GET", "sys/storage/raft/configuration", fleet.rootToken(), null)
                        .data()
                        .path("config")
                        .path("servers");
        int voters = 0;
        for (var server : servers) {
            voters += server.path("voter").asBoolean() ? 1 : 0;
        }
        return voters;
    }

    private Story story(
            World world,
            Fleet fleet,
            Stage stage,
            Writer writer,
            Resolver resolver,
            MotoZone zone,
            DynamoDbEvidence evidence,
            Ending ending,
            Instant begun,
            Instant end,
            List<String> differences) {
        Optional<Incident> incident = ending.incident();
        Optional<Instant> struck = stage.struck();
        // What was before is the same all the time: a window and a quarter of it are enough.
        Instant start =
                struck.map(at -> at.minus(slots.span(Slots.WINDOW * 5 / 4)))
                        .filter(begun::isBefore)
                        .orElse(begun);
        Optional<Duration> detection =
                struck.flatMap(at -> incident.map(i -> Duration.between(at, i.openedAt())));
        Optional<Instant> firstWrite =
                struck.flatMap(
                        at ->
                                writer.firstAcknowledged(Side.DR, at)
                                        .map(it -> it.at().plus(it.took())));
        Optional<Resolver.Turn> turned =
                resolver.turns().stream().filter(turn -> turn.side() == Side.DR).findFirst();
        Optional<Instant> flagged =
                incident.flatMap(i -> Optional.ofNullable(i.steps().get(StepName.REDIRECT_TRAFFIC)))
                        .flatMap(
                                step ->
                                        Optional.ofNullable(
                                                step.result().get(RedirectTraffic.FLAGGED_AT)))
                        .map(Instant::parse);
        Optional<Instant> firstAttempt =
                turned.flatMap(turn -> writer.first(Side.DR, turn.at())).map(Writer.Attempt::at);
        List<StageTime> stages =
                incident.isPresent() && struck.isPresent()
                        ? stages(
                                struck.get(),
                                incident.get(),
                                flagged,
                                turned,
                                firstAttempt,
                                firstWrite)
                        : List.of();
        Optional<Duration> recovery =
                struck.flatMap(at -> firstWrite.map(it -> Duration.between(at, it)));
        Optional<Duration> overhead =
                recovery.flatMap(
                        rto ->
                                incident.map(
                                        i ->
                                                overhead(
                                                        rto,
                                                        struck.orElseThrow(),
                                                        i,
                                                        flagged,
                                                        firstAttempt)));
        List<Story.Mark> marks = new ArrayList<>(stage.marks());
        incident.ifPresent(
                i -> marks.add(new Story.Mark(i.openedAt(), "incident " + i.id() + " opens")));
        incident.flatMap(Incident::closedAt)
                .ifPresent(
                        at ->
                                marks.add(
                                        new Story.Mark(
                                                at,
                                                "closed: " + incident.orElseThrow().outcome())));
        marks.removeIf(mark -> mark.at().isBefore(start));
        marks.sort(Comparator.comparing(Story.Mark::at));
        var assessment = stage.ledger().assessment();
        List<Story.Span> spans = new ArrayList<>(chronicle.alarms(end));
        spans.addAll(zone.spans(start, end));
        spans.addAll(Backstage.told(resolver, start, end));
        return new Story(
                scenario.name(),
                scenario.what(),
                "warm-standby",
                version(fleet),
                options.fast(),
                slots.length(),
                start,
                end,
                struck,
                scenario.expected(),
                incident.map(i -> i.outcome().name()).orElse("NONE"),
                differences,
                incident.map(Incident::diagnosis)
                        .or(() -> assessment.map(it -> it.diagnosis()))
                        .orElse("none"),
                incident.map(Incident::gates)
                        .or(() -> assessment.map(it -> it.gates()))
                        .orElse(List.of()),
                incident.map(Incident::verdict)
                        .or(() -> assessment.map(it -> it.verdict()))
                        .orElse("none"),
                detection,
                stages,
                recovery,
                overhead,
                ending.account(),
                incident.map(Incident::predictedLoss),
                writer.written(),
                writer.read(),
                new TreeMap<>(evidence.between(slots.at(start), slots.at(end))),
                marks,
                spans,
                writer.attempts(),
                zone.models(backstage.pace()),
                changedByFast(world),
                world.notApplied().stream().map(Object::toString).toList(),
                ending.callsNotGranted(),
                incident.map(Incident::findings).orElse(List.of()),
                chronicle.pages().stream()
                        .filter(page -> !page.subject().startsWith("OK: "))
                        .filter(page -> !page.at().isBefore(begun))
                        .toList(),
                console.lines());
    }

    private List<String> changedByFast(World world) {
        List<String> changes = new ArrayList<>(world.compressed());
        if (options.fast()) {
            changes.add(
                    "the steps' functions were started by a dry run before the harm: half a"
                            + " window, in which the evaluation does so itself, is too short here,"
                            + " since a function's start doesn't shrink with the slot");
        }
        return changes;
    }

    private static String version(Fleet fleet) {
        for (Side side : Side.values()) {
            for (Fleet.Node node : fleet.nodes(side)) {
                if (node.server().running()) {
                    return "OpenBao "
                            + node.server()
                                    .call("GET", "sys/seal-status", null, null)
                                    .body()
                                    .path("version")
                                    .asText();
                }
            }
        }
        return "OpenBao";
    }

    private List<StageTime> stages(
            Instant struck,
            Incident incident,
            Optional<Instant> flagged,
            Optional<Resolver.Turn> turned,
            Optional<Instant> firstAttempt,
            Optional<Instant> firstWrite) {
        List<StageTime> stages = new ArrayList<>();
        stages.add(
                between(
                        "Detect",
                        struck,
                        incident.openedAt(),
                        Basis.MEASURED,
                        "from the harm to the verdict, twelve complete slots"));
        Map<StepName, Incident.StepRecord> steps = new LinkedHashMap<>();
        incident.steps().entrySet().stream()
                .sorted(Comparator.comparing(it -> it.getValue().startedAt()))
                .forEach(it -> steps.put(it.getKey(), it.getValue()));
        steps.values().stream()
                .findFirst()
                .ifPresent(
                        first ->
                                stages.add(
                                        between(
                                                "Start",
                                                incident.openedAt(),
                                                first.startedAt(),
                                                Basis.MEASURED,
                                                "the execution and its first function start")));
        steps.forEach(
                (name, step) ->
                        stages.add(
                                between(
                                        name.toString(),
                                        step.startedAt(),
                                        step.finishedAt()
                                                .or(incident::closedAt)
                                                .orElse(step.startedAt()),
                                        Basis.MEASURED,
                                        note(step))));
        if (flagged.isPresent() && turned.isPresent()) {
            stages.add(
                    between(
                            "DNS",
                            flagged.get(),
                            turned.get().at(),
                            Basis.MODELLED,
                            "from the flag to what clients are told: checkers, time to live"));
        }
        if (turned.isPresent() && firstAttempt.isPresent()) {
            stages.add(
                    between(
                            "Client",
                            turned.get().at(),
                            firstAttempt.get(),
                            Basis.MODELLED,
                            "until one begins an attempt on the DR side: it gives one at home up"
                                    + " after "
                                    + Writer.PATIENCE.toSeconds()
                                    + " s"));
        }
        if (firstAttempt.isPresent() && firstWrite.isPresent()) {
            stages.add(
                    between(
                            "First write",
                            firstAttempt.get(),
                            firstWrite.get(),
                            Basis.MEASURED,
                            "from that attempt to a write that the DR side acknowledges"));
        }
        return stages;
    }

    private static StageTime between(
            String name, Instant from, Instant to, Basis basis, String note) {
        Duration took = Duration.between(from, to);
        return new StageTime(name, from, took.isNegative() ? Duration.ZERO : took, basis, note);
    }

    private static String note(Incident.StepRecord step) {
        List<String> notes = new ArrayList<>();
        step.result().entrySet().stream()
                .filter(it -> it.getKey().endsWith("Millis"))
                .sorted(Map.Entry.comparingByKey())
                .forEach(
                        it ->
                                notes.add(
                                        it.getKey().replace("Millis", " ")
                                                + it.getValue()
                                                + " ms"));
        Optional.ofNullable(step.result().get("snapshot"))
                .ifPresent(id -> notes.add("snapshot " + id));
        if (step.attempts() > 1) {
            notes.add("begun " + step.attempts() + " times");
        }
        step.failure().ifPresent(notes::add);
        return String.join(", ", notes);
    }

    /** What of the recovery time isn't the window, a model, or the server's own work. */
    private Duration overhead(
            Duration recovery,
            Instant struck,
            Incident incident,
            Optional<Instant> flagged,
            Optional<Instant> firstAttempt) {
        Instant windowOver = incident.lastServed().orElse(struck).plus(slots.window());
        Duration window = Duration.between(struck, windowOver);
        Duration modelled =
                flagged.flatMap(at -> firstAttempt.map(it -> Duration.between(at, it)))
                        .orElse(Duration.ZERO);
        long server =
                Optional.ofNullable(incident.steps().get(StepName.PROMOTE))
                        .map(
                                step ->
                                        step.result().entrySet().stream()
                                                .filter(it -> it.getKey().endsWith("Millis"))
                                                .mapToLong(it -> Long.parseLong(it.getValue()))
                                                .sum())
                        .orElse(0L);
        return recovery.minus(window).minus(modelled).minusMillis(server);
    }
}
