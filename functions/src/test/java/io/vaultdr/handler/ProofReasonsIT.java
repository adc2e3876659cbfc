package io.vaultdr.handler;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;

import io.vaultdr.runtime.Deadline;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.runtime.ProofSettings;
import io.vaultdr.runtime.ProofSettings.Artifact;
import io.vaultdr.runtime.ProofSettings.Seal;
import io.vaultdr.runtime.WiringOfProof;
import io.vaultdr.snapshot.Manifest;
import io.vaultdr.snapshot.Proof;
import io.vaultdr.snapshot.Proof.Reason;
import io.vaultdr.snapshot.ProofRequest;
import io.vaultdr.snapshot.ProofRun;
import io.vaultdr.testing.BaoCluster;
import io.vaultdr.testing.BaoServer;
import io.vaultdr.testing.Eventually;
import io.vaultdr.vault.IsolatedServer;
import io.vaultdr.vault.Login;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Each reason why a snapshot isn't proven, provoked for real wherever it can be. */
class ProofReasonsIT {
    private static Proving proving;
    private static Manifest snapshot;

    @BeforeAll
    static void takeASnapshot() {
        proving = new Proving();
        snapshot = proving.take();
    }

    @AfterAll
    static void stop() {
        proving.close();
    }

    private static void expect(Reason reason, Proof proof) {
        assertEquals(Optional.of(reason), proof.reason(), proof.toString());
        assertEquals(reason.verdict(), proof.verdict());
        assertTrue(proof.detail().orElseThrow().length() > 20, proof.toString());
    }

    private static Proof prove(Manifest one) {
        return proving.prove(one, _ -> {});
    }

    private static Proof prove(ProofSettings settings) {
        return proving.prove(snapshot, proving.wiring(settings, "3008"), _ -> {});
    }

    private static ProofSettings sealed(Seal seal) {
        ProofSettings it = proving.settings;
        return new ProofSettings(
                it.bucket(),
                it.server(),
                it.sealPlugin(),
                it.licence(),
                seal,
                it.login(),
                it.largestSnapshotBytes(),
                it.sweepEvery(),
                it.recovered(),
                it.recover());
    }

    private static ProofSettings with(
            Artifact server, Optional<Artifact> plugin, Optional<String> licence, long largest) {
        ProofSettings it = proving.settings;
        return new ProofSettings(
                it.bucket(),
                server,
                plugin,
                licence,
                it.seal(),
                it.login(),
                largest,
                it.sweepEvery(),
                it.recovered(),
                it.recover());
    }

    private static Manifest damaged(String name, UnaryOperator<byte[]> archive) {
        return proving.variant(snapshot, name, it -> it, archive);
    }

    private static Manifest claiming(String name, UnaryOperator<ObjectNode> manifest) {
        return proving.variant(snapshot, name, manifest, it -> it);
    }

    @Test
    void damagedArchives() {
        expect(
                Reason.ARCHIVE_DAMAGED,
                prove(
                        damaged(
                                "flipped",
                                bytes -> {
                                    bytes[bytes.length / 2] ^= 1;
                                    return bytes;
                                })));
        // Accepted and restored by the server itself (facts §11 B).
        expect(
                Reason.ARCHIVE_DAMAGED,
                prove(damaged("short", bytes -> Arrays.copyOf(bytes, bytes.length - 8))));
        expect(
                Reason.ARCHIVE_DAMAGED,
                prove(damaged("long", bytes -> Arrays.copyOf(bytes, bytes.length + 8))));
        expect(Reason.ARCHIVE_DAMAGED, prove(damaged("empty", bytes -> new byte[0])));
        expect(
                Reason.ARCHIVE_DAMAGED,
                prove(claiming("other-hash", it -> it.put("sha256", "0".repeat(64)))));
    }

    @Test
    void aMissingArchiveAndOneThatWouldHaveToBeThawed() {
        Manifest gone = claiming("gone", it -> it.put("nonce", "gone"));
        proving.s3().deleteObject(it -> it.bucket(Proving.BUCKET.name()).key(gone.archiveKey()));
        expect(Reason.ARCHIVE_MISSING, prove(gone));

        Manifest frozen = claiming("frozen", it -> it.put("nonce", "frozen"));
        proving.s3()
                .copyObject(
                        it ->
                                it.sourceBucket(Proving.BUCKET.name())
                                        .sourceKey(snapshot.archiveKey())
                                        .destinationBucket(Proving.BUCKET.name())
                                        .destinationKey(frozen.archiveKey())
                                        .storageClass("DEEP_ARCHIVE"));
        expect(Reason.ARCHIVE_FROZEN, prove(frozen));
    }

