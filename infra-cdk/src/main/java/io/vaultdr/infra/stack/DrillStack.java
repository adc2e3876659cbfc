package io.vaultdr.infra.stack;

import io.vaultdr.infra.config.Config;
import io.vaultdr.infra.config.Config.Lock;
import io.vaultdr.infra.config.Config.Pair;
import io.vaultdr.infra.config.Names;
import io.vaultdr.infra.config.PairSettingsMaker;
import io.vaultdr.infra.construct.Buckets;
import io.vaultdr.infra.construct.DrillCluster;
import io.vaultdr.infra.construct.DrillMachine;
import io.vaultdr.infra.construct.Pages;
import io.vaultdr.infra.construct.PairFunctions;
import io.vaultdr.infra.construct.PairFunctions.Shape;
import io.vaultdr.infra.construct.StartRole;
import io.vaultdr.infra.construct.VaultDrFunction;
import io.vaultdr.infra.iam.DrillPolicy;
import io.vaultdr.runtime.DrillSettings;

import software.amazon.awscdk.App;
import software.amazon.awscdk.RemovalPolicy;
import software.amazon.awscdk.services.cloudwatch.MetricOptions;
import software.amazon.awscdk.services.events.CronOptions;
import software.amazon.awscdk.services.events.Rule;
import software.amazon.awscdk.services.events.RuleTargetInput;
import software.amazon.awscdk.services.events.Schedule;
import software.amazon.awscdk.services.events.targets.SfnStateMachine;
import software.amazon.awscdk.services.kms.Key;
import software.amazon.awscdk.services.kms.KeySpec;
import software.amazon.awscdk.services.kms.KeyUsage;
import software.amazon.awscdk.services.s3.BucketEncryption;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Drills of a pair, weekly and when somebody asks: the way of them, the key that signs their
 * reports, and the bucket that keeps those for a year, where proofs are made.
 */
public final class DrillStack extends VaultDrStack {
    private static final Lock A_YEAR = new Lock(365, Lock.Mode.GOVERNANCE);

    public DrillStack(App app, String name, Config config, Pair pair, Path zip) {
        super(app, name, config, pair.drillRegion(), "Drills of " + pair.id(), true);
        Names names = PairSettingsMaker.names(config, pair);
        String region = pair.drillRegion();
        Pages pages = Pages.named(this, names.pagesArn(region));
        PairFunctions functions =
                new PairFunctions(
                        config,
                        pair,
                        region,
                        zip,
                        pages,
                        pages.undelivered(this, names.of("undelivered-drill")));
        Key.Builder.create(this, "Key")
                .alias(names.drillKeyAlias())
                .description("Signs the reports of " + pair.id() + "'s drills")
                .keySpec(KeySpec.ECC_NIST_P256)
                .keyUsage(KeyUsage.SIGN_VERIFY)
                .removalPolicy(RemovalPolicy.RETAIN)
                .build();
        Buckets.build(
                Buckets.builder(this, "Reports", names.drills(region))
                        .encryption(BucketEncryption.S3_MANAGED)
                        .objectLockEnabled(true)
                        .objectLockDefaultRetention(Buckets.retention(A_YEAR)));
        DrillSettings settings = PairSettingsMaker.drill(config, pair);
        VaultDrFunction drill =
                functions.function(
                        this,
                        "Drill",
                        "drill",
                        Shape.outside(
                                        "Runs drills of " + pair.id() + " and reports them",
                                        Duration.ofMinutes(2),
                                        new DrillPolicy(names, pair, settings))
                                .told("DRILL", settings));
        drill.dryRunDaily("live");
        Optional<DrillCluster> cluster =
                pair.bootsDrills()
                        ? Optional.of(
                                new DrillCluster(this, "Cluster", config, pair, functions, pages))
                        : Optional.empty();
        DrillMachine machine =
                new DrillMachine(
                        this, "Machine", names, region, drill, cluster.map(DrillCluster::function));
        cluster.ifPresent(it -> it.tearDownAfter(machine.machine(), names));
        Rule.Builder.create(this, "Weekly")
                .ruleName(names.of("drill-weekly"))
                .description("Drills " + pair.id() + " once a week")
                .schedule(
                        Schedule.cron(
                                CronOptions.builder()
                                        // Tuesday; EventBridge counts from Sunday.
                                        .weekDay("3")
                                        .hour("9")
                                        .minute("47")
                                        .build()))
                .targets(
                        List.of(
                                SfnStateMachine.Builder.create(machine.machine())
                                        .role(
                                                StartRole.create(
                                                        this,
                                                        names,
                                                        "drill-weekly",
                                                        names.arn(
                                                                "states",
                                                                region,
                                                                "stateMachine:"
                                                                        + names.of("drill")),
                                                        region))
                                        .input(
                                                RuleTargetInput.fromObject(
                                                        Map.of("requestedBy", "schedule")))
                                        .build()))
                .build();
        pages.alarm(
                this,
                "Failed",
                Pages.Raise.onAny(
                        names.of("drill-failed"),
                        "A drill of " + pair.id() + " failed, or missed its goals: see its report.",
                        "drill-failed",
                        BackupStack.metric(names, "DrillFailed", "Sum", 5)));
        pages.alarm(
                this,
                "Unreported",
                Pages.Raise.onAny(
                        names.of("drill-unreported"),
                        "A drill of " + pair.id() + " ended without a report.",
                        "drill-failed",
                        machine.machine()
                                .metricFailed(
                                        MetricOptions.builder()
                                                .period(software.amazon.awscdk.Duration.minutes(5))
                                                .statistic("Sum")
                                                .build())));
    }
}
