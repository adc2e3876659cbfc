package io.vaultdr.infra.construct;

import io.github.cdklabs.cdknag.NagPackSuppression;
import io.github.cdklabs.cdknag.NagSuppressions;
import io.vaultdr.infra.config.Config.Cluster;
import io.vaultdr.infra.config.Config.Made;

import software.amazon.awscdk.services.cloudwatch.IMetric;
import software.amazon.awscdk.services.cloudwatch.Metric;
import software.amazon.awscdk.services.ec2.CfnSecurityGroup;
import software.amazon.awscdk.services.elasticloadbalancingv2.CfnListener;
import software.amazon.awscdk.services.elasticloadbalancingv2.CfnLoadBalancer;
import software.amazon.awscdk.services.elasticloadbalancingv2.CfnTargetGroup;
import software.amazon.awscdk.services.route53.CfnRecordSet;
import software.constructs.Construct;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The internal balancer in front of a made cluster, and the record of its address. TLS passes
 * through, so that only servers hold the key. By its health check only a node that leads or stands
 * by gets clients: not one that is sealed, blank, cut off from its leader, or of a DR secondary.
 * Where no target is healthy it sends to all of them, by which functions reach a blank cluster;
 * clients are kept from it by the record that they use.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-health-checks.html">Health
 *     checks of a Network Load Balancer</a>
 */
public final class LoadBalancer extends Construct {
    /** The only path that tells who may get clients; a performance standby answers 200 too. */
    static final String HEALTH = "/v1/sys/health?standbyok=true&perfstandbyok=true";

    private static final int INTERVAL_SECONDS = 10;
    private static final int TIMEOUT_SECONDS = 6;
    private static final int IN_A_ROW = 2;
    private static final int DEREGISTRATION_SECONDS = 15;

    private final CfnLoadBalancer balancer;
    private final CfnTargetGroup targets;
    private final CfnListener listener;

    /**
     * @param name at most 32 characters
     * @param group its security group
     */
    public LoadBalancer(
            Construct scope,
            String id,
            String name,
            Cluster cluster,
            NodeSubnets subnets,
            CfnSecurityGroup group) {
        super(scope, id);
        Made made = cluster.made().orElseThrow();
        int port = cluster.address().getPort();
        balancer =
                CfnLoadBalancer.Builder.create(this, "Balancer")
                        .name(name)
                        .type("network")
                        .scheme("internal")
                        .ipAddressType("ipv4")
                        .subnets(subnets.ids())
                        .securityGroups(List.of(group.getAttrGroupId()))
                        .loadBalancerAttributes(
                                attributes(
                                        Map.of(
                                                "deletion_protection.enabled",
                                                "true",
                                                "load_balancing.cross_zone.enabled",
                                                "true")))
                        .build();
        NagSuppressions.addResourceSuppressions(
                balancer,
                List.of(
                        NagPackSuppression.builder()
                                .id("AwsSolutions-ELB2")
                                .reason(
                                        "A network balancer logs TLS that it ends itself, and ends"
                                                + " none here; who asked for what stands in the"
                                                + " servers' audit log")
                                .build()));
        targets =
                CfnTargetGroup.Builder.create(this, "Targets")
                        .name(name)
                        .vpcId(cluster.network().vpc())
                        .targetType("instance")
                        .protocol("TCP")
                        .port(port)
                        .healthCheckEnabled(true)
                        .healthCheckProtocol("HTTPS")
                        .healthCheckPort("traffic-port")
                        .healthCheckPath(HEALTH)
                        .matcher(CfnTargetGroup.MatcherProperty.builder().httpCode("200").build())
                        .healthCheckIntervalSeconds(INTERVAL_SECONDS)
                        .healthCheckTimeoutSeconds(TIMEOUT_SECONDS)
                        .healthyThresholdCount(IN_A_ROW)
                        .unhealthyThresholdCount(IN_A_ROW)
                        .targetGroupAttributes(
                                targetAttributes(
                                        Map.of(
                                                "deregistration_delay.timeout_seconds",
                                                String.valueOf(DEREGISTRATION_SECONDS),
                                                "deregistration_delay.connection_termination.enabled",
                                                "true",
                                                // A node that was sealed loses its clients.
                                                "target_health_state.unhealthy.connection_termination.enabled",
                                                "true",
                                                // The audit log names clients, not the balancer.
                                                "preserve_client_ip.enabled",
                                                "true")))
                        .build();
        listener =
                CfnListener.Builder.create(this, "Listener")
                        .loadBalancerArn(balancer.getRef())
                        .protocol("TCP")
                        .port(port)
                        .defaultActions(
                                List.of(
                                        CfnListener.ActionProperty.builder()
                                                .type("forward")
                                                .targetGroupArn(targets.getRef())
                                                .build()))
                        .build();
        CfnRecordSet.Builder.create(this, "Address")
                .hostedZoneId(made.zone())
                .name(cluster.address().getHost())
                .type("A")
                .aliasTarget(
                        CfnRecordSet.AliasTargetProperty.builder()
                                .dnsName(balancer.getAttrDnsName())
                                .hostedZoneId(balancer.getAttrCanonicalHostedZoneId())
                                .evaluateTargetHealth(false)
                                .build())
                .build();
    }

    /** How many of its targets are unhealthy. */
    public IMetric unhealthyTargets() {
        return Metric.Builder.create()
                .namespace("AWS/NetworkELB")
                .metricName("UnHealthyHostCount")
                .dimensionsMap(
                        new TreeMap<>(
                                Map.of(
                                        "LoadBalancer",
                                        balancer.getAttrLoadBalancerFullName(),
                                        "TargetGroup",
                                        targets.getAttrTargetGroupFullName())))
                .statistic("Maximum")
                .period(Times.minutes(1))
                .build();
    }

    private static List<CfnLoadBalancer.LoadBalancerAttributeProperty> attributes(
            Map<String, String> values) {
        return new TreeMap<>(values)
                .entrySet().stream()
                        .map(
                                it ->
                                        CfnLoadBalancer.LoadBalancerAttributeProperty.builder()
                                                .key(it.getKey())
                                                .value(it.getValue())
                                                .build())
                        .toList();
    }

    private static List<CfnTargetGroup.TargetGroupAttributeProperty> targetAttributes(
            Map<String, String> values) {
        return new TreeMap<>(values)
                .entrySet().stream()
                        .map(
                                it ->
                                        CfnTargetGroup.TargetGroupAttributeProperty.builder()
                                                .key(it.getKey())
                                                .value(it.getValue())
                                                .build())
                        .toList();
    }

    /** The targets that a group registers its instances with. */
    public CfnTargetGroup targets() {
        return targets;
    }

    /** What has to be there before a target is looked at. */
    public CfnListener listener() {
        return listener;
    }
}
