package io.vaultdr.workflow;

import static io.vaultdr.workflow.Fixture.CLOCK;
import static io.vaultdr.workflow.Fixture.EPOCH;
import static io.vaultdr.workflow.Fixture.NOW;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import io.vaultdr.failover.Evidence;
import io.vaultdr.failover.Incident.Approval;
import io.vaultdr.failover.Incident.StepRecord;
import io.vaultdr.failover.Observation;
import io.vaultdr.failover.PairState.Pause;
import io.vaultdr.failover.Situation;
import io.vaultdr.model.Loss;
import io.vaultdr.model.Side;
import io.vaultdr.model.Slots;
import io.vaultdr.model.StepName;
import io.vaultdr.runtime.PairSettings.Stage;

import org.junit.jupiter.api.Test;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.LongStream;

class JudgeTest {
    private static final long LAST = 1000;
    private static final List<Evidence> DOWN = List.of(no("eu-central-1"), no("eu-north-1"));
    private static final List<Evidence> SERVING = List.of(yes("eu-central-1"), yes("eu-north-1"));
    private static final List<Evidence> LONE = List.of(no("eu-central-1"), nothing("eu-north-1"));
    private static final List<Evidence> PARTITIONED =
            List.of(yes("eu-west-1"), no("eu-central-1"), no("eu-north-1"));
    private static final List<Evidence> UNCLEAR =
            List.of(nothing("eu-central-1"), nothing("eu-north-1"));
    private static final Approval NOT_NEEDED = new Approval.NotNeeded();
    private static final Approval NEEDED = new Approval.Needed(List.of("LONE_EVIDENCE"));
    private static final Approval APPROVED =
            new Approval.Approved("Ada", NOW, "r-1", Fixture.loss(300));

    private Fixture fixture = new Fixture();

    @Test
    void proceedsWhileHomeIsDown() {
        assertEquals("PROCEED", judge(NOT_NEEDED, DOWN));
    }

    @Test
    void homeServesAgainAndTheIncidentEnds() {
        assertEquals("RECOVERED", judge(NOT_NEEDED, SERVING));
        assertEquals("RECOVERED", judge(NEEDED, SERVING));
        assertEquals("RECOVERED", judge(APPROVED, SERVING));
    }

    @Test
    void anUnclearMatterIsWaitedForOnceAndThenAsked() {
        assertEquals("WAIT", judge(NOT_NEEDED, UNCLEAR));
        assertEquals("ASK", again(UNCLEAR));
        assertEquals(new Approval.Needed(List.of("UNCLEAR")), fixture.incident().approval());
    }

    @Test
    void anUnclearMatterThatAPersonApprovedGoesOnAfterTheWait() {
        assertEquals("WAIT", judge(APPROVED, UNCLEAR));
        assertEquals("PROCEED", again(UNCLEAR));
    }

    @Test
    void asksForWhatGateAndDiagnosisAsk() {
        assertEquals("ASK", judge(NOT_NEEDED, LONE));
        assertEquals(NEEDED, fixture.incident().approval());
        assertEquals("ASK", judge(NOT_NEEDED, PARTITIONED));
        assertEquals(new Approval.Needed(List.of("PARTITIONED")), fixture.incident().approval());
    }

    @Test
    void aReasonThatIsGoneReleases() {
        assertEquals("PROCEED", judge(NEEDED, DOWN));
        assertInstanceOf(Approval.Released.class, fixture.incident().approval());
    }

    @Test
    void theStageApprovalAlwaysAsks() {
        fixture = new Fixture().open(NOT_NEEDED);
        assertEquals("ASK", run(Stage.APPROVAL, DOWN));
        assertEquals(new Approval.Needed(List.of("NEEDS_APPROVAL")), fixture.incident().approval());
    }

    @Test
    void aPauseAsks() {
        fixture = new Fixture();
        fixture.ledger.change(s -> s.withPause(Optional.of(new Pause("Ada", "test", NOW, "r"))));
        fixture.open(NOT_NEEDED);
        assertEquals("ASK", run(Stage.AUTOMATIC, DOWN));
        assertEquals(new Approval.Needed(List.of("PAUSED")), fixture.incident().approval());
    }

    @Test
    void anApprovalGoesOn() {
        assertEquals("PROCEED", judge(APPROVED, LONE));
        assertEquals("PROCEED", judge(APPROVED, PARTITIONED));
    }

