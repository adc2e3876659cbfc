package io.vaultdr.snapshot;

import io.vaultdr.model.Epoch;
import io.vaultdr.model.Failure;
import io.vaultdr.runtime.PairMetrics;
import io.vaultdr.runtime.PairMetrics.Measure;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import software.amazon.lambda.powertools.metrics.model.MetricUnit;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Says each minute how old the newest checked snapshot in this region is, and what is wrong with
 * the others: a job that died can't report its own death. Whatever doesn't answer costs only what
 * it would have said. Nothing is published for an age that nobody knows, and the alarm takes
 * silence as a breach.
 */
public final class Freshness {
    private static final Logger LOG = LoggerFactory.getLogger(Freshness.class);

    /** How many of the newest manifests are looked through for one of the serving lineage. */
    private static final int LOOKED_THROUGH = 10;

    private final String region;
    private final List<? extends SnapshotStore> stores;
    private final Supplier<Serving> serving;
    private final Clock clock;
    private final PairMetrics metrics;

    /**
     * @param region the region whose bucket's age is published
     * @param stores every bucket of the pair
     * @param serving asks the ledger; throws {@link Failure} where it can't be read
     */
    public Freshness(
            String region,
            List<? extends SnapshotStore> stores,
            Supplier<Serving> serving,
            Clock clock,
            PairMetrics metrics) {
        this.region = region;
        this.stores = stores;
        this.serving = serving;
        this.clock = clock;
        this.metrics = metrics;
    }

    /**
     * What was found.
     *
     * @param newest the newest snapshot that a failover would choose by itself, in this region
     * @param age its age; empty when there is none or the bucket can't be read
     * @param copiesMissing snapshots that one bucket has and another hasn't
     * @param bucketsUnreadable buckets that gave no answer
     * @param ledgerUnreadable whether the ledger gave no answer
     * @param lineageUnknown whether the newest snapshot here was taken without the ledger
     */
    public record Report(
            Optional<String> newest,
            Optional<Duration> age,
            int copiesMissing,
            int bucketsUnreadable,
            boolean ledgerUnreadable,
            boolean lineageUnknown) {
        /** Whether anything but the age is wrong. */
        public boolean degraded() {
            return copiesMissing > 0 || bucketsUnreadable > 0 || ledgerUnreadable || lineageUnknown;
        }
    }

    private record Seen(String region, Optional<List<Manifest>> newest) {}

    /** Looks, publishes, and says what was published. */
    public Report check() {
        Optional<Epoch> lineage = lineage();
        List<Seen> seen = Parallel.each(stores, Freshness::look);
        Report report =
                judge(
                        seen.stream()
                                .filter(one -> one.region().equals(region))
                                .findFirst()
                                .flatMap(Seen::newest),
                        lineage,
                        clock.instant(),
                        MissingCopies.find(stores).size(),
                        (int) seen.stream().filter(one -> one.newest().isEmpty()).count());
        metrics.publish(measures(report));
        return report;
    }

    private Optional<Epoch> lineage() {
        try {
            return Optional.of(serving.get().lineage());
        } catch (Failure e) {
            LOG.warn("The ledger does not answer: {}", e.getMessage());
            return Optional.empty();
        }
    }

    private static Seen look(SnapshotStore store) {
        try {
            return new Seen(store.region(), Optional.of(store.newest(LOOKED_THROUGH)));
        } catch (Failure e) {
            LOG.warn("A bucket in {} does not answer: {}", store.region(), e.getMessage());
            return new Seen(store.region(), Optional.empty());
        }
    }

    /**
     * Judges what was seen.
     *
     * @param here the newest snapshots in this region's bucket, newest first; empty: unreadable
     * @param lineage what serves now; empty: unknown, then any known lineage counts
     */
    static Report judge(
            Optional<List<Manifest>> here,
            Optional<Epoch> lineage,
            Instant now,
            int copiesMissing,
            int bucketsUnreadable) {
        List<Manifest> manifests = here.orElse(List.of());
        Optional<Manifest> newest =
                manifests.stream()
                        .filter(
                                manifest ->
                                        manifest.lineage().isPresent()
                                                && (lineage.isEmpty()
                                                        || lineage.equals(manifest.lineage())))
                        .findFirst();
        return new Report(
                newest.map(Manifest::id),
                newest.map(manifest -> Duration.between(manifest.takenAt(), now)),
                copiesMissing,
                bucketsUnreadable,
                lineage.isEmpty(),
                !manifests.isEmpty() && manifests.getFirst().lineage().isEmpty());
    }

    private static List<Measure> measures(Report report) {
        List<Measure> all = new ArrayList<>();
        report.age()
                .ifPresent(
                        age ->
                                all.add(
                                        new Measure(
                                                "SnapshotAgeSeconds",
                                                age.toMillis() / 1e3,
                                                MetricUnit.SECONDS)));
        all.add(Measure.count("SnapshotCopiesMissing", report.copiesMissing()));
        all.add(Measure.count("SnapshotBucketsUnreadable", report.bucketsUnreadable()));
        all.add(Measure.count("LedgerUnreadable", report.ledgerUnreadable() ? 1 : 0));
        all.add(Measure.count("SnapshotDegraded", report.degraded() ? 1 : 0));
        return all;
    }
}
