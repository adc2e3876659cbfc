package io.vaultdr.infra.image;

import static java.util.Map.entry;

import io.vaultdr.infra.config.Names;
import io.vaultdr.infra.construct.FailoverMachine;
import io.vaultdr.infra.construct.Pages;
import io.vaultdr.infra.construct.StartRole;
import io.vaultdr.infra.construct.Times;
import io.vaultdr.infra.iam.RefreshNodesPolicy;
import io.vaultdr.model.Side;

import software.amazon.awscdk.services.cloudwatch.MathExpression;
import software.amazon.awscdk.services.cloudwatch.MetricOptions;
import software.amazon.awscdk.services.events.EventPattern;
import software.amazon.awscdk.services.events.Rule;
import software.amazon.awscdk.services.events.targets.SfnStateMachine;
import software.amazon.awscdk.services.stepfunctions.Choice;
import software.amazon.awscdk.services.stepfunctions.Condition;
import software.amazon.awscdk.services.stepfunctions.Fail;
import software.amazon.awscdk.services.stepfunctions.IChainable;
import software.amazon.awscdk.services.stepfunctions.JsonPath;
import software.amazon.awscdk.services.stepfunctions.Pass;
import software.amazon.awscdk.services.stepfunctions.RetryProps;
import software.amazon.awscdk.services.stepfunctions.StateMachine;
import software.amazon.awscdk.services.stepfunctions.Succeed;
import software.amazon.awscdk.services.stepfunctions.Timeout;
import software.amazon.awscdk.services.stepfunctions.Wait;
import software.amazon.awscdk.services.stepfunctions.WaitTime;
import software.amazon.awscdk.services.stepfunctions.tasks.CallAwsService;
import software.constructs.Construct;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Brings a new image to the nodes of a group, one after the other, as a state machine:
 *
 * <pre>
 * Soak ▶ AskLedger ▶ Quiet? ─ an incident is open ─▶ WaitForQuiet ▶ AskLedger
 *                       └──── no ▶ Refresh ▶ Look ▶ Done? ─ not yet ─▶ WaitForNodes ▶ Look
 *                                                     ├──── Successful ▶ Refreshed
 *                                                     └──── else ▶ Stopped
 * </pre>
 *
 * A node is started before another is ended. The hook lets it in once it votes; where it doesn't,
 * the hook gives it up and the refresh ends as failed, as it does when an alarm says that the
 * cluster isn't well. So at most one node more than there should be is at stake, and what is {@code
 * Stopped} pages.
 *
 * <p>The DR side begins at once and home an hour later: an image on which nodes don't come up is
 * found where nobody is served. The ledger is in the DR region, which home's machine can't reach;
 * there {@code unwell} stops what an incident would: a home that doesn't serve has no leader.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/autoscaling/ec2/userguide/instance-refresh-overview.html">How
 *     an instance refresh works</a>
 */
public final class NodeRefresh extends Construct {
    /** How long the DR side is ahead of home. */
    static final Duration SOAK = Duration.ofHours(1);

    private final Props props;

    /**
     * What is refreshed.
     *
     * @param parameter the parameter whose change says that there is a new image
     * @param nodes how many nodes the group has when it is complete
     * @param unwell the names of alarms that stop a refresh; ten at the most
     */
    public record Props(
            Names names,
            Side side,
            String region,
            String group,
            String parameter,
            int nodes,
            Optional<String> ledger,
            List<String> unwell,
            Pages pages) {}

