package io.vaultdr.snapshot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vaultdr.aws.AwsClients;
import io.vaultdr.aws.S3Bucket;
import io.vaultdr.cluster.VaultSetup;
import io.vaultdr.model.Epoch;
import io.vaultdr.model.Failure;
import io.vaultdr.model.PairId;
import io.vaultdr.model.Side;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.testing.BaoCluster;
import io.vaultdr.testing.Clusters;
import io.vaultdr.testing.Moto;
import io.vaultdr.testing.Ports;
import io.vaultdr.testing.TestLogins;
import io.vaultdr.vault.HttpVaultClients;
import io.vaultdr.vault.LeaderFinder;
import io.vaultdr.vault.Login;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

import java.net.URI;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/** TakeSnapshot's dry run on a real server: it goes the way and leaves nothing. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class SnapshotDryRunIT {
    private static final PairId PAIR = new PairId("payments");
    private static final PairSettings.Bucket BUCKET =
            new PairSettings.Bucket("eu-west-1", "snapshots", Moto.ACCOUNT);

    private final Moto moto = Moto.start();
    private final AwsClients aws = moto.clients();
    private final BaoCluster serving = BaoCluster.running(1);
    private final BaoCluster blank = BaoCluster.blank(1);

    @BeforeAll
    void makeBucketAndLogin() {
        aws.s3(BUCKET.region())
                .createBucket(
                        r ->
                                r.bucket(BUCKET.name())
                                        .createBucketConfiguration(
                                                c -> c.locationConstraint(BUCKET.region())));
        new TestLogins(
                        serving,
                        aws.secretsManager(BUCKET.region()),
                        "payments-vault-dr",
                        new VaultSetup(List.of(), false))
                .make(Login.Intent.SNAPSHOT);
    }

    @AfterAll
    void end() {
        serving.close();
        blank.close();
        moto.close();
    }

    @Test
    void asksTheServingLeaderAndWritesNothing() {
        Map<String, String> seen =
                dryRun(Side.HOME, serving.addresses(), () -> Serving.ALWAYS_HOME).run();

        assertEquals(serving.addresses().getFirst() + " leads", seen.get("node"));
        assertEquals("0", seen.get("bucketsWithSnapshots"));
        assertTrue(
                aws.s3(BUCKET.region())
                        .listObjectsV2(r -> r.bucket(BUCKET.name()))
                        .contents()
                        .isEmpty());
    }

    @Test
    void reachesTheNodeThatWaits() {
        Map<String, String> seen =
                dryRun(Side.DR, blank.addresses(), () -> Serving.ALWAYS_HOME).run();
        assertTrue(String.valueOf(seen.get("node")).contains("NOT_INITIALISED"), seen::toString);
    }

    @Test
    void aStandbyThatIsSilentFailsIt() {
        SnapshotDryRun dryRun = dryRun(Side.DR, nowhere(), () -> Serving.ALWAYS_HOME);
        Failure failure = assertThrows(Failure.Retryable.class, dryRun::run);
        assertTrue(failure.toString().contains("GET sys/health on "), failure::toString);
    }

    /** Its region is lost, or it was fenced. */
    @Test
    void aHomeThatIsSilentWhileDrServesDoesNot() {
        dryRun(Side.HOME, nowhere(), () -> new Serving(Side.DR, new Epoch(1))).run();
    }

    @Test
    void aLedgerThatIsAwayFailsIt() {
        SnapshotDryRun dryRun =
                dryRun(
                        Side.HOME,
                        serving.addresses(),
                        () -> {
                            throw new Failure.Retryable("read the ledger", "silence", "Look.");
                        });
        assertThrows(Failure.Retryable.class, dryRun::run);
    }

    private SnapshotDryRun dryRun(Side side, List<URI> nodes, Supplier<Serving> ledger) {
        return new SnapshotDryRun(
                side,
                Clusters.of(nodes),
                ledger,
                new LeaderFinder(
                        new HttpVaultClients(
                                cluster -> Optional.empty(), HttpVaultClients.Limits.DEFAULT)),
                Login.by(aws.secretsManager(BUCKET.region())),
                List.of(new S3Bucket(aws, BUCKET, PAIR, Clock.systemUTC())));
    }

    private static List<URI> nowhere() {
        return List.of(URI.create("http://127.0.0.1:" + Ports.free()));
    }
}
