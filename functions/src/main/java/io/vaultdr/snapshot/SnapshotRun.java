package io.vaultdr.snapshot;

import io.vaultdr.model.Epoch;
import io.vaultdr.model.Failure;
import io.vaultdr.model.Side;
import io.vaultdr.runtime.Deadline;
import io.vaultdr.runtime.PairMetrics;
import io.vaultdr.runtime.PairMetrics.Measure;
import io.vaultdr.snapshot.SnapshotTaker.Taken;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import software.amazon.lambda.powertools.metrics.model.MetricUnit;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * A scheduled run: takes the snapshot where this region's side serves, then brings other buckets
 * what they missed before.
 */
public final class SnapshotRun {
    private static final Logger LOG = LoggerFactory.getLogger(SnapshotRun.class);

    private final Side side;
    private final Supplier<Serving> serving;
    private final SnapshotTaker taker;
    private final MissingCopies copies;
    private final PairMetrics metrics;

    /**
     * @param side whose cluster is in this region
     * @param serving asks the ledger; throws {@link Failure} where it can't be read
     */
    public SnapshotRun(
            Side side,
            Supplier<Serving> serving,
            SnapshotTaker taker,
            MissingCopies copies,
            PairMetrics metrics) {
        this.side = side;
        this.serving = serving;
        this.taker = taker;
        this.copies = copies;
        this.metrics = metrics;
    }

    /**
     * What a run came to, for logs and for who invoked it.
     *
     * @param outcome {@code COMMITTED}, {@code ALREADY} (another run took this minute's) or {@code
     *     NOT_SERVING}
     * @param degraded what is missing, a sentence each
     */
    public record Report(
            String outcome,
            Optional<String> id,
            Optional<Long> index,
            Optional<Long> bytes,
            List<String> regions,
            List<String> degraded) {}

    /**
     * Runs.
     *
     * @throws Failure where no bucket has the snapshot
     */
    public Report run(Instant scheduled, Deadline deadline) {
        Instant start = deadline.clock().instant();
        Optional<Epoch> lineage = Optional.empty();
        try {
            Serving now = serving.get();
            if (now.side() != side) {
                LOG.info("Nothing is taken here: {} serves, this is {}", now.side(), side);
                return report("NOT_SERVING");
            }
            lineage = Optional.of(now.lineage());
        } catch (Failure e) {
            LOG.warn("The snapshot is taken without the ledger: {}", e.getMessage());
        }
        try {
            Report report = taken(scheduled, lineage, deadline);
            report.degraded().forEach(what -> LOG.warn("The snapshot is degraded: {}", what));
            List<Measure> measures = new ArrayList<>();
            measures.add(Measure.count("SnapshotTaken", report.bytes().isPresent() ? 1 : 0));
            measures.add(Measure.count("SnapshotDegraded", report.degraded().isEmpty() ? 0 : 1));
            report.bytes()
                    .ifPresent(
                            bytes ->
                                    measures.add(
                                            new Measure("SnapshotBytes", bytes, MetricUnit.BYTES)));
            measures.add(
                    new Measure(
                            "SnapshotMillis",
                            deadline.clock().instant().toEpochMilli() - start.toEpochMilli(),
                            MetricUnit.MILLISECONDS));
            metrics.publish(measures);
            return report;
        } catch (Failure e) {
            metrics.publish(List.of(Measure.count("SnapshotFailed", 1)));
            throw e;
        }
    }

    private Report taken(Instant scheduled, Optional<Epoch> lineage, Deadline deadline) {
        Taken taken = taker.take(scheduled, lineage, deadline);
        List<String> uncopied = copies.copy(deadline);
        return switch (taken) {
            case Taken.Committed(
                            Manifest manifest,
                            long bytes,
                            List<String> regions,
                            List<String> degraded) -> {
                LOG.info(
                        "Snapshot {} is committed: {} bytes, index {}, in {}",
                        manifest.id(),
                        bytes,
                        manifest.index(),
                        regions);
                yield new Report(
                        "COMMITTED",
                        Optional.of(manifest.id()),
                        Optional.of(manifest.index()),
                        Optional.of(bytes),
                        regions,
                        joined(degraded, uncopied));
            }
            case Taken.Already(String id, List<String> degraded) -> {
                LOG.info("Snapshot {} was taken by another run", id);
                yield new Report(
                        "ALREADY",
                        Optional.of(id),
                        Optional.empty(),
                        Optional.empty(),
                        List.of(),
                        joined(degraded, uncopied));
            }
        };
    }

    private static List<String> joined(List<String> degraded, List<String> uncopied) {
        List<String> all = new ArrayList<>(degraded);
        all.addAll(uncopied);
        return List.copyOf(all);
    }

    private static Report report(String outcome) {
        return new Report(
                outcome,
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                List.of(),
                List.of());
    }
}
