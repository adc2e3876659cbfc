package io.vaultdr.infra.construct;

import io.vaultdr.infra.config.Config;
import io.vaultdr.infra.config.Config.Pair;
import io.vaultdr.infra.config.Names;
import io.vaultdr.infra.config.NodeSettings;
import io.vaultdr.infra.config.PairSettingsMaker;
import io.vaultdr.infra.config.Sizes;
import io.vaultdr.infra.construct.PairFunctions.Shape;
import io.vaultdr.infra.iam.Allowance;
import io.vaultdr.infra.iam.DrillClusterPolicy;
import io.vaultdr.infra.iam.NodePolicy;
import io.vaultdr.runtime.ClusterDrillSettings;

import software.amazon.awscdk.Aspects;
import software.amazon.awscdk.services.cloudwatch.ComparisonOperator;
import software.amazon.awscdk.services.cloudwatch.Metric;
import software.amazon.awscdk.services.cloudwatch.TreatMissingData;
import software.amazon.awscdk.services.ec2.CfnSecurityGroup;
import software.amazon.awscdk.services.ec2.ISubnet;
import software.amazon.awscdk.services.ec2.InterfaceVpcEndpointAwsService;
import software.amazon.awscdk.services.events.EventField;
import software.amazon.awscdk.services.events.EventPattern;
import software.amazon.awscdk.services.events.Rule;
import software.amazon.awscdk.services.events.RuleTargetInput;
import software.amazon.awscdk.services.events.targets.LambdaFunction;
import software.amazon.awscdk.services.stepfunctions.IStateMachine;
import software.constructs.Construct;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * What a drill needs to boot a cluster: a network of its own without a way out, a group that is
 * empty but for a drill, and the function that fills, restores and empties it. The instances are
 * those of a promotion, by the same image, boot script, key and documents; only whom they join is
 * their own.
 */
public final class DrillCluster extends Construct {
    /** A drill that goes well is over long before. */
    private static final int LEFT_OVER_HOURS = 6;

    private final VaultDrFunction function;

    public DrillCluster(
            Construct scope,
            String id,
            Config config,
            Pair pair,
            PairFunctions functions,
            Pages pages) {
        super(scope, id);
        Names names = PairSettingsMaker.names(config, pair);
        String region = pair.drillRegion();
        NodeSettings node = NodeSettings.ofDrill(config, pair);
        ClusterDrillSettings settings = PairSettingsMaker.drillCluster(config, pair);
        DrillClusterPolicy policy = new DrillClusterPolicy(names, pair, settings.cluster());
        IsolatedNetwork network =
                network(
                        names,
                        region,
                        policy,
                        new NodePolicy(names, names.drillNodeSettings(), node).allowances());
        Certificates.parameter(this, "Node", names.drillNodeSettings(), PairFunctions.json(node));
        new ServerGroup(
                this,
                "Servers",
                names,
                pair,
                new ServerGroup.Props(
                        names.drillGroup(),
                        names.drillNodeRole(region),
                        names.drillNodeSettings(),
                        Names.drillInstances(pair.id()),
                        node,
                        0,
                        network.vpc().getIsolatedSubnets().stream()
                                .map(ISubnet::getSubnetId)
                                .toList(),
                        Optional.empty(),
                        security(names, network, node),
                        false,
                        Set.of()));
        Aspects.of(this).add(new NoWayOut());
        function =
                functions.function(
                        this,
                        "DrillCluster",
                        "drill-cluster",
                        Shape.inside(
                                        "Boots a cluster of a drill's own for " + pair.id(),
                                        Duration.ofMinutes(15),
                                        policy,
                                        network.reach(node.apiPort()))
                                .sized(1_769, Sizes.scratch(pair.snapshots().largest()))
                                .told("DRILL_CLUSTER", settings));
        function.dryRunDaily("live");
        pages.alarm(
                this,
                "LeftOver",
                new Pages.Raise(
                        names.of("drill-left-over"),
                        "Instances of a drill of "
                                + pair.id()
                                + " still stand "
                                + LEFT_OVER_HOURS
                                + " hours later: they cost money and hold a copy of its secrets.",
                        "drill-left-over",
                        Metric.Builder.create()
                                .namespace("AWS/AutoScaling")
                                .metricName("GroupTotalInstances")
                                .dimensionsMap(Map.of("AutoScalingGroupName", names.drillGroup()))
                                .statistic("Minimum")
                                .period(Times.minutes(60))
                                .build(),
                        ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
                        1,
                        LEFT_OVER_HOURS,
                        TreatMissingData.NOT_BREACHING));
    }

