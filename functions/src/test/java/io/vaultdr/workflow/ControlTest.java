package io.vaultdr.workflow;

import static io.vaultdr.workflow.Fixture.CLOCK;
import static io.vaultdr.workflow.Fixture.EPOCH;
import static io.vaultdr.workflow.Fixture.NOW;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vaultdr.failover.Incident;
import io.vaultdr.failover.Incident.Approval;
import io.vaultdr.failover.PairState.Phase;
import io.vaultdr.failover.Situation;
import io.vaultdr.model.Loss;
import io.vaultdr.model.Secret;
import io.vaultdr.model.StepName;
import io.vaultdr.runtime.Json;
import io.vaultdr.runtime.PairSettings.Stage;
import io.vaultdr.workflow.Control.Answer;
import io.vaultdr.workflow.Control.Result;
import io.vaultdr.workflow.Control.Status;

import org.junit.jupiter.api.Test;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

class ControlTest {
    private static final String OPERATE = "arn:aws:lambda:eu-central-1:1:function:c:operate";
    private static final String READ = "arn:aws:lambda:eu-central-1:1:function:c:read";

    private final Fixture fixture = new Fixture();
    private Stage stage = Stage.AUTOMATIC;

    @Test
    void statusShowsStateDiagnosisGatesAndTheNewestIncidentWithoutSecrets() throws Exception {
        waiting();

        Status status = assertInstanceOf(Status.class, send(READ, Map.of("action", "status")));

        assertEquals("UNCLEAR", status.diagnosis());
        assertEquals(new Phase.Changing(EPOCH, StepName.JUDGE), status.phase());
        assertTrue(status.gates().contains("INCIDENT_OPEN"), status::toString);
        assertEquals("payments-1", status.incident().orElseThrow().id());
        String json = Json.MAPPER.writeValueAsString(status);
        assertTrue(json.contains("\"action\":\"STATUS\"") && !json.contains("task-token"), json);
    }

    @Test
    void theReadAliasMayOnlyLook() {
        Answer answer = answer(send(READ, Map.of("action", "pause", "by", "Ada", "reason", "x")));

        assertEquals(Result.INVALID, answer.result());
        assertTrue(answer.message().contains(":operate"), answer.message());
        assertTrue(fixture.ledger.state().pause().isEmpty());
    }

    @Test
    void pausesOnceAndResumesAndNotesWho() {
        Map<String, Object> pause = Map.of("action", "pause", "by", "Ada", "reason", "upgrade");

        assertEquals(Result.DONE, answer(send(OPERATE, pause)).result());
        Map<String, Object> other = Map.of("action", "pause", "by", "Bob", "reason", "y");
        assertTrue(answer(send(OPERATE, other)).message().contains("by Ada"));
        assertEquals("upgrade", fixture.ledger.state().pause().orElseThrow().reason());

        assertEquals("Resumed.", answer(operate("resume")).message());
        assertEquals("It was not paused.", answer(operate("resume")).message());
        assertEquals(
                List.of("by Ada (request r-1)", "by Ada (request r-1): upgrade"),
                fixture.ledger.history(9).stream().map(line -> line.detail()).toList());
    }

    @Test
    void anApprovalIsWrittenBeforeTheExecutionGoesOnAndMayBeRepeated() {
        waiting();

        assertEquals(Result.DONE, answer(operate("approve")).result());

        assertEquals(
                new Approval.Approved("Ada", NOW, "r-1", Fixture.loss(300)),
                fixture.incident().approval());
        assertEquals(List.of("token"), fixture.resumed);
        assertEquals(Result.DONE, answer(operate("approve")).result());
        assertEquals(2, fixture.resumed.size());
        assertEquals(Result.REFUSED, answer(operate("reject")).result());
    }

    @Test
    void aRejectionIsWritten() {
        waiting();

        assertEquals(Result.DONE, answer(operate("reject")).result());

        assertInstanceOf(Approval.Rejected.class, fixture.incident().approval());
    }

    @Test
    void nothingWaitsAndNothingIsAnswered() {
        assertEquals(Result.REFUSED, answer(operate("approve")).result());
        fixture.open(new Approval.NotNeeded());
        assertEquals(Result.REFUSED, answer(operate("approve")).result());
        Map<String, Object> old = Map.of("action", "approve", "by", "Ada", "epoch", 7);
        assertTrue(answer(send(OPERATE, old)).message().contains("not the newest"));
    }

    @Test
    void aFailoverByAPersonRecordsWhatItSetsAside() {
        Answer answer = answer(failover());

        assertEquals(Result.DONE, answer.result());
        assertEquals(Optional.of("payments-1"), answer.incident());
        assertEquals(List.of("UNCLEAR", "LONE_EVIDENCE"), answer.overridden());
        Incident incident = fixture.incident();
        assertEquals(answer.overridden(), incident.overridden());
        assertEquals("Ada", incident.requestedBy());
        assertEquals(Optional.of("arn:1"), incident.execution());
        assertEquals(List.of(EPOCH), fixture.started);
        assertTrue(incident.findings().getFirst().contains("region is going"));
    }

    @Test
    void aFailoverIsRefusedWhileAnIncidentIsOpenOrTheStageActsOnNothing() {
        waiting();
        assertEquals(Result.REFUSED, answer(failover()).result());
        stage = Stage.OBSERVE;
        assertEquals(Result.REFUSED, answer(failover()).result());
        assertEquals(List.of(), fixture.started);
    }

    @Test
    void badInputIsToldWhatWasReadAndExpected() {
        Answer answer = answer(send(OPERATE, Map.of("action", "explode", "epoch", "one", "by", 3)));

        assertEquals(Result.INVALID, answer.result());
        assertEquals(
                "action: read explode, expected status, pause, resume, approve, reject, failover;"
                        + " epoch: read one, expected an incident's number; by: read 3, expected"
                        + " text",
                answer.message());
        assertTrue(
                answer(send(OPERATE, Map.of("action", "failover")))
                        .message()
                        .startsWith("by: expected your name; reason: expected why"));
    }

    private Record failover() {
        return send(
                OPERATE, Map.of("action", "failover", "by", "Ada", "reason", "region is going"));
    }

    private Record operate(String action) {
        return send(OPERATE, Map.of("action", action, "by", "Ada"));
    }

    private Record send(String alias, Map<String, Object> event) {
        Control control =
                new Control(
                        Fixture.pair(stage),
                        fixture.ledger,
                        this::situation,
                        fixture.executions,
                        CLOCK);
        return ControlInput.of(event, alias, "r-1").act(control);
    }

    private static Answer answer(Record answer) {
        return assertInstanceOf(Answer.class, answer);
    }

    private void waiting() {
        fixture.open(new Approval.Waiting(List.of("LONE_EVIDENCE"), NOW));
        fixture.ledger.storeTaskToken(EPOCH, Secret.of("token"));
    }

    private Situation situation() {
        return new Situation(
                NOW,
                1000,
                fixture.ledger.state(),
                fixture.ledger.incidents(1).stream().findFirst(),
                List.of(),
                List.of(),
                Optional.of(new Loss(Duration.ofMinutes(5), OptionalLong.empty())),
                Optional.of(NOW),
                OptionalLong.empty(),
                Optional.empty());
    }
}
