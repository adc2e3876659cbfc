package io.vaultdr.handler;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;

import io.vaultdr.cluster.InitializeCluster;
import io.vaultdr.doctor.Looks;
import io.vaultdr.runtime.PairMetrics;
import io.vaultdr.runtime.WiringOfCluster;

import java.util.Map;
import java.util.function.Supplier;

/**
 * Brings home's made cluster to service once, then reports drift: {@link InitializeCluster}. In
 * home's region only, every five minutes and by hand; one run at a time (reserved concurrency 1),
 * five minutes long. {@code SETUP} holds {@code {"recover":[…]}}, the KV paths of {@code restore
 * --only}, where there are some.
 *
 * <p>It calls {@code secretsmanager:PutSecretValue} on the secret of the recovery keys in each
 * region of the pair and nothing else there; {@code GetSecretValue} and {@code PutSecretValue} on
 * the secret {@code initialisation} in home's region; {@code DescribeSecret} and {@code
 * PutSecretValue} on {@code <login>/<intent>} of every intent in each region that {@code
 * VaultSetup.places} names in this account; {@code GetSecretValue} of {@code <login>/configure} in
 * home's region; {@code ssm:SendCommand} of the wipe document to home's instances and {@code
 * ssm:ListCommandInvocations}; {@code ssm:GetParameter} of the CAs; {@code sns:Publish} and {@code
 * sns:GetTopicAttributes} on the pair's topic.
 */
public final class InitializeClusterHandler
        implements RequestHandler<Map<String, Object>, Map<String, ?>> {
    private final InitializeCluster cluster;
    private final Supplier<Looks> looks;
    private final PairMetrics metrics;

    /** Wired from the environment. */
    public InitializeClusterHandler() {
        this(WiringOfCluster.ofEnvironment());
    }

    private InitializeClusterHandler(WiringOfCluster wiring) {
        this(wiring.initializeCluster(), wiring::looksOfInitializeCluster, wiring.metrics());
    }

    InitializeClusterHandler(
            InitializeCluster cluster, Supplier<Looks> looks, PairMetrics metrics) {
        this.looks = looks;
        this.cluster = cluster;
        this.metrics = metrics;
    }

    @Override
    public Map<String, ?> handleRequest(Map<String, Object> event, Context context) {
        if (DryRun.reports(event)) {
            return DryRun.report(looks.get(), () -> run(true, context), context);
        }
        return DryRun.asked(event)
                ? DryRun.of(metrics, looks, () -> run(true, context))
                : run(false, context);
    }

    private Map<String, ?> run(boolean dryRun, Context context) {
        return Scheduled.answer(cluster.run(dryRun, Scheduled.deadline(context)));
    }
}