    public NodeRefresh(Construct scope, String id, Props props) {
        super(scope, id);
        this.props = props;
        String name = props.names().of("refresh-" + props.side());
        StateMachine machine =
                FailoverMachine.machine(
                        this,
                        props.region(),
                        name,
                        "Brings a new image to the nodes of " + props.group(),
                        new RefreshNodesPolicy(
                                props.names(),
                                props.region(),
                                props.group(),
                                props.ledger().isPresent()),
                        Duration.ofHours(24),
                        props.side() == Side.HOME ? soak(begin()) : begin());
        Rule.Builder.create(this, "NewImage")
                .ruleName(name)
                .description("Brings a new image to the nodes of " + props.group())
                .eventPattern(newImage())
                .targets(
                        List.of(
                                SfnStateMachine.Builder.create(machine)
                                        .role(
                                                StartRole.create(
                                                        this,
                                                        props.names(),
                                                        "start-refresh-" + props.side(),
                                                        props.names()
                                                                .arn(
                                                                        "states",
                                                                        props.region(),
                                                                        "stateMachine:" + name),
                                                        props.region()))
                                        .build()))
                .build();
        MetricOptions sum =
                MetricOptions.builder().period(Times.minutes(1)).statistic("Sum").build();
        props.pages()
                .alarm(
                        this,
                        "Unfinished",
                        Pages.Raise.onAny(
                                props.names().of(props.side() + "-image-refresh-failed"),
                                props.group()
                                        + ": A new image doesn't get to all nodes; the ones that"
                                        + " have the old one go on.",
                                "image-refresh-failed",
                                MathExpression.Builder.create()
                                        // A sum with what wasn't told is nothing.
                                        .expression("FILL(failed, 0) + FILL(late, 0)")
                                        .label("refreshes stopped")
                                        .usingMetrics(
                                                new TreeMap<>(
                                                        Map.of(
                                                                "failed",
                                                                machine.metricFailed(sum),
                                                                "late",
                                                                machine.metricTimedOut(sum))))
                                        .period(Times.minutes(1))
                                        .build()));
    }

    private EventPattern newImage() {
        return EventPattern.builder()
                .source(List.of("aws.ssm"))
                .detailType(List.of("Parameter Store Change"))
                .detail(
                        new TreeMap<>(
                                Map.of(
                                        "name",
                                        List.of(props.parameter()),
                                        "operation",
                                        // Nodes that start from the first image have it already.
                                        List.of("Update"))))
                .build();
    }

    private IChainable soak(IChainable next) {
        return Wait.Builder.create(this, "Soak")
                .comment("The DR side is ahead; who doesn't want home to follow stops this")
                .time(WaitTime.duration(Times.of(SOAK)))
                .build()
                .next(next);
    }

    private IChainable begin() {
        CallAwsService refresh = refresh();
        refresh.next(look());
        return props.ledger().<IChainable>map(table -> askLedger(table, refresh)).orElse(refresh);
    }

    private IChainable askLedger(String table, IChainable refresh) {
        CallAwsService ask =
                call("AskLedger", "dynamodb", "getItem")
                        .parameters(
                                ordered(
                                        entry("TableName", table),
                                        entry("ConsistentRead", true),
                                        entry(
                                                "Key",
                                                ordered(
                                                        entry("pk", Map.of("S", "state")),
                                                        entry("sk", Map.of("N", "0"))))))
                        .resultPath("$.ledger")
                        .build();
        Pass read =
                Pass.Builder.create(this, "ReadState")
                        .parameters(
                                Map.of(
                                        "state",
                                        JsonPath.stringToJson(
                                                JsonPath.stringAt("$.ledger.Item.body.S"))))
                        .resultPath("$.pair")
                        .build();
        Wait wait =
                Wait.Builder.create(this, "WaitForQuiet")
                        .time(WaitTime.duration(Times.of(Duration.ofMinutes(15))))
                        .build();
        wait.next(ask);
        read.next(
                Choice.Builder.create(this, "Quiet")
                        .build()
                        .when(Condition.stringEquals("$.pair.state.phase.kind", "Settled"), refresh)
                        .otherwise(wait));
        ask.next(
                Choice.Builder.create(this, "Written")
                        .comment("A pair of which nothing was ever written is settled")
                        .build()
                        .when(Condition.isPresent("$.ledger.Item"), read)
                        .otherwise(refresh));
        return ask;
    }

