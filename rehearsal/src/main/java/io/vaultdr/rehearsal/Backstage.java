package io.vaultdr.rehearsal;

import io.vaultdr.aws.DynamoDbEvidence;
import io.vaultdr.failover.Observation;
import io.vaultdr.infra.VaultDrApp;
import io.vaultdr.infra.config.Config;
import io.vaultdr.model.Side;
import io.vaultdr.model.Slots;
import io.vaultdr.rehearsal.Console.Tone;
import io.vaultdr.rehearsal.world.World;
import io.vaultdr.runtime.Directories;
import io.vaultdr.snapshot.Proof;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;

/**
 * What every rehearsal needs around its play, whoever made the clusters.
 *
 * @param scenario its name
 */
record Backstage(
        Rehearse.Options options, String scenario, Console console, Path scratch, Slots slots) {
    static final int CLIENTS = 2;
    static final Duration BETWEEN_WRITES = Duration.ofMillis(150);
    static final String EVENT =
            "{\"source\":\"aws.events\",\"detail-type\":\"Scheduled Event\",\"detail\":{}}";

    /** Looks, and tells only who asks. */
    private static final String REPORT =
            "{\"dryRun\":true,\"report\":true,\"pair\":\"%s\"}".formatted(Configuration.PAIR);

    private static final String PROBE = Configuration.PREFIX + "-probe";
    private static final String EVALUATION = Stage.function("evaluate-failover");
    static final Duration READY = Duration.ofSeconds(90);
    private static final Duration FAST_SLOT = Duration.ofSeconds(1);

    static Backstage of(Rehearse.Options options, String scenario, Console console, Path scratch) {
        return new Backstage(
                options,
                scenario,
                console,
                scratch,
                new Slots(options.fast() ? FAST_SLOT : Slots.DEFAULT_LENGTH));
    }

    /** What is played, and what of it isn't real. */
    void head(String what, String expected) {
        console.print(Tone.PLAIN, "vault-dr rehearse " + scenario);
        console.print(Tone.PLAIN, what);
        console.print(Tone.PLAIN, "Expected: " + expected);
        if (options.fast()) {
            console.print(
                    Tone.ACT,
                    "COMPRESSED (--fast): a slot lasts 1 s instead of 10 s, the window 12 s instead"
                            + " of 2 min. Times of servers, functions and calls are real.");
        }
        console.print(
                Tone.SOFT,
                "A simulation of AWS on this machine: real servers, functions, templates; moto for"
                        + " AWS; a static key for the KMS key of both regions.");
    }

    /** Synthesises the app; the folder of its templates. */
    Path synthesise(Config config) {
        console.say(Tone.PLAIN, "synthesising the stacks of " + config.file().getFileName());
        Path assembly = scratch.resolve("cdk.out");
        Path zip = options.root().resolve("functions/target/vault-dr-functions.zip");
        var stacks = VaultDrApp.synth(config, zip, assembly);
        console.say(Tone.PLAIN, stacks.size() + " stacks synthesised");
        return assembly;
    }

    /** Makes what a synthesised app describes. */
    void apply(World world, Path assembly, Map<String, String> parameters) {
        world.apply(assembly, parameters);
        console.say(
                Tone.GOOD,
                "applied; " + world.notApplied().size() + " resources are not applied here");
    }

    /** Lets the ages of the newest snapshots be looked at once, before alarms are. */
    void lookAtAges(World world) {
        for (String region : List.of(Configuration.HOME, Configuration.DR)) {
            world.invoke(region, Stage.function("freshness-check"), "live", EVENT);
        }
    }

    /**
     * Lets probes and evaluation run, one after the other, as they have long been running where
     * something breaks.
     *
     * @param proof is waited for beside it
     */
    void warm(World world, DynamoDbEvidence evidence, Callable<Proof> proof) throws Exception {
        // The DR region's last: its look at the standby is the first to be out of date, and without
        // a proof it would find the side not ready.
        List<String> vantages =
                List.of(Configuration.HOME, Configuration.WITNESS, Configuration.DR);
        Map<String, FutureTask<World.Result>> probes = new LinkedHashMap<>();
        for (String region : vantages) {
            if (region.equals(Configuration.DR)) {
                // What follows the proof starts its JVM beside it.
                world.invoke(region, PROBE, "live", REPORT);
                world.invoke(EVALUATION, "live", REPORT);
                proof.call();
            }
            // It goes on until the next one takes over.
            Instant since = Instant.now();
            probes.put(region, begin(() -> world.invoke(region, PROBE, "live", EVENT)));
            Instant end = since.plus(READY);
            while (Instant.now().isBefore(end)
                    && evidence.between(slots.at(since), slots.at(Instant.now()))
                            .getOrDefault(region, List.of())
                            .isEmpty()) {
                Thread.sleep(100);
            }
        }
        if (options.fast()) {
            // The schedule's next one comes sooner than a JVM starts beside all the others.
            for (var probe : probes.entrySet()) {
                world.invokeAsync(probe.getKey(), PROBE, "live", EVENT);
                await(probe.getValue());
            }
        }
        // One for each vantage's alarm, but what follows needs only that they run.
        var evaluations =
                vantages.stream()
                        .map(_ -> begin(() -> world.invoke(EVALUATION, "live", EVENT)))
                        .toList();
        if (!options.fast()) {
            var _ = begin(() -> evaluateOnceMore(world, evaluations));
        }
        await(evaluations.getFirst());
        console.say(Tone.GOOD, "probes and evaluation run");
    }

    /** The alarms' and the minute's, which may be waiting for a slot's end when they come. */
    private static boolean evaluateOnceMore(World world, List<FutureTask<World.Result>> alarms)
            throws Exception {
        for (var alarm : alarms) {
            await(alarm);
        }
        for (int i = 0; i <= alarms.size(); i++) {
            world.invokeAsync(EVALUATION, "live", EVENT);
        }
        return true;
    }

    private static <T> FutureTask<T> begin(Callable<T> what) {
        var task = new FutureTask<>(what);
        Thread.ofVirtual().start(task);
        return task;
    }

    private static <T> T await(FutureTask<T> task)
            throws InterruptedException, ExecutionException, TimeoutException {
        return task.get(READY.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** Waits until every vantage has seen home serve and finds the DR side ready. */
    void awaitReady(Scene scene, DynamoDbEvidence evidence) throws Exception {
        Instant since = Instant.now();
        String last = "nothing yet";
        Instant end = since.plus(READY);
        while (Instant.now().isBefore(end)) {
            Map<String, List<Observation>> seen =
                    evidence.between(slots.at(since), slots.at(Instant.now()));
            List<String> lacking =
                    Stream.of(Configuration.HOME, Configuration.DR, Configuration.WITNESS)
                            .filter(
                                    vantage ->
                                            seen.getOrDefault(vantage, List.of()).stream()
                                                    .noneMatch(
                                                            it ->
                                                                    it.evidence()
                                                                            == Observation.Evidence
                                                                                    .REACHED))
                            .toList();
            var readiness = evidence.readiness();
            List<String> missing =
                    readiness.stream().flatMap(it -> it.missing().stream()).distinct().toList();
            last = "no sight of home from " + lacking + "; DR readiness " + readiness;
            if (lacking.isEmpty() && !readiness.isEmpty() && missing.isEmpty()) {
                console.say(Tone.GOOD, "every vantage sees home serve; the DR side is ready");
                scene.mark("all is well");
                return;
            }
            Thread.sleep(100);
        }
        throw new TimeoutException("the pair was not ready within " + READY + ": " + last);
    }

    /** How much shorter than on AWS what is modelled takes. */
    double pace() {
        return (double) slots.length().toMillis() / Slots.DEFAULT_LENGTH.toMillis();
    }

    /** Something that is due again and again; what it throws is said once and doesn't end it. */
    void repeat(ScheduledExecutorService clock, Duration every, Runnable what) {
        var told = new AtomicReference<String>("");
        var _ =
                clock.scheduleWithFixedDelay(
                        () -> {
                            try {
                                what.run();
                            } catch (RuntimeException e) {
                                if (!clock.isShutdown()
                                        && !told.getAndSet(e.toString()).equals(e.toString())) {
                                    console.say(Tone.BAD, "clock: " + e);
                                }
                            }
                        },
                        0,
                        every.toMillis(),
                        TimeUnit.MILLISECONDS);
    }

    /** Where the report goes. */
    Path report() {
        return options.report()
                .orElse(
                        options.root()
                                .resolve(".vault-dr/rehearsals")
                                .resolve(scenario + (options.fast() ? "-fast" : "")));
    }

    /** What clients were told, and when. */
    static List<Story.Span> told(Resolver resolver, Instant start, Instant end) {
        List<Story.Span> spans = new ArrayList<>();
        Instant from = start;
        Side side = Side.HOME;
        String why = "weights 100/0";
        for (Resolver.Turn turn : resolver.turns()) {
            spans.add(span(side, why, from, turn.at()));
            from = turn.at();
            side = turn.side();
            why = turn.why();
        }
        spans.add(span(side, why, from, end));
        return spans;
    }

    private static Story.Span span(Side side, String why, Instant from, Instant to) {
        return new Story.Span(
                "clients are told", side + " (" + why + ")", from, to, side.toString());
    }

    /** Keeps what servers and functions wrote, since the scratch directory goes. */
    void keepLogs() {
        Path kept = options.root().resolve(".vault-dr/rehearsals/logs-" + scenario);
        try (Stream<Path> files = Files.walk(scratch)) {
            // An earlier one's would stand between them.
            Directories.delete(kept);
            Files.createDirectories(kept);
            for (Path file : files.filter(it -> it.toString().endsWith(".log")).toList()) {
                String name = scratch.relativize(file).toString().replace('/', '_');
                Files.copy(
                        file,
                        kept.resolve(name),
                        java.nio.file.StandardCopyOption.REPLACE_EXISTING);
            }
            console.print(Tone.SOFT, "logs of servers and functions: " + kept);
        } catch (IOException e) {
            console.print(Tone.BAD, "the logs can't be kept: " + e);
        }
    }
}
