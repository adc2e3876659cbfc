package io.vaultdr.snapshot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vaultdr.model.Epoch;
import io.vaultdr.model.Failure;
import io.vaultdr.model.Side;
import io.vaultdr.runtime.Deadline;
import io.vaultdr.runtime.PairMetrics.Measure;
import io.vaultdr.runtime.RetentionSettings;
import io.vaultdr.snapshot.ObjectVersions.Version;
import io.vaultdr.snapshot.Proof.Counts;
import io.vaultdr.snapshot.Proof.Verdict;
import io.vaultdr.snapshot.Retention.Hold;
import io.vaultdr.snapshot.Retention.Rule;
import io.vaultdr.snapshot.RetentionRun.Report;
import io.vaultdr.snapshot.RetentionRun.Result;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;

/** Retention on buckets in memory; {@link S3ObjectVersionsIT} holds them to S3. */
class RetentionRunTest {
    private static final Instant NOW = Instant.parse("2026-11-23T17:00:00Z");
    private static final Clock CLOCK = Clock.fixed(NOW, ZoneOffset.UTC);
    private static final Optional<Epoch> LINEAGE = Optional.of(Epoch.ZERO);
    private static final Counts COUNTS = new Counts(5, 2, 20, 30, 900, true);
    private static final int HOURS = 6;

    private final Map<String, Double> published = new TreeMap<>();
    private InMemoryVersions home = new InMemoryVersions("eu-west-1");
    private InMemoryVersions dr = new InMemoryVersions("eu-central-1");

    @BeforeEach
    void sixHourlyProvenOnesInBothBuckets() {
        home = new InMemoryVersions("eu-west-1");
        dr = new InMemoryVersions("eu-central-1");
        for (int hour = 0; hour < HOURS; hour++) {
            both(taken(hour), COUNTS);
        }
    }

    @Test
    void deletesInEveryBucketWhatNoRuleWants() {
        home.put(Manifest.key(taken(5).id()), taken(5), NOW);
        home.put("proofs/" + taken(5).id() + ".claim", "claim", NOW);
        dr.hide(Proof.key(taken(5).id()), NOW);

        Report report = run(keep(2)).run(false, minutes(5));

        assertEquals(Result.DONE, report.result(), report::toString);
        assertEquals(4, report.deletedCount());
        assertEquals(
                Map.of(Rule.NEWEST_PROVEN, 1, Rule.LAST, 1, Rule.NOT_WANTED, 4), report.rules());
        for (InMemoryVersions bucket : List.of(home, dr)) {
            assertEquals(
                    List.of(
                            taken(1).archiveKey(),
                            taken(0).archiveKey(),
                            Manifest.key(taken(1).id()),
                            Manifest.key(taken(0).id()),
                            Proof.key(taken(1).id()),
                            Proof.key(taken(0).id())),
                    bucket.keys());
        }
        assertEquals(4, published.get("RetentionDeleted"));
        assertEquals(0, published.get("RetentionFrozen"));
    }

    @Test
    void saysInADryRunWhatWouldGoAndWhyAndTouchesNothing() {
        home.beforeEachChange(RetentionRunTest::die);
        dr.beforeEachChange(RetentionRunTest::die);

        Report report = run(keep(2)).run(true, minutes(5));

        assertEquals(Result.DRY_RUN, report.result());
        assertEquals(
                List.of(taken(2).id(), taken(3).id(), taken(4).id(), taken(5).id()),
                report.deleted().stream().map(RetentionRun.Going::id).toList());
        assertTrue(report.deleted().stream().allMatch(going -> going.rule() == Rule.NOT_WANTED));
        assertTrue(published.isEmpty(), "a dry run counts nothing");
    }

