package io.vaultdr.infra;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;

import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** The way of a failover, as Step Functions gets it. */
class MachineTest {
    private static final String FAILOVER = "vault-dr-payments-failover";

    private static JsonNode machine() {
        return Synthesised.example("automatic")
                .resources(FAILOVER, "AWS::StepFunctions::StateMachine")
                .values()
                .iterator()
                .next()
                .get("Properties");
    }

    private static JsonNode states() {
        return Machine.definition(machine().get("DefinitionString")).get("States");
    }

    private static Map<String, JsonNode> tasks() {
        Map<String, JsonNode> tasks = new TreeMap<>();
        collect(states(), tasks);
        return tasks;
    }

    private static void collect(JsonNode states, Map<String, JsonNode> tasks) {
        states.properties()
                .forEach(
                        entry -> {
                            JsonNode state = entry.getValue();
                            if (state.get("Type").asText().equals("Task")) {
                                tasks.put(entry.getKey(), state);
                            }
                            state.path("Branches")
                                    .forEach(branch -> collect(branch.get("States"), tasks));
                        });
    }

    @Test
    void runsEveryStepByTheVersionItBeganWith() {
        assertEquals(8, tasks().size());
        tasks().forEach(
                        (name, task) -> {
                            String function = task.at("/Parameters/FunctionName").asText();
                            assertTrue(
                                    function.startsWith("<" + name + "FunctionCurrentVersion"),
                                    function);
                        });
    }

    @Test
    void everyTaskIsBoundedRetriedAndCaught() {
        tasks().forEach(
                        (name, task) -> {
                            assertTrue(task.get("TimeoutSeconds").asInt() > 0, name);
                            List<String> errors = new ArrayList<>();
                            task.at("/Retry/0/ErrorEquals").forEach(it -> errors.add(it.asText()));
                            assertEquals(
                                    List.of(
                                            "Lambda.ServiceException",
                                            "Lambda.AWSLambdaException",
                                            "Lambda.SdkClientException",
                                            "Lambda.TooManyRequestsException",
                                            "Lambda.Unknown",
                                            "Runtime.ExitError",
                                            "Sandbox.Timedout",
                                            "io.vaultdr.model.Failure$Retryable",
                                            "io.vaultdr.model.Failure$OutcomeUnknown"),
                                    errors,
                                    name);
                            // Nothing is after the last; a fence that failed ends its Parallel.
                            boolean uncaught = Set.of("CloseIncident", "Fence").contains(name);
                            assertEquals(uncaught, !task.has("Catch"), name);
                        });
    }

    @Test
    void decidesByTheJudgement() {
        JsonNode decide = states().get("Decide");
        Map<String, String> next = new TreeMap<>();
        decide.get("Choices")
                .forEach(it -> next.put(it.get("StringEquals").asText(), it.get("Next").asText()));
        assertEquals(
                Map.of(
                        "PROCEED",
                        "FenceAndPromote",
                        "ASK",
                        "AskApproval",
                        "WAIT",
                        "WaitThreeSlots"),
                next);
        assertEquals("CloseIncident", decide.get("Default").asText());
        assertEquals(30, states().at("/WaitThreeSlots/Seconds").asInt());
        assertEquals("Judge", states().at("/WaitThreeSlots/Next").asText());
    }

    /** Promote itself waits for Fence in the ledger: {@code PromotionTroubleIT}. */
    @Test
    void fencesAndPromotesBesideEachOther() {
        JsonNode both = states().get("FenceAndPromote");
        assertEquals("Fence", both.at("/Branches/0/StartAt").asText());
        assertTrue(both.at("/Branches/0/States/Fence/End").asBoolean());
        assertEquals("Promote", both.at("/Branches/1/StartAt").asText());
        assertEquals("PromoteFailed", both.at("/Branches/1/States/Promote/Catch/0/Next").asText());
        assertEquals("States.ALL", both.at("/Catch/0/ErrorEquals/0").asText());
        assertEquals("CloseIncident", both.at("/Catch/0/Next").asText());
        assertEquals("Promoted", both.get("Next").asText());
    }

