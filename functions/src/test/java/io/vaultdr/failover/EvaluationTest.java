package io.vaultdr.failover;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vaultdr.failover.Incident.Approval;
import io.vaultdr.failover.PairState.Pause;
import io.vaultdr.failover.PairState.Phase;
import io.vaultdr.model.Epoch;
import io.vaultdr.model.Failure;
import io.vaultdr.model.Outcome;
import io.vaultdr.model.Secret;
import io.vaultdr.model.Side;
import io.vaultdr.model.Slots;
import io.vaultdr.runtime.Deadline;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.runtime.PairSettings.Stage;

import org.junit.jupiter.api.Test;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** Evaluations one after the other, on a clock that only sleeping and the test move. */
class EvaluationTest {
    private static final Slots SLOTS = new Slots(Slots.DEFAULT_LENGTH);
    private static final Instant START = Instant.parse("2026-03-01T03:00:00Z");

    private final InMemoryLedger ledger = new InMemoryLedger(LedgerContract.PAIR);
    private final InMemoryEvidence log =
            new InMemoryEvidence(List.of(TestPair.HOME, TestPair.DR, TestPair.WITNESS));
    private final FakeExecutions executions = new FakeExecutions();
    private final List<Pager.Page> pages = new ArrayList<>();
    private final List<Instant> slept = new ArrayList<>();
    private Instant now = START;
    private boolean pagerFails;

    private final class TestClock extends Clock {
        @Override
        public Instant instant() {
            return now;
        }

        @Override
        public ZoneId getZone() {
            return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(ZoneId zone) {
            return this;
        }
    }

    private static final class FakeExecutions implements Executions {
        private final List<String> started = new ArrayList<>();
        private final List<Secret> resumed = new ArrayList<>();
        private boolean fails;
        private boolean running = true;
        private Instant warmed = Instant.MIN;

        @Override
        public String start(Epoch epoch) {
            if (fails) {
                throw new Failure.OutcomeUnknown("start", "no answer", "Look again");
            }
            started.add("payments-" + epoch);
            return "arn:payments-" + epoch;
        }

        @Override
        public String startDryRun(Instant at) {
            started.add("dryrun");
            warmed = at;
            return "arn:dryrun";
        }

        @Override
        public boolean running(String arn) {
            return running;
        }

        @Override
        public boolean resume(Secret token) {
            resumed.add(token);
            return true;
        }
    }

    private Assessment evaluate(Stage stage) {
        Clock clock = new TestClock();
        PairSettings pair = TestPair.at(stage);
        Pager pager =
                new Pager() {
                    @Override
                    public void page(Page page) {
                        if (pagerFails) {
                            throw new Failure.OutcomeUnknown("page", "no answer", "Again");
                        }
                        pages.add(page);
                    }

                    @Override
                    public int receivers() {
                        return 1;
                    }
                };
        Evaluation evaluation =
                new Evaluation(
                        pair,
                        ledger,
                        log,
                        executions,
                        pager,
                        clock,
                        until -> {
                            slept.add(until);
                            now = until;
                        });
        return evaluation.evaluate(new Deadline(clock, now.plusSeconds(58)));
    }

    /**
     * Each of these vantages finds {@code evidence} in the slots before {@code now} plus so many.
     */
    private void seen(Observation.Evidence evidence, int slots, String... vantages) {
        long first = SLOTS.at(now);
        for (String vantage : vantages) {
            for (long slot = first; slot < first + slots; slot++) {
                log.put(
                        new Observation(
                                vantage,
                                slot,
                                ledger.state().serving(),
                                evidence,
                                OptionalLong.of(500),
                                SLOTS.start(slot)),
                        "1");
            }
        }
        Instant end = SLOTS.start(first + slots);
        log.put(
                new Readiness(
                        TestPair.DR,
                        end,
                        List.of(),
                        Optional.of(
                                new Readiness.Newest(
                                        "s", Epoch.ZERO, START.minusSeconds(60), 400))));
    }

    private void pass(int slots) {
        now = now.plus(SLOTS.span(slots));
    }