    @Test
    void endsTheSameWhereverItIsKilled() {
        home.put("archives/" + taken(9).id() + "-lost.snap", "orphan", NOW.minusSeconds(90_000));
        run(keep(2)).run(false, minutes(5));
        List<String> atHome = home.keys();
        List<String> inDr = dr.keys();
        for (int killedAt = 1; killedAt <= 12; killedAt++) {
            sixHourlyProvenOnesInBothBuckets();
            home.put(
                    "archives/" + taken(9).id() + "-lost.snap", "orphan", NOW.minusSeconds(90_000));
            AtomicInteger changes = new AtomicInteger();
            int at = killedAt;
            Runnable mayDie =
                    () -> {
                        noSnapshotWithoutItsArchive();
                        if (changes.incrementAndGet() == at) {
                            throw new Killed();
                        }
                    };
            home.beforeEachChange(mayDie);
            dr.beforeEachChange(mayDie);
            boolean killed = false;
            try {
                run(keep(2)).run(false, minutes(5));
            } catch (Killed e) {
                killed = true;
            }
            home.beforeEachChange(() -> {});
            dr.beforeEachChange(() -> {});

            // What lost its manifest is swept a day later.
            Clock later = Clock.fixed(NOW.plus(Duration.ofDays(2)), ZoneOffset.UTC);
            run(keep(2)).run(false, new Deadline(later, NOW.plus(Duration.ofDays(3))));

            assertEquals(killedAt <= 7, killed, "killed at change " + killedAt);
            assertEquals(atHome, home.keys(), "killed at change " + killedAt);
            assertEquals(inDr, dr.keys(), "killed at change " + killedAt);
        }
    }

    @Test
    void sweepsWhatBelongsToNoSnapshotAfterADay() {
        String old = "archives/" + taken(30).id() + "-lost.snap";
        String young = "archives/" + taken(0).id() + "-underway.snap";
        home.put(old, "", NOW.minus(Duration.ofHours(25)));
        home.put(young, "", NOW.minus(Duration.ofHours(23)));
        home.put(Proof.key(taken(40).id()), "", NOW.minus(Duration.ofHours(25)));

        Report report = run(keep(9)).run(false, minutes(5));

        assertEquals(2, report.swept());
        assertTrue(home.keys().contains(young));
        assertTrue(!home.keys().contains(old));
        assertEquals(3 * HOURS + 1, home.keys().size());
    }

    @Test
    void keepsASnapshotThatAnythingHoldsAnywhere() {
        dr.hold(taken(5).archiveKey(), Hold.LOCKED);
        home.hold(Proof.key(taken(4).id()), Hold.LEGAL_HOLD);

        Report report = run(keep(2)).run(false, minutes(5));

        assertEquals(Result.DONE, report.result());
        assertEquals(2, report.deletedCount());
        assertEquals(1, report.rules().get(Rule.LOCKED));
        assertEquals(1, report.rules().get(Rule.LEGAL_HOLD));
        for (int held : List.of(4, 5)) {
            assertTrue(home.keys().contains(Manifest.key(taken(held).id())));
            assertTrue(dr.keys().contains(taken(held).archiveKey()));
        }
    }

    @Test
    void tellsWhatWasRefusedAndGoesOnWithTheOthers() {
        RetentionRun refusing =
                run(
                        keep(2),
                        new Refusing(home, Manifest.key(taken(5).id())),
                        new Refusing(dr, "nothing"));

        Report report = refusing.run(false, minutes(5));

        assertEquals(Result.UNFINISHED, report.result());
        assertEquals(3, report.deletedCount());
        assertEquals(
                List.of(
                        Manifest.key(taken(5).id())
                                + " in eu-west-1 was not deleted: InternalError"),
                report.problems());
        assertTrue(home.keys().contains(taken(5).archiveKey()), "its archive waits for the next");
        assertEquals(1, run(keep(2)).run(false, minutes(5)).deletedCount());
    }

    @Test
    void stopsInTimeAndGoesOnNextTime() {
        Report none = run(keep(2)).run(false, new Deadline(CLOCK, NOW.plusSeconds(5)));

        assertEquals(Result.UNFINISHED, none.result());
        assertEquals(0, none.deletedCount());
        assertTrue(none.problems().getFirst().contains("no time left"), none::toString);
        assertEquals(4, run(keep(2)).run(false, minutes(5)).deletedCount());
    }