    @Test
    void aPromotionThatFailedHasNoDecision() {
        JsonNode promoted = states().get("Promoted");
        List<String> ways = new ArrayList<>();
        promoted.get("Choices")
                .forEach(
                        it ->
                                ways.add(
                                        it.get("Variable").asText()
                                                + it.path("IsPresent").asText()
                                                + it.path("StringEquals").asText()
                                                + " "
                                                + it.get("Next").asText()));
        assertEquals(
                List.of(
                        "$.fenceAndPromote[1].promotefalse CloseIncident",
                        "$.fenceAndPromote[1].promote.Payload.decisionDONE ServeAndGrow",
                        "$.fenceAndPromote[1].promote.Payload.decisionASK AskApproval"),
                ways);
        assertEquals("CloseIncident", promoted.get("Default").asText());
    }

    @Test
    void asksAPersonAndJudgesAgainWhateverTheAnswer() {
        JsonNode ask = states().get("AskApproval");
        assertTrue(ask.get("Resource").asText().endsWith("lambda:invoke.waitForTaskToken"));
        assertEquals("$$.Task.Token", ask.at("/Parameters/Payload/taskToken.$").asText());
        assertEquals("$", ask.at("/Parameters/Payload/input.$").asText());
        assertTrue(ask.get("ResultPath").isNull());
        assertEquals("Judge", ask.get("Next").asText());
        assertEquals("States.Timeout", ask.at("/Catch/0/ErrorEquals/0").asText());
        assertEquals("Judge", ask.at("/Catch/0/Next").asText());
        assertEquals("CloseIncident", ask.at("/Catch/1/Next").asText());
        assertEquals(3600, ask.get("TimeoutSeconds").asInt());
    }

    @Test
    void aFailedBranchEndsAloneAndNamesItsStep() {
        aFailedBranchEndsAlone(states().at("/FenceAndPromote/Branches/1"));
        JsonNode branches = states().at("/ServeAndGrow/Branches");
        assertEquals(2, branches.size());
        assertEquals("Verify", branches.at("/0/StartAt").asText());
        assertEquals("RedirectTraffic", branches.at("/0/States/Verify/Next").asText());
        assertEquals("Grow", branches.at("/1/StartAt").asText());
        branches.forEach(MachineTest::aFailedBranchEndsAlone);
        assertEquals("CloseIncident", states().at("/ServeAndGrow/Next").asText());
    }

    private static void aFailedBranchEndsAlone(JsonNode branch) {
        branch.get("States")
                .properties()
                .forEach(
                        entry -> {
                            if (entry.getValue().get("Type").asText().equals("Task")) {
                                String failed = entry.getKey() + "Failed";
                                assertEquals(failed, entry.getValue().at("/Catch/0/Next").asText());
                                JsonNode pass = branch.get("States").get(failed);
                                assertEquals(
                                        entry.getKey(), pass.at("/Parameters/failed").asText());
                                assertTrue(pass.get("End").asBoolean());
                            }
                        });
    }

    @Test
    void endsAsTheIncidentDoes() {
        JsonNode closed = states().get("Closed");
        assertEquals("$.closeIncident.Payload.outcome", closed.at("/Choices/0/Variable").asText());
        assertEquals("FAILED", closed.at("/Choices/0/StringEquals").asText());
        assertEquals("Failed", closed.at("/Choices/0/Next").asText());
        assertEquals("Fail", states().at("/Failed/Type").asText());
        assertEquals("Succeed", states().at("/Done/Type").asText());
    }

    @Test
    void logsEverythingButData() {
        assertEquals("ALL", machine().at("/LoggingConfiguration/Level").asText());
        assertFalse(machine().at("/LoggingConfiguration/IncludeExecutionData").asBoolean());
        assertTrue(machine().at("/TracingConfiguration/Enabled").asBoolean());
    }

    @Test
    void everyStepRunsDryOnceADay() {
        JsonNode rule =
                Synthesised.example("automatic")
                        .properties(
                                FAILOVER, "AWS::Events::Rule", "Name", "vault-dr-payments-dry-run");
        assertEquals(
                Synthesised.json("{\"pair\":\"payments\",\"epoch\":0,\"dryRun\":true}"),
                Synthesised.json(rule.at("/Targets/0/Input").asText()));
    }
}
