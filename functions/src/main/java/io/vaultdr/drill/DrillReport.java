package io.vaultdr.drill;

import io.vaultdr.drill.DrillState.Outcome;
import io.vaultdr.drill.DrillState.ProvenBefore;
import io.vaultdr.model.PairId;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.runtime.PairSettings.Stage;
import io.vaultdr.snapshot.Manifest;
import io.vaultdr.snapshot.Proof;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What a drill showed, for an auditor: stored as JSON, signed, under object lock. {@code
 * docs/drill.md} says what it proves and what not.
 *
 * @param format 1; raised when a field changes its meaning
 * @param drill the drill's name: when it began, and its execution's name
 * @param execution the execution's ARN, by which CloudTrail's {@code StartExecution} event tells
 *     who really asked
 * @param requestedBy who asked, as claimed
 * @param rung the rung of the ladder that the pair stands on
 * @param findings what stood in the way, and what a reader has to know, a sentence each
 * @param snapshot the manifest of the snapshot that was taken; its hash, its restore needs
 * @param proof what proving it came to; the server's hash is among its versions
 * @param goals what was measured against what was configured; absent where the chain broke
 * @param stages in order of time
 * @param versions of what made the report
 * @param signingKey the ARN of the KMS key that signs the report
 * @param sections top-level field → SHA-256 of its value as compact JSON with sorted keys, so that
 *     a reader can be told what was altered
 */
