package io.vaultdr.snapshot;

import io.vaultdr.model.Epoch;
import io.vaultdr.model.Failure;
import io.vaultdr.runtime.PairMetrics;
import io.vaultdr.runtime.PairMetrics.Measure;
import io.vaultdr.runtime.Parallel;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import software.amazon.lambda.powertools.metrics.model.MetricUnit;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * Says each minute how old the newest checked and the newest proven snapshot in this region are,
 * and what is wrong with the others: a job that died can't report its own death. Everything is
 * asked at once and within {@link #LIMIT} altogether, so whatever doesn't answer costs only what it
 * would have said. Nothing is published for an age that nobody knows, and the alarms take silence
 * as a breach.
 */
public final class Freshness {
    private static final Logger LOG = LoggerFactory.getLogger(Freshness.class);

    /** Less than half of the function's own time: a cold start and the publishing fit in too. */
    static final Duration LIMIT = Duration.ofSeconds(20);

    /** The ledger is asked for less, since the choice of the proven one waits for it. */
    private static final Duration LEDGER_LIMIT = Duration.ofSeconds(8);

    /** How many of the newest manifests and proofs are read. */
    private static final int READ = 10;

    /** A proof's copy is made by the run after the next, at the latest. */
    private static final Duration COPYING = Duration.ofMinutes(15);

    private final String region;
    private final Watched watched;
    private final Supplier<Serving> serving;
    private final Clock clock;
    private final PairMetrics metrics;

    /**
     * What is watched besides the ledger.
     *
     * @param stores every bucket of the pair
     * @param proofs the same buckets' proofs; none below the rung {@code proven}
     * @param sealKey asks for the state of the key that opens the snapshots; empty: none is
     *     configured, or it isn't KMS's
     * @param every how often a snapshot is taken
     * @param owed which copies have to be there
     */
    public record Watched(
            List<? extends SnapshotStore> stores,
            List<? extends Proofs> proofs,
            Optional<Supplier<SealKeys.State>> sealKey,
            Duration every,
            MissingCopies.Owed owed) {
        private Optional<Proofs> proofsIn(String region) {
            return proofs.stream()
                    .filter(one -> one.region().equals(region))
                    .<Proofs>map(one -> one)
                    .findFirst();
        }
    }

    /**
     * @param region the region whose bucket's ages are published
     * @param serving asks the ledger; throws {@link Failure} where it can't be read
     */
    public Freshness(
            String region,
            Watched watched,
            Supplier<Serving> serving,
            Clock clock,
            PairMetrics metrics) {
        this.region = region;
        this.watched = watched;
        this.serving = serving;
        this.clock = clock;
        this.metrics = metrics;
    }

    /**
     * What was found.
     *
     * @param newest the newest snapshot that a failover would choose by itself, in this region
     * @param age its age; empty when there is none or the bucket can't be read
     * @param takenAge the age of the newest snapshot anywhere, whatever its lineage
     * @param proven the newest proven one that a failover would choose, in this region
     * @param provenAge its age
     * @param copiesMissing snapshots that one bucket has and another hasn't
     * @param copiesDiffering those, and snapshots whose manifests differ or whose proof is missing
     * @param bucketsUnreadable buckets that gave no answer
     * @param ledgerUnreadable whether the ledger gave no answer
     * @param lineageUnknown whether the newest snapshot here was taken without the ledger
     * @param sealKey the seal key's state, where it is asked for
     */
    public record Report(
            Optional<String> newest,
            Optional<Duration> age,
            Optional<Duration> takenAge,
            Optional<String> proven,
            Optional<Duration> provenAge,
            int copiesMissing,
            int copiesDiffering,
            int bucketsUnreadable,
            boolean ledgerUnreadable,
            boolean lineageUnknown,
            Optional<SealKeys.State> sealKey) {
        /** Whether anything but the ages and the key is wrong. */
        public boolean degraded() {
            return copiesDiffering > 0
                    || bucketsUnreadable > 0
                    || ledgerUnreadable
                    || lineageUnknown;
        }
    }

    /**
     * One bucket's newest snapshots, newest first; empty: no answer.
     *
     * @param ids of {@link MissingCopies#COMPARED} snapshots
     * @param manifests of the newest of them
     * @param proofs of the newest of them, those that have one
     * @param proven the newest proven snapshot of the serving lineage
     */
    record Seen(
            SnapshotStore store,
            Optional<List<String>> ids,
            Optional<List<Manifest>> manifests,
            Optional<Map<String, Proof>> proofs,
            Optional<Manifest> proven) {}

    /** A bucket that is being looked at. */
    private record Looking(
            SnapshotStore store,
            CompletableFuture<Optional<List<String>>> ids,
            CompletableFuture<Optional<List<Manifest>>> manifests,
            CompletableFuture<Optional<Proven>> proven) {
        Seen seen() {
            return new Seen(
                    store,
                    ids.join(),
                    manifests.join(),
                    proven.join().map(Proven::proofs),
                    proven.join().flatMap(Proven::newest));
        }
    }

    private record Proven(Map<String, Proof> proofs, Optional<Manifest> newest) {}

    /** Looks, publishes, and says what was published. */
    public Report check() {
        CompletableFuture<Optional<Epoch>> lineage =
                Parallel.within(LEDGER_LIMIT, "which side serves", () -> serving.get().lineage());
        CompletableFuture<Optional<SealKeys.State>> sealKey =
                watched.sealKey()
                        .map(ask -> Parallel.within(LIMIT, "the seal key's state", ask))
                        .orElse(CompletableFuture.completedFuture(Optional.empty()));
        List<Looking> looking =
                watched.stores().stream().map(store -> look(store, lineage)).toList();
        List<Seen> seen = looking.stream().map(Looking::seen).toList();
        Report report = judge(seen, lineage.join(), sealKey.join(), clock.instant());
        metrics.publish(measures(report));
        return report;
    }

    private Looking look(SnapshotStore store, CompletableFuture<Optional<Epoch>> lineage) {
        String in = " in " + store.region();
        CompletableFuture<Optional<List<String>>> ids =
                Parallel.within(
                        LIMIT,
                        "the newest snapshots" + in,
                        () -> store.newestIds(MissingCopies.COMPARED));
        CompletableFuture<Optional<List<Manifest>>> manifests =
                Parallel.within(LIMIT, "the manifests" + in, () -> manifests(store, ids.join()));
        CompletableFuture<Optional<Proven>> proven =
                watched.proofsIn(store.region())
                        .map(
                                proofs ->
                                        Parallel.within(
                                                LIMIT,
                                                "the proofs" + in,
                                                () ->
                                                        proven(
                                                                store,
                                                                proofs,
                                                                ids.join().orElse(List.of()),
                                                                lineage.join())))
                        .orElse(CompletableFuture.completedFuture(Optional.empty()));
        return new Looking(store, ids, manifests, proven);
    }

    private static List<Manifest> manifests(SnapshotStore store, Optional<List<String>> ids) {
        List<String> listed =
                ids.orElseThrow(
                        () ->
                                new Failure.Retryable(
                                        "read manifests in " + store.region(),
                                        "they could not be listed",
                                        "The next minute tries again"));
        // One that is gone was deleted between the listing and now.
        return Parallel.each(listed.stream().limit(READ).toList(), store::committed).stream()
                .flatMap(Optional::stream)
                .toList();
    }

    /** The newest proofs at once; then, as long as none is proven, one older one at a time. */
    private static Proven proven(
            SnapshotStore store, Proofs proofs, List<String> ids, Optional<Epoch> lineage) {
        Map<String, Proof> newest = new LinkedHashMap<>();
        Parallel.each(ids.stream().limit(READ).toList(), proofs::of)
                .forEach(found -> found.ifPresent(proof -> newest.put(proof.id(), proof)));
        return new Proven(
                newest,
                Stream.concat(
                                newest.values().stream(),
                                ids.stream().skip(READ).map(proofs::of).flatMap(Optional::stream))
                        .filter(Proof::proven)
                        .map(proof -> store.committed(proof.id()))
                        .flatMap(Optional::stream)
                        .filter(manifest -> chosen(manifest, lineage))
                        .findFirst());
    }

    /** Whether a failover chooses it by itself; with the ledger away any known lineage counts. */
    private static boolean chosen(Manifest manifest, Optional<Epoch> lineage) {
        return manifest.lineage().isPresent()
                && (lineage.isEmpty() || lineage.equals(manifest.lineage()));
    }

    /** Judges what was seen. */
    private Report judge(
            List<Seen> seen,
            Optional<Epoch> lineage,
            Optional<SealKeys.State> sealKey,
            Instant now) {
        Optional<Seen> here =
                seen.stream().filter(one -> one.store().region().equals(region)).findFirst();
        List<Manifest> manifests = here.flatMap(Seen::manifests).orElse(List.of());
        Optional<Manifest> newest =
                manifests.stream().filter(manifest -> chosen(manifest, lineage)).findFirst();
        Optional<Manifest> proven = here.flatMap(Seen::proven);
        int missing =
                MissingCopies.compare(
                                seen.stream().map(Seen::store).toList(),
                                seen.stream().map(Seen::ids).toList(),
                                watched.owed())
                        .size();
        return new Report(
                newest.map(Manifest::id),
                age(newest, now),
                age(
                        seen.stream()
                                .flatMap(one -> one.manifests().stream())
                                .flatMap(List::stream)
                                .max(Comparator.comparing(Manifest::takenAt)),
                        now),
                proven.map(Manifest::id),
                age(proven, now),
                missing,
                missing + differing(seen) + proofsMissing(seen, now),
                (int) seen.stream().filter(one -> one.manifests().isEmpty()).count(),
                lineage.isEmpty(),
                !manifests.isEmpty() && manifests.getFirst().lineage().isEmpty(),
                watched.sealKey().map(_ -> sealKey.orElse(SealKeys.State.UNREACHABLE)));
    }

    private static Optional<Duration> age(Optional<Manifest> manifest, Instant now) {
        return manifest.map(it -> Duration.between(it.takenAt(), now));
    }

    /** Ids whose manifests name different archives. */
    private static int differing(List<Seen> seen) {
        Map<String, String> hashes = new LinkedHashMap<>();
        Set<String> differing = new HashSet<>();
        seen.stream()
                .flatMap(one -> one.manifests().stream())
                .flatMap(List::stream)
                .forEach(
                        manifest -> {
                            String before = hashes.putIfAbsent(manifest.id(), manifest.sha256());
                            if (before != null && !before.equals(manifest.sha256())) {
                                differing.add(manifest.id());
                            }
                        });
        differing.forEach(id -> LOG.warn("Snapshot {} differs between its buckets", id));
        return differing.size();
    }

    /** Proofs that one bucket has and another should have had long ago. */
    private int proofsMissing(List<Seen> seen, Instant now) {
        Instant copied = now.minus(watched.every().multipliedBy(2)).minus(COPYING);
        int missing = 0;
        for (Seen has : seen) {
            for (Proof proof : has.proofs().orElse(Map.of()).values()) {
                for (Seen other : seen) {
                    boolean lacks =
                            !watched.owed().elsewhere().contains(other.store().region())
                                    && other.proofs()
                                            .filter(all -> !all.containsKey(proof.id()))
                                            .isPresent()
                                    && other.ids()
                                            .filter(
                                                    ids ->
                                                            ids.stream()
                                                                    .limit(READ)
                                                                    .toList()
                                                                    .contains(proof.id()))
                                            .isPresent();
                    if (lacks && proof.madeAt().isBefore(copied)) {
                        LOG.warn(
                                "The proof of {} is missing in {}",
                                proof.id(),
                                other.store().region());
                        missing++;
                    }
                }
            }
        }
        return missing;
    }

    private static List<Measure> measures(Report report) {
        List<Measure> all = new ArrayList<>();
        seconds(all, "SnapshotAgeSeconds", report.age());
        seconds(all, "SnapshotTakenAgeSeconds", report.takenAge());
        seconds(all, "ProvenAgeSeconds", report.provenAge());
        all.add(Measure.count("SnapshotCopiesMissing", report.copiesMissing()));
        all.add(Measure.count("CopiesDiffering", report.copiesDiffering()));
        all.add(Measure.count("SnapshotBucketsUnreadable", report.bucketsUnreadable()));
        all.add(Measure.count("LedgerUnreadable", report.ledgerUnreadable() ? 1 : 0));
        all.add(Measure.count("SnapshotDegraded", report.degraded() ? 1 : 0));
        report.sealKey()
                .ifPresent(
                        state ->
                                all.add(
                                        Measure.count(
                                                "SealKeyUsable",
                                                state == SealKeys.State.USABLE ? 1 : 0)));
        return all;
    }

    private static void seconds(List<Measure> all, String name, Optional<Duration> age) {
        age.ifPresent(it -> all.add(new Measure(name, it.toMillis() / 1e3, MetricUnit.SECONDS)));
    }
}
