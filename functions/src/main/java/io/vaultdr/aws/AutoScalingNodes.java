package io.vaultdr.aws;

import io.vaultdr.cluster.FaultTolerance.Instance;
import io.vaultdr.cluster.FaultTolerance.Lifecycle;
import io.vaultdr.cluster.NodeGroup;
import io.vaultdr.model.Failure;

import software.amazon.awssdk.services.autoscaling.AutoScalingClient;
import software.amazon.awssdk.services.autoscaling.model.Activity;
import software.amazon.awssdk.services.autoscaling.model.AutoScalingException;
import software.amazon.awssdk.services.autoscaling.model.AutoScalingGroup;

import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The instances of an EC2 Auto Scaling group, and the lifecycle hooks that hold them.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-lifecycle.html">The
 *     lifecycle of an instance</a>
 */
public final class AutoScalingNodes implements NodeGroup {
    private static final Pattern INSTANCE = Pattern.compile("\\bi-[0-9a-z]+");

    private final AutoScalingClient autoScaling;
    private final String group;

    /** The group of that name; {@code autoScaling} is a client of its region. */
    public AutoScalingNodes(AutoScalingClient autoScaling, String group) {
        this.autoScaling = autoScaling;
        this.group = group;
    }

    @Override
    public Seen look() {
        AutoScalingGroup found =
                AwsCalls.read(
                                "read Auto Scaling group " + group,
                                () ->
                                        autoScaling.describeAutoScalingGroups(
                                                r -> r.autoScalingGroupNames(group)))
                        .autoScalingGroups()
                        .stream()
                        .findFirst()
                        .orElseThrow(
                                () ->
                                        new Failure.Terminal(
                                                "read Auto Scaling group " + group,
                                                "there is none of that name",
                                                "Deploy the cluster's stack again"));
        return new Seen(
                found.desiredCapacity(),
                found.instances().stream()
                        .map(
                                it ->
                                        new Instance(
                                                it.instanceId(),
                                                it.availabilityZone(),
                                                lifecycle(it.lifecycleStateAsString()),
                                                "Healthy".equalsIgnoreCase(it.healthStatus()),
                                                Optional.empty()))
                        .toList());
    }

    static Lifecycle lifecycle(String state) {
        return switch (state) {
            case "Pending", "Pending:Proceed" -> Lifecycle.PENDING;
            case "Pending:Wait" -> Lifecycle.LAUNCHING;
            case "InService" -> Lifecycle.IN_SERVICE;
            case "Terminating:Wait" -> Lifecycle.TERMINATING;
            case "Terminating",
                    "Terminating:Proceed",
                    "Terminating:Retained",
                    "Terminated",
                    "Detaching",
                    "Detached" ->
                    Lifecycle.LEAVING;
            // Standby, warm pools and what comes later: there, and nothing that we hold.
            default -> Lifecycle.ASIDE;
        };
    }

    /**
     * {@inheritDoc} An activity that hasn't ended names its instance in its description only.
     *
     * @see <a
     *     href="https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DescribeScalingActivities.html">DescribeScalingActivities</a>
     */
    @Override
    public Map<String, Instant> heldSince() {
        Map<String, Instant> since = new HashMap<>();
        for (Activity activity :
                AwsCalls.read(
                                "read the activities of Auto Scaling group " + group,
                                () ->
                                        autoScaling.describeScalingActivities(
                                                r -> r.autoScalingGroupName(group)))
                        .activities()) {
            if (activity.endTime() == null) {
                Matcher instance = INSTANCE.matcher(activity.description());
                if (instance.find()) {
                    since.merge(
                            instance.group(),
                            activity.startTime(),
                            (one, other) -> one.isAfter(other) ? one : other);
                }
            }
        }
        return since;
    }

    /**
     * @see <a
     *     href="https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_RecordLifecycleActionHeartbeat.html">RecordLifecycleActionHeartbeat</a>
     */
    @Override
    public void heartbeat(String hook, String instance) {
        whileHeld(
                "let " + hook + " hold " + instance + " on",
                () ->
                        autoScaling.recordLifecycleActionHeartbeat(
                                r ->
                                        r.autoScalingGroupName(group)
                                                .lifecycleHookName(hook)
                                                .instanceId(instance)));
    }

    /**
     * @see <a
     *     href="https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_CompleteLifecycleAction.html">CompleteLifecycleAction</a>
     */
    @Override
    public void complete(String hook, String instance, boolean goOn) {
        whileHeld(
                "let " + hook + " release " + instance,
                () ->
                        autoScaling.completeLifecycleAction(
                                r ->
                                        r.autoScalingGroupName(group)
                                                .lifecycleHookName(hook)
                                                .instanceId(instance)
                                                .lifecycleActionResult(
                                                        goOn ? "CONTINUE" : "ABANDON")));
    }

    /** Between the look and the call its time may be over, or another run was faster. */
    private static void whileHeld(String tried, Runnable call) {
        AwsCalls.write(
                tried,
                () -> {
                    try {
                        call.run();
                    } catch (AutoScalingException e) {
                        if (!e.awsErrorDetails()
                                .errorMessage()
                                .startsWith("No active Lifecycle Action found")) {
                            throw e;
                        }
                    }
                    return true;
                });
    }
}
