package io.vaultdr.rehearsal;

import static io.vaultdr.rehearsal.Expectations.facts;
import static io.vaultdr.rehearsal.Expectations.nothingLost;
import static io.vaultdr.rehearsal.Expectations.nothingMoved;
import static io.vaultdr.rehearsal.Expectations.pagedBy;

import io.vaultdr.rehearsal.Ending.Expectation;
import io.vaultdr.snapshot.Manifest;
import io.vaultdr.snapshot.Proof;
import io.vaultdr.snapshot.Proof.Reason;

import java.util.List;
import java.util.Optional;

/** What may go wrong with backups, while home serves and clients write. */
final class ProofScenarios {
    private static final String REFUTED = "proof-refuted";

    private ProofScenarios() {}

    /** All of them. */
    static List<Scenario> all() {
        return List.of(
                scenario(
                        "prove",
                        "A snapshot is committed; a function restores it into a real server of"
                                + " its own and reads its canary back.",
                        "It is proven; nothing else moves.",
                        ProofScenarios::prove,
                        facts("the snapshot is proven", "the proof is of that archive")),
                scenario(
                        "damaged-in-bucket",
                        "A proven snapshot is damaged in its bucket; it is proven again.",
                        "The proof names the damage, and it pages.",
                        ProofScenarios::damagedInBucket,
                        facts("it was proven before", "refuted as damaged").and(pagedBy(REFUTED))),
                scenario(
                        "wrong-key",
                        "The key that the seal is opened with is not the one that the"
                                + " snapshot was sealed with; later it is put right.",
                        "The proof names the key, and it pages; with the right key the same"
                                + " snapshot is proven.",
                        ProofScenarios::wrongKey,
                        facts("the wrong key is named", "the right key opens it")
                                .and(pagedBy(REFUTED))));
    }

    /** In none of them anything may move, nor a client lose anything. */
    private static Scenario scenario(
            String name,
            String what,
            String expected,
            Scenario.Play play,
            Expectation expectation) {
        return new Scenario(
                name,
                what,
                expected,
                Scenario.AUTOMATIC,
                play,
                nothingMoved().and(nothingLost()).and(expectation));
    }

    private static void prove(Stage stage) throws Exception {
        Manifest taken = stage.takeSnapshot();
        Proof proof = stage.awaitProof(taken.id(), Optional.empty());
        stage.check("the snapshot is proven", proof.proven());
        stage.check(
                "the proof is of that archive",
                proof.sha256().equals(Optional.of(taken.sha256()))
                        && proof.clusterId().equals(Optional.of(taken.clusterId())));
    }

    private static void damagedInBucket(Stage stage) throws Exception {
        Manifest taken = stage.takeSnapshot();
        stage.check(
                "it was proven before", stage.awaitProof(taken.id(), Optional.empty()).proven());
        stage.corruptNewest(Configuration.DR);
        stage.check(
                "refuted as damaged",
                refuted(stage.proveAgain(taken.id()), Reason.ARCHIVE_DAMAGED));
        stage.awaitAlarm(REFUTED);
    }

    private static void wrongKey(Stage stage) throws Exception {
        stage.replaceSealKey();
        Manifest taken = stage.takeSnapshot();
        stage.check(
                "the wrong key is named",
                refuted(stage.awaitProof(taken.id(), Optional.empty()), Reason.SEAL_KEY_WRONG));
        stage.awaitAlarm(REFUTED);
        stage.putSealKeyBack();
        stage.check("the right key opens it", stage.proveAgain(taken.id()).proven());
    }

    private static boolean refuted(Proof proof, Reason reason) {
        return proof.verdict() == Proof.Verdict.REFUTED
                && proof.reason().equals(Optional.of(reason));
    }
}
