package io.vaultdr.infra.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;

import io.vaultdr.infra.Bare;
import io.vaultdr.infra.Machine;
import io.vaultdr.infra.config.Names;
import io.vaultdr.infra.construct.Pages;
import io.vaultdr.model.PairId;
import io.vaultdr.model.Side;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The way of a new image to the nodes, as Step Functions gets it. */
class NodeRefreshTest {
    private static final Names NAMES =
            new Names("vault-dr", new PairId("payments"), "111122223333", Map.of(), Map.of());

    private static Map<String, JsonNode> synthesised(Side side) {
        String region = side == Side.HOME ? "eu-west-1" : "eu-central-1";
        return Bare.resources(
                region,
                stack ->
                        new NodeRefresh(
                                stack,
                                "Refresh",
                                new NodeRefresh.Props(
                                        NAMES,
                                        side,
                                        region,
                                        "vault-dr-payments-" + side,
                                        "/imagebuilder/vault-dr/payments/image",
                                        5,
                                        Optional.of(NAMES.table()).filter(it -> side == Side.DR),
                                        List.of(NAMES.of(side + "-node-sealed")),
                                        Pages.named(
                                                stack,
                                                "arn:aws:sns:" + region + ":111122223333:pages"))));
    }

    private static JsonNode of(Map<String, JsonNode> resources, String type) {
        return resources.values().stream()
                .filter(it -> it.get("Type").asText().equals(type))
                .findFirst()
                .orElseThrow()
                .get("Properties");
    }

    private static JsonNode definition(Side side) {
        return Machine.definition(
                of(synthesised(side), "AWS::StepFunctions::StateMachine").get("DefinitionString"));
    }

    @ParameterizedTest
    @EnumSource(Side.class)
    void beginsWhenTheParameterIsWrittenAgain(Side side) {
        JsonNode pattern = of(synthesised(side), "AWS::Events::Rule").get("EventPattern");
        assertEquals("[\"Parameter Store Change\"]", pattern.get("detail-type").toString());
        assertEquals(
                "[\"/imagebuilder/vault-dr/payments/image\"]",
                pattern.at("/detail/name").toString());
        assertEquals("[\"Update\"]", pattern.at("/detail/operation").toString());
    }

    @Test
    void startsOneNodeBeforeItEndsAnother() {
        JsonNode preferences = definition(Side.DR).at("/States/Refresh/Parameters/Preferences");
        assertEquals(100, preferences.get("MinHealthyPercentage").asInt());
        assertEquals(120, preferences.get("MaxHealthyPercentage").asInt());
        assertFalse(preferences.get("SkipMatching").asBoolean());
        assertEquals(
                "[\"vault-dr-payments-dr-node-sealed\"]",
                preferences.at("/AlarmSpecification/Alarms").toString());
    }

    @ParameterizedTest
    @CsvSource({"1, 200", "3, 134", "5, 120", "7, 115"})
    void letsOneMoreIn(int nodes, int percentage) {
        assertEquals(percentage, NodeRefresh.oneMore(nodes));
        assertEquals(nodes + 1, nodes * percentage / 100);
    }

    @Test
    void asksTheLedgerAndWaitsWhileAnIncidentIsOpen() {
        JsonNode states = definition(Side.DR).get("States");
        assertEquals("AskLedger", definition(Side.DR).get("StartAt").asText());
        assertEquals(
                "vault-dr-payments-ledger", states.at("/AskLedger/Parameters/TableName").asText());
        assertEquals("Refresh", states.at("/Written/Default").asText());
        assertEquals("ReadState", states.at("/Written/Choices/0/Next").asText());
        assertEquals("Settled", states.at("/Quiet/Choices/0/StringEquals").asText());
        assertEquals("Refresh", states.at("/Quiet/Choices/0/Next").asText());
        assertEquals("WaitForQuiet", states.at("/Quiet/Default").asText());
        assertEquals("AskLedger", states.at("/WaitForQuiet/Next").asText());
    }

    @Test
    void letsTheDrSideGoAhead() {
        JsonNode home = definition(Side.HOME);
        assertEquals("Soak", home.get("StartAt").asText());
        assertEquals(3_600, home.at("/States/Soak/Seconds").asInt());
        assertEquals("Refresh", home.at("/States/Soak/Next").asText());
    }

    @ParameterizedTest
    @EnumSource(Side.class)
    void failsUnlessEveryNodeVotesAgain(Side side) {
        JsonNode states = definition(side).get("States");
        assertEquals("Successful", states.at("/Done/Choices/0/StringEquals").asText());
        assertEquals("Refreshed", states.at("/Done/Choices/0/Next").asText());
        assertEquals("WaitForNodes", states.at("/Done/Choices/1/Next").asText());
        assertEquals("Stopped", states.at("/Done/Default").asText());
        assertEquals("Fail", states.at("/Stopped/Type").asText());
        // Whether a refresh began that nobody answered for is a person's question.
        assertEquals(1, states.at("/Refresh/Retry").size());
        assertEquals(
                "AutoScaling.InstanceRefreshInProgressException",
                states.at("/Refresh/Retry/0/ErrorEquals/0").asText());
    }

    @ParameterizedTest
    @EnumSource(Side.class)
    void pagesWhatStopped(Side side) {
        JsonNode alarm = of(synthesised(side), "AWS::CloudWatch::Alarm");
        assertEquals(
                "vault-dr-payments-" + side + "-image-refresh-failed",
                alarm.get("AlarmName").asText());
        assertTrue(
                alarm.get("AlarmDescription")
                        .asText()
                        .endsWith("docs/runbooks/image-refresh-failed.md"));
    }

    @Test
    void mayReplaceNodesOfItsGroupOnly() {
        JsonNode home =
                synthesised(Side.HOME).values().stream()
                        .filter(it -> it.at("/Properties/RoleName").asText().contains("machine"))
                        .findFirst()
                        .orElseThrow();
        assertTrue(
                home.toString()
                        .contains(
                                "autoScalingGroup:*:autoScalingGroupName/vault-dr-payments-home"));
        assertFalse(home.toString().contains("dynamodb"));
    }
}
