package io.vaultdr.drill;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;

import io.vaultdr.drill.DrillReport.Goals;
import io.vaultdr.drill.DrillReport.StageTime;
import io.vaultdr.drill.DrillState.Outcome;
import io.vaultdr.drill.DrillState.ProvenBefore;
import io.vaultdr.failover.Ledger;
import io.vaultdr.failover.PairState;
import io.vaultdr.failover.PairState.Phase;
import io.vaultdr.model.Failure;
import io.vaultdr.model.Side;
import io.vaultdr.runtime.DrillSettings;
import io.vaultdr.runtime.Json;
import io.vaultdr.runtime.PairMetrics;
import io.vaultdr.runtime.PairMetrics.Measure;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.snapshot.Manifest;
import io.vaultdr.snapshot.Proof;
import io.vaultdr.snapshot.Proofs;
import io.vaultdr.snapshot.SnapshotStore;

import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Runs the chain take → prove → dry run of every step, times it, and says what it came to in a
 * signed report. Taking and proving take minutes each, so a small state machine calls the phases
 * and waits in between; each phase may run twice.
 *
 * <ol>
 *   <li><em>begin</em> refuses beside an incident and while the pair is paused, then has the
 *       serving side's snapshot of this minute taken.
 *   <li><em>look</em>, again and again: the manifest arrived; the proof is made; the dry run of the
 *       failover's steps, where there is a failover, ended. An incident that opens ends the drill.
 *       Every wait has its end, and says what it waited for.
 *   <li><em>close</em> reads all of it again, and writes report, signature and page once.
 * </ol>
 */
public final class Drill {
    /** The function's fifteen minutes, and as much for its repetition and delivery. */
    static final Duration ARRIVAL = Duration.ofMinutes(30);

    /** Three attempts of a quarter of an hour each. */
    static final Duration PROOF = Duration.ofMinutes(50);

    /** The time-outs of all steps, of which a dry run needs seconds. */
    static final Duration DRY_RUN = Duration.ofMinutes(30);

    /** How many of the newest snapshots are looked through for a proven one. */
    private static final int LOOKED_THROUGH = 24;

    private static final int FORMAT = 1;
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("uuuuMMdd'T'HHmmss'Z'", Locale.ROOT)
                    .withZone(ZoneOffset.UTC);

    private final PairSettings pair;
    private final DrillSettings settings;
    private final Ports ports;
    private final PairMetrics metrics;
    private final Clock clock;

    /**
     * What a drill starts, looks at and writes.
     *
     * @param ledger empty on rungs without one
     * @param dryRuns empty on rungs without a failover
     * @param store the snapshots that proofs are made of
     * @param proofs the proofs beside them
     */
    public record Ports(
            Optional<Ledger> ledger,
            Optional<DryRuns> dryRuns,
            TakeSnapshots takeSnapshots,
            SnapshotStore store,
            Arrivals arrivals,
            Proofs proofs,
            DrillBucket reports,
            Signer signer) {}

    /** Drills {@code pair} against the goals of {@code settings}. */
    public Drill(
            PairSettings pair,
            DrillSettings settings,
            Ports ports,
            PairMetrics metrics,
            Clock clock) {
        this.pair = pair;
        this.settings = settings;
        this.ports = ports;
        this.metrics = metrics;
        this.clock = clock;
    }

    /**
     * Which drill it is.
     *
     * @param execution its execution's ARN
     * @param startedAt when that began
     */
    public record Run(String execution, Instant startedAt) {
        /** When it began and its execution's name: sorts by time, and is used once. */
        public String name() {
            return TIME.format(startedAt)
                    + "-"
                    + execution.substring(execution.lastIndexOf(':') + 1);
        }

        /** The key of its report; signature and page lie beside it. */
        public String key() {
            return "drills/" + name() + "/report.json";
        }
    }

    /**
     * What a drill came to.
     *
     * @param report where the signed JSON lies; the page and the signature lie beside it
     */
    public record Closed(Outcome outcome, String report, List<String> findings) {}

    /** Begins, or refuses to. */
    public DrillState begin(DrillState state, Run run) {
        if (state.over() || state.snapshot().isPresent()) {
            return state;
        }
        Side serving = Side.HOME;
        if (ports.ledger().isPresent()) {
            PairState now = ports.ledger().get().state();
            if (now.pause().isPresent()) {
                return state.ended(
                        Outcome.REFUSED,
                        "The pair is paused by "
                                + now.pause().get().by()
                                + ": "
                                + now.pause().get().reason()
                                + ". Resume it first.");
            }
            if (!(now.phase() instanceof Phase.Settled)) {
                return state.ended(
                        Outcome.REFUSED, "The pair is changing (" + now.phase() + "); end that.");
            }
            serving = now.serving();
        }
        Optional<ProvenBefore> before = provenBefore();
        Instant now = clock.instant();
        ports.takeSnapshots().invoke(serving, run.startedAt());
        return state.invoked(
                Manifest.id(pair.pair(), run.startedAt(), pair.snapshotEvery()), now, before);
    }

