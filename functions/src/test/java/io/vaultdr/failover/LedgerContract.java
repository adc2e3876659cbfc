package io.vaultdr.failover;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vaultdr.failover.Incident.Approval;
import io.vaultdr.failover.Incident.StepRecord;
import io.vaultdr.failover.Ledger.StaleEpochException;
import io.vaultdr.failover.PairState.Pause;
import io.vaultdr.failover.PairState.Phase;
import io.vaultdr.model.Epoch;
import io.vaultdr.model.Loss;
import io.vaultdr.model.Outcome;
import io.vaultdr.model.PairId;
import io.vaultdr.model.Secret;
import io.vaultdr.model.Side;
import io.vaultdr.model.StepName;

import org.junit.jupiter.api.Test;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** What every ledger does; each implementation's test extends it. */
abstract class LedgerContract {
    static final PairId PAIR = new PairId("payments");
    static final Instant NOW = Instant.parse("2026-03-01T03:00:00Z");

    /** A ledger of {@link #PAIR} that nothing was written to. */
    abstract Ledger empty();

    /** Another access to what {@link #empty()} gave last, as another function has it. */
    abstract Ledger again();

    static Incident incident(long epoch) {
        return new Incident(
                PAIR,
                new Epoch(epoch),
                NOW,
                "evidence",
                "DOWN",
                Map.of("eu-north-1", "NO: 12 of 12 slots"),
                List.of("NEEDS_APPROVAL"),
                List.of(),
                "ASK: NEEDS_APPROVAL",
                "FAIL_OVER",
                new Loss(Duration.ofSeconds(90), OptionalLong.of(7)),
                Optional.of(NOW.minusSeconds(130)),
                new Approval.Needed(List.of("NEEDS_APPROVAL")),
                Map.of(),
                Optional.empty(),
                List.of(),
                Outcome.OPEN,
                Optional.empty(),
                0);
    }

    private static void open(Ledger ledger, long epoch) {
        assertTrue(ledger.open(ledger.state(), incident(epoch)).isPresent());
    }

    @Test
    void newPairIsSettledAtHome() {
        PairState state = empty().state();
        assertEquals(PairState.initial(PAIR), state);
        assertEquals(Side.HOME, state.serving());
        assertEquals(new Phase.Settled(), state.phase());
    }

    @Test
    void openedIncidentRaisesTheEpochAndReadsBack() {
        Ledger ledger = empty();
        Incident opened = ledger.open(ledger.state(), incident(1)).orElseThrow();
        assertEquals(incident(1).withVersion(1), opened);
        assertEquals(Optional.of(opened), again().incident(new Epoch(1)));
        assertEquals(new Epoch(1), again().state().epoch());
        assertEquals(new Phase.Changing(new Epoch(1), StepName.JUDGE), again().state().phase());
    }

    @Test
    void everyKindOfApprovalAndPhaseReadsBack() {
        Ledger ledger = empty();
        open(ledger, 1);
        Loss loss = new Loss(Duration.ofMinutes(3), OptionalLong.empty());
        for (Approval approval :
                List.of(
                        new Approval.NotNeeded(),
                        new Approval.Needed(List.of("A")),
                        new Approval.Waiting(List.of("A", "B"), NOW),
                        new Approval.Approved("ann", NOW, "r-1", loss),
                        new Approval.Rejected("ann", NOW, "r-1"),
                        new Approval.Released(NOW),
                        new Approval.Withdrawn(NOW),
                        new Approval.Unanswered(NOW))) {
            ledger.update(new Epoch(1), i -> i.withApproval(approval));
            assertEquals(approval, again().incident(new Epoch(1)).orElseThrow().approval());
        }
        for (Phase phase :
                List.of(
                        new Phase.Settled(),
                        new Phase.Changing(new Epoch(1), StepName.GROW),
                        new Phase.Diverged("both"))) {
            ledger.change(s -> s.withPhase(phase));
            assertEquals(phase, again().state().phase());
        }
        Pause pause = new Pause("ann", "upgrade", NOW, "r-2");
        ledger.change(s -> s.withPause(Optional.of(pause)));
        assertEquals(Optional.of(pause), again().state().pause());
    }