    private CallAwsService refresh() {
        CallAwsService refresh =
                call("Refresh", "autoscaling", "startInstanceRefresh")
                        .parameters(
                                ordered(
                                        entry("AutoScalingGroupName", props.group()),
                                        entry("Strategy", "Rolling"),
                                        entry(
                                                "Preferences",
                                                ordered(
                                                        entry(
                                                                "AlarmSpecification",
                                                                Map.of("Alarms", props.unwell())),
                                                        entry("InstanceWarmup", 60),
                                                        entry(
                                                                "MaxHealthyPercentage",
                                                                oneMore(props.nodes())),
                                                        entry("MinHealthyPercentage", 100),
                                                        entry("ScaleInProtectedInstances", "Wait"),
                                                        entry("SkipMatching", false),
                                                        entry("StandbyInstances", "Wait")))))
                        .resultPath("$.refresh")
                        .build();
        refresh.addRetry(
                RetryProps.builder()
                        .errors(List.of("AutoScaling.InstanceRefreshInProgressException"))
                        .interval(Times.of(Duration.ofMinutes(10)))
                        .backoffRate(1)
                        .maxAttempts(72)
                        .build());
        // Nothing else is tried again: whether it began is then a person's question.
        return refresh;
    }

    /** The percentage that lets a group of {@code nodes} have one more, and not two. */
    static int oneMore(int nodes) {
        return Math.ceilDiv((nodes + 1) * 100, nodes);
    }

    private IChainable look() {
        CallAwsService look =
                call("Look", "autoscaling", "describeInstanceRefreshes")
                        .parameters(
                                ordered(
                                        entry("AutoScalingGroupName", props.group()),
                                        entry(
                                                "InstanceRefreshIds",
                                                JsonPath.array(
                                                        JsonPath.stringAt(
                                                                "$.refresh.InstanceRefreshId")))))
                        .resultSelector(
                                Map.of(
                                        "status",
                                        JsonPath.stringAt("$.InstanceRefreshes[0].Status")))
                        .resultPath("$.nodes")
                        .build();
        look.addRetry(again());
        Wait wait =
                Wait.Builder.create(this, "WaitForNodes")
                        .time(WaitTime.duration(Times.of(Duration.ofMinutes(1))))
                        .build();
        wait.next(look);
        look.next(
                Choice.Builder.create(this, "Done")
                        .build()
                        .when(
                                status("Successful"),
                                Succeed.Builder.create(this, "Refreshed").build())
                        .when(
                                Condition.or(
                                        status("Pending"), status("InProgress"), status("Baking")),
                                wait)
                        .otherwise(
                                Fail.Builder.create(this, "Stopped")
                                        .error("RefreshStopped")
                                        .cause(
                                                "aws autoscaling describe-instance-refreshes says"
                                                        + " why; runbook: "
                                                        + "docs/runbooks/image-refresh-failed.md")
                                        .build()));
        return look;
    }

    private static Condition status(String status) {
        return Condition.stringEquals("$.nodes.status", status);
    }

    private CallAwsService.Builder call(String name, String service, String action) {
        return CallAwsService.Builder.create(this, name)
                .stateName(name)
                .service(service)
                .action(action)
                // What it may do stands in the machine's policy.
                .iamResources(List.of("*"))
                .taskTimeout(Timeout.duration(Times.of(Duration.ofMinutes(1))));
    }

    private static RetryProps again() {
        return RetryProps.builder()
                .errors(List.of("States.Timeout", "States.TaskFailed"))
                .interval(Times.of(Duration.ofSeconds(10)))
                .backoffRate(2)
                .maxDelay(Times.of(Duration.ofMinutes(5)))
                .maxAttempts(6)
                .build();
    }

    @SafeVarargs
    private static Map<String, Object> ordered(Map.Entry<String, Object>... entries) {
        Map<String, Object> map = new TreeMap<>();
        for (Map.Entry<String, Object> entry : entries) {
            map.put(entry.getKey(), entry.getValue());
        }
        return map;
    }
}