    @Test
    void leavesHiddenAndUnreadableSnapshotsToAPerson() {
        home.hide(Manifest.key(taken(5).id()), NOW);
        dr.hide(Manifest.key(taken(5).id()), NOW);

        Report report = run(keep(2)).run(false, minutes(5));

        assertEquals(3, report.deletedCount());
        assertTrue(report.problems().getFirst().contains("is hidden"), report::toString);
        assertTrue(home.keys().contains(taken(5).archiveKey()));
    }

    @Test
    void marksForTheArchiveWhatIsOldEnoughInEachBucketThatHasItWarm() {
        RetentionSettings settings =
                new RetentionSettings(
                        1,
                        HOURS,
                        0,
                        0,
                        0,
                        Optional.of(
                                new RetentionSettings.Archive(
                                        "GLACIER_IR", Duration.ofMinutes(210))));
        dr.cool(taken(4).archiveKey(), "GLACIER_IR");

        Report report = run(settings).run(false, minutes(5));

        assertEquals(Result.DONE, report.result());
        assertEquals(3, report.archivedCount());
        assertEquals(
                List.of(taken(3), taken(4), taken(5)).stream().map(Manifest::archiveKey).toList(),
                home.tagged().stream().sorted((a, b) -> b.compareTo(a)).toList());
        assertEquals(2, dr.tagged().size());
    }

    @Test
    void doesNothingWhileABucketOrTheLedgerIsAway() {
        ObjectVersions away =
                new Refusing(dr, "nothing") {
                    @Override
                    public List<Version> list() {
                        throw new Failure.Retryable("list", "silence", "Again");
                    }
                };
        Report bucket = run(keep(2), home, away).run(false, minutes(5));
        Report ledger =
                new RetentionRun(
                                Side.HOME::equals,
                                () -> {
                                    throw new Failure.Retryable("read", "silence", "Again");
                                },
                                true,
                                keep(2),
                                List.of(home, dr),
                                this::publish)
                        .run(false, minutes(5));

        assertThrows(
                Failure.Retryable.class,
                () -> run(keep(2), home, away).run(true, minutes(5)),
                "a dry run is there to find it");

        assertEquals(Result.HELD, bucket.result());
        assertEquals(Result.HELD, ledger.result());
        assertEquals(3 * HOURS, home.keys().size());
    }

    @Test
    void leavesItToTheSideThatServes() {
        Report report =
                new RetentionRun(
                                Side.DR::equals,
                                () -> Serving.ALWAYS_HOME,
                                true,
                                keep(2),
                                List.of(home, dr),
                                this::publish)
                        .run(false, minutes(5));

        assertEquals(Result.NOT_SERVING, report.result());
        assertEquals(3 * HOURS, home.keys().size());
    }

    @Test
    void freezesWhenSnapshotsFallUntilAPersonAcceptsIt() {
        Manifest emptied = Snapshots.taken(NOW.minusSeconds(60), LINEAGE, 1 << 24);
        both(emptied, new Counts(4, 2, 20, 30, 100, true));

        Report frozen = run(keep(2)).run(false, minutes(5));
        Report still = run(keep(2)).run(false, minutes(5));

        for (Report report : List.of(frozen, still)) {
            assertEquals(Result.FROZEN, report.result());
            assertEquals(
                    List.of("keys fell from 900 to 100"),
                    report.freeze().orElseThrow().falls().stream().map(Object::toString).toList());
        }
        assertEquals(1, published.get("RetentionFrozen"));
        assertEquals(home.frozen(), dr.frozen());
        assertTrue(home.keys().contains(taken(5).archiveKey()));
        assertEquals(Result.FROZEN, run(keep(2)).run(true, minutes(5)).result());

        assertEquals(
                emptied.id(),
                run(keep(2)).accept("ada", "CI mount retired", NOW).orElseThrow().baseline().id());
        assertEquals(Optional.empty(), home.frozen());
        assertEquals(Optional.empty(), run(keep(2)).accept("ada", "again", NOW));
        Report after = run(keep(2)).run(false, minutes(5));
        assertEquals(Result.DONE, after.result());
        assertEquals(5, after.deletedCount());
        assertEquals(0, published.get("RetentionFrozen"));
    }

