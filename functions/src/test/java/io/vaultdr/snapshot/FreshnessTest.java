package io.vaultdr.snapshot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vaultdr.model.Epoch;
import io.vaultdr.model.Failure;
import io.vaultdr.model.PairId;
import io.vaultdr.model.Side;
import io.vaultdr.runtime.Json;
import io.vaultdr.runtime.PairMetrics.Measure;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.lang.reflect.Proxy;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.function.Supplier;

class FreshnessTest {
    private static final Instant NOW = Instant.parse("2026-11-23T17:10:00Z");
    private static final Clock CLOCK = Clock.fixed(NOW, ZoneOffset.UTC);
    private static final Serving HOME = Serving.ALWAYS_HOME;

    private final Map<String, Double> published = new TreeMap<>();
    private MissingCopies.Owed owed = MissingCopies.Owed.ALL;

    @Test
    void publishesTheAgeOfTheNewestInItsOwnRegion() {
        Freshness.Report report =
                check(
                        HOME,
                        new Listed("eu-west-1", at(600, 0), at(300, 0)),
                        new Listed("eu-central-1", at(600, 0), at(300, 0)));

        assertEquals(Optional.of(Duration.ofMinutes(5)), report.age());
        assertEquals(300, published.get("SnapshotAgeSeconds"));
        assertEquals(0, published.get("SnapshotDegraded"));
    }

    @Test
    void countsCopiesThatOneBucketLacks() {
        check(
                HOME,
                new Listed("eu-west-1", at(600, 0), at(300, 0), at(60, 0)),
                new Listed("eu-central-1", at(600, 0)));

        assertEquals(2, published.get("SnapshotCopiesMissing"));
        assertEquals(1, published.get("SnapshotDegraded"));
        assertEquals(60, published.get("SnapshotAgeSeconds"));
    }

    /** What it lacks may be gone on purpose there; what home lacks can't be fetched. */
    @Test
    void countsOnlyTheNewestThatAnotherAccountLacks() {
        owed = MissingCopies.Owed.last(2, Set.of("eu-central-1"));

        check(
                HOME,
                new Listed("eu-west-1", at(900, 0), at(600, 0), at(60, 0)),
                new Listed("eu-central-1", at(600, 0), at(300, 0)));

        assertEquals(1, published.get("SnapshotCopiesMissing"));
    }

    @Test
    void publishesWhatIsLeftWhenEverythingElseIsAway() {
        Freshness.Report report =
                freshness(
                                () -> {
                                    throw new Failure.Retryable("read", "silence", "Again");
                                },
                                List.of(
                                        new Proved("eu-west-1", Map.of()),
                                        new ProofsAway("eu-central-1")),
                                Optional.of(() -> SealKeys.State.UNREACHABLE),
                                new Listed("eu-west-1", at(60, 0)),
                                new Away("eu-central-1"))
                        .check();

        assertTrue(report.degraded());
        assertEquals(60, published.get("SnapshotAgeSeconds"));
        assertEquals(1, published.get("SnapshotBucketsUnreadable"));
        assertEquals(1, published.get("LedgerUnreadable"));
        assertEquals(0, published.get("SealKeyUsable"), "a key that nobody can look at");
    }

    /** Each of them hangs for good: together they may cost no more than the limit, once. */
    @Test
    void publishesWithinItsTimeWhenEverythingHangs() throws InterruptedException {
        CountDownLatch never = new CountDownLatch(1);
        SnapshotStore hanging = hanging(SnapshotStore.class, "eu-central-1", never);
        Proofs hangingProofs = hanging(Proofs.class, "eu-central-1", never);
        Manifest proven = at(300, 0);
        long start = System.nanoTime();

        Freshness.Report report =
                freshness(
                                () -> {
                                    throw hang(never);
                                },
                                List.of(
                                        new Proved("eu-west-1", Map.of(proven.id(), 300)),
                                        hangingProofs),
                                Optional.of(
                                        () -> {
                                            throw hang(never);
                                        }),
                                new Listed("eu-west-1", proven, at(60, 0)),
                                hanging)
                        .check();

        Duration took = Duration.ofNanos(System.nanoTime() - start);
        never.countDown();
        assertTrue(took.compareTo(Freshness.LIMIT.plusSeconds(5)) < 0, took::toString);
        assertEquals(Optional.of(Duration.ofMinutes(1)), report.age());
        assertEquals(Optional.of(Duration.ofMinutes(5)), report.provenAge());
        assertEquals(1, report.bucketsUnreadable());
        assertTrue(report.ledgerUnreadable());
        assertEquals(0, published.get("SealKeyUsable"));
    }