    @Test
    void sealKeysThatDontFit() {
        byte[] other = new byte[32];
        proving.secret("other-key", Base64.getEncoder().encodeToString(other));
        proving.secret("no-key", "hush");
        expect(
                Reason.SEAL_KEY_WRONG,
                prove(sealed(new Seal("static", "other-key", Optional.of("k1")))));
        expect(Reason.SEAL_KEY_WRONG, prove(sealed(new Seal("static", "seal", Optional.of("k2")))));
        Proof unreadable = prove(sealed(new Seal("static", "no-key", Optional.of("k1"))));
        expect(Reason.SEAL_KEY_WRONG, unreadable);
        assertTrue(!unreadable.toString().contains("hush"));
        expect(
                Reason.SEAL_KEY_UNREACHABLE,
                prove(sealed(new Seal("static", "nowhere", Optional.of("k1")))));
        expect(
                Reason.SEAL_KEY_WRONG,
                prove(sealed(new Seal("awskms", "arn:none", Optional.empty()))));
    }

    @Test
    void kmsKeysInEachState() {
        var kms = proving.moto.clients().kms(Proving.REGION);
        var made = kms.createKey().keyMetadata();
        String key = made.arn();
        String id = made.keyId();
        Manifest one =
                claiming(
                        "kms",
                        it -> {
                            ((ObjectNode) it.get("needs")).put("sealType", "awskms");
                            return it;
                        });
        expect(
                Reason.SEAL_KEY_WRONG,
                proving.prove(one, kms(key.replaceAll("key/.*", "key/none")), _ -> {}));
        kms.disableKey(it -> it.keyId(id));
        expect(Reason.SEAL_KEY_DISABLED, proving.prove(one, kms(key), _ -> {}));
        kms.scheduleKeyDeletion(it -> it.keyId(id).pendingWindowInDays(7));
        expect(Reason.SEAL_KEY_PENDING_DELETION, proving.prove(one, kms(key), _ -> {}));
    }

    private static WiringOfProof kms(String key) {
        return proving.wiring(sealed(new Seal("awskms", key, Optional.empty())), "3008");
    }

    @Test
    void aCanaryOfAnotherSnapshotAndNone() {
        expect(
                Reason.CANARY_OLD,
                prove(claiming("old-canary", it -> it.put("nonce", "another0nonce"))));

        proving.cluster.call("DELETE", "vault-dr/metadata/canary", null).expect();
        byte[] archive = snapshotByHand();
        Manifest none =
                proving.variant(
                        snapshot,
                        "no-canary",
                        it ->
                                it.put("bytes", archive.length)
                                        .put("sha256", Proving.sha256(archive)),
                        _ -> archive);
        expect(Reason.CANARY_MISSING, prove(none));
    }