    @Test
    void answersAreReadBeforeEvidence() {
        assertEquals("REJECTED", judge(new Approval.Rejected("Ada", NOW, "r-1"), DOWN));
        assertEquals("RECOVERED", judge(new Approval.Withdrawn(NOW), DOWN));
        assertEquals("TIMED_OUT", judge(new Approval.Unanswered(NOW), DOWN));
        assertEquals("PROCEED", judge(new Approval.Released(NOW), DOWN));
    }

    @Test
    void aQuestionThatNobodyAnsweredInTimeIsOver() {
        assertEquals("TIMED_OUT", judge(new Approval.Waiting(List.of("LONE_EVIDENCE"), NOW), DOWN));
        assertEquals(new Approval.Unanswered(NOW), fixture.incident().approval());
    }

    @Test
    void whatAPersonAskedForIsntEndedByEvidence() {
        fixture = new Fixture();
        fixture.ledger.open(fixture.ledger.state(), Fixture.incident(EPOCH, "Ada", APPROVED));
        assertEquals("PROCEED", run(Stage.AUTOMATIC, SERVING));
    }

    @Test
    void afterFenceOnlyAnOpenQuestionCounts() {
        fenced(NOT_NEEDED);
        assertEquals("PROCEED", run(Stage.AUTOMATIC, SERVING));
        fenced(NEEDED);
        assertEquals("ASK", run(Stage.AUTOMATIC, SERVING));
        fenced(APPROVED);
        assertEquals("PROCEED", run(Stage.AUTOMATIC, SERVING));
        fenced(new Approval.Rejected("Ada", NOW, "r-1"));
        assertEquals("REJECTED", run(Stage.AUTOMATIC, DOWN));
    }

    @Test
    void aDryRunGoesByAskApprovalOnceAndProceeds() {
        Judge judge = new Judge(Fixture.pair(Stage.APPROVAL), () -> situation(SERVING), CLOCK);
        StepRunner runner = new StepRunner(fixture.ledger, CLOCK);

        Map<String, String> first = runner.run(judge, Fixture.dryRun(), Fixture.deadline());
        StepInput again =
                StepInput.of(
                        Map.of(
                                "pair",
                                Fixture.PAIR.value(),
                                "epoch",
                                0,
                                "dryRun",
                                true,
                                "judge",
                                Map.of("Payload", first)),
                        Fixture.PAIR);

        assertEquals("ASK", first.get(Judge.DECISION));
        assertEquals("PROCEED", runner.run(judge, again, Fixture.deadline()).get(Judge.DECISION));
    }

    private void fenced(Approval approval) {
        fixture = new Fixture().open(approval);
        fixture.ledger.update(
                EPOCH,
                i ->
                        i.withStep(
                                StepName.FENCE,
                                new StepRecord(
                                        1, NOW, Optional.of(NOW), Map.of(), Optional.empty())));
    }

    private String judge(Approval approval, List<Evidence> evidence) {
        fixture = new Fixture().open(approval);
        return run(Stage.AUTOMATIC, evidence);
    }

    private String again(List<Evidence> evidence) {
        return run(Stage.AUTOMATIC, evidence);
    }

    private String run(Stage stage, List<Evidence> evidence) {
        return fixture.run(new Judge(Fixture.pair(stage), () -> situation(evidence), CLOCK))
                .getOrDefault(Judge.DECISION, "none");
    }

    private Situation situation(List<Evidence> evidence) {
        return new Situation(
                NOW,
                LAST,
                fixture.ledger.state(),
                fixture.ledger.incidents(1).stream().findFirst(),
                evidence,
                List.of(),
                Optional.of(new Loss(Duration.ofMinutes(5), OptionalLong.empty())),
                Optional.of(NOW.minusSeconds(120)),
                OptionalLong.empty(),
                Optional.empty());
    }

    private static Evidence yes(String vantage) {
        return evidence(vantage, Observation.Evidence.REACHED, Slots.WINDOW);
    }

    private static Evidence no(String vantage) {
        return evidence(vantage, Observation.Evidence.SILENT, Slots.WINDOW);
    }

    private static Evidence nothing(String vantage) {
        return evidence(vantage, Observation.Evidence.SILENT, 0);
    }

    private static Evidence evidence(String vantage, Observation.Evidence seen, int slots) {
        return Evidence.of(
                vantage,
                vantage.equals("eu-west-1"),
                Side.HOME,
                LongStream.rangeClosed(LAST - slots + 1, LAST)
                        .mapToObj(
                                slot ->
                                        new Observation(
                                                vantage,
                                                slot,
                                                Side.HOME,
                                                seen,
                                                OptionalLong.empty(),
                                                NOW))
                        .toList(),
                LAST);
    }
}
