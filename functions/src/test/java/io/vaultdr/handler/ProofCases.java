package io.vaultdr.handler;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;

import io.vaultdr.runtime.ProofSettings;
import io.vaultdr.runtime.ProofSettings.Artifact;
import io.vaultdr.runtime.WiringOfProof;
import io.vaultdr.snapshot.Manifest;
import io.vaultdr.snapshot.Proof;
import io.vaultdr.snapshot.Proof.Reason;
import io.vaultdr.snapshot.ProofRequest;
import io.vaultdr.snapshot.ProofRun;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.TestInstance;

import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/** A cluster of its own with a snapshot, and what is expected of proving it. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class ProofCases {
    final Proving proving = new Proving();
    final Manifest snapshot = proving.take();

    @AfterAll
    void stop() {
        proving.close();
    }

    void expect(Reason reason, Proof proof) {
        assertEquals(Optional.of(reason), proof.reason(), proof.toString());
        assertEquals(reason.verdict(), proof.verdict());
        assertTrue(proof.detail().orElseThrow().length() > 20, proof.toString());
    }

    Proof prove(Manifest one) {
        return proving.prove(one, _ -> {});
    }

    Proof prove(ProofSettings settings) {
        return proving.prove(snapshot, proving.wiring(settings, "3008"), _ -> {});
    }

    ProofSettings with(
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

    Manifest claiming(String name, UnaryOperator<ObjectNode> manifest) {
        return proving.variant(snapshot, name, manifest, it -> it);
    }

    ProofRun.Report arrived(Manifest one, WiringOfProof wiring) {
        return wiring.proofRun()
                .run(new ProofRequest.Arrived(one.id()), "test", Proving.minutes(2));
    }

    /** Does something when a proof enters a stage. */
    static Consumer<String> at(String stage, Runnable action) {
        return entered -> {
            if (entered.equals(stage)) {
                action.run();
            }
        };
    }
}
