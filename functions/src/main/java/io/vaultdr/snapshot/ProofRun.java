package io.vaultdr.snapshot;

import io.vaultdr.model.Failure;
import io.vaultdr.model.PairId;
import io.vaultdr.runtime.Deadline;
import io.vaultdr.runtime.PairMetrics;
import io.vaultdr.runtime.PairMetrics.Measure;
import io.vaultdr.runtime.ProofSettings;
import io.vaultdr.snapshot.Proof.Reason;
import io.vaultdr.snapshot.Proof.Verdict;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import software.amazon.lambda.powertools.metrics.model.MetricUnit;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * One run of ProveSnapshot: chooses what to prove, makes sure that nobody else does at the same
 * time, writes what came of it. A run that was stopped in the middle leaves a claim whose time
 * passes; the next one takes it over, and after three of them says so instead.
 */
public final class ProofRun {
    private static final Logger LOG = LoggerFactory.getLogger(ProofRun.class);

    /** How far back the sweep looks: two days of an hourly schedule. */
    private static final int LOOK_BACK = 48;

    /** The claim outlives the run by this, so that nobody begins while it still cleans up. */
    private static final Duration AFTERWARDS = Duration.ofSeconds(30);

    private final PairId pair;
    private final ProofSettings settings;
    private final SnapshotStore store;
    private final Proofs proofs;
    private final ProofClaims claims;
    private final Prover prover;
    private final PairMetrics metrics;
    private final Sizes sizes;

    /**
     * What the function has.
     *
     * @param memoryBytes all of its memory
     * @param ownBytes what it needs for itself
     * @param scratchBytes its scratch space
     */
    public record Sizes(long memoryBytes, long ownBytes, long scratchBytes) {}

    /** Proves snapshots of {@code store}. */
    public ProofRun(
            PairId pair,
            ProofSettings settings,
            SnapshotStore store,
            Proofs proofs,
            ProofClaims claims,
            Prover prover,
            PairMetrics metrics,
            Sizes sizes) {
        this.pair = pair;
        this.settings = settings;
        this.store = store;
        this.proofs = proofs;
        this.claims = claims;
        this.prover = prover;
        this.metrics = metrics;
        this.sizes = sizes;
    }

    /**
     * What a run came to, for logs and for who invoked it.
     *
     * @param outcome the verdict; or {@code ALREADY} (it was tried to the end before), {@code
     *     CLAIMED} (another run is at it), {@code NOTHING} (nothing needs it), {@code GONE} (no
     *     manifest) or {@code REHEARSED}
     */
    public record Report(
            String outcome,
            Optional<String> id,
            Optional<Reason> reason,
            Optional<String> detail,
            Optional<Proof> proof) {
        private static Report of(String outcome, String id) {
            return new Report(
                    outcome, Optional.of(id), Optional.empty(), Optional.empty(), Optional.empty());
        }

        private static Report of(Proof proof) {
            return new Report(
                    proof.verdict().name(),
                    Optional.of(proof.id()),
                    proof.reason(),
                    proof.detail(),
                    Optional.of(proof));
        }
    }

    /**
     * Runs.
     *
     * @param by the run, for people
     * @throws Failure where a bucket or Secrets Manager doesn't answer; nothing was decided then
     * @throws IsolatedRestore.Ended from a dry run that found something
     */
    public Report run(ProofRequest request, String by, Deadline deadline) {
        return switch (request) {
            case ProofRequest.DryRun() -> rehearse(deadline);
            case ProofRequest.Asked(String id) -> prove(id, true, by, deadline);
            case ProofRequest.Arrived(String id) -> prove(id, false, by, deadline);
            case ProofRequest.Sweep() ->
                    unproven()
                            .map(id -> prove(id, false, by, deadline))
                            .orElseGet(() -> Report.of("NOTHING", ""));
        };
    }

    private Report rehearse(Deadline deadline) {
        prover.rehearse(store.newest(1).stream().findFirst(), deadline);
        LOG.info("The dry run went all the way: programs, key, blank server");
        return Report.of("REHEARSED", "");
    }

