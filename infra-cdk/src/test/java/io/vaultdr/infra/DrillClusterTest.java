package io.vaultdr.infra;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;

import io.vaultdr.infra.construct.NoWayOut;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import software.amazon.awscdk.App;
import software.amazon.awscdk.Aspects;
import software.amazon.awscdk.CfnResource;
import software.amazon.awscdk.Stack;
import software.amazon.awscdk.assertions.Annotations;
import software.amazon.awscdk.assertions.Match;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/** What the templates of drills that boot a cluster have to hold, one promise per test. */
class DrillClusterTest {
    private static final String WARM = "vault-dr-payments-drill";
    private static final String PILOT = "vault-dr-orders-drill";

    private static Synthesised all(String example) {
        return Synthesised.example(example);
    }

    private static JsonNode only(String example, String stack, String type) {
        Map<String, JsonNode> found = all(example).resources(stack, type);
        assertEquals(1, found.size(), stack + " " + type + " " + found.keySet());
        return found.values().iterator().next().get("Properties");
    }

    /**
     * Both strategies boot into a group that is empty but for a drill, and that clients never see.
     */
    @ParameterizedTest
    @CsvSource({"cluster," + WARM, "pilot-light," + PILOT})
    void itsGroupIsEmptyAndNobodySendsClientsToIt(String example, String stack) {
        JsonNode group = only(example, stack, "AWS::AutoScaling::AutoScalingGroup");
        assertEquals("0", group.get("MinSize").asText());
        assertFalse(group.has("TargetGroupARNs"));
        assertFalse(group.has("LifecycleHookSpecificationList"));
        assertTrue(
                all(example)
                        .resources(stack, "AWS::ElasticLoadBalancingV2::LoadBalancer")
                        .isEmpty());
    }

    /** Whoever finds nodes by the side's tag must not find a drill's. */
    @Test
    void itsInstancesCarryAnotherTagThanThePairs() {
        JsonNode tags = only("cluster", WARM, "AWS::AutoScaling::AutoScalingGroup").get("Tags");
        List<String> values = new ArrayList<>();
        tags.forEach(
                tag -> {
                    if (tag.get("Key").asText().equals("vault-dr")) {
                        values.add(tag.get("Value").asText());
                    }
                });
        assertEquals(List.of("payments-drill"), values);
        JsonNode node =
                Synthesised.json(
                        all("cluster")
                                .properties(
                                        WARM,
                                        "AWS::SSM::Parameter",
                                        "Name",
                                        "/vault-dr/payments/node-drill")
                                .get("Value")
                                .asText());
        assertEquals("payments-drill", node.at("/join/tagValue").asText());
        assertEquals(0, node.get("quarantine").size());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "AWS::EC2::InternetGateway",
                "AWS::EC2::NatGateway",
                "AWS::EC2::Route",
                "AWS::EC2::VPCPeeringConnection",
                "AWS::EC2::TransitGatewayAttachment",
                "AWS::EC2::VPNGateway"
            })
    void itsNetworkLeadsNowhere(String type) {
        assertEquals(Map.of(), all("cluster").resources(WARM, type));
    }

    @Test
    void itsNodesReachTheirNetworkOnly() {
        JsonNode rules =
                all("cluster")
                        .properties(
                                WARM,
                                "AWS::EC2::SecurityGroup",
                                "GroupName",
                                "vault-dr-payments-drill-nodes")
                        .get("SecurityGroupEgress");
        assertEquals(2, rules.size());
        rules.forEach(rule -> assertEquals("10.0.0.0/24", rule.get("CidrIp").asText()));
    }

    @Test
    void synthesisRefusesAWayOut() {
        Stack stack = new Stack(new App(), "drill");
        Aspects.of(stack).add(new NoWayOut());
        CfnResource.Builder.create(stack, "Way").type("AWS::EC2::NatGateway").build();

        Annotations.fromStack(stack)
                .hasError(
                        "*",
                        Match.stringLikeRegexp(
                                ".*AWS::EC2::NatGateway would open a way to the internet.*"));
    }

    /** Whatever becomes of a phase, tearing down comes before the report. */
    @Test
    void everyPhaseLeadsToTearingDown() {
        JsonNode states =
                Machine.definition(
                                only("cluster", WARM, "AWS::StepFunctions::StateMachine")
                                        .get("DefinitionString"))
                        .get("States");
        assertEquals("Boot", states.at("/Boots/Choices/0/Next").asText());
        assertEquals("Close", states.at("/Boots/Default").asText());
        List<String> way = List.of("Boot", "Promote", "Verify", "Grow", "TearDown", "Close");
        for (int n = 0; n < way.size() - 1; n++) {
            JsonNode state = states.get(way.get(n));
            assertEquals(way.get(n + 1), state.get("Next").asText());
            assertEquals(
                    way.get(n).equals("TearDown") ? "Close" : "TearDown",
                    state.at("/Catch/0/Next").asText());
        }
    }

    @Test
    void anExecutionThatWasEndedIsTornDownToo() {
        JsonNode rule =
                all("cluster")
                        .properties(
                                WARM, "AWS::Events::Rule", "Name", "vault-dr-payments-drill-ended");
        assertEquals("aws.states", rule.at("/EventPattern/source/0").asText());
        TreeSet<String> status = new TreeSet<>();
        rule.at("/EventPattern/detail/status").forEach(it -> status.add(it.asText()));
        assertEquals(new TreeSet<>(List.of("ABORTED", "FAILED", "TIMED_OUT")), status);
        String input = rule.at("/Targets/0/InputTransformer/InputTemplate").asText();
        assertTrue(input.contains("\"phase\":\"tear_down\""), input);
    }

    /** The key opens a drill's copy by its own nodes' role, and by no other of the drill. */
    @Test
    void theSealsKeyKnowsItsNodes() {
        String policy =
                all("cluster").template("vault-dr-payments-cluster-eu-central-1").toString();
        assertTrue(policy.contains("vault-dr-payments-drill-node-eu-central-1"), "in DR");
        assertFalse(
                all("cluster")
                        .template("vault-dr-payments-cluster-eu-west-1")
                        .toString()
                        .contains("drill-node"),
                "at home");
    }

    /** Where both clusters are brought nothing is booted. */
    @Test
    void aBroughtPairsDrillBootsNothing() {
        assertEquals(
                Map.of(), all("automatic").resources(WARM, "AWS::AutoScaling::AutoScalingGroup"));
    }
}
