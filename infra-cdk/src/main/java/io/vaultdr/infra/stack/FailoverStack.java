package io.vaultdr.infra.stack;

import io.vaultdr.infra.config.Config;
import io.vaultdr.infra.config.Config.Pair;
import io.vaultdr.infra.config.Names;
import io.vaultdr.infra.config.PairSettingsMaker;
import io.vaultdr.infra.config.Sizes;
import io.vaultdr.infra.construct.FailoverMachine;
import io.vaultdr.infra.construct.Networks;
import io.vaultdr.infra.construct.Pages;
import io.vaultdr.infra.construct.PairFunctions;
import io.vaultdr.infra.construct.PairFunctions.Shape;
import io.vaultdr.infra.construct.ServerDocument;
import io.vaultdr.infra.construct.StartRole;
import io.vaultdr.infra.construct.Times;
import io.vaultdr.infra.construct.VaultDrFunction;
import io.vaultdr.infra.construct.VaultDrFunction.Reach;
import io.vaultdr.infra.iam.AskApprovalPolicy;
import io.vaultdr.infra.iam.CloseIncidentPolicy;
import io.vaultdr.infra.iam.ControlPolicy;
import io.vaultdr.infra.iam.EvaluateFailoverPolicy;
import io.vaultdr.infra.iam.FencePolicy;
import io.vaultdr.infra.iam.GrowPolicy;
import io.vaultdr.infra.iam.JudgePolicy;
import io.vaultdr.infra.iam.PromotePolicy;
import io.vaultdr.infra.iam.RedirectTrafficPolicy;
import io.vaultdr.infra.iam.VerifyPolicy;
import io.vaultdr.model.Slots;
import io.vaultdr.runtime.PairSettings.Traffic;

import software.amazon.awscdk.App;
import software.amazon.awscdk.RemovalPolicy;
import software.amazon.awscdk.services.cloudwatch.Alarm;
import software.amazon.awscdk.services.cloudwatch.ComparisonOperator;
import software.amazon.awscdk.services.cloudwatch.Metric;
import software.amazon.awscdk.services.cloudwatch.MetricOptions;
import software.amazon.awscdk.services.cloudwatch.TreatMissingData;
import software.amazon.awscdk.services.cloudwatch.actions.LambdaAction;
import software.amazon.awscdk.services.dynamodb.Attribute;
import software.amazon.awscdk.services.dynamodb.AttributeType;
import software.amazon.awscdk.services.dynamodb.BillingMode;
import software.amazon.awscdk.services.dynamodb.PointInTimeRecoverySpecification;
import software.amazon.awscdk.services.dynamodb.Table;
import software.amazon.awscdk.services.dynamodb.TableEncryption;
import software.amazon.awscdk.services.events.CronOptions;
import software.amazon.awscdk.services.events.Rule;
import software.amazon.awscdk.services.events.RuleTargetInput;
import software.amazon.awscdk.services.events.Schedule;
import software.amazon.awscdk.services.events.targets.SfnStateMachine;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * All that decides and carries out a failover, in the DR region: it needs nothing of home. The
 * Backup stack of the same region has the topic and the certificate authorities.
 */
public final class FailoverStack extends VaultDrStack {
    private static final List<String> ALIASES = List.of("read", "operate");

    private final Config config;
    private final Pair pair;
    private final Names names;
    private final String region;
    private final Pages pages;
    private final PairFunctions functions;

    public FailoverStack(App app, String name, Config config, Pair pair, Path zip) {
        super(
                app,
                name,
                config,
                pair.drCluster().region(),
                "Failover of " + pair.id() + ": evidence, ledger, workflow",
                true);
        this.config = config;
        this.pair = pair;
        this.names = PairSettingsMaker.names(config, pair);
        this.region = pair.drCluster().region();
        this.pages = Pages.named(this, names.pagesArn(region));
        this.functions =
                new PairFunctions(
                        config,
                        pair,
                        region,
                        zip,
                        pages,
                        pages.undelivered(this, names.of("undelivered-failover")));
        ledger();
        ServerDocument.restart(this, names.of("restart"), pair.service().unit());
        ServerDocument.wipe(
                this, names.of("wipe"), pair.service().unit(), pair.service().dataDirectory());
        unreachedAlarms(evaluateFailover());
        control();
        machine(steps());
    }