    @Test
    void stepsAndFindingsReadBack() {
        Ledger ledger = empty();
        open(ledger, 1);
        StepRecord record =
                new StepRecord(2, NOW, Optional.of(NOW), Map.of("k", "v"), Optional.empty());
        Incident updated =
                ledger.update(
                        new Epoch(1),
                        i -> i.withStep(StepName.FENCE, record).withFinding("Home didn't answer."));
        assertEquals(Optional.of(updated), again().incident(new Epoch(1)));
        assertEquals(Map.of(StepName.FENCE, record), updated.steps());
    }

    @Test
    void ofManyWhoOpenAtOnceOneOpens() throws Exception {
        Ledger ledger = empty();
        PairState seen = ledger.state();
        List<Callable<Boolean>> tries = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            tries.add(() -> again().open(seen, incident(1)).isPresent());
        }
        assertEquals(1, count(tries));
        assertEquals(1, ledger.incidents(10).size());
    }

    @Test
    void concurrentUpdatesAreAllApplied() throws Exception {
        Ledger ledger = empty();
        open(ledger, 1);
        List<Callable<Boolean>> tries = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            String finding = "finding " + i;
            tries.add(() -> again().update(new Epoch(1), x -> x.withFinding(finding)) != null);
        }
        assertEquals(4, count(tries));
        assertEquals(4, ledger.incident(new Epoch(1)).orElseThrow().findings().size());
        assertEquals(5, ledger.incident(new Epoch(1)).orElseThrow().version());
    }

    @Test
    void staleEpochIsRefused() {
        Ledger ledger = empty();
        open(ledger, 1);
        ledger.updateBoth(
                new Epoch(1),
                s -> s.withPhase(new Phase.Settled()),
                i -> i.closed(Outcome.RECOVERED, NOW));
        open(ledger, 2);
        Epoch stale = new Epoch(1);
        assertThrows(StaleEpochException.class, () -> ledger.update(stale, i -> i));
        assertThrows(StaleEpochException.class, () -> ledger.updateBoth(stale, s -> s, i -> i));
        Epoch never = new Epoch(3);
        assertThrows(StaleEpochException.class, () -> ledger.update(never, i -> i));
    }

    @Test
    void closedIncidentIsNotChanged() {
        Ledger ledger = empty();
        open(ledger, 1);
        Epoch epoch = new Epoch(1);
        ledger.update(epoch, i -> i.closed(Outcome.REJECTED, NOW));
        assertThrows(StaleEpochException.class, () -> ledger.update(epoch, i -> i));
        assertThrows(StaleEpochException.class, () -> ledger.updateBoth(epoch, s -> s, i -> i));
    }

    @Test
    void anIncidentThatIsLeftAsItIsLeavesTheStateAsItIs() {
        Ledger ledger = empty();
        open(ledger, 1);
        PairState before = ledger.state();
        Incident seen = ledger.incident(new Epoch(1)).orElseThrow();

        assertEquals(
                seen,
                ledger.updateBoth(new Epoch(1), s -> s.withPhase(new Phase.Settled()), i -> i));

        assertEquals(before, ledger.state());
        assertEquals(Optional.of(seen), ledger.incident(new Epoch(1)));
    }

    @Test
    void openOnAStateThatWasChangedSinceIsRefused() {
        Ledger ledger = empty();
        PairState seen = ledger.state();
        ledger.change(s -> s.withPause(Optional.of(new Pause("ann", "why", NOW, "r"))));
        assertEquals(Optional.empty(), ledger.open(seen, incident(1)));
        assertEquals(List.of(), ledger.incidents(1));
    }

    @Test
    void changesWhatWasSeenOrWhatOthersMadeOfIt() {
        Ledger ledger = empty();
        Epoch epoch = new Epoch(1);
        open(ledger, 1);
        Incident seen = ledger.incident(epoch).orElseThrow();
        Incident once = ledger.update(seen, i -> i.withFinding("a"));
        again().update(once, i -> i.withFinding("b"));
        assertEquals(
                List.of("a", "b", "c"), ledger.update(once, i -> i.withFinding("c")).findings());
        assertEquals(List.of("a", "b", "c"), ledger.incident(epoch).orElseThrow().findings());
    }

    @Test
    void refusesWhatWasSeenOfAnOlderOrClosedIncident() {
        Ledger ledger = empty();
        Epoch epoch = new Epoch(1);
        open(ledger, 1);
        Incident closed =
                ledger.updateBoth(
                        epoch,
                        s -> s.withPhase(new Phase.Settled()),
                        i -> i.closed(Outcome.FAILED, NOW));
        Incident before = incident(1).withVersion(1);
        assertThrows(StaleEpochException.class, () -> ledger.update(before, i -> i));
        open(ledger, 2);
        assertThrows(StaleEpochException.class, () -> ledger.update(closed, i -> i));
    }

    @Test
    void afterAClosedIncidentTheNextOpensAndIsNewest() {
        Ledger ledger = empty();
        open(ledger, 1);
        ledger.updateBoth(
                new Epoch(1),
                s -> s.withPhase(new Phase.Settled()),
                i -> i.closed(Outcome.FAILED, NOW));
        open(ledger, 2);
        assertEquals(
                List.of(new Epoch(2), new Epoch(1)),
                ledger.incidents(5).stream().map(Incident::epoch).toList());
        assertEquals(1, ledger.incidents(1).size());
    }

    @Test
    void ofTwoEvaluationsTheSecondIsNotStored() {
        Ledger ledger = empty();
        Assessment first =
                new Assessment(
                        NOW,
                        7,
                        Side.HOME,
                        "SERVING",
                        Map.of("a", "YES"),
                        List.of(),
                        "HOLD: SERVING",
                        "HOLD: SERVING",
                        List.of("x"),
                        Optional.of(new Loss(Duration.ZERO, OptionalLong.empty())),
                        Optional.of(NOW),
                        OptionalLong.of(3),
                        Map.of("DOWN", new Assessment.Told(NOW, NOW)),
                        Optional.empty(),
                        0);
        assertEquals(Optional.empty(), ledger.assessment());
        assertTrue(ledger.assess(first));
        assertFalse(again().assess(first));
        assertEquals(Optional.of(first.withTold(first.told(), 1)), again().assessment());
    }

    @Test
    void taskTokenIsKeptPerIncident() {
        Ledger ledger = empty();
        ledger.storeTaskToken(new Epoch(1), Secret.of("one"));
        ledger.storeTaskToken(new Epoch(1), Secret.of("two"));
        assertEquals(Optional.of(Secret.of("two")), again().taskToken(new Epoch(1)));
        assertEquals(Optional.empty(), ledger.taskToken(new Epoch(2)));
    }

    @Test
    void historyKeepsLinesOfTheSameInstant() {
        Ledger ledger = empty();
        ledger.note(NOW, new Epoch(1), "opened", "a");
        ledger.note(NOW, new Epoch(1), "fenced", "b");
        ledger.note(NOW.plusSeconds(1), new Epoch(1), "closed", "c");
        List<String> events = ledger.history(2).stream().map(Ledger.HistoryLine::event).toList();
        assertEquals("closed", events.getFirst());
        assertEquals(2, events.size());
        assertEquals(3, ledger.history(9).size());
    }

    private static long count(List<Callable<Boolean>> tries) throws Exception {
        long done = 0;
        try (ExecutorService all = Executors.newVirtualThreadPerTaskExecutor()) {
            for (Future<Boolean> one : all.invokeAll(tries)) {
                done += one.get() ? 1 : 0;
            }
        }
        return done;
    }
}
