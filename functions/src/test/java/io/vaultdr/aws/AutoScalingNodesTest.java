package io.vaultdr.aws;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.mockito.ArgumentMatchers.any;
import static org.mockito.Mockito.CALLS_REAL_METHODS;
import static org.mockito.Mockito.doReturn;
import static org.mockito.Mockito.doThrow;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.verify;

import io.vaultdr.cluster.FaultTolerance.Instance;
import io.vaultdr.cluster.FaultTolerance.Lifecycle;
import io.vaultdr.cluster.NodeGroup.Seen;
import io.vaultdr.model.Failure;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import software.amazon.awssdk.awscore.exception.AwsErrorDetails;
import software.amazon.awssdk.core.exception.ApiCallTimeoutException;
import software.amazon.awssdk.services.autoscaling.AutoScalingClient;
import software.amazon.awssdk.services.autoscaling.model.Activity;
import software.amazon.awssdk.services.autoscaling.model.AutoScalingException;
import software.amazon.awssdk.services.autoscaling.model.AutoScalingGroup;
import software.amazon.awssdk.services.autoscaling.model.CompleteLifecycleActionRequest;
import software.amazon.awssdk.services.autoscaling.model.CompleteLifecycleActionResponse;
import software.amazon.awssdk.services.autoscaling.model.DescribeAutoScalingGroupsRequest;
import software.amazon.awssdk.services.autoscaling.model.DescribeAutoScalingGroupsResponse;
import software.amazon.awssdk.services.autoscaling.model.DescribeScalingActivitiesRequest;
import software.amazon.awssdk.services.autoscaling.model.DescribeScalingActivitiesResponse;
import software.amazon.awssdk.services.autoscaling.model.RecordLifecycleActionHeartbeatRequest;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What Auto Scaling answers and moto can't: hooks, and activities that haven't ended. */
class AutoScalingNodesTest {
    private static final Instant THEN = Instant.parse("2026-11-23T17:00:00Z");

    private final AutoScalingClient autoScaling = mock(AutoScalingClient.class, CALLS_REAL_METHODS);
    private final AutoScalingNodes group = new AutoScalingNodes(autoScaling, "payments-home");

    @Test
    void seesInstancesAndWhereTheyAre() {
        doReturn(
                        DescribeAutoScalingGroupsResponse.builder()
                                .autoScalingGroups(
                                        AutoScalingGroup.builder()
                                                .desiredCapacity(5)
                                                .instances(
                                                        software.amazon.awssdk.services.autoscaling
                                                                .model.Instance.builder()
                                                                .instanceId("i-1")
                                                                .availabilityZone("eu-west-1a")
                                                                .lifecycleState("Terminating:Wait")
                                                                .healthStatus("Unhealthy")
                                                                .build())
                                                .build())
                                .build())
                .when(autoScaling)
                .describeAutoScalingGroups(any(DescribeAutoScalingGroupsRequest.class));

        assertEquals(
                new Seen(
                        5,
                        List.of(
                                new Instance(
                                        "i-1",
                                        "eu-west-1a",
                                        Lifecycle.TERMINATING,
                                        false,
                                        Optional.empty()))),
                group.look());
    }

    @ParameterizedTest
    @CsvSource({
        "Pending,PENDING",
        "Pending:Wait,LAUNCHING",
        "Pending:Proceed,PENDING",
        "InService,IN_SERVICE",
        "Terminating,LEAVING",
        "Terminating:Wait,TERMINATING",
        "Terminating:Proceed,LEAVING",
        "Terminated,LEAVING",
        "Detaching,LEAVING",
        "Standby,ASIDE",
        "Warmed:Running,ASIDE"
    })
    void knowsTheStatesOfTheLifecycle(String state, Lifecycle lifecycle) {
        assertEquals(lifecycle, AutoScalingNodes.lifecycle(state));
    }

    @Test
    void aGroupThatIsntThereIsTold() {
        doReturn(DescribeAutoScalingGroupsResponse.builder().build())
                .when(autoScaling)
                .describeAutoScalingGroups(any(DescribeAutoScalingGroupsRequest.class));

        assertThrows(Failure.Terminal.class, group::look);
    }

    @Test
    void tellsSinceWhenInstancesAreHeldByTheActivitiesThatHaventEnded() {
        doReturn(
                        DescribeScalingActivitiesResponse.builder()
                                .activities(
                                        started("Terminating EC2 instance: i-0a1", THEN).build(),
                                        started(
                                                        "Launching a new EC2 instance: i-0b2",
                                                        THEN.plusSeconds(60))
                                                .build(),
                                        started("Terminating EC2 instance: i-0c3", THEN)
                                                .endTime(THEN.plusSeconds(9))
                                                .build(),
                                        started("Launching a new EC2 instance", THEN).build())
                                .build())
                .when(autoScaling)
                .describeScalingActivities(any(DescribeScalingActivitiesRequest.class));

        assertEquals(Map.of("i-0a1", THEN, "i-0b2", THEN.plusSeconds(60)), group.heldSince());
    }

    private static Activity.Builder started(String description, Instant at) {
        return Activity.builder().description(description).startTime(at);
    }

    @Test
    void completesAndGivesUpByTheInstance() {
        doReturn(CompleteLifecycleActionResponse.builder().build())
                .when(autoScaling)
                .completeLifecycleAction(any(CompleteLifecycleActionRequest.class));

        group.complete("launch", "i-1", true);
        group.complete("launch", "i-2", false);

        verify(autoScaling).completeLifecycleAction(completed("i-1", "CONTINUE"));
        verify(autoScaling).completeLifecycleAction(completed("i-2", "ABANDON"));
    }

    private static CompleteLifecycleActionRequest completed(String instance, String result) {
        return CompleteLifecycleActionRequest.builder()
                .autoScalingGroupName("payments-home")
                .lifecycleHookName("launch")
                .instanceId(instance)
                .lifecycleActionResult(result)
                .build();
    }

    @Test
    void whatIsntHeldAnyMoreIsLetBe() {
        doThrow(refused("No active Lifecycle Action found with instance ID i-1"))
                .when(autoScaling)
                .recordLifecycleActionHeartbeat(any(RecordLifecycleActionHeartbeatRequest.class));

        group.heartbeat("terminate", "i-1");

        verify(autoScaling)
                .recordLifecycleActionHeartbeat(
                        RecordLifecycleActionHeartbeatRequest.builder()
                                .autoScalingGroupName("payments-home")
                                .lifecycleHookName("terminate")
                                .instanceId("i-1")
                                .build());
    }

    @Test
    void otherRefusalsAndSilenceAreToldApart() {
        doThrow(refused("Lifecycle hook terminate not found"))
                .doThrow(ApiCallTimeoutException.create(30_000))
                .when(autoScaling)
                .recordLifecycleActionHeartbeat(any(RecordLifecycleActionHeartbeatRequest.class));

        assertThrows(Failure.Terminal.class, () -> group.heartbeat("terminate", "i-1"));
        assertThrows(Failure.OutcomeUnknown.class, () -> group.heartbeat("terminate", "i-1"));
    }

    private static Exception refused(String message) {
        return AutoScalingException.builder()
                .statusCode(400)
                .awsErrorDetails(
                        AwsErrorDetails.builder()
                                .errorCode("ValidationError")
                                .errorMessage(message)
                                .build())
                .build();
    }
}