    private void ledger() {
        Table.Builder.create(this, "Ledger")
                .tableName(names.table())
                .partitionKey(Attribute.builder().name("pk").type(AttributeType.STRING).build())
                .sortKey(Attribute.builder().name("sk").type(AttributeType.NUMBER).build())
                .billingMode(BillingMode.PAY_PER_REQUEST)
                .timeToLiveAttribute("expires")
                .encryption(TableEncryption.AWS_MANAGED)
                .pointInTimeRecoverySpecification(
                        PointInTimeRecoverySpecification.builder()
                                .pointInTimeRecoveryEnabled(true)
                                .build())
                .deletionProtection(true)
                .removalPolicy(RemovalPolicy.RETAIN)
                .build();
    }

    private VaultDrFunction evaluateFailover() {
        VaultDrFunction function =
                functions.function(
                        this,
                        "EvaluateFailover",
                        "evaluate-failover",
                        Shape.outside(
                                "Judges the evidence about " + pair.id() + "'s home",
                                Duration.ofSeconds(55),
                                new EvaluateFailoverPolicy(names, region)));
        function.schedule(VaultDrFunction.EVERY_MINUTE, Duration.ofMinutes(1));
        return function;
    }

    /** One per vantage: the evaluation is asked at once when a whole window has failed there. */
    private void unreachedAlarms(VaultDrFunction evaluate) {
        for (String vantage : config.vantages().keySet()) {
            Alarm alarm =
                    Alarm.Builder.create(this, "Unreached-" + vantage)
                            .alarmName(names.of("unreached-" + vantage))
                            .alarmDescription(
                                    Pages.described(
                                            "No slot of the window reached "
                                                    + pair.id()
                                                    + " from "
                                                    + vantage
                                                    + ".",
                                            "unreached"))
                            .metric(
                                    Metric.Builder.create()
                                            .namespace("VaultDr")
                                            .metricName("ServingReached")
                                            .dimensionsMap(
                                                    Map.of(
                                                            "Pair",
                                                            pair.id().value(),
                                                            "Vantage",
                                                            vantage))
                                            .period(Times.of(Slots.DEFAULT_LENGTH))
                                            .statistic("Maximum")
                                            .build())
                            .comparisonOperator(ComparisonOperator.LESS_THAN_THRESHOLD)
                            .threshold(1)
                            .evaluationPeriods(Slots.WINDOW)
                            .datapointsToAlarm(Slots.WINDOW)
                            .treatMissingData(TreatMissingData.BREACHING)
                            .build();
            alarm.addAlarmAction(new LambdaAction(evaluate.alias("live")));
        }
    }

    private void control() {
        VaultDrFunction control =
                functions.function(
                        this,
                        "Control",
                        "control",
                        Shape.outside(
                                        "Does what people ask about " + pair.id(),
                                        Duration.ofSeconds(30),
                                        new ControlPolicy(names, region))
                                .called(ALIASES));
        control.dryRunDaily("read");
    }