    private Optional<ProvenBefore> provenBefore() {
        return ports.proofs()
                .newestProven(ports.store().newestIds(LOOKED_THROUGH))
                .flatMap(proof -> ports.store().committed(proof.id()))
                .map(manifest -> new ProvenBefore(manifest.id(), manifest.takenAt()));
    }

    /** Looks how far it came, and starts what follows. */
    public DrillState look(DrillState state, Run run) {
        if (state.over()) {
            return state;
        }
        Optional<Phase> other =
                ports.ledger()
                        .map(ledger -> ledger.state().phase())
                        .filter(phase -> !(phase instanceof Phase.Settled));
        if (other.isPresent()) {
            return state.ended(
                    Outcome.STOPPED_BY_INCIDENT,
                    "Something real began while the drill went on: " + other.get() + ".");
        }
        String id = required(state.snapshot(), "snapshot");
        if (state.arrivedAt().isEmpty()) {
            return ports.arrivals()
                    .committedAt(id)
                    .map(at -> look(state.arrived(at), run))
                    .orElseGet(
                            () ->
                                    waited(
                                            state,
                                            required(state.invokedAt(), "invokedAt"),
                                            ARRIVAL,
                                            Manifest.key(id)
                                                    + " to be committed in "
                                                    + ports.store().region(),
                                            "TakeSnapshot's log says why"));
        }
        return state.dryRun().isPresent()
                ? steps(state, run, state.dryRun().get())
                : proof(state, run, id, state.arrivedAt().get());
    }

    private DrillState proof(DrillState state, Run run, String id, Instant arrived) {
        Optional<Proof> proof = ports.proofs().of(id);
        String seen =
                proof.map(
                                p ->
                                        p.verdict()
                                                + p.reason()
                                                        .map(reason -> " (" + reason + ")")
                                                        .orElse(""))
                        .orElse("no proof");
        return switch (proof.map(Proof::verdict).orElse(Proof.Verdict.UNDECIDED)) {
            case PROVEN ->
                    ports.dryRuns()
                            .map(dryRuns -> state.dryRunStarted(dryRuns.start(run.startedAt())))
                            .orElseGet(() -> state.through(settings.boots()));
            case REFUTED, NOT_PROVABLE_HERE ->
                    state.ended(
                            Outcome.FAILED,
                            "Snapshot "
                                    + id
                                    + " is not proven: "
                                    + seen
                                    + proof.flatMap(Proof::detail).map(d -> ": " + d).orElse("")
                                    + ".");
            case UNDECIDED ->
                    waited(
                            state,
                            arrived,
                            PROOF,
                            "a proof of " + id + "; seen: " + seen,
                            "ProveSnapshot's log says why");
        };
    }

    private DrillState steps(DrillState state, Run run, String execution) {
        DryRuns.Standing standing = ports.dryRuns().orElseThrow().look(execution);
        if (standing.running()) {
            return waited(
                    state,
                    run.startedAt().plus(ARRIVAL).plus(PROOF),
                    DRY_RUN,
                    "dry run " + execution + " to end",
                    "Its history says where it hangs");
        }
        return standing.failure()
                .map(
                        error ->
                                state.ended(
                                        Outcome.FAILED,
                                        "The dry run of the steps ended with "
                                                + error
                                                + "; it came by "
                                                + standing.steps().stream()
                                                        .map(DryRuns.Step::name)
                                                        .collect(Collectors.joining(", "))
                                                + ": "
                                                + execution))
                .orElseGet(() -> state.through(settings.boots()));
    }

    private DrillState waited(
            DrillState state, Instant since, Duration limit, String what, String next) {
        return clock.instant().isBefore(since.plus(limit))
                ? state
                : state.ended(
                        Outcome.FAILED,
                        "Waited " + limit.toMinutes() + " minutes for " + what + ". " + next + ".");
    }

    /** Reports. Closed before: the same answer. */
    public Closed close(DrillState state, Run run, Map<String, String> versions) {
        byte[] stored =
                ports.reports()
                        .read(run.key())
                        .orElseGet(
                                () ->
                                        ports.reports()
                                                .writeOnce(
                                                        run.key(),
                                                        bytes(report(state, run, versions)),
                                                        "application/json"));
        DrillReport report = parse(stored, run);
        sign(run.key(), stored);
        String page = run.key().replace(".json", ".html");
        sign(
                page,
                ports.reports().writeOnce(page, ReportPage.of(report), "text/html; charset=utf-8"));
        if (report.outcome() == Outcome.FAILED
                || report.outcome() == Outcome.GOALS_MISSED
                || report.outcome() == Outcome.MET) {
            metrics.publish(
                    List.of(Measure.count("DrillFailed", report.outcome() == Outcome.MET ? 0 : 1)));
        }
        return new Closed(report.outcome(), ports.reports().place(run.key()), report.findings());
    }

