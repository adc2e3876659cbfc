package io.vaultdr.handler;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vaultdr.runtime.Deadline;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.runtime.ProofSettings;
import io.vaultdr.runtime.ProofSettings.Artifact;
import io.vaultdr.snapshot.Manifest;
import io.vaultdr.snapshot.Proof;
import io.vaultdr.snapshot.Proof.Reason;
import io.vaultdr.snapshot.ProofRequest;
import io.vaultdr.snapshot.ProofRun;
import io.vaultdr.testing.Environment;
import io.vaultdr.vault.IsolatedServer;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Proofs that are stopped, late or done twice: what is said of them, and that the next run does
 * them.
 */
class ProofAttemptsIT extends ProofCases {
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
        List<String> outcomes =
                List.of(arrived(one, proving.wiring()).outcome(), other.join().outcome());
        assertTrue(outcomes.contains("PROVEN") && outcomes.contains("CLAIMED"), "" + outcomes);
        proving.leavesNothing();
    }

    @Test
    void oneThatWasStoppedInTheMiddleIsDoneAgainAndThriceIsSaid() throws IOException {
        Manifest one = claiming("stopped", it -> it);
        // What a killed function leaves: a claim, and a server that runs. It is known by its
        // program.
        killed(one);
        ProofSettings itself =
                with(
                        proving.artifact("itself", Environment.bao()),
                        Optional.empty(),
                        Optional.empty(),
                        64 << 20);
        try (IsolatedServer left =
                IsolatedServer.start(
                        new IsolatedServer.Spec(
                                proving.scratch.resolve("isolated"),
                                proving.program(itself),
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
                                1L << 32))) {
            assertTrue(left.alive());
            assertEquals("PROVEN", arrived(one, proving.wiring(itself, "3008")).outcome());
            assertTrue(!left.alive());
            proving.leavesNothing();
        }

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
    private void killed(Manifest one) {
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
