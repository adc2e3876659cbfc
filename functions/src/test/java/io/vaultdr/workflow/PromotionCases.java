package io.vaultdr.workflow;

import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import com.fasterxml.jackson.core.JsonProcessingException;

import io.vaultdr.aws.AwsClients;
import io.vaultdr.aws.S3Bucket;
import io.vaultdr.aws.S3Proofs;
import io.vaultdr.cluster.VaultSetup;
import io.vaultdr.failover.InMemoryLedger;
import io.vaultdr.failover.Incident;
import io.vaultdr.failover.Incident.Approval;
import io.vaultdr.failover.Incident.StepRecord;
import io.vaultdr.failover.Ledger;
import io.vaultdr.model.Epoch;
import io.vaultdr.model.Secret;
import io.vaultdr.model.Side;
import io.vaultdr.model.StepName;
import io.vaultdr.promotion.ByRestore;
import io.vaultdr.promotion.Capacity;
import io.vaultdr.promotion.NodeCommands;
import io.vaultdr.promotion.PilotLight;
import io.vaultdr.runtime.Deadline;
import io.vaultdr.runtime.Json;
import io.vaultdr.runtime.PairSettings.Bucket;
import io.vaultdr.runtime.PairSettings.Cluster;
import io.vaultdr.snapshot.Archive;
import io.vaultdr.snapshot.Manifest;
import io.vaultdr.snapshot.Proof;
import io.vaultdr.testing.BaoCluster;
import io.vaultdr.testing.BaoServer;
import io.vaultdr.testing.Moto;
import io.vaultdr.testing.TestLogins;
import io.vaultdr.vault.HttpVaultClients;
import io.vaultdr.vault.LeaderFinder;
import io.vaultdr.vault.Login;
import io.vaultdr.vault.VaultClient;
import io.vaultdr.vault.VaultClients;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

