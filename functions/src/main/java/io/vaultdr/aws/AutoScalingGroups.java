package io.vaultdr.aws;

import io.vaultdr.model.Failure;
import io.vaultdr.promotion.Capacity;

import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.autoscaling.AutoScalingClient;
import software.amazon.awssdk.services.autoscaling.model.AutoScalingGroup;

import java.util.List;

/** An EC2 Auto Scaling group. */
public final class AutoScalingGroups implements Capacity {
    /** What ends instances; launching goes on. */
    private static final List<String> ENDING =
            List.of("Terminate", "ReplaceUnhealthy", "AZRebalance");

    private final AutoScalingClient autoScaling;
    private final String group;

    /** The group of that name; {@code autoScaling} is a client of its region. */
    public AutoScalingGroups(AutoScalingClient autoScaling, String group) {
        this.autoScaling = autoScaling;
        this.group = group;
    }

    @Override
    public Size size() {
        try {
            AutoScalingGroup found =
                    autoScaling
                            .describeAutoScalingGroups(r -> r.autoScalingGroupNames(group))
                            .autoScalingGroups()
                            .stream()
                            .findFirst()
                            .orElseThrow(
                                    () ->
                                            new Failure.Terminal(
                                                    "read Auto Scaling group " + group,
                                                    "there is none of that name",
                                                    "Name the DR side's group in the"
                                                            + " configuration"));
            return new Size(found.desiredCapacity(), found.maxSize());
        } catch (SdkException e) {
            throw AwsFailures.of("read Auto Scaling group " + group, e, false, "Read it again.");
        }
    }

    @Override
    public void want(int instances) {
        change(
                "ask " + group + " for " + instances + " instances",
                () ->
                        autoScaling.setDesiredCapacity(
                                r ->
                                        r.autoScalingGroupName(group)
                                                .desiredCapacity(instances)
                                                .honorCooldown(false)));
    }

    @Override
    public void suspendTermination() {
        change(
                "keep " + group + " from ending instances",
                () ->
                        autoScaling.suspendProcesses(
                                r -> r.autoScalingGroupName(group).scalingProcesses(ENDING)));
    }

    @Override
    public void resumeTermination() {
        change(
                "let " + group + " end unhealthy instances again",
                () ->
                        autoScaling.resumeProcesses(
                                r -> r.autoScalingGroupName(group).scalingProcesses(ENDING)));
    }

    private static void change(String tried, Runnable call) {
        try {
            call.run();
        } catch (SdkException e) {
            throw AwsFailures.of(tried, e, true, "The same call may be made again.");
        }
    }
}