    @Test
    void finishesAnAcceptanceThatWasKilled() {
        Manifest emptied = Snapshots.taken(NOW.minusSeconds(60), LINEAGE, 1 << 24);
        both(emptied, new Counts(4, 2, 20, 30, 100, true));
        run(keep(2)).run(false, minutes(5));
        dr.beforeEachChange(
                () -> {
                    throw new Killed();
                });
        assertThrows(Killed.class, () -> run(keep(2)).accept("ada", "CI mount retired", NOW));
        dr.beforeEachChange(() -> {});

        Report report = run(keep(2)).run(false, minutes(5));

        assertEquals(Result.DONE, report.result(), report::toString);
        assertEquals(home.accepted(), dr.accepted());
        assertEquals(Optional.empty(), dr.frozen());
        assertEquals(Optional.empty(), home.frozen());
    }

    private void both(Manifest manifest, Counts counts) {
        Proof proof = Snapshots.proof(manifest, Verdict.PROVEN, Optional.of(counts));
        home.with(manifest, Optional.of(proof));
        dr.with(manifest, Optional.of(proof));
    }

    /** Looked at before each change: in no bucket may a manifest stand without its archive. */
    private void noSnapshotWithoutItsArchive() {
        for (InMemoryVersions bucket : List.of(home, dr)) {
            for (int hour = 0; hour < HOURS; hour++) {
                if (bucket.manifest(taken(hour).id()).isPresent()) {
                    assertTrue(bucket.keys().contains(taken(hour).archiveKey()));
                }
            }
        }
    }

    private static Manifest taken(int hoursAgo) {
        return Snapshots.taken(NOW.minus(Duration.ofHours(hoursAgo + 1)), LINEAGE, 1 << 24);
    }

    private RetentionRun run(RetentionSettings settings) {
        return run(settings, home, dr);
    }

    private RetentionRun run(RetentionSettings settings, ObjectVersions... buckets) {
        return new RetentionRun(
                Side.HOME::equals,
                () -> Serving.ALWAYS_HOME,
                true,
                settings,
                List.of(buckets),
                this::publish);
    }

    private void publish(List<Measure> measures) {
        measures.forEach(measure -> published.put(measure.name(), measure.value()));
    }

    private static void die() {
        throw new Killed();
    }

    private static RetentionSettings keep(int last) {
        return new RetentionSettings(last, 0, 0, 0, 0, Optional.empty());
    }

    private static Deadline minutes(int minutes) {
        return new Deadline(CLOCK, NOW.plus(Duration.ofMinutes(minutes)));
    }

    /** What kill -9 is to a process: nothing catches it. */
    private static final class Killed extends Error {
        private static final long serialVersionUID = 1L;
    }

    /** Refuses to delete one key. */
    private static class Refusing extends InMemoryVersions {
        private final InMemoryVersions bucket;
        private final String key;

        Refusing(InMemoryVersions bucket, String key) {
            super(bucket.region());
            this.bucket = bucket;
            this.key = key;
        }

        @Override
        public List<Version> list() {
            return bucket.list();
        }

        @Override
        public Optional<Manifest> manifest(String id) {
            return bucket.manifest(id);
        }

        @Override
        public Optional<Proof> proof(String id) {
            return bucket.proof(id);
        }

        @Override
        public Map<Version, String> delete(List<Version> versions) {
            Map<Version, String> refused =
                    bucket.delete(versions.stream().filter(v -> !v.key().equals(key)).toList());
            versions.stream()
                    .filter(v -> v.key().equals(key))
                    .forEach(v -> refused.put(v, "InternalError"));
            return refused;
        }
    }
}
