package io.vaultdr.handler;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;

import io.vaultdr.cluster.RetirePeer;
import io.vaultdr.doctor.Looks;
import io.vaultdr.runtime.PairMetrics;
import io.vaultdr.runtime.WiringOfCluster;

import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Sees instances of the made cluster in this region in and out: {@link RetirePeer}. Invoked each
 * minute, and by {@code EC2 Instance-launch Lifecycle Action} and {@code EC2 Instance-terminate
 * Lifecycle Action} of the cluster's group; one run at a time (reserved concurrency 1).
 *
 * <p>It calls, in its own region: {@code autoscaling:DescribeAutoScalingGroups} and {@code
 * autoscaling:DescribeScalingActivities} (both unscoped), {@code
 * autoscaling:CompleteLifecycleAction} and {@code autoscaling:RecordLifecycleActionHeartbeat} on
 * the group of its cluster, {@code secretsmanager:GetSecretValue} of {@code <login>/retire}, {@code
 * ssm:GetParameter} of the CAs, {@code sns:Publish} and {@code sns:GetTopicAttributes} on the
 * pair's topic; and in DR's region {@code dynamodb:GetItem} on the ledger, where there is one.
 */
public final class RetirePeerHandler
        implements RequestHandler<Map<String, Object>, Map<String, ?>> {
    private final RetirePeer peers;
    private final Supplier<Looks> looks;
    private final PairMetrics metrics;

    /** Wired from the environment. */
    public RetirePeerHandler() {
        this(WiringOfCluster.ofEnvironment());
    }

    private RetirePeerHandler(WiringOfCluster wiring) {
        this(wiring.retirePeer(), wiring::looksOfRetirePeer, wiring.metrics());
    }

    RetirePeerHandler(RetirePeer peers, Supplier<Looks> looks, PairMetrics metrics) {
        this.looks = looks;
        this.peers = peers;
        this.metrics = metrics;
    }

    @Override
    public Map<String, ?> handleRequest(Map<String, Object> event, Context context) {
        if (DryRun.reports(event)) {
            return DryRun.report(looks.get(), () -> run(Optional.empty(), true, context), context);
        }
        return DryRun.asked(event)
                ? DryRun.of(metrics, looks, () -> run(Optional.empty(), true, context))
                : run(terminating(event), false, context);
    }

    private Map<String, ?> run(Optional<String> announced, boolean dryRun, Context context) {
        return Scheduled.answer(peers.run(announced, dryRun, Scheduled.deadline(context)));
    }

    private static Optional<String> terminating(Map<String, Object> event) {
        return event.get("detail") instanceof Map<?, ?> detail
                        && "autoscaling:EC2_INSTANCE_TERMINATING"
                                .equals(detail.get("LifecycleTransition"))
                ? Optional.of(String.valueOf(detail.get("EC2InstanceId")))
                : Optional.empty();
    }
}