    /** What the server gives, without TakeSnapshot's canary. */
    private static byte[] snapshotByHand() {
        BaoServer node = proving.cluster.leader();
        try (HttpClient http = HttpClient.newHttpClient()) {
            return http.send(
                            HttpRequest.newBuilder(
                                            URI.create(
                                                    node.address()
                                                            + "/v1/sys/storage/raft/snapshot"))
                                    .header("X-Vault-Token", proving.cluster.rootToken())
                                    .build(),
                            HttpResponse.BodyHandlers.ofByteArray())
                    .body();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void anotherClusterAndAnOlderState() {
        expect(
                Reason.CLUSTER_ID_DIFFERS,
                prove(claiming("other-cluster", it -> it.put("clusterId", "another"))));
        expect(
                Reason.INDEX_TOO_LOW,
                prove(claiming("index", it -> it.put("index", 1_000_000_000L))));
    }

    @Test
    void aLoginThatTheRestoredServerDoesntKnow() {
        var secrets = proving.moto.clients().secretsManager(Proving.REGION);
        String name = Proving.LOGIN + "/" + Login.Intent.PROVE;
        String good = secrets.getSecretValue(it -> it.secretId(name)).secretString();
        secrets.putSecretValue(
                it -> it.secretId(name).secretString("{\"role_id\":\"a\",\"secret_id\":\"b\"}"));
        try {
            // It says which version it knows; that one is gone too.
            expect(
                    Reason.LOGIN_REFUSED,
                    prove(
                            claiming(
                                    "login",
                                    it -> {
                                        ((ObjectNode) it.get("needs")).putObject("login");
                                        return it;
                                    })));
        } finally {
            secrets.putSecretValue(it -> it.secretId(name).secretString(good));
        }
    }

    @Test
    void theOldestSnapshotIsProvenWithTheLoginOfItsTime() {
        Manifest before = proving.take();
        proving.logins.rotate(Login.Intent.PROVE);
        proving.logins.rotate(Login.Intent.PROVE);

        assertEquals(Optional.empty(), prove(before).reason());
    }

    @Test
    void anAuditDeviceThatCantBeOpenedHere() {
        expect(Reason.AUDIT_PATH, prove(needing("audit-path", "/proc/nowhere/audit.log")));
        expect(Reason.AUDIT_PATH, prove(needing("syslog", "syslog:")));
        // Another one that works is enough.
        assertEquals(
                Optional.empty(),
                prove(needing("two-devices", "/proc/nowhere/audit.log", "stdout")).reason());
    }

    /** Of a manifest that knows nothing of the device: the server says why it dies. */
    @Test
    void anAuditDeviceThatKillsTheServerAfterItsAnswer() throws IOException {
        Path directory = Files.createTempDirectory("audit");
        BaoCluster audited =
                BaoCluster.running(
                        """
                        audit "file" "to-a-file" {
                          options { file_path = "%s/deep/audit.log" }
                        }
                        """
                                .formatted(directory));
        try (Proving own = new Proving(audited)) {
            Manifest taken = own.take();
            assertEquals(List.of(directory + "/deep/audit.log"), taken.needs().auditPaths());
            audited.nodes().forEach(BaoServer::kill);
            // Where the directory was there is a file now.
            Files.delete(directory.resolve("deep/audit.log"));
            Files.delete(directory.resolve("deep"));
            Files.writeString(directory.resolve("deep"), "");
            Manifest ignorant =
                    own.variant(
                            taken,
                            "ignorant",
                            it -> {
                                ((ObjectNode) it.get("needs")).putArray("auditPaths");
                                return it;
                            },
                            it -> it);
            expect(Reason.AUDIT_PATH, own.prove(ignorant, _ -> {}));
            expect(Reason.AUDIT_PATH, own.prove(taken, _ -> {}));
        } finally {
            Files.delete(directory.resolve("deep"));
            Files.delete(directory);
        }
    }

    private static Manifest needing(String name, String... audit) {
        return claiming(
                name,
                it -> {
                    var paths = ((ObjectNode) it.get("needs")).putArray("auditPaths");
                    List.of(audit).forEach(paths::add);
                    return it;
                });
    }

    @Test
    void licencePluginAndPrograms() throws IOException {
        Artifact bao = proving.settings.server();
        long largest = proving.settings.largestSnapshotBytes();
        Manifest enterprise =
                claiming(
                        "enterprise",
                        it -> {
                            ((ObjectNode) it.get("needs")).put("version", "1.21.0+ent");
                            return it;
                        });
        expect(Reason.LICENCE_MISSING, prove(enterprise));
        expect(
                Reason.LICENCE_MISSING,
                prove(with(bao, Optional.empty(), Optional.of("no-licence"), largest)));
        Artifact missing = new Artifact("servers", "nowhere", "00");
        expect(
                Reason.PLUGIN_MISSING,
                prove(with(bao, Optional.of(missing), Optional.empty(), largest)));
        expect(
                Reason.BINARY_MISSING,
                prove(with(missing, Optional.empty(), Optional.empty(), largest)));
        Path other = Files.writeString(proving.scratch.resolve("other"), "#!/bin/sh\nexit 3\n");
        Artifact script = proving.artifact("other", other);
        expect(
                Reason.BINARY_HASH_DIFFERS,
                prove(
                        with(
                                new Artifact("servers", "other", bao.sha256().replace('a', 'b')),
                                Optional.empty(),
                                Optional.empty(),
                                largest)));
        // A program that does nothing but end.
        expect(
                Reason.SERVER_DIED,
                prove(with(script, Optional.empty(), Optional.empty(), largest)));
        // The plugin is there and is none: the server says so.
        expect(
                Reason.PLUGIN_MISSING,
                prove(with(bao, Optional.of(script), Optional.empty(), largest)));
    }

    @Test
    void aServerThatIsKilledStoppedOrSealedInTheMiddle() {
        for (String stage : List.of("initialise", "restore", "settle", "read back")) {
            expect(
                    Reason.SERVER_DIED,
                    proving.prove(
                            snapshot,
                            at(
                                    stage,
                                    () ->
                                            proving.servers()
                                                    .forEach(ProcessHandle::destroyForcibly))));
        }
        expect(
                Reason.SERVER_HUNG,
                proving.prove(
                        snapshot,
                        proving.wiring(proving.settings, "3008").patience(Duration.ofSeconds(4)),
                        at("settle", () -> proving.servers().forEach(it -> signal("STOP", it)))));
        expect(Reason.SERVER_SEALED, proving.prove(snapshot, at("read back", this::seal)));
    }

    private static java.util.function.Consumer<String> at(String stage, Runnable action) {
        return entered -> {
            if (entered.equals(stage)) {
                action.run();
            }
        };
    }

    private static void signal(String name, ProcessHandle process) {
        try {
            assertEquals(
                    0,
                    new ProcessBuilder("kill", "-" + name, Long.toString(process.pid()))
                            .start()
                            .waitFor());
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** By the source's root token, which is the restored server's too. */
    private void seal() {
        try (HttpClient http = HttpClient.newHttpClient()) {
            String config = Files.readString(proving.scratch.resolve("isolated/server.json"));
            Matcher address = Pattern.compile("\"api_addr\":\"([^\"]*)\"").matcher(config);
            assertTrue(address.find());
            URI server = URI.create(address.group(1));
            assertEquals(
                    204,
                    http.send(
                                    HttpRequest.newBuilder(server.resolve("/v1/sys/seal"))
                                            .header("X-Vault-Token", proving.cluster.rootToken())
                                            .PUT(HttpRequest.BodyPublishers.noBody())
                                            .build(),
                                    HttpResponse.BodyHandlers.discarding())
                            .statusCode());
            // It answers before it is sealed.
            Eventually.await("the server is sealed", Duration.ofSeconds(10), () -> sealed(server));
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static boolean sealed(URI server) {
        try (HttpClient http = HttpClient.newHttpClient()) {
            return http.send(
                                    HttpRequest.newBuilder(server.resolve("/v1/sys/health"))
                                            .timeout(Duration.ofSeconds(5))
                                            .build(),
                                    HttpResponse.BodyHandlers.discarding())
                            .statusCode()
                    == 503;
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void tooLittleMemoryScratchOrTimeAndTooLarge() throws IOException {
        // 448 MiB of it are the function's own.
        expect(
                Reason.OUT_OF_MEMORY,
                proving.prove(snapshot, proving.wiring(proving.settings, "458"), _ -> {}));
        // The kernel refuses it, and Go ends.
        Path limited =
                Files.writeString(
                        proving.scratch.resolve("limited"),
                        "#!/bin/sh\nulimit -v 900000\nexec %s \"$@\"\n"
                                .formatted(io.vaultdr.testing.Environment.bao()));
        expect(
                Reason.OUT_OF_MEMORY,
                prove(
                        with(
                                proving.artifact("limited", limited),
                                Optional.empty(),
                                Optional.empty(),
                                64 << 20)));
        expect(
                Reason.OUT_OF_SCRATCH,
                proving.prove(
                        snapshot,
                        proving.wiring(proving.settings, "3008").scratchBytes(1 << 20),
                        _ -> {}));
        expect(
                Reason.TOO_LARGE,
                prove(
                        with(
                                proving.settings.server(),
                                Optional.empty(),
                                Optional.empty(),
                                snapshot.bytes() - 1)));
        ProofRun.Report tooLate =
                proving.wiring()
                        .proofRun()
                        .run(
                                new ProofRequest.Asked(snapshot.id()),
                                "test",
                                new Deadline(Clock.systemUTC(), Instant.now().plusSeconds(5)));
        assertEquals(Optional.of(Reason.OUT_OF_TIME), tooLate.reason());
    }

    /** The clock jumps when a stage begins, so the real server is always in the middle of it. */
    @Test
    void timeThatIsOverInTheMiddleIsSaidAndTheNextRunBeginsAgain() {
        for (String stage : List.of("start", "initialise", "restore", "settle")) {
            Manifest one = claiming("late-" + stage, it -> it);
            AtomicReference<Duration> ahead = new AtomicReference<>(Duration.ZERO);
            InstantSource clock = () -> Instant.now().plus(ahead.get());

            ProofRun.Report late =
                    proving.wiring()
                            .proofRun(at(stage, () -> ahead.set(Duration.ofMinutes(2))))
                            .run(
                                    new ProofRequest.Arrived(one.id()),
                                    "late",
                                    new Deadline(
                                            clock.withZone(ZoneOffset.UTC),
                                            clock.instant().plusSeconds(60)));

            expect(Reason.OUT_OF_TIME, late.proof().orElseThrow());
            assertEquals(1, late.proof().orElseThrow().attempt());
            proving.leavesNothing();
            // Its claim would hold for another minute and a half.
            ProofRun.Report next = arrived(one, proving.wiring());
            assertEquals("PROVEN", next.outcome(), stage);
            assertEquals(2, next.proof().orElseThrow().attempt());
        }
    }

    @Test
    void twoAtOnceMakeOneProof() {
        Manifest one = claiming("two", it -> it);
        CompletableFuture<ProofRun.Report> other =
                CompletableFuture.supplyAsync(() -> arrived(one, proving.wiring()));
        List<String> outcomes = List.of(arrived(one, second()).outcome(), other.join().outcome());
        assertTrue(outcomes.contains("PROVEN") && outcomes.contains("CLAIMED"), "" + outcomes);
        proving.leavesNothing();
    }

    private static ProofRun.Report arrived(Manifest one, WiringOfProof wiring) {
        return wiring.proofRun()
                .run(new ProofRequest.Arrived(one.id()), "test", Proving.minutes(2));
    }

    /** Another sandbox. */
    private static WiringOfProof second() {
        return proving.wiring();
    }

    @Test
    void oneThatWasStoppedInTheMiddleIsDoneAgainAndThriceIsSaid() throws IOException {
        Manifest one = claiming("stopped", it -> it);
        // What a killed function leaves: a claim, and a server that runs.
        killed(one);
        IsolatedServer left =
                IsolatedServer.start(
                        new IsolatedServer.Spec(
                                proving.scratch.resolve("isolated"),
                                proving.scratch
                                        .resolve("artifacts")
                                        .resolve(proving.settings.server().sha256()),
                                "static",
                                Map.of(
                                        "current_key_id",
                                        "k1",
                                        "current_key",
                                        Base64.getEncoder().encodeToString(new byte[32])),
                                Optional.empty(),
                                Optional.empty(),
                                Map.of(),
                                1L << 32,
                                1L << 32));
        assertTrue(left.alive());
        assertEquals("PROVEN", arrived(one, proving.wiring()).outcome());
        assertTrue(!left.alive());
        proving.leavesNothing();

        Manifest again = claiming("stopped-thrice", it -> it);
        for (int time = 0; time < Proof.ATTEMPTS; time++) {
            killed(again);
        }
        ProofRun.Report said = arrived(again, proving.wiring());
        assertEquals(Optional.of(Reason.FUNCTION_STOPPED), said.reason());
        assertEquals("ALREADY", arrived(again, proving.wiring()).outcome());
        // Until a person asks.
        assertEquals(Optional.empty(), prove(again).reason());
    }

    /** A run's claim whose time is over. */
    private static void killed(Manifest one) {
        assertTrue(
                proving.proofs()
                        .claim(one.id(), "killed", Instant.now().minusSeconds(1))
                        .isPresent());
    }

    @Test
    void whatIsntDecidedIsTriedThriceByItself() {
        Manifest one = claiming("undecided", it -> it);
        ProofSettings bad =
                with(
                        new Artifact("servers", "nowhere", "00"),
                        Optional.empty(),
                        Optional.empty(),
                        64 << 20);
        for (int attempt = 1; attempt <= Proof.ATTEMPTS; attempt++) {
            ProofRun.Report report = arrived(one, proving.wiring(bad, "3008"));
            assertEquals(Optional.of(Reason.BINARY_MISSING), report.reason());
            assertEquals(attempt, report.proof().orElseThrow().attempt());
        }
        assertEquals("ALREADY", arrived(one, proving.wiring(bad, "3008")).outcome());
        PairSettings.Bucket bucket = proving.settings.bucket();
        assertEquals(bucket.region(), proving.proof(one.id()).orElseThrow().region());
    }
}
