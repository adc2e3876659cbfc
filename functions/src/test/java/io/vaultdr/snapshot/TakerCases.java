package io.vaultdr.snapshot;

import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import io.vaultdr.aws.AwsClients;
import io.vaultdr.aws.S3Bucket;
import io.vaultdr.model.Epoch;
import io.vaultdr.model.Failure;
import io.vaultdr.model.PairId;
import io.vaultdr.model.Secret;
import io.vaultdr.model.Side;
import io.vaultdr.runtime.Deadline;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.snapshot.SnapshotTaker.Taken;
import io.vaultdr.testing.BaoCluster;
import io.vaultdr.testing.Moto;
import io.vaultdr.vault.HttpVaultClients;
import io.vaultdr.vault.LeaderFinder;
import io.vaultdr.vault.Login;
import io.vaultdr.vault.VaultClient;
import io.vaultdr.vault.VaultClients;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;

import software.amazon.awssdk.services.s3.model.CreateBucketConfiguration;

import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/** Three real servers, and moto as two regions. */
abstract class TakerCases {
    static final Clock CLOCK = Clock.systemUTC();
    static final Instant MINUTE = Instant.parse("2026-11-23T17:00:07Z");
    static final String ID = "payments-20261123T170000Z";
    static final Optional<Epoch> LINEAGE = Optional.of(Epoch.ZERO);
    static final Path SCRATCH = Path.of(System.getProperty("java.io.tmpdir", "/tmp"));

    /** More than three parts, so that something is under way when something happens. */
    static final int CONTENT_MIB = 28;

    static BaoCluster cluster;
    static Moto moto;

    PairSettings pair;
    SnapshotStore home;
    SnapshotStore dr;

    @BeforeAll
    static void start() {
        cluster = BaoCluster.running(3);
        moto = Moto.start();
        cluster.mountKv("vault-dr");
        cluster.fill("vault-dr", CONTENT_MIB);
    }

    @AfterAll
    static void stop() {
        moto.close();
        cluster.close();
    }

    @BeforeEach
    void emptyBuckets() {
        moto.reset();
        PairSettings.Cluster homeCluster =
                new PairSettings.Cluster(
                        "eu-west-1",
                        cluster.addresses().getFirst(),
                        cluster.addresses(),
                        Optional.empty(),
                        "payments",
                        Optional.empty(),
                        Optional.empty(),
                        3,
                        Optional.empty(),
                        Optional.empty());
        List<PairSettings.Bucket> buckets =
                List.of(
                        new PairSettings.Bucket("eu-west-1", "snapshots-home", Moto.ACCOUNT),
                        new PairSettings.Bucket("eu-central-1", "snapshots-dr", Moto.ACCOUNT));
        pair =
                new PairSettings(
                        new PairId("payments"),
                        PairSettings.Edition.OPENBAO,
                        PairSettings.Stage.BACKUP,
                        "123456789012",
                        homeCluster,
                        Optional.empty(),
                        buckets,
                        List.of(),
                        Optional.empty(),
                        Optional.empty(),
                        Duration.ofSeconds(10),
                        Duration.ofMinutes(1),
                        "arn:aws:sns:eu-west-1:123456789012:pages");
        AwsClients clients = moto.clients();
        for (PairSettings.Bucket bucket : buckets) {
            clients.s3(bucket.region())
                    .createBucket(
                            r ->
                                    r.bucket(bucket.name())
                                            .createBucketConfiguration(
                                                    CreateBucketConfiguration.builder()
                                                            .locationConstraint(bucket.region())
                                                            .build()));
        }
        home = new S3Bucket(clients, buckets.getFirst(), pair.pair(), CLOCK);
        dr = new S3Bucket(clients, buckets.getLast(), pair.pair(), CLOCK);
    }

    SnapshotTaker taker(SnapshotStore... stores) {
        return taker(clients(), stores);
    }

    SnapshotTaker taker(VaultClients clients, SnapshotStore... stores) {
        return new SnapshotTaker(
                pair,
                Side.HOME,
                new LeaderFinder(clients),
                TakerCases::session,
                () -> Map.of("snapshot", "accessor"),
                List.of(stores),
                SCRATCH,
                CLOCK,
                TakerCases::nonce);
    }

    static String nonce() {
        return UUID.randomUUID().toString().replace("-", "");
    }

    static HttpVaultClients clients() {
        return new HttpVaultClients(cluster -> Optional.empty(), HttpVaultClients.Limits.DEFAULT);
    }

    static Login.Session session(VaultClient node) {
        String token =
                cluster.call("POST", "auth/token/create", Map.of("policies", List.of("root")))
                        .expect()
                        .body()
                        .path("auth")
                        .path("client_token")
                        .asText();
        return new Login.Session(node, Secret.of(token), Optional.of("accessor"));
    }

    static Taken.Committed committed(Taken taken) {
        return assertInstanceOf(Taken.Committed.class, taken);
    }

    static Deadline minutes(int minutes) {
        return new Deadline(CLOCK, CLOCK.instant().plus(Duration.ofMinutes(minutes)));
    }

    static Archive check(SnapshotStore store, Manifest manifest) throws IOException {
        try (InputStream archive = store.open(manifest)) {
            return Archive.check(archive);
        }
    }

    long uploadsUnderWay() {
        return pair.buckets().stream()
                .mapToLong(
                        bucket ->
                                moto.clients()
                                        .s3(bucket.region())
                                        .listMultipartUploads(r -> r.bucket(bucket.name()))
                                        .uploads()
                                        .size())
                .sum();
    }

    /** A bucket whose calls fail as those of a dead region do. */
    static SnapshotStore away(SnapshotStore store) {
        return SnapshotStore.class.cast(
                Proxy.newProxyInstance(
                        SnapshotStore.class.getClassLoader(),
                        new Class<?>[] {SnapshotStore.class},
                        (self, method, arguments) -> {
                            if (method.getName().equals("region")) {
                                return store.region();
                            }
                            throw new Failure.Retryable("call S3", "no answer", "Try again");
                        }));
    }
}
