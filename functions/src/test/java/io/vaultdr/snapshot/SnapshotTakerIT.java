package io.vaultdr.snapshot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vaultdr.model.Failure;
import io.vaultdr.model.Secret;
import io.vaultdr.model.Side;
import io.vaultdr.runtime.PairMetrics;
import io.vaultdr.snapshot.SnapshotTaker.Taken;
import io.vaultdr.testing.PartInMemory;
import io.vaultdr.vault.VaultClient;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** What is taken, listed and copied. */
class SnapshotTakerIT extends TakerCases {
    @Test
    void commitsACheckedSnapshotInBothBuckets() throws IOException {
        Taken.Committed taken = committed(taker(home, dr).take(MINUTE, LINEAGE, minutes(2)));

        assertEquals(List.of("eu-west-1", "eu-central-1"), taken.regions());
        assertEquals(List.of(), taken.degraded());
        Manifest manifest = taken.manifest();
        assertEquals(ID, manifest.id());
        assertEquals("static", manifest.needs().sealType());
        assertEquals(Map.of("snapshot", "accessor"), manifest.needs().login());
        assertTrue(manifest.bytes() > 4L * Transfer.PART / 2, manifest + " is small");
        for (SnapshotStore store : List.of(home, dr)) {
            assertEquals(List.of(manifest), store.newest(5));
            Archive.Sound sound = assertInstanceOf(Archive.Sound.class, check(store, manifest));
            assertEquals(manifest.sha256(), sound.sha256());
            assertEquals(manifest.index(), sound.index());
            assertEquals(3, sound.servers().size());
        }
        VaultClient leader = clients().at(pair.home(), cluster.leader().address());
        assertEquals(
                manifest.nonce(),
                leader.readKv(Secret.of(cluster.rootToken()), "vault-dr", "canary")
                        .orElseThrow()
                        .data()
                        .get("nonce"));
    }

    @Test
    void takesOneSnapshotForAMinuteThatIsScheduledTwice() {
        committed(taker(home, dr).take(MINUTE, LINEAGE, minutes(2)));

        Taken again = taker(home, dr).take(MINUTE.plusSeconds(30), LINEAGE, minutes(2));

        assertEquals(new Taken.Already(ID, List.of()), again);
        assertEquals(1, home.newest(5).size());
    }

    @Test
    void takesOneSnapshotWhenTwoRunAtOnce() {
        CompletableFuture<Taken> other =
                CompletableFuture.supplyAsync(
                        () -> taker(home, dr).take(MINUTE, LINEAGE, minutes(2)));
        Taken one = taker(home, dr).take(MINUTE, LINEAGE, minutes(2));
        Taken two = other.join();

        assertEquals(1, home.newest(5).size());
        assertEquals(home.newest(5), dr.newest(5));
        assertTrue(
                one instanceof Taken.Committed ^ two instanceof Taken.Committed,
                "one commits: " + one + ", " + two);
    }

    @Test
    void servesTheOtherBucketWhileOneIsAwayAndCopiesLater() throws IOException {
        Taken.Committed taken = committed(taker(home, away(dr)).take(MINUTE, LINEAGE, minutes(2)));

        assertEquals(List.of("eu-west-1"), taken.regions());
        assertEquals(1, taken.degraded().size(), taken.degraded().toString());
        assertTrue(taken.degraded().getFirst().contains("eu-central-1"));
        assertEquals(List.of(), dr.newest(5));
        assertEquals(1, copies().find().size());

        List<String> uncopied = copies().copy(minutes(1));

        assertEquals(List.of(), uncopied);
        assertEquals(home.newest(5), dr.newest(5));
        assertInstanceOf(Archive.Sound.class, check(dr, taken.manifest()));
    }

    @Test
    void copiesNothingThatWasDamagedInTheBucket() {
        Manifest manifest =
                committed(taker(home, away(dr)).take(MINUTE, LINEAGE, minutes(2))).manifest();
        moto.clients()
                .s3("eu-west-1")
                .putObject(
                        r -> r.bucket("snapshots-home").key(manifest.archiveKey()),
                        software.amazon.awssdk.core.sync.RequestBody.fromBytes(
                                Archives.sound(1000).stored()));

        List<String> uncopied = copies().copy(minutes(1));

        assertEquals(1, uncopied.size());
        assertTrue(uncopied.getFirst().contains("hash"), uncopied.getFirst());
        assertEquals(List.of(), dr.newest(5));
        assertEquals(0, uploadsUnderWay());
    }

    @Test
    void takesWithoutTheLedgerAndSaysSo() {
        List<PairMetrics.Measure> published = new ArrayList<>();
        SnapshotRun run =
                new SnapshotRun(
                        Side.HOME,
                        () -> {
                            throw new Failure.Retryable(
                                    "read the ledger", "no answer", "Ask again");
                        },
                        taker(home, dr),
                        copies(),
                        published::addAll);

        SnapshotRun.Report report = run.run(MINUTE, minutes(2));

        assertEquals("COMMITTED", report.outcome());
        assertTrue(report.degraded().getFirst().contains("lineage is unknown"), "" + report);
        assertEquals(Optional.empty(), home.newest(1).getFirst().lineage());
        assertTrue(published.contains(PairMetrics.Measure.count("SnapshotDegraded", 1)));
    }

    @Test
    void listsNothingOfAKilledRunAndSweepsItsUploads() {
        Uploads.Upload abandoned =
                home.begin(
                        Manifest.archiveKey(
                                Manifest.id(pair.pair(), CLOCK.instant(), Duration.ofMinutes(1)),
                                "abandoned"));
        abandoned.put(1, new PartInMemory(new byte[5]));

        assertEquals(List.of(), home.newest(5));
        assertEquals(0, home.sweep(CLOCK.instant().minusSeconds(600)), "may be under way");
        assertEquals(1, home.sweep(CLOCK.instant().plusSeconds(600)));
        assertEquals(0, uploadsUnderWay());
    }

    @Test
    void listsNewestFirst() {
        SnapshotTaker taker = taker(home);
        for (int minute = 0; minute < 3; minute++) {
            committed(taker.take(MINUTE.plus(Duration.ofMinutes(minute)), LINEAGE, minutes(1)));
        }

        assertEquals(
                List.of("payments-20261123T170200Z", "payments-20261123T170100Z"),
                home.newestIds(2));
    }

    private MissingCopies copies() {
        return new MissingCopies(List.of(home, dr), List.of(), MissingCopies.Owed.ALL, SCRATCH);
    }
}
