package io.vaultdr.infra.construct;

import io.vaultdr.infra.config.Cidr;
import io.vaultdr.infra.config.Config.Cluster;
import io.vaultdr.infra.config.Config.Destination;
import io.vaultdr.infra.config.Config.Made;
import io.vaultdr.infra.config.NodeSettings;

import software.amazon.awscdk.services.ec2.CfnSecurityGroup;
import software.amazon.awscdk.services.ec2.CfnSecurityGroupEgress;
import software.amazon.awscdk.services.ec2.CfnSecurityGroupIngress;
import software.constructs.Construct;

import java.util.ArrayList;
import java.util.List;

/**
 * Who talks to whom around a made cluster: clients and functions to the balancer, the balancer and
 * functions to nodes, nodes to each other, to AWS and to what their engines serve.
 */
public final class NodeSecurity extends Construct {
    private static final String TCP = "tcp";
    private static final int HTTPS = 443;

    private final CfnSecurityGroup balancer;
    private final CfnSecurityGroup nodes;

    public NodeSecurity(Construct scope, String id, String name, Cluster cluster) {
        super(scope, id);
        Made made = cluster.made().orElseThrow();
        int port = cluster.address().getPort();
        List<CfnSecurityGroup.EgressProperty> out = new ArrayList<>();
        out.add(to("0.0.0.0/0", HTTPS, "AWS"));
        for (Destination reached : made.reaches()) {
            out.add(to(reached.range().toString(), reached.port(), "what an engine serves"));
        }
        nodes =
                CfnSecurityGroup.Builder.create(this, "Nodes")
                        .groupName(name + "-nodes")
                        .groupDescription("Nodes of " + name)
                        .vpcId(cluster.network().vpc())
                        .securityGroupIngress(from(made.functions(), port, "functions"))
                        .securityGroupEgress(out)
                        .build();
        List<CfnSecurityGroup.IngressProperty> in = new ArrayList<>();
        in.addAll(from(made.clients(), port, "clients"));
        made.functions().stream()
                .filter(range -> !made.clients().contains(range))
                .forEach(range -> in.add(from(range, port, "functions")));
        balancer =
                CfnSecurityGroup.Builder.create(this, "Balancer")
                        .groupName(name + "-balancer")
                        .groupDescription("Balancer of " + name)
                        .vpcId(cluster.network().vpc())
                        .securityGroupIngress(in)
                        .securityGroupEgress(
                                List.of(
                                        CfnSecurityGroup.EgressProperty.builder()
                                                .ipProtocol(TCP)
                                                .fromPort(port)
                                                .toPort(port)
                                                .destinationSecurityGroupId(nodes.getAttrGroupId())
                                                .description("nodes and their health")
                                                .build()))
                        .build();
        between("FromBalancer", balancer, port, port, "clients and health checks");
        between("FromNodes", nodes, port, NodeSettings.CLUSTER_PORT, "joining and Raft");
        CfnSecurityGroupEgress.Builder.create(this, "ToNodes")
                .groupId(nodes.getAttrGroupId())
                .ipProtocol(TCP)
                .fromPort(port)
                .toPort(NodeSettings.CLUSTER_PORT)
                .destinationSecurityGroupId(nodes.getAttrGroupId())
                .description("joining and Raft")
                .build();
    }

    private void between(String id, CfnSecurityGroup source, int low, int high, String why) {
        CfnSecurityGroupIngress.Builder.create(this, id)
                .groupId(nodes.getAttrGroupId())
                .ipProtocol(TCP)
                .fromPort(low)
                .toPort(high)
                .sourceSecurityGroupId(source.getAttrGroupId())
                .description(why)
                .build();
    }

    private static List<CfnSecurityGroup.IngressProperty> from(
            List<Cidr> ranges, int port, String who) {
        return ranges.stream().map(range -> from(range, port, who)).toList();
    }

    private static CfnSecurityGroup.IngressProperty from(Cidr range, int port, String who) {
        return CfnSecurityGroup.IngressProperty.builder()
                .ipProtocol(TCP)
                .fromPort(port)
                .toPort(port)
                .cidrIp(range.toString())
                .description(who)
                .build();
    }

    private static CfnSecurityGroup.EgressProperty to(String range, int port, String what) {
        return CfnSecurityGroup.EgressProperty.builder()
                .ipProtocol(TCP)
                .fromPort(port)
                .toPort(port)
                .cidrIp(range)
                .description(what)
                .build();
    }

    /** The balancer's group. */
    public CfnSecurityGroup balancer() {
        return balancer;
    }

    /** The nodes' group. */
    public CfnSecurityGroup nodes() {
        return nodes;
    }
}