public record DrillReport(
        int format,
        String drill,
        PairId pair,
        Stage rung,
        String execution,
        String requestedBy,
        Instant startedAt,
        Instant endedAt,
        Outcome outcome,
        List<String> findings,
        Optional<Manifest> snapshot,
        Optional<Proof> proof,
        Optional<ProvenBefore> provenBefore,
        Optional<Goals> goals,
        List<StageTime> stages,
        Map<String, String> versions,
        String signingKey,
        Map<String, String> sections) {

    /** The steps that clients wait for; others go on beside, or run only when a person is asked. */
    private static final Set<String> WAITED_FOR =
            Set.of("Judge", "Fence", "Promote", "Verify", "RedirectTraffic");

    /** Of those, what a booted cluster did in earnest. */
    private static final Set<String> BOOTED = Set.of("Promote", "Verify");

    /** What a stage's time rests on. */
    public enum Basis {
        /** Clocks of the servers and services that did it. */
        MEASURED,
        /** A configured constant; nothing was waited for. */
        MODELLED
    }

    /**
     * How long a stage took.
     *
     * @param startedAt empty for what is modelled
     * @param inRto whether clients would have waited for it
     */
    public record StageTime(
            String name, Optional<Instant> startedAt, Duration took, Basis basis, boolean inRto) {
        /** A stage that clients would have waited for, as it was done. */
        static StageTime measured(String name, Instant began, Duration took) {
            return new StageTime(name, Optional.of(began), took, Basis.MEASURED, true);
        }

        private StageTime beside() {
            return new StageTime(name, startedAt, took, basis, false);
        }
    }

    /**
     * A goal and what was seen.
     *
     * @param how of what the measured time is made
     */
    public record Goal(Duration goal, Duration measured, boolean met, String how) {}

    /** Both goals. */
    public record Goals(Goal rpo, Goal rto) {
        boolean met() {
            return rpo.met() && rto.met();
        }
    }

    /**
     * The stages of a chain, as far as it came.
     *
     * @param dryRun the steps of the dry run
     */
    static List<StageTime> stages(
            PairSettings pair, DrillState state, Optional<Proof> proof, List<DryRuns.Step> dryRun) {
        List<StageTime> stages = new ArrayList<>();
        boolean booted = !state.booted().isEmpty();
        state.arrivedAt()
                .ifPresent(
                        arrived ->
                                stages.add(
                                        measured(
                                                "take the snapshot",
                                                state.invokedAt().orElse(arrived),
                                                arrived,
                                                false)));
        proof.ifPresent(
                made -> {
                    Instant at = began(made);
                    state.arrivedAt()
                            .filter(at::isAfter)
                            .ifPresent(
                                    arrived ->
                                            stages.add(
                                                    measured(
                                                            "wait for the proof to begin",
                                                            arrived,
                                                            at,
                                                            false)));
                    Instant next = at;
                    for (Proof.StageTime stage : made.stages()) {
                        stages.add(
                                measured(
                                        "prove: " + stage.name(),
                                        next,
                                        next.plus(stage.took()),
                                        !booted));
                        next = next.plus(stage.took());
                    }
                });
        if (pair.failover().isPresent()) {
            stages.add(
                    new StageTime(
                            "detect: a window of slots and the one that completes it",
                            Optional.empty(),
                            pair.slots().window().plus(pair.slot()),
                            Basis.MODELLED,
                            true));
        }
        List<DryRuns.Step> waitedFor =
                dryRun.stream()
                        .filter(step -> WAITED_FOR.contains(step.name()))
                        .filter(step -> !(booted && BOOTED.contains(step.name())))
                        .toList();
        for (DryRuns.Step step : dryRun) {
            stages.add(
                    measured(
                            "dry run: " + step.name(),
                            step.enteredAt(),
                            step.exitedAt(),
                            waitedFor.contains(step)
                                    && waitedFor.stream().noneMatch(step::isBesideLonger)));
        }
        for (StageTime stage : state.booted()) {
            stages.add(ClusterDrill.WAITED_FOR.contains(stage.name()) ? stage : stage.beside());
        }
        return stages;
    }

    private static Instant began(Proof proof) {
        return proof.madeAt()
                .minus(
                        proof.stages().stream()
                                .map(Proof.StageTime::took)
                                .reduce(Duration.ZERO, Duration::plus));
    }

    private static StageTime measured(String name, Instant from, Instant to, boolean inRto) {
        Duration took = Duration.between(from, to);
        return new StageTime(
                name,
                Optional.of(from),
                took.isNegative() ? Duration.ZERO : took,
                Basis.MEASURED,
                inRto);
    }

    /**
     * What a chain that went through comes to.
     *
     * @param rpo how old the newest proven snapshot may be
     * @param rto how long clients may wait
     */
    static Goals goals(
            PairSettings pair,
            DrillState state,
            Manifest snapshot,
            Proof proof,
            List<StageTime> stages,
            Duration rpo,
            Duration rto) {
        Duration lag = Duration.between(snapshot.takenAt(), proof.madeAt());
        Duration worst = pair.snapshotEvery().plus(lag);
        Optional<Duration> before =
                state.provenBefore()
                        .flatMap(
                                proven ->
                                        state.invokedAt()
                                                .map(at -> Duration.between(proven.takenAt(), at)));
        Duration age = before.filter(a -> a.compareTo(worst) > 0).orElse(worst);
        Duration chain =
                stages.stream()
                        .filter(StageTime::inRto)
                        .map(StageTime::took)
                        .reduce(Duration.ZERO, Duration::plus);
        return new Goals(
                new Goal(
                        rpo,
                        age,
                        age.compareTo(rpo) <= 0,
                        "the greater of two: the schedule's interval and the "
                                + lag.toSeconds()
                                + " s from taking to proven, which is the newest proven snapshot's"
                                + " age at the worst moment; and its age when the drill began"
                                + before.map(a -> ", " + a.toSeconds() + " s")
                                        .orElse(", when there was none")),
                new Goal(
                        rto,
                        chain,
                        chain.compareTo(rto) <= 0,
                        !state.booted().isEmpty()
                                ? "detection (modelled), the dry run of Judge, Fence and"
                                        + " RedirectTraffic, and the real promotion into a cluster"
                                        + " of the drill's own; a person's answer and the"
                                        + " resolvers' caches come on top"
                                : pair.failover().isPresent()
                                        ? "detection (modelled), the proof's restore and the dry"
                                                + " run of each step that clients wait for; a"
                                                + " person's answer, the steps' last calls and the"
                                                + " resolvers' caches come on top"
                                        : "the proof's restore alone: on this rung a person"
                                                + " restores, and what that person does comes on"
                                                + " top"));
    }

    /** The same report, with the hashes of all its other fields. */
    DrillReport withSections() {
        return new DrillReport(
                format,
                drill,
                pair,
                rung,
                execution,
                requestedBy,
                startedAt,
                endedAt,
                outcome,
                findings,
                snapshot,
                proof,
                provenBefore,
                goals,
                stages,
                versions,
                signingKey,
                ReportCheck.sections(ReportCheck.canonical(this)));
    }
}
