package io.vaultdr.snapshot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import io.vaultdr.aws.AwsClients;
import io.vaultdr.aws.S3Bucket;
import io.vaultdr.model.Epoch;
import io.vaultdr.model.PairId;
import io.vaultdr.model.Secret;
import io.vaultdr.model.Side;
import io.vaultdr.runtime.Deadline;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.snapshot.SnapshotTaker.Taken;
import io.vaultdr.testing.BaoCluster;
import io.vaultdr.testing.Eventually;
import io.vaultdr.testing.Moto;
import io.vaultdr.testing.Relay;
import io.vaultdr.testing.ServerProcess;
import io.vaultdr.vault.HttpVaultClients;
import io.vaultdr.vault.LeaderFinder;
import io.vaultdr.vault.Login;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import software.amazon.awssdk.auth.credentials.EnvironmentVariableCredentialsProvider;
import software.amazon.awssdk.services.s3.model.CreateBucketConfiguration;

import java.net.URI;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A run in a process of its own, killed with -9 while its parts are on their way. */
class KilledSnapshotIT {
    private static final Clock CLOCK = Clock.systemUTC();
    private static final Instant MINUTE = Instant.parse("2026-11-23T17:00:07Z");

    /** Three parts and more. */
    private static final int CONTENT_MIB = 28;

    @Test
    void leavesNothingListedAndTheNextRunTakesItAndSweeps(@TempDir Path directory) {
        try (BaoCluster cluster = BaoCluster.running(1);
                Relay link = Relay.to(cluster.addresses().getFirst());
                Moto moto = Moto.start()) {
            cluster.mountKv("vault-dr");
            cluster.fill("vault-dr", CONTENT_MIB);
            // The first part is there long before the last one.
            link.throttle(8 << 20);
            PairSettings.Bucket bucket = bucket();
            moto.clients()
                    .s3(bucket.region())
                    .createBucket(
                            r ->
                                    r.bucket(bucket.name())
                                            .createBucketConfiguration(
                                                    CreateBucketConfiguration.builder()
                                                            .locationConstraint(bucket.region())
                                                            .build()));
            Map<String, String> environment = new HashMap<>(moto.environment(bucket.region()));
            environment.put("VAULT_TOKEN", token(cluster));
            ServerProcess run =
                    ServerProcess.start(
                            List.of(
                                    Path.of(System.getProperty("java.home"), "bin/java").toString(),
                                    "-cp",
                                    System.getProperty("java.class.path"),
                                    KilledSnapshotIT.class.getName(),
                                    link.address().toString(),
                                    directory.toString()),
                            environment,
                            directory.resolve("run.log"));
            try (run) {
                Eventually.await(
                        "a part is uploaded",
                        Duration.ofSeconds(60),
                        () -> {
                            if (!run.alive()) {
                                throw new AssertionError("ended: " + run.tail());
                            }
                            return parts(moto, bucket) > 0;
                        });
                run.kill();
            }
            S3Bucket store = new S3Bucket(moto.clients(), bucket, new PairId("payments"), CLOCK);

            assertEquals(List.of(), store.newest(5));

            Taken taken =
                    taker(cluster.addresses().getFirst(), token(cluster), moto.clients(), directory)
                            .take(MINUTE, Optional.of(Epoch.ZERO), minutes());

            assertInstanceOf(Taken.Committed.class, taken);
            assertEquals(1, store.newest(5).size());
            assertEquals(0, parts(moto, bucket), "swept by the next run");
        }
    }

    /** The process that is killed. */
    public static void main(String[] arguments) {
        AwsClients aws = new AwsClients(EnvironmentVariableCredentialsProvider.create());
        taker(URI.create(arguments[0]), System.getenv("VAULT_TOKEN"), aws, Path.of(arguments[1]))
                .take(MINUTE, Optional.of(Epoch.ZERO), minutes());
    }

    private static SnapshotTaker taker(URI address, String token, AwsClients aws, Path scratch) {
        PairSettings.Cluster home =
                new PairSettings.Cluster(
                        "eu-west-1",
                        address,
                        List.of(address),
                        Optional.empty(),
                        "payments",
                        Optional.empty(),
                        Optional.empty(),
                        1,
                        Optional.empty(),
                        Optional.empty());
        PairSettings pair =
                new PairSettings(
                        new PairId("payments"),
                        PairSettings.Edition.OPENBAO,
                        PairSettings.Stage.BACKUP,
                        "123456789012",
                        home,
                        Optional.empty(),
                        List.of(bucket()),
                        List.of(),
                        Optional.empty(),
                        Optional.empty(),
                        Duration.ofSeconds(10),
                        Duration.ofMinutes(1),
                        "arn:aws:sns:eu-west-1:123456789012:pages");
        return new SnapshotTaker(
                pair,
                Side.HOME,
                new LeaderFinder(
                        new HttpVaultClients(
                                cluster -> Optional.empty(), HttpVaultClients.Limits.DEFAULT)),
                node -> new Login.Session(node, Secret.of(token), Optional.empty()),
                Map::of,
                List.of(new S3Bucket(aws, bucket(), pair.pair(), CLOCK)),
                scratch,
                CLOCK,
                () -> Long.toString(ProcessHandle.current().pid()) + System.nanoTime());
    }

    private static String token(BaoCluster cluster) {
        return cluster.call("POST", "auth/token/create", Map.of("policies", List.of("root")))
                .expect()
                .body()
                .path("auth")
                .path("client_token")
                .asText();
    }

    private static PairSettings.Bucket bucket() {
        return new PairSettings.Bucket("eu-west-1", "snapshots-home", Moto.ACCOUNT);
    }

    private static Deadline minutes() {
        return new Deadline(CLOCK, CLOCK.instant().plus(Duration.ofMinutes(2)));
    }

    /** The parts of uploads that aren't completed. */
    private static int parts(Moto moto, PairSettings.Bucket bucket) {
        var s3 = moto.clients().s3(bucket.region());
        return s3.listMultipartUploads(r -> r.bucket(bucket.name())).uploads().stream()
                .mapToInt(
                        upload ->
                                s3.listParts(
                                                r ->
                                                        r.bucket(bucket.name())
                                                                .key(upload.key())
                                                                .uploadId(upload.uploadId()))
                                        .parts()
                                        .size())
                .sum();
    }
}
