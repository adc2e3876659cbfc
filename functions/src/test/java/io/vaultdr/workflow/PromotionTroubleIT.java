package io.vaultdr.workflow;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vaultdr.failover.Incident;
import io.vaultdr.failover.Incident.Approval;
import io.vaultdr.failover.Ledger;
import io.vaultdr.model.Failure;
import io.vaultdr.model.Outcome;
import io.vaultdr.model.StepName;
import io.vaultdr.promotion.ByRestore;
import io.vaultdr.promotion.NodeCommands;
import io.vaultdr.testing.BaoServer;
import io.vaultdr.testing.Eventually;

import org.junit.jupiter.api.Test;
import org.mockito.AdditionalAnswers;
import org.mockito.Mockito;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Promotions that are killed in the middle, or find less than they hoped for. */
class PromotionTroubleIT extends PromotionCases {
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

    /** The ledger is away for the first looks at it, which costs the node nothing. */
    @Test
    void makesTheNodeReadyBesideFenceAndRestoresBehindIt() throws Exception {
        openIncident();
        Ledger away = Mockito.mock(Ledger.class, AdditionalAnswers.delegatesTo(ledger));
        Mockito.doThrow(new Failure.Retryable("read the incident", "no answer", "Wait"))
                .doThrow(new Failure.Retryable("read the incident", "no answer", "Wait"))
                .doAnswer(_ -> ledger.incident(Fixture.EPOCH))
                .when(away)
                .incident(Fixture.EPOCH);
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<Map<String, String>> promotion =
                    threads.submit(
                            () -> run(promote(away, Optional.empty(), clients, this::command)));
            Map<String, String> ready = awaitReady();

            assertEquals(200, eventually());
            assertFalse(ready.containsKey(ByRestore.POSTED), ready::toString);
            assertFalse(promotion.isDone());

            fence();

            assertEquals("DONE", promotion.get().get(Promote.DECISION));
        }
        assertEquals(List.of("restart"), commands);
        assertEquals("nonce-2", canary());
    }

    @Test
    void leavesTheNodeBlankWhereTheIncidentIsClosedWithoutAFence() throws Exception {
        openIncident();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<Map<String, String>> promotion =
                    threads.submit(() -> run(promote(clients, this::command)));
            awaitReady();

            ledger.update(Fixture.EPOCH, it -> it.closed(Outcome.FAILED, CLOCK.instant()));

            ExecutionException refused = assertThrows(ExecutionException.class, promotion::get);
            assertInstanceOf(Ledger.StaleEpochException.class, refused.getCause());
        }
        assertEquals(List.of("wipe"), commands);
        assertEquals(501, standby.nodes().getFirst().health());
    }

    /** What Promote remembers once its node is initialised. */
    private Map<String, String> awaitReady() {
        return Eventually.get(
                "a node that is ready",
                Duration.ofSeconds(30),
                () ->
                        Optional.ofNullable(incident().steps().get(StepName.PROMOTE))
                                .map(Incident.StepRecord::result)
                                .filter(it -> it.containsKey("initMillis")));
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
}
