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
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

class FreshnessTest {
    private static final Instant NOW = Instant.parse("2026-11-23T17:10:00Z");
    private static final Clock CLOCK = Clock.fixed(NOW, ZoneOffset.UTC);
    private static final Serving HOME = Serving.ALWAYS_HOME;

    private final Map<String, Double> published = new TreeMap<>();

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

    @Test
    void publishesWhatIsLeftWhenEverythingElseIsAway() {
        Freshness freshness =
                new Freshness(
                        "eu-west-1",
                        List.of(new Listed("eu-west-1", at(60, 0)), new Away("eu-central-1")),
                        () -> {
                            throw new Failure.Retryable("read the ledger", "silence", "Again");
                        },
                        CLOCK,
                        this::publish);

        Freshness.Report report = freshness.check();

        assertTrue(report.degraded());
        assertEquals(60, published.get("SnapshotAgeSeconds"));
        assertEquals(1, published.get("SnapshotBucketsUnreadable"));
        assertEquals(1, published.get("LedgerUnreadable"));
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
        assertEquals("archives/payments-20261123T170900Z-n60.snap", manifest.archiveKey());
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
        return new Freshness("eu-west-1", List.of(stores), () -> serving, CLOCK, this::publish)
                .check();
    }

    private void publish(List<Measure> measures) {
        measures.forEach(measure -> published.put(measure.name(), measure.value()));
    }

    /** Taken so many seconds ago; a negative lineage means none. */
    private static Manifest at(int secondsAgo, int lineage) {
        PairId pair = new PairId("payments");
        Instant taken = NOW.minusSeconds(secondsAgo);
        return new Manifest(
                Manifest.id(pair, taken, Duration.ofMinutes(1)),
                pair,
                Side.HOME,
                taken,
                lineage < 0 ? Optional.empty() : Optional.of(new Epoch(lineage)),
                1000,
                "00",
                7,
                1,
                "cluster",
                "n" + secondsAgo,
                new Manifest.RestoreNeeds(
                        "openbao",
                        "2.7.2",
                        "static",
                        Optional.empty(),
                        Map.of("snapshot", "accessor"),
                        List.of("/var/log/audit.log")));
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
            throw new UnsupportedOperationException();
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
