package io.vaultdr.handler;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;

import io.vaultdr.runtime.ProofSettings;
import io.vaultdr.runtime.ProofSettings.Artifact;
import io.vaultdr.runtime.ProofSettings.Seal;
import io.vaultdr.runtime.WiringOfProof;
import io.vaultdr.snapshot.Manifest;
import io.vaultdr.snapshot.Proof;
import io.vaultdr.snapshot.Proof.Reason;
import io.vaultdr.testing.BaoCluster;
import io.vaultdr.testing.BaoServer;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Optional;

/** Each reason for which what a proof needs isn't there, provoked for real wherever it can be. */
class ProofNeedsIT extends ProofCases {
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

    private WiringOfProof kms(String key) {
        return proving.wiring(sealed(new Seal("awskms", key, Optional.empty())), "3008");
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

    private Manifest needing(String name, String... audit) {
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

    private ProofSettings sealed(Seal seal) {
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
}