    private void all(Observation.Evidence evidence, int slots) {
        seen(evidence, slots, TestPair.HOME, TestPair.DR, TestPair.WITNESS);
        pass(slots);
    }

    private void outsideSilent(int slots) {
        seen(Observation.Evidence.SILENT, slots, TestPair.DR, TestPair.WITNESS);
        pass(slots);
    }

    @Test
    void theStepsAreWarmedOnceBetweenAQuarterAndThreeQuartersOfAWindow() {
        // Whatever part of a minute has passed when home dies.
        for (int already = 0; already < 6; already++) {
            executions.started.clear();
            all(Observation.Evidence.REACHED, 36 - already);
            Instant died = now;
            all(Observation.Evidence.SILENT, already);
            for (Instant minute = now;
                    executions.started.isEmpty();
                    minute = minute.plusSeconds(60)) {
                while (now.isBefore(minute)) {
                    all(Observation.Evidence.SILENT, 1);
                }
                evaluate(Stage.AUTOMATIC);
            }
            long failed = Duration.between(died, executions.warmed).dividedBy(SLOTS.length());
            assertEquals(List.of("dryrun"), executions.started);
            assertTrue(failed >= 3 && failed <= 8, already + " of a minute: " + failed);
            evaluate(Stage.AUTOMATIC);
            assertEquals(List.of("dryrun"), executions.started, "once per five minutes");
        }
    }

    @Test
    void theFirstEvaluationOfAPairPagesNobodyAndTheSecondDoes() {
        assertEquals("UNCLEAR", evaluate(Stage.AUTOMATIC).diagnosis());
        assertEquals(List.of(), pages);
        pass(6);
        evaluate(Stage.AUTOMATIC);
        assertTrue(
                pages.stream().anyMatch(page -> page.subject().contains("UNCLEAR")),
                pages::toString);
    }

    @Test
    void deadHomeOpensOneIncidentWithAllThatWasKnownAndStartsIt() {
        all(Observation.Evidence.REACHED, 30);
        Instant died = now;
        outsideSilent(12);
        Assessment made = evaluate(Stage.AUTOMATIC);
        assertEquals("DOWN", made.diagnosis());
        Incident incident = ledger.incident(new Epoch(1)).orElseThrow();
        assertEquals("FAIL_OVER", incident.verdict());
        assertEquals(3, incident.evidence().size());
        assertEquals(Optional.of(died), incident.lastServed());
        assertEquals(OptionalLong.of(100), incident.predictedLoss().entries());
        assertEquals(Duration.ofMinutes(6), incident.predictedLoss().time());
        assertEquals(Optional.of("arn:payments-1"), incident.execution());
        evaluate(Stage.AUTOMATIC);
        evaluate(Stage.AUTOMATIC);
        assertEquals(List.of("payments-1"), executions.started);
        assertEquals(List.of(), pages);
    }

    @Test
    void incidentThatWasOpenedAndNeverStartedIsStartedByTheNextMinute() {
        all(Observation.Evidence.REACHED, 30);
        outsideSilent(12);
        executions.fails = true;
        assertThrows(Failure.OutcomeUnknown.class, () -> evaluate(Stage.AUTOMATIC));
        assertEquals(new Epoch(1), ledger.state().epoch());
        executions.fails = false;
        outsideSilent(6);
        evaluate(Stage.AUTOMATIC);
        assertEquals(List.of("payments-1"), executions.started);
        assertEquals(
                Optional.of("arn:payments-1"),
                ledger.incident(new Epoch(1)).orElseThrow().execution());
    }

    @Test
    void holdEndsWhenItsCauseEnds() {
        all(Observation.Evidence.REACHED, 30);
        ledger.change(s -> s.withPause(Optional.of(new Pause("ann", "upgrade", now, "r"))));
        outsideSilent(12);
        Assessment held = evaluate(Stage.AUTOMATIC);
        assertEquals("HOLD: PAUSED", held.verdict());
        assertEquals("DOWN", held.diagnosis());
        assertEquals(new Epoch(0), ledger.state().epoch());
        ledger.change(s -> s.withPause(Optional.empty()));
        outsideSilent(6);
        assertEquals("FAIL_OVER", evaluate(Stage.AUTOMATIC).verdict());
        assertEquals(List.of("payments-1"), executions.started);
    }

