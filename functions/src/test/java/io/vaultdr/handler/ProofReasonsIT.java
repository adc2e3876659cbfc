package io.vaultdr.handler;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.node.ObjectNode;

import io.vaultdr.snapshot.Manifest;
import io.vaultdr.snapshot.Proof.Reason;
import io.vaultdr.testing.BaoServer;
import io.vaultdr.vault.Login;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.UnaryOperator;

/** Each reason why a snapshot itself isn't proven, provoked for real wherever it can be. */
class ProofReasonsIT extends ProofCases {
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
    private byte[] snapshotByHand() {
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

    private Manifest damaged(String name, UnaryOperator<byte[]> archive) {
        return proving.variant(snapshot, name, it -> it, archive);
    }
}