    private static byte[] bytes(DrillReport report) {
        return ReportCheck.bytes(ReportCheck.canonical(report));
    }

    private void sign(String key, byte[] stored) {
        if (ports.reports().read(key + ".sig").isEmpty()) {
            ports.reports()
                    .writeOnce(
                            key + ".sig",
                            ports.signer().sign(ReportCheck.sha256(stored)),
                            "application/octet-stream");
        }
    }

    private DrillReport report(DrillState state, Run run, Map<String, String> versions) {
        List<String> findings = new ArrayList<>();
        state.why().ifPresent(findings::add);
        state.failure().map(Drill::words).ifPresent(findings::add);
        Optional<Manifest> snapshot =
                state.snapshot()
                        .filter(_ -> state.arrivedAt().isPresent())
                        .flatMap(ports.store()::committed);
        Optional<Proof> proof = snapshot.flatMap(taken -> ports.proofs().of(taken.id()));
        List<DryRuns.Step> steps =
                state.dryRun()
                        .map(arn -> ports.dryRuns().orElseThrow().look(arn).steps())
                        .orElse(List.of());
        List<StageTime> stages = DrillReport.stages(pair, state, proof, steps);
        Optional<Goals> goals =
                state.over() && state.outcome().isEmpty() && state.failure().isEmpty()
                        ? snapshot.flatMap(
                                taken ->
                                        proof.map(
                                                made ->
                                                        DrillReport.goals(
                                                                pair,
                                                                state,
                                                                taken,
                                                                made,
                                                                stages,
                                                                settings.rpo(),
                                                                settings.rto())))
                        : Optional.empty();
        if (pair.failover().isEmpty()) {
            findings.add("This rung has no failover: the chain is take and prove.");
        }
        Outcome outcome =
                state.outcome()
                        .orElseGet(
                                () ->
                                        goals.map(g -> g.met() ? Outcome.MET : Outcome.GOALS_MISSED)
                                                .orElse(Outcome.FAILED));
        return new DrillReport(
                        FORMAT,
                        run.name(),
                        pair.pair(),
                        pair.stage(),
                        run.execution(),
                        state.requestedBy().orElse("unknown"),
                        run.startedAt(),
                        clock.instant(),
                        outcome,
                        findings,
                        snapshot,
                        proof,
                        state.provenBefore(),
                        goals,
                        stages,
                        versions,
                        ports.signer().key(),
                        Map.of())
                .withSections();
    }

    /** A failure of ours holds no secret by contract; of another only its name is told. */
    private static String words(DrillState.Caught caught) {
        if (caught.error().startsWith(Failure.class.getName())) {
            try {
                JsonNode cause = Json.MAPPER.readTree(caught.cause().orElse(""));
                if (cause.path("errorMessage").isTextual()) {
                    return "The drill itself failed: " + cause.get("errorMessage").asText();
                }
            } catch (JsonProcessingException e) {
                return "The drill itself failed: " + caught.error();
            }
        }
        return "The drill itself failed: " + caught.error();
    }

    private static DrillReport parse(byte[] stored, Run run) {
        try {
            return Json.MAPPER.readValue(stored, DrillReport.class);
        } catch (IOException e) {
            throw new Failure.Terminal(
                    "read " + run.key(),
                    "it is no report of this version",
                    "Look at the object; a drill's report is written once",
                    e);
        }
    }

    /**
     * Asks whatever a drill uses, and changes nothing.
     *
     * @return what was seen
     * @throws Failure naming what doesn't answer
     */
    public Map<String, String> dryRun() {
        Side serving = ports.ledger().map(ledger -> ledger.state().serving()).orElse(Side.HOME);
        ports.takeSnapshots().tryInvoke(serving);
        ports.reports().read("drills/none");
        ports.signer().publicKey();
        return Map.of(
                "serving",
                serving.toString(),
                "provenBefore",
                provenBefore().map(ProvenBefore::id).orElse("none"),
                "signingKey",
                ports.signer().key());
    }

    private static <T> T required(Optional<T> value, String field) {
        return value.orElseThrow(
                () ->
                        new Failure.Terminal(
                                "look how far the drill came",
                                "its state has no " + field,
                                "Begin the drill before looking"));
    }
}