    /** Its endpoints let through what nodes and function may do, and nothing else. */
    private IsolatedNetwork network(
            Names names, String region, DrillClusterPolicy policy, List<Allowance> nodes) {
        IsolatedNetwork network =
                new IsolatedNetwork(
                        this,
                        "Network",
                        names,
                        region,
                        "drill",
                        policy.objects(),
                        of(nodes, "kms:"),
                        Stream.concat(
                                        policy.secrets().stream(),
                                        of(nodes, "secretsmanager:").stream())
                                .toList());
        network.tables(policy.tables());
        network.endpoint(
                "Ssm",
                InterfaceVpcEndpointAwsService.SSM,
                Stream.of(policy.commands(), policy.certificates(), of(nodes, "ssm:"))
                        .flatMap(List::stream)
                        .toList());
        network.endpoint(
                "SsmMessages",
                InterfaceVpcEndpointAwsService.SSM_MESSAGES,
                of(nodes, "ssmmessages:"));
        network.endpoint("Ec2", InterfaceVpcEndpointAwsService.EC2, of(nodes, "ec2:"));
        network.endpoint(
                "AutoScaling", InterfaceVpcEndpointAwsService.AUTOSCALING, policy.groups());
        return network;
    }

    /** Of each allowance the actions of one service. */
    private static List<Allowance> of(List<Allowance> all, String service) {
        Predicate<String> its = action -> action.startsWith(service);
        return all.stream()
                .filter(it -> it.actions().stream().anyMatch(its))
                .map(
                        it ->
                                new Allowance(
                                        it.actions().stream().filter(its).toList(),
                                        it.resources(),
                                        it.conditions(),
                                        it.wildcard()))
                .toList();
    }

    /** Nodes with each other and with the function, and nothing beyond the network's endpoints. */
    private CfnSecurityGroup security(Names names, IsolatedNetwork network, NodeSettings node) {
        String range = IsolatedNetwork.RANGE;
        return CfnSecurityGroup.Builder.create(this, "Nodes")
                .groupName(names.drillGroup())
                .groupDescription("Nodes of a drill of " + names.pair())
                .vpcId(network.vpc().getVpcId())
                .securityGroupIngress(
                        List.of(
                                CfnSecurityGroup.IngressProperty.builder()
                                        .ipProtocol("tcp")
                                        .fromPort(Math.min(node.apiPort(), node.clusterPort()))
                                        .toPort(Math.max(node.apiPort(), node.clusterPort()))
                                        .cidrIp(range)
                                        .description("each other, and the function")
                                        .build()))
                .securityGroupEgress(
                        List.of(
                                egress(range, 443, 443, "endpoints"),
                                egress(
                                        range,
                                        Math.min(node.apiPort(), node.clusterPort()),
                                        Math.max(node.apiPort(), node.clusterPort()),
                                        "each other")))
                .build();
    }

    private static CfnSecurityGroup.EgressProperty egress(
            String range, int low, int high, String what) {
        return CfnSecurityGroup.EgressProperty.builder()
                .ipProtocol("tcp")
                .fromPort(low)
                .toPort(high)
                .cidrIp(range)
                .description(what)
                .build();
    }

    /** The function that does the phases. */
    public VaultDrFunction function() {
        return function;
    }

    /** Tears down also after an execution that ended in none of its own ways. */
    public void tearDownAfter(IStateMachine machine, Names names) {
        Map<String, Object> input = new TreeMap<>();
        input.put("phase", "tear_down");
        input.put("execution", EventField.fromPath("$.detail.executionArn"));
        input.put("startedAt", EventField.fromPath("$.time"));
        input.put("state", Map.of());
        Map<String, Object> ended = new TreeMap<>();
        ended.put("stateMachineArn", List.of(machine.getStateMachineArn()));
        ended.put("status", List.of("ABORTED", "FAILED", "TIMED_OUT"));
        Rule.Builder.create(this, "Ended")
                .ruleName(names.of("drill-ended"))
                .description("Ends a drill's instances when its execution was ended")
                .eventPattern(
                        EventPattern.builder()
                                .source(List.of("aws.states"))
                                .detailType(List.of("Step Functions Execution Status Change"))
                                .detail(ended)
                                .build())
                .targets(
                        List.of(
                                LambdaFunction.Builder.create(function.alias("live"))
                                        .event(RuleTargetInput.fromObject(input))
                                        .retryAttempts(2)
                                        .maxEventAge(Times.minutes(60))
                                        .build()))
                .build();
    }
}