    private Map<String, VaultDrFunction> steps() {
        Networks networks = new Networks(this);
        Reach reach = Reach.to(networks, pair.drCluster());
        Map<String, Shape> shapes = new TreeMap<>();
        shapes.put(
                "Judge",
                Shape.outside(
                        "Judges the evidence once more",
                        Duration.ofMinutes(1),
                        new JudgePolicy(names, region)));
        shapes.put(
                "AskApproval",
                Shape.outside(
                        "Asks people",
                        Duration.ofMinutes(1),
                        new AskApprovalPolicy(names, region)));
        Optional<Traffic> traffic = PairSettingsMaker.settings(config, pair, pages.arn()).traffic();
        shapes.put(
                "Fence",
                Shape.inside(
                        "Cuts clients off the side that no longer serves",
                        Duration.ofMinutes(2),
                        new FencePolicy(names, pair, traffic, region),
                        reachOfFence(networks)));
        shapes.put(
                "Promote",
                Shape.inside(
                                "Makes the DR cluster serve the newest good snapshot",
                                Duration.ofMinutes(15),
                                new PromotePolicy(names, pair, region),
                                reach)
                        .sized(1_769, Sizes.scratch(pair.snapshots().largest())));
        shapes.put(
                "Verify",
                Shape.inside(
                        "Reads and writes as a client would",
                        Duration.ofMinutes(5),
                        new VerifyPolicy(names, pair, region),
                        reach));
        shapes.put(
                "RedirectTraffic",
                Shape.outside(
                        "Turns clients to the DR cluster",
                        Duration.ofMinutes(10),
                        new RedirectTrafficPolicy(names, traffic, region)));
        shapes.put(
                "Grow",
                Shape.inside(
                        "Lets the DR cluster grow to its voters",
                        Duration.ofMinutes(15),
                        new GrowPolicy(names, pair, region),
                        reach));
        shapes.put(
                "CloseIncident",
                Shape.outside(
                        "Closes the incident",
                        Duration.ofMinutes(1),
                        new CloseIncidentPolicy(names, pair, region)));
        Map<String, VaultDrFunction> steps = new TreeMap<>();
        shapes.forEach(
                (step, shape) ->
                        steps.put(
                                step,
                                functions.function(
                                        this, step, FailoverMachine.kebab(step), shape)));
        return steps;
    }

    /** Stands in the DR network, and asks home's nodes whether they still serve. */
    private Reach reachOfFence(Networks networks) {
        Reach inDr = Reach.to(networks, pair.drCluster());
        return new Reach(inDr.vpc(), inDr.subnets(), Reach.ports(List.of(pair.home())));
    }

    private void machine(Map<String, VaultDrFunction> steps) {
        FailoverMachine failover =
                new FailoverMachine(
                        this,
                        "Failover",
                        new FailoverMachine.Props(
                                names, region, steps, pair.timings().approvalTimeout(), pages));
        MetricOptions sum =
                MetricOptions.builder().period(Times.minutes(1)).statistic("Sum").build();
        pages.alarm(
                failover,
                "ExecutionsFailed",
                Pages.Raise.onAny(
                        names.of("failover-failed"),
                        "A failover of "
                                + pair.id()
                                + ", or its daily dry run, failed: the incident says where.",
                        "failover-failed",
                        failover.machine().metricFailed(sum)));
        pages.alarm(
                failover,
                "ExecutionsTimedOut",
                Pages.Raise.onAny(
                        names.of("failover-timed-out"),
                        "A failover of " + pair.id() + " took longer than it may.",
                        "failover-timed-out",
                        failover.machine().metricTimedOut(sum)));
        // Functions in a VPC that idle for 14 days lose their network interfaces.
        Rule.Builder.create(this, "DryRun")
                .ruleName(names.of("dry-run"))
                .description("Runs every step of the failover once a day, but for its last call")
                .schedule(Schedule.cron(CronOptions.builder().minute("17").hour("9").build()))
                .targets(
                        List.of(
                                SfnStateMachine.Builder.create(failover.machine())
                                        .role(
                                                StartRole.create(
                                                        this,
                                                        names,
                                                        "dry-run",
                                                        names.stateMachineArn(region),
                                                        region))
                                        .input(
                                                RuleTargetInput.fromObject(
                                                        new TreeMap<>(
                                                                Map.of(
                                                                        "pair",
                                                                        pair.id().value(),
                                                                        "epoch",
                                                                        0,
                                                                        "dryRun",
                                                                        true))))
                                        .build()))
                .build();
        pages.alarm(
                failover,
                "DryRunSilence",
                Pages.Raise.onNone(
                        names.of("dry-run-silent"),
                        "No failover of "
                                + pair.id()
                                + " succeeded for a day, not even dry: its functions go inactive"
                                + " after two weeks.",
                        "dry-run-silent",
                        failover.machine()
                                .metricSucceeded(
                                        MetricOptions.builder()
                                                .period(Times.minutes(24 * 60))
                                                .statistic("Sum")
                                                .build()),
                        1));
    }
}