    @Test
    void fadingIsLookedAtAgainAtTheEndsOfTheNextThreeSlots() {
        all(Observation.Evidence.REACHED, 30);
        seen(Observation.Evidence.SILENT, 15, TestPair.DR, TestPair.WITNESS);
        pass(9);
        now = now.plusSeconds(3);
        assertEquals("FAIL_OVER", evaluate(Stage.AUTOMATIC).verdict());
        assertEquals(3, slept.size());
        assertEquals(SLOTS.start(SLOTS.at(START) + 42), slept.getLast());
    }

    @Test
    void fadingThatLastsHoldsAfterThreeLooks() {
        all(Observation.Evidence.REACHED, 30);
        seen(Observation.Evidence.SILENT, 15, TestPair.DR, TestPair.WITNESS);
        pass(6);
        Assessment made = evaluate(Stage.AUTOMATIC);
        assertTrue(made.verdict().startsWith("HOLD"), made.verdict());
        assertEquals(3, slept.size());
        assertEquals(List.of("dryrun"), executions.started);
    }

    @Test
    void observeOpensNothingAndSaysWhatItWouldHaveDone() {
        all(Observation.Evidence.REACHED, 30);
        evaluate(Stage.OBSERVE);
        outsideSilent(12);
        Assessment made = evaluate(Stage.OBSERVE);
        assertEquals("HOLD: OBSERVE_ONLY", made.verdict());
        assertEquals("FAIL_OVER", made.wouldHave());
        assertEquals(List.of(), executions.started);
        assertEquals(1, pages.size());
        assertEquals("payments: DOWN", pages.getFirst().subject());
        assertTrue(pages.getFirst().text().contains("FAIL_OVER"));
    }

    @Test
    void causeIsPagedOnceAndItsEndOnce() {
        all(Observation.Evidence.REACHED, 30);
        outsideSilent(12);
        for (int minute = 0; minute < 4; minute++) {
            evaluate(Stage.OBSERVE);
            outsideSilent(6);
        }
        assertEquals(1, pages.size());
        for (int minute = 0; minute < 6; minute++) {
            all(Observation.Evidence.REACHED, 6);
            evaluate(Stage.OBSERVE);
        }
        assertEquals(
                List.of("payments: DOWN", "payments: DOWN is over"),
                pages.stream().map(Pager.Page::subject).filter(s -> s.contains("DOWN")).toList());
    }

    @Test
    void pageThatFailedIsSentByTheNextMinute() {
        all(Observation.Evidence.REACHED, 30);
        evaluate(Stage.OBSERVE);
        outsideSilent(12);
        pagerFails = true;
        assertThrows(Failure.OutcomeUnknown.class, () -> evaluate(Stage.OBSERVE));
        pagerFails = false;
        evaluate(Stage.OBSERVE);
        assertEquals(1, pages.size());
    }

    @Test
    void waitingIncidentIsWithdrawnWhenHomeServes() {
        waiting(Stage.APPROVAL);
        all(Observation.Evidence.REACHED, 12);
        evaluate(Stage.APPROVAL);
        assertTrue(approval() instanceof Approval.Withdrawn, approval()::toString);
        assertEquals(List.of(Secret.of("token")), executions.resumed);
    }

    @Test
    void waitingIncidentIsReleasedOnlyWhereNoReasonToAskIsLeftAndTheStageIsAutomatic() {
        waiting(Stage.APPROVAL);
        outsideSilent(6);
        evaluate(Stage.APPROVAL);
        assertTrue(approval() instanceof Approval.Waiting, approval()::toString);
        ledger.change(s -> s.withPause(Optional.of(new Pause("ann", "why", now, "r"))));
        evaluate(Stage.AUTOMATIC);
        assertTrue(approval() instanceof Approval.Waiting, approval()::toString);
        ledger.change(s -> s.withPause(Optional.empty()));
        evaluate(Stage.AUTOMATIC);
        assertTrue(approval() instanceof Approval.Released, approval()::toString);
        assertEquals(List.of(Secret.of("token")), executions.resumed);
    }

