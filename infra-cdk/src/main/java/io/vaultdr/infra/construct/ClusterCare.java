package io.vaultdr.infra.construct;

import io.vaultdr.cluster.VaultSetup;
import io.vaultdr.infra.config.Config;
import io.vaultdr.infra.config.Config.Cluster;
import io.vaultdr.infra.config.Config.Pair;
import io.vaultdr.infra.config.Config.Prove;
import io.vaultdr.infra.config.Names;
import io.vaultdr.infra.config.PairSettingsMaker;
import io.vaultdr.infra.construct.PairFunctions.Shape;
import io.vaultdr.infra.construct.VaultDrFunction.Reach;
import io.vaultdr.infra.iam.InitializeClusterPolicy;
import io.vaultdr.infra.iam.RetirePeerPolicy;
import io.vaultdr.model.Side;

import software.amazon.awscdk.services.cloudwatch.ComparisonOperator;
import software.amazon.awscdk.services.cloudwatch.Metric;
import software.amazon.awscdk.services.cloudwatch.TreatMissingData;
import software.amazon.awscdk.services.events.CronOptions;
import software.amazon.awscdk.services.events.EventPattern;
import software.amazon.awscdk.services.events.Schedule;
import software.constructs.Construct;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The functions that look after a made cluster, and the alarms over what they find. */
public final class ClusterCare extends Construct {
    private final Pages pages;
    private final Names names;

    public ClusterCare(
            Construct scope,
            String id,
            Config config,
            Pair pair,
            Side side,
            PairFunctions functions,
            Pages pages) {
        super(scope, id);
        this.pages = pages;
        this.names = PairSettingsMaker.names(config, pair);
        Cluster cluster = pair.cluster(side);
        Reach reach = Reach.to(new Networks(this), cluster);
        retirePeer(functions, pair, cluster, reach);
        if (side == Side.HOME) {
            initializeCluster(functions, config, pair, reach);
        }
    }

    private void retirePeer(PairFunctions functions, Pair pair, Cluster cluster, Reach reach) {
        VaultDrFunction function =
                functions.function(
                        this,
                        "RetirePeer",
                        "retire-peer",
                        Shape.inside(
                                        "Sees instances of " + pair.id() + "'s cluster in and out",
                                        Duration.ofMinutes(2),
                                        new RetirePeerPolicy(names, pair, cluster),
                                        reach)
                                .alone());
        function.schedule(VaultDrFunction.EVERY_MINUTE, Duration.ofMinutes(1));
        function.on(
                "Lifecycle",
                EventPattern.builder()
                        .source(List.of("aws.autoscaling"))
                        .detailType(
                                List.of(
                                        "EC2 Instance-launch Lifecycle Action",
                                        "EC2 Instance-terminate Lifecycle Action"))
                        .detail(
                                Map.of(
                                        "AutoScalingGroupName",
                                        List.of(cluster.autoScalingGroup().orElseThrow())))
                        .build(),
                "a hook of " + cluster.autoScalingGroup().orElseThrow() + " holds an instance");
        function.dryRunDaily("live");
        pages.alarm(
                this,
                "PeersHeld",
                many(
                        "peers-held",
                        "An instance of "
                                + pair.id()
                                + " is held, since its peer can't be removed without cost.",
                        "peers-held",
                        metric("PeersHeld", 1),
                        5));
        pages.alarm(
                this,
                "PeersToRetire",
                many(
                        "peers-to-retire",
                        "Peers of " + pair.id() + " whose instances are gone stay in the cluster.",
                        "peers-held",
                        metric("PeersToRetire", 1),
                        15));
        pages.alarm(
                this,
                "FaultTolerance",
                new Pages.Raise(
                        names.of("fault-tolerance"),
                        "The next node of " + pair.id() + " that fails takes the quorum with it.",
                        "peers-held",
                        metric("FaultTolerance", 1),
                        ComparisonOperator.LESS_THAN_THRESHOLD,
                        1,
                        5,
                        // A blank cluster, and one that doesn't run, tolerate nothing and say so.
                        TreatMissingData.NOT_BREACHING));
    }

    private void initializeCluster(PairFunctions functions, Config config, Pair pair, Reach reach) {
        VaultDrFunction function =
                functions.function(
                        this,
                        "InitializeCluster",
                        "initialize-cluster",
                        Shape.inside(
                                        "Sets up " + pair.id() + " once, then reports drift",
                                        Duration.ofMinutes(5),
                                        new InitializeClusterPolicy(
                                                names,
                                                pair,
                                                VaultSetup.places(
                                                        PairSettingsMaker.settings(
                                                                config, pair, pages.arn()))),
                                        reach)
                                .told(
                                        "SETUP",
                                        new TreeMap<>(
                                                Map.of(
                                                        "recover",
                                                        pair.proving()
                                                                .map(Prove::recover)
                                                                .orElse(List.of()))))
                                .alone());
        function.schedule(
                Schedule.cron(CronOptions.builder().minute("0/5").build()), Duration.ofMinutes(5));
        function.dryRunDaily("live");
        pages.alarm(
                this,
                "NotInitialised",
                many(
                        "not-initialised",
                        "The cluster of " + pair.id() + " can't be set up, or isn't to be.",
                        "not-initialised",
                        metric("InitializeProblems", 5),
                        3));
        pages.alarm(
                this,
                "Drift",
                many(
                        "cluster-drift",
                        "Somebody changed what was set up in " + pair.id() + ".",
                        "cluster-drift",
                        metric("ClusterDrift", 60),
                        1));
    }

    /** Raised by one or more in each of {@code periods}; nothing reported is good. */
    private Pages.Raise many(
            String name, String description, String runbook, Metric metric, int periods) {
        return new Pages.Raise(
                names.of(name),
                description,
                runbook,
                metric,
                ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
                1,
                periods,
                TreatMissingData.NOT_BREACHING);
    }

    private Metric metric(String name, int minutes) {
        return Metric.Builder.create()
                .namespace("VaultDr")
                .metricName(name)
                .dimensionsMap(Map.of("Pair", names.pair().value()))
                .statistic("Maximum")
                .period(Times.minutes(minutes))
                .build();
    }
}