    @Test
    void publishesTheAgeOfTheNewestProvenOneOfTheServingLineage() {
        Manifest[] taken = {
            at(9000, 1), at(8000, 1), at(7000, 1), at(600, 0), at(400, 1), at(300, 1)
        };
        List<Proofs> proofs =
                List.of(
                        new Proved(
                                "eu-west-1",
                                Map.of(
                                        taken[0].id(), 9000,
                                        taken[1].id(), 8000,
                                        taken[2].id(), -7000,
                                        taken[3].id(), 600,
                                        taken[4].id(), -400)));

        Freshness.Report report =
                freshness(
                                () -> new Serving(Side.HOME, new Epoch(1)),
                                proofs,
                                Optional.of(() -> SealKeys.State.USABLE),
                                new Listed("eu-west-1", taken))
                        .check();

        assertEquals(Optional.of(taken[1].id()), report.proven());
        assertEquals(8000, published.get("ProvenAgeSeconds"));
        assertEquals(300, published.get("SnapshotAgeSeconds"));
        assertEquals(300, published.get("SnapshotTakenAgeSeconds"));
        assertEquals(1, published.get("SealKeyUsable"));
    }

    @Test
    void findsAProvenOneBehindManyThatAreNot() {
        Manifest[] taken = new Manifest[40];
        for (int i = 0; i < taken.length; i++) {
            taken[i] = at(60 * (taken.length - i), 0);
        }

        Freshness.Report report =
                freshness(
                                () -> HOME,
                                List.of(new Proved("eu-west-1", Map.of(taken[0].id(), 2400))),
                                Optional.empty(),
                                new Listed("eu-west-1", taken))
                        .check();

        assertEquals(Optional.of(taken[0].id()), report.proven());
    }

    @Test
    void countsManifestsThatDifferAndProofsThatWereNotCopiedInTime() {
        Manifest old = at(6000, 0);
        Manifest young = at(600, 0);
        Manifest other =
                new Manifest(
                        young.id(),
                        young.pair(),
                        young.side(),
                        young.takenAt(),
                        young.lineage(),
                        young.bytes(),
                        "another",
                        young.index(),
                        young.term(),
                        young.clusterId(),
                        "another",
                        young.needs());

        Freshness.Report report =
                freshness(
                                () -> HOME,
                                List.of(
                                        new Proved("eu-west-1", Map.of()),
                                        new Proved(
                                                "eu-central-1",
                                                Map.of(old.id(), 6000, young.id(), 600))),
                                Optional.empty(),
                                new Listed("eu-west-1", old, young),
                                new Listed("eu-central-1", old, other))
                        .check();

        assertEquals(2, report.copiesDiffering(), "one hash, and the old one's proof");
        assertEquals(0, report.copiesMissing());
        assertEquals(1, published.get("SnapshotDegraded"));
        assertFalse(published.containsKey("SealKeyUsable"), "none is configured");
    }

    @Test
    void publishesNoAgeThatNobodyKnows() {
        check(HOME, new Away("eu-west-1"), new Listed("eu-central-1", at(60, 0)));
        assertFalse(published.containsKey("SnapshotAgeSeconds"));

        published.clear();
        check(HOME, new Listed("eu-west-1"));
        assertFalse(published.containsKey("SnapshotAgeSeconds"));
    }

    @Test
    void countsOnlyTheServingLineage() {
        check(
                new Serving(Side.DR, new Epoch(2)),
                new Listed("eu-west-1", at(900, 2), at(300, 0), at(60, -1)));

        assertEquals(900, published.get("SnapshotAgeSeconds"));
        assertEquals(1, published.get("SnapshotDegraded"), "the newest has no lineage");
    }

    @Test
    void keepsManifestsThroughJson() throws IOException {
        Manifest manifest = at(60, 3);

        byte[] json = Json.MAPPER.writeValueAsBytes(manifest);

        assertEquals(manifest, Json.MAPPER.readValue(json, Manifest.class));
        assertEquals("archives/payments-20261123T170900Z-n1795453740.snap", manifest.archiveKey());
    }

    @Test
    void namesAMinuteOnce() {
        PairId pair = new PairId("payments");
        Duration hourly = Duration.ofHours(1);

        assertEquals(
                Manifest.id(pair, Instant.parse("2026-11-23T17:00:01Z"), hourly),
                Manifest.id(pair, Instant.parse("2026-11-23T17:00:59Z"), hourly));
        assertEquals(
                "payments-20261123T170054Z",
                Manifest.id(pair, Instant.parse("2026-11-23T17:00:59Z"), Duration.ofSeconds(6)));
    }

    private Freshness.Report check(Serving serving, SnapshotStore... stores) {
        return freshness(() -> serving, List.of(), Optional.empty(), stores).check();
    }