    @Test
    void incidentWhoseExecutionEndedIsClosedAsFailedAndPages() {
        waiting(Stage.APPROVAL);
        executions.running = false;
        evaluate(Stage.APPROVAL);
        assertEquals(Outcome.FAILED, ledger.incident(new Epoch(1)).orElseThrow().outcome());
        assertEquals(new Phase.Settled(), ledger.state().phase());
        assertEquals(1, pages.size());
        outsideSilent(6);
        evaluate(Stage.APPROVAL);
        assertEquals(new Epoch(2), ledger.state().epoch());
    }

    @Test
    void rejectionIsLiftedOnceHomeServed() {
        waiting(Stage.APPROVAL);
        Instant closed = now;
        ledger.updateBoth(
                new Epoch(1),
                s -> s.withPhase(new Phase.Settled()),
                i -> i.closed(Outcome.REJECTED, closed));
        outsideSilent(6);
        assertEquals("HOLD: REJECTED", evaluate(Stage.APPROVAL).verdict());
        all(Observation.Evidence.REACHED, 12);
        evaluate(Stage.APPROVAL);
        outsideSilent(13);
        evaluate(Stage.APPROVAL);
        assertEquals(new Epoch(2), ledger.state().epoch());
    }

    @Test
    void whileDrServesItIsDiagnosedAndPaged() {
        ledger.change(s -> s.served(Side.DR, START.minus(Duration.ofHours(2)), new Epoch(1)));
        all(Observation.Evidence.REACHED, 30);
        assertEquals("SERVING", evaluate(Stage.AUTOMATIC).diagnosis());
        seen(Observation.Evidence.SILENT, 12, TestPair.HOME, TestPair.WITNESS);
        pass(12);
        Assessment made = evaluate(Stage.AUTOMATIC);
        assertEquals("DOWN", made.diagnosis());
        assertEquals("HOLD: NOT_AT_HOME", made.verdict());
        assertEquals(Side.DR, made.side());
        assertEquals(List.of("payments: DOWN"), pages.stream().map(Pager.Page::subject).toList());
    }

    @Test
    void drSideThatIsNotReadyPagesAndSaysWhatIsMissing() {
        all(Observation.Evidence.REACHED, 30);
        evaluate(Stage.AUTOMATIC);
        log.put(new Readiness(TestPair.DR, now, List.of("No blank node."), Optional.empty()));
        Assessment made = evaluate(Stage.AUTOMATIC);
        assertEquals(2, made.missing().size());
        assertEquals(List.of(), pages, "one look may fail");
        all(Observation.Evidence.REACHED, 6);
        log.put(new Readiness(TestPair.DR, now, List.of("No blank node."), Optional.empty()));
        evaluate(Stage.AUTOMATIC);
        assertEquals(
                List.of("payments: DR_NOT_READY"),
                pages.stream().map(Pager.Page::subject).toList());
        outsideSilent(12);
        log.put(new Readiness(TestPair.DR, now, List.of("No blank node."), Optional.empty()));
        assertEquals("PAGE: DR_NOT_READY", evaluate(Stage.AUTOMATIC).verdict());
        assertEquals(new Epoch(0), ledger.state().epoch());
    }

    private void waiting(Stage stage) {
        all(Observation.Evidence.REACHED, 30);
        outsideSilent(12);
        evaluate(stage);
        ledger.storeTaskToken(new Epoch(1), Secret.of("token"));
        Instant asked = now;
        ledger.update(
                new Epoch(1),
                i -> i.withApproval(new Approval.Waiting(List.of("NEEDS_APPROVAL"), asked)));
    }

    private Approval approval() {
        return ledger.incident(new Epoch(1)).orElseThrow().approval();
    }
}