import software.amazon.awssdk.core.sync.RequestBody;

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A cluster with two snapshots in moto's S3, a blank standby, and an incident that is open. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class PromotionCases {
    static final Clock CLOCK = Clock.systemUTC();
    static final String BUCKET = "payments-snapshots";
    static final String REGION = "eu-central-1";
    static final Duration STALL = Duration.ofSeconds(10);

    @TempDir Path scratch = Path.of("unset");
    final List<String> commands = new ArrayList<>();
    final HttpVaultClients clients =
            new HttpVaultClients(cluster -> Optional.empty(), HttpVaultClients.Limits.DEFAULT);
    final LeaderFinder leaders = new LeaderFinder(clients);
    final Moto moto = Moto.start();
    final AwsClients aws = moto.clients();
    final BaoCluster source = BaoCluster.running(1);
    final BaoCluster standby = BaoCluster.blank(3, Optional.empty(), Optional.of(source.sealKey()));
    final Cluster dr =
            new Cluster(
                    REGION,
                    standby.addresses().getFirst(),
                    standby.addresses(),
                    Optional.empty(),
                    "payments-vault-dr",
                    Optional.of("vault-dr"),
                    Optional.empty(),
                    3,
                    Optional.empty(),
                    Optional.empty());
    Stored older = new Stored(new byte[0], manifest("none", Instant.EPOCH, "", 0, "", 0));
    Stored newer = older;
    InMemoryLedger ledger = new InMemoryLedger(Fixture.PAIR);

    @SuppressWarnings("ArrayRecordComponent")
    record Stored(byte[] archive, Manifest manifest) {}

    @BeforeAll
    void takeTwoSnapshots() throws Exception {
        standby.nodes().subList(1, 3).forEach(BaoServer::wipe);
        aws.s3(REGION)
                .createBucket(
                        b ->
                                b.bucket(BUCKET)
                                        .createBucketConfiguration(
                                                c -> c.locationConstraint(REGION)));
        source.call("POST", "sys/mounts/vault-dr", Map.of("type", "kv-v2")).expect();
        new TestLogins(
                        source,
                        aws.secretsManager(REGION),
                        "payments-vault-dr",
                        new VaultSetup(List.of(), false))
                .make(Login.Intent.VERIFY, Login.Intent.GROW);
        older = take("nonce-1", Instant.parse("2026-03-01T02:30:00Z"));
        newer = take("nonce-2", Instant.parse("2026-03-01T02:45:00Z"));
    }

    @AfterAll
    void end() {
        standby.close();
        source.close();
        moto.close();
    }

    @BeforeEach
    void blankNodeAndFencedIncident() {
        standby.nodes().forEach(BaoServer::wipe);
        standby.nodes().getFirst().start();
        commands.clear();
        put(older);
        put(newer);
        openIncident();
        fence();
    }

    /** A new ledger with an incident of which no step was begun. */
    void openIncident() {
        ledger = new InMemoryLedger(Fixture.PAIR);
        ledger.open(ledger.state(), Fixture.incident(new Approval.NotNeeded()));
    }

    /** As if Fence had cut all there is. */
    void fence() {
        ledger.update(
                Fixture.EPOCH,
                incident ->
                        incident.withStep(
                                StepName.FENCE,
                                new StepRecord(
                                        1,
                                        CLOCK.instant(),
                                        Optional.of(CLOCK.instant()),
                                        Map.of(),
                                        Optional.empty())));
    }

    static Proof proof(String id) {
        return Proof.bare(
                id,
                Fixture.PAIR,
                Proof.Verdict.PROVEN,
                Optional.empty(),
                Optional.empty(),
                CLOCK.instant(),
                REGION,
                1);
    }

    /** A group that keeps what it was told. */
    abstract static class Told implements Capacity {
        final List<String> told = new ArrayList<>();

        @Override
        public void suspendTermination() {
            told.add("suspend");
        }

        @Override
        public void resumeTermination() {
            told.add("resume");
        }
    }

    /** A group without instances. */
    final class Unlit extends Told {
        boolean dies;
        private int desired;

        @Override
        public Size size() {
            return new Size(desired, 5);
        }

        @Override
        public void want(int instances) {
            told.add("want " + instances);
            if (dies) {
                throw new Killed();
            }
            desired = instances;
            standby.nodes().getFirst().start();
        }
    }

    Promote promote(VaultClients vault, NodeCommands documents) {
        return promote(Optional.empty(), vault, documents);
    }

    Promote promote(Optional<Capacity> group, VaultClients vault, NodeCommands documents) {
        return promote(ledger, group, vault, documents);
    }

    Promote promote(
            Ledger read, Optional<Capacity> group, VaultClients vault, NodeCommands documents) {
        return new Promote(
                read,
                new S3Bucket(aws, new Bucket(REGION, BUCKET, Moto.ACCOUNT), Fixture.PAIR, CLOCK),
                proofs(),
                group.map(it -> new PilotLight(dr, it, leaders)),
                new ByRestore(dr, ByRestore.Documents.of(Fixture.failover()), vault, documents),
                Fixture.failover(),
                scratch);
    }

    S3Proofs proofs() {
        return new S3Proofs(aws, new Bucket(REGION, BUCKET, Moto.ACCOUNT), CLOCK);
    }

    Map<String, String> run(Step step) {
        return new StepRunner(ledger, CLOCK).run(step, Fixture.input(), deadline());
    }

    static Deadline deadline() {
        return new Deadline(CLOCK, CLOCK.instant().plus(Duration.ofMinutes(2)));
    }

    Incident incident() {
        return ledger.incident(Fixture.EPOCH).orElseThrow();
    }

    /** What the SSM documents do, done to the local servers that run. */
    List<NodeCommands.Run> command(Cluster cluster, String document, Duration limit) {
        commands.add(document);
        BaoServer node = standby.nodes().getFirst();
        if (document.equals("restart")) {
            node.restart();
        } else {
            node.wipe();
            node.start();
        }
        return List.of(new NodeCommands.Run("i-1", NodeCommands.Result.SUCCEEDED, "Success"));
    }

    /** Clients that end like a killed function when {@code method} is called. */
    VaultClients killedAt(String method) {
        return (cluster, node) -> {
            VaultClient real = clients.at(cluster, node);
            return (VaultClient)
                    Proxy.newProxyInstance(
                            getClass().getClassLoader(),
                            new Class<?>[] {VaultClient.class},
                            (proxy, called, arguments) -> {
                                if (called.getName().equals(method)) {
                                    throw new Killed();
                                }
                                try {
                                    return called.invoke(real, arguments);
                                } catch (InvocationTargetException e) {
                                    throw e.getCause();
                                }
                            });
        };
    }

    int eventually() {
        standby.nodes().getFirst().awaitHealth(200, Duration.ofSeconds(20));
        return standby.nodes().getFirst().health();
    }

    String canary() {
        return standby.nodes()
                .getFirst()
                .call("GET", "vault-dr/data/canary", source.rootToken(), null)
                .expect()
                .data()
                .path("data")
                .path("nonce")
                .asText();
    }

    Login login() {
        return Login.by(aws.secretsManager(REGION));
    }

    Stored take(String nonce, Instant takenAt) throws Exception {
        source.call("POST", "vault-dr/data/canary", Map.of("data", Map.of("nonce", nonce)))
                .expect();
        VaultClient node = clients.at(dr, source.addresses().getFirst());
        byte[] archive;
        try (InputStream in = node.snapshot(Secret.of(source.rootToken()), STALL)) {
            archive = in.readAllBytes();
        }
        Archive.Sound sound =
                assertInstanceOf(
                        Archive.Sound.class, Archive.check(new ByteArrayInputStream(archive)));
        Manifest manifest =
                manifest(
                        sound.sha256(),
                        takenAt,
                        nonce,
                        archive.length,
                        node.health().clusterId().orElseThrow(),
                        sound.index());
        return new Stored(archive, manifest);
    }

    static Manifest manifest(
            String sha256,
            Instant takenAt,
            String nonce,
            long bytes,
            String clusterId,
            long index) {
        return new Manifest(
                Manifest.id(Fixture.PAIR, takenAt, Duration.ofMinutes(15)),
                Fixture.PAIR,
                Side.HOME,
                takenAt,
                Optional.of(Epoch.ZERO),
                bytes,
                sha256,
                index,
                1,
                clusterId,
                nonce,
                new Manifest.RestoreNeeds(
                        "openbao", "2.7.2", "static", Optional.empty(), Map.of(), List.of()));
    }

    void put(Stored stored) {
        put(stored.manifest().archiveKey(), stored.archive());
        try {
            put(
                    Manifest.key(stored.manifest().id()),
                    Json.MAPPER.writeValueAsBytes(stored.manifest()));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    void put(String key, byte[] body) {
        aws.s3(REGION).putObject(r -> r.bucket(BUCKET).key(key), RequestBody.fromBytes(body));
    }

    /** The group: what it launches are the two servers that wait. */
    final class Group extends Told {
        @Override
        public Size size() {
            return new Size(1, 5);
        }

        @Override
        public void want(int instances) {
            told.add("want " + instances);
            standby.nodes().subList(1, instances).forEach(BaoServer::start);
        }
    }

    static final class Killed extends Error {}
}