    private Freshness freshness(
            Supplier<Serving> serving,
            List<Proofs> proofs,
            Optional<Supplier<SealKeys.State>> sealKey,
            SnapshotStore... stores) {
        return new Freshness(
                "eu-west-1",
                new Freshness.Watched(
                        List.of(stores), proofs, sealKey, Duration.ofMinutes(15), owed),
                serving,
                CLOCK,
                this::publish);
    }

    private void publish(List<Measure> measures) {
        measures.forEach(measure -> published.put(measure.name(), measure.value()));
    }

    /** Taken so many seconds ago; a negative lineage means none. */
    private static Manifest at(int secondsAgo, int lineage) {
        return Snapshots.taken(
                NOW.minusSeconds(secondsAgo),
                lineage < 0 ? Optional.empty() : Optional.of(new Epoch(lineage)),
                1000);
    }

    /** A bucket that only lists. */
    private record Listed(String region, List<Manifest> manifests) implements SnapshotStore {
        private Listed(String region, Manifest... manifests) {
            this(region, List.of(manifests));
        }

        @Override
        public List<String> newestIds(int limit) {
            return newest(limit).stream().map(Manifest::id).toList();
        }

        @Override
        public List<Manifest> newest(int limit) {
            return manifests.reversed().stream().limit(limit).toList();
        }

        @Override
        public Found find(Manifest snapshot) {
            throw new UnsupportedOperationException();
        }

        @Override
        public Optional<Manifest> committed(String id) {
            return manifests.stream().filter(manifest -> manifest.id().equals(id)).findFirst();
        }

        @Override
        public Upload begin(String key) {
            throw new UnsupportedOperationException();
        }

        @Override
        public boolean commit(Manifest manifest) {
            throw new UnsupportedOperationException();
        }

        @Override
        public int sweep(Instant before) {
            throw new UnsupportedOperationException();
        }
    }

    private static RuntimeException hang(CountDownLatch never) {
        try {
            never.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return new IllegalStateException("it hung until the test was over");
    }

    private static <T> T hanging(Class<T> port, String region, CountDownLatch never) {
        return port.cast(
                Proxy.newProxyInstance(
                        port.getClassLoader(),
                        new Class<?>[] {port},
                        (self, method, arguments) -> {
                            if (method.getName().equals("region")) {
                                return region;
                            }
                            throw hang(never);
                        }));
    }

    /**
     * Proofs of one bucket.
     *
     * @param made id → how many seconds ago it was proven; negative: refuted
     */
    private record Proved(String region, Map<String, Integer> made) implements Proofs {
        @Override
        public Optional<Proof> of(String id) {
            return Optional.ofNullable(made.get(id))
                    .map(
                            ago ->
                                    Snapshots.proof(
                                            Snapshots.taken(
                                                    NOW.minusSeconds(Math.abs(ago) + 90L),
                                                    Optional.empty(),
                                                    1000),
                                            ago < 0 ? Proof.Verdict.REFUTED : Proof.Verdict.PROVEN,
                                            Optional.empty()))
                    .map(proof -> renamed(proof, id));
        }

        private static Proof renamed(Proof proof, String id) {
            return new Proof(
                    id,
                    proof.pair(),
                    proof.verdict(),
                    proof.reason(),
                    proof.detail(),
                    proof.madeAt(),
                    proof.region(),
                    proof.attempt(),
                    proof.sha256(),
                    proof.index(),
                    proof.clusterId(),
                    proof.counts(),
                    proof.stages(),
                    proof.peakMemoryBytes(),
                    proof.versions());
        }

        @Override
        public void write(Proof proof) {
            throw new UnsupportedOperationException();
        }
    }

    /** Proofs of a region that is away. */
    private record ProofsAway(String region) implements Proofs {
        @Override
        public Optional<Proof> of(String id) {
            throw Away.away();
        }

        @Override
        public void write(Proof proof) {
            throw Away.away();
        }
    }

    /** A bucket of a region that is away. */
    private record Away(String region) implements SnapshotStore {
        private static Failure away() {
            return new Failure.Retryable("call S3", "no answer", "Try again");
        }

        @Override
        public List<String> newestIds(int limit) {
            throw away();
        }

        @Override
        public List<Manifest> newest(int limit) {
            throw away();
        }

        @Override
        public Found find(Manifest snapshot) {
            throw away();
        }

        @Override
        public Optional<Manifest> committed(String id) {
            throw away();
        }

        @Override
        public Upload begin(String key) {
            throw away();
        }

        @Override
        public boolean commit(Manifest manifest) {
            throw away();
        }

        @Override
        public int sweep(Instant before) {
            throw away();
        }
    }
}
