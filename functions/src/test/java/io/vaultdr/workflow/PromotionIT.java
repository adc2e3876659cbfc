package io.vaultdr.workflow;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;

import io.vaultdr.aws.AwsClients;
import io.vaultdr.aws.S3Bucket;
import io.vaultdr.aws.S3Proofs;
import io.vaultdr.cluster.VaultSetup;
import io.vaultdr.failover.InMemoryLedger;
import io.vaultdr.failover.Incident;
import io.vaultdr.failover.Incident.Approval;
import io.vaultdr.model.Epoch;
import io.vaultdr.model.Failure;
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
import org.junit.jupiter.api.Test;
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

/** Promote, Verify and Grow on real servers, with snapshots in moto's S3. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class PromotionIT {
    private static final Clock CLOCK = Clock.systemUTC();
    private static final String BUCKET = "payments-snapshots";
    private static final String REGION = "eu-central-1";
    private static final Duration STALL = Duration.ofSeconds(10);

    @TempDir private Path scratch = Path.of("unset");
    private final List<String> commands = new ArrayList<>();
    private final HttpVaultClients clients =
            new HttpVaultClients(cluster -> Optional.empty(), HttpVaultClients.Limits.DEFAULT);
    private final LeaderFinder leaders = new LeaderFinder(clients);
    private final Moto moto = Moto.start();
    private final AwsClients aws = moto.clients();
    private final BaoCluster source = BaoCluster.running(1);
    private final BaoCluster standby =
            BaoCluster.blank(3, Optional.empty(), Optional.of(source.sealKey()));
    private final Cluster dr =
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
    private Stored older = new Stored(new byte[0], manifest("none", Instant.EPOCH, "", 0, "", 0));
    private Stored newer = older;
    private InMemoryLedger ledger = new InMemoryLedger(Fixture.PAIR);

    @SuppressWarnings("ArrayRecordComponent")
    private record Stored(byte[] archive, Manifest manifest) {}

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
    void blankNodeAndOpenIncident() {
        standby.nodes().forEach(BaoServer::wipe);
        standby.nodes().getFirst().start();
        commands.clear();
        put(older);
        put(newer);
        ledger = new InMemoryLedger(Fixture.PAIR);
        ledger.open(ledger.state(), Fixture.incident(new Approval.NotNeeded()));
    }

    @Test
    void restoresTheNewestVerifiesItAndGrowsToVoters() {
        Map<String, String> promoted = run(promote(clients, this::command));

        assertEquals("DONE", promoted.get(Promote.DECISION));
        assertEquals(newer.manifest().id(), promoted.get(Promote.SNAPSHOT));
        assertEquals(List.of("restart"), commands);
        String findings = String.join("\n", incident().findings());
        assertTrue(
                findings.contains("Lost: what was written after 2026-03-01T02:45:00Z"), findings);
        assertTrue(findings.contains("Lives again"), findings);

        Map<String, String> verified = run(new Verify(dr, leaders, login(), CLOCK));
        assertEquals("1", verified.get("written"));

        Group group = new Group();
        Map<String, String> grown = run(new Grow(dr, group, leaders, login()));
        assertEquals("3", grown.get("voters"));
        assertEquals(List.of("suspend", "want 3", "resume"), group.told);
        assertEquals(promoted, run(promote(clients, this::command)));
    }

    @Test
    void isTakenUpAgainWhereverItWasKilled() {
        assertThrows(Killed.class, () -> run(promote(killedAt("restore"), this::command)));
        assertEquals(200, eventually());

        NodeCommands killedAtRestart =
                (cluster, document, limit) -> {
                    if (document.equals("restart")) {
                        throw new Killed();
                    }
                    return command(cluster, document, limit);
                };
        assertThrows(Killed.class, () -> run(promote(clients, killedAtRestart)));
        assertEquals(List.of("wipe"), commands);

        Map<String, String> promoted = run(promote(clients, this::command));

        assertEquals("DONE", promoted.get(Promote.DECISION));
        assertEquals(List.of("wipe", "restart"), commands);
        assertEquals(
                3,
                Optional.ofNullable(incident().steps().get(StepName.PROMOTE))
                        .orElseThrow()
                        .attempts());
        assertEquals("nonce-2", canary());
    }

    @Test
    void passesOverADamagedSnapshotAndAsksBeforeItLosesMore() {
        byte[] damaged = newer.archive().clone();
        damaged[damaged.length / 2] ^= 1;
        put(new Stored(damaged, newer.manifest()));

        Map<String, String> asked = run(promote(clients, this::command));

        assertEquals("ASK", asked.get(Promote.DECISION));
        assertEquals(501, standby.nodes().getFirst().health());
        Approval.Needed needed = assertInstanceOf(Approval.Needed.class, incident().approval());
        assertTrue(needed.reasons().getFirst().startsWith("LOSS_TOO_GREAT"), needed::toString);
        assertEquals(Duration.ofMinutes(28), incident().predictedLoss().time());

        ledger.update(
                Fixture.EPOCH,
                i ->
                        i.withApproval(
                                new Approval.Approved(
                                        "Ada", CLOCK.instant(), "r-1", i.predictedLoss())));
        Map<String, String> promoted = run(promote(clients, this::command));

        assertEquals("DONE", promoted.get(Promote.DECISION));
        assertEquals(older.manifest().id(), promoted.get(Promote.SNAPSHOT));
        assertEquals("nonce-1", canary());
        assertTrue(
                incident().findings().getFirst().contains(newer.manifest().id() + " is damaged"),
                () -> incident().findings().toString());
    }

    @Test
    void prefersTheNewestProvenOneAndSaysWhy() {
        proofs().write(proof(older.manifest().id()));
        Map<String, String> asked = run(promote(clients, this::command));

        // It would lose more than was accepted, so a person says.
        assertEquals("ASK", asked.get(Promote.DECISION));
        assertEquals(older.manifest().id(), asked.get(Promote.SNAPSHOT));
        String why = String.join("\n", incident().findings());
        assertTrue(
                why.contains(older.manifest().id() + " is chosen: it is the newest proven"), why);
        assertTrue(why.contains("newer and not proven: " + newer.manifest().id()), why);
        aws.s3(REGION).deleteObject(it -> it.bucket(BUCKET).key(Proof.key(older.manifest().id())));
    }

    private static Proof proof(String id) {
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

    @Test
    void leavesANodeAloneThatSomebodyElseInitialised() {
        standby.nodes().getFirst().initialize();

        Failure failure =
                assertThrows(Failure.Terminal.class, () -> run(promote(clients, this::command)));

        assertTrue(failure.toString().contains("not by this incident"), failure::toString);
        assertEquals(List.of(), commands);
    }

    @Test
    void aDryRunFetchesAndChecksAndLeavesTheNodeBlank() {
        Map<String, String> answer =
                new StepRunner(ledger, CLOCK)
                        .run(promote(clients, this::command), Fixture.dryRun(), deadline());

        assertEquals("DONE", answer.get(Promote.DECISION));
        assertEquals(501, standby.nodes().getFirst().health());
        assertTrue(scratch.resolve(newer.manifest().id() + ".snap").toFile().exists());
    }

    @Test
    void aPilotLightStartsItsFirstNodeAndIsAskedOnceMoreWhereItDied() {
        standby.nodes().forEach(BaoServer::kill);
        Unlit group = new Unlit();
        group.dies = true;
        assertThrows(Killed.class, () -> run(promote(Optional.of(group), clients, this::command)));
        assertEquals(List.of("suspend", "want 1"), group.told);
        group.dies = false;

        Map<String, String> promoted = run(promote(Optional.of(group), clients, this::command));

        assertEquals("DONE", promoted.get(Promote.DECISION));
        assertEquals(List.of("suspend", "want 1", "suspend", "want 1"), group.told);
        Map<String, String> journal =
                Optional.ofNullable(incident().steps().get(StepName.PROMOTE))
                        .orElseThrow()
                        .result();
        assertEquals(newer.manifest().id(), promoted.get(Promote.SNAPSHOT));
        assertEquals(List.of("restart"), commands);
        assertTrue(Long.parseLong(journal.getOrDefault("bootMillis", "0")) > 0, journal::toString);
    }

    @Test
    void aDryRunOfAPilotLightStartsNothing() {
        standby.nodes().forEach(BaoServer::kill);
        Unlit group = new Unlit();

        Map<String, String> answer =
                new StepRunner(ledger, CLOCK)
                        .run(
                                promote(Optional.of(group), clients, this::command),
                                Fixture.dryRun(),
                                deadline());

        assertEquals("0", answer.get("desired"));
        assertEquals(List.of(), group.told);
    }

    /** A group without instances. */
    private final class Unlit implements Capacity {
        private final List<String> told = new ArrayList<>();
        private boolean dies;
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

        @Override
        public void suspendTermination() {
            told.add("suspend");
        }

        @Override
        public void resumeTermination() {
            told.add("resume");
        }
    }

    private Promote promote(VaultClients vault, NodeCommands documents) {
        return promote(Optional.empty(), vault, documents);
    }

    private Promote promote(Optional<Capacity> group, VaultClients vault, NodeCommands documents) {
        return new Promote(
                ledger,
                new S3Bucket(aws, new Bucket(REGION, BUCKET, Moto.ACCOUNT), Fixture.PAIR, CLOCK),
                proofs(),
                group.map(it -> new PilotLight(dr, it, leaders)),
                new ByRestore(dr, ByRestore.Documents.of(Fixture.failover()), vault, documents),
                Fixture.failover(),
                scratch);
    }

    private S3Proofs proofs() {
        return new S3Proofs(aws, new Bucket(REGION, BUCKET, Moto.ACCOUNT), CLOCK);
    }

    private Map<String, String> run(Step step) {
        return new StepRunner(ledger, CLOCK).run(step, Fixture.input(), deadline());
    }

    private static Deadline deadline() {
        return new Deadline(CLOCK, CLOCK.instant().plus(Duration.ofMinutes(2)));
    }

    private Incident incident() {
        return ledger.incident(Fixture.EPOCH).orElseThrow();
    }

    /** What the SSM documents do, done to the local servers that run. */
    private List<NodeCommands.Run> command(Cluster cluster, String document, Duration limit) {
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
    private VaultClients killedAt(String method) {
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

    private int eventually() {
        standby.nodes().getFirst().awaitHealth(200, Duration.ofSeconds(20));
        return standby.nodes().getFirst().health();
    }

    private String canary() {
        return standby.nodes()
                .getFirst()
                .call("GET", "vault-dr/data/canary", source.rootToken(), null)
                .expect()
                .data()
                .path("data")
                .path("nonce")
                .asText();
    }

    private Login login() {
        return Login.by(aws.secretsManager(REGION));
    }

    private Stored take(String nonce, Instant takenAt) throws Exception {
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

    private static Manifest manifest(
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

    private void put(Stored stored) {
        put(stored.manifest().archiveKey(), stored.archive());
        try {
            put(
                    Manifest.key(stored.manifest().id()),
                    Json.MAPPER.writeValueAsBytes(stored.manifest()));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    private void put(String key, byte[] body) {
        aws.s3(REGION).putObject(r -> r.bucket(BUCKET).key(key), RequestBody.fromBytes(body));
    }

    /** The group: what it launches are the two servers that wait. */
    private final class Group implements Capacity {
        private final List<String> told = new ArrayList<>();

        @Override
        public Size size() {
            return new Size(1, 5);
        }

        @Override
        public void want(int instances) {
            told.add("want " + instances);
            standby.nodes().subList(1, instances).forEach(BaoServer::start);
        }

        @Override
        public void suspendTermination() {
            told.add("suspend");
        }

        @Override
        public void resumeTermination() {
            told.add("resume");
        }
    }

    private static final class Killed extends Error {}
}