    /** Older than the newest proven one needs no proof any more. */
    private Optional<String> unproven() {
        for (String id : store.newestIds(LOOK_BACK)) {
            Optional<Proof> proof = proofs.of(id);
            if (proof.isEmpty() || !proof.get().last()) {
                return Optional.of(id);
            }
            if (proof.get().proven()) {
                return Optional.empty();
            }
        }
        return Optional.empty();
    }

    private Report prove(String id, boolean asked, String by, Deadline deadline) {
        Optional<Proof> before = proofs.of(id);
        if (!asked && before.filter(Proof::last).isPresent()) {
            return Report.of("ALREADY", id);
        }
        Optional<Manifest> snapshot = store.committed(id);
        if (snapshot.isEmpty()) {
            return Report.of("GONE", id);
        }
        Optional<ProofClaims.Claim> claim = claims.claim(id, by, deadline.at().plus(AFTERWARDS));
        if (claim.isEmpty()) {
            LOG.info("Snapshot {} is being proven by another run", id);
            return Report.of("CLAIMED", id);
        }
        int attempt = asked ? 1 : before.map(Proof::attempt).orElse(0) + 1;
        try {
            Proof made;
            long scratch = 0;
            if (!asked && claim.get().abandoned() >= Proof.ATTEMPTS) {
                made = stopped(id, claim.get(), deadline);
            } else {
                Prover.Made all = prover.prove(snapshot.get(), attempt, deadline);
                made = all.proof();
                scratch = all.peakScratchBytes();
            }
            proofs.write(made);
            published(made, scratch);
            return Report.of(made);
        } finally {
            claims.release(claim.get());
        }
    }

    private Proof stopped(String id, ProofClaims.Claim claim, Deadline deadline) {
        return Proof.bare(
                id,
                pair,
                Verdict.UNDECIDED,
                Optional.of(Reason.FUNCTION_STOPPED),
                Optional.of(
                        ("the function was stopped in the middle %d times: look for its time-out"
                                        + " and memory in the log of the runs before this one")
                                .formatted(claim.abandoned())),
                deadline.clock().instant(),
                settings.bucket().region(),
                Proof.ATTEMPTS);
    }

    private void published(Proof proof, long scratch) {
        if (proof.proven()) {
            LOG.info("Snapshot {} is proven", proof.id());
        } else {
            LOG.warn(
                    "Snapshot {} is not proven: {} {} (attempt {}): {}",
                    proof.id(),
                    proof.verdict(),
                    proof.reason().map(Enum::name).orElse(""),
                    proof.attempt(),
                    proof.detail().orElse(""));
        }
        List<Measure> measures = new ArrayList<>();
        measures.add(Measure.count("ProofMade", proof.proven() ? 1 : 0));
        measures.add(Measure.count("ProofRefuted", proof.verdict() == Verdict.REFUTED ? 1 : 0));
        boolean open =
                proof.verdict() == Verdict.UNDECIDED
                        || proof.verdict() == Verdict.NOT_PROVABLE_HERE;
        measures.add(Measure.count("ProofUndecided", open ? 1 : 0));
        measures.add(
                new Measure(
                        "ProofMillis",
                        proof.stages().stream().mapToLong(it -> it.took().toMillis()).sum(),
                        MetricUnit.MILLISECONDS));
        proof.peakMemoryBytes()
                .ifPresent(
                        peak ->
                                measures.add(
                                        percent(
                                                "ProofMemoryUse",
                                                peak + sizes.ownBytes(),
                                                sizes.memoryBytes())));
        if (scratch > 0) {
            measures.add(percent("ProofScratchUse", scratch, sizes.scratchBytes()));
        }
        metrics.publish(measures);
    }

    private static Measure percent(String name, long part, long whole) {
        return new Measure(name, 100.0 * part / Math.max(1, whole), MetricUnit.PERCENT);
    }
}
