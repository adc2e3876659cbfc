package io.vaultdr.infra.construct;

import io.github.cdklabs.cdknag.NagPackSuppression;
import io.github.cdklabs.cdknag.NagSuppressions;
import io.vaultdr.infra.config.Cidr;
import io.vaultdr.infra.config.Config.Destination;
import io.vaultdr.infra.config.Config.Made;

import software.amazon.awscdk.CfnResource;
import software.amazon.awscdk.CfnTag;
import software.amazon.awscdk.services.ec2.CfnNetworkAcl;
import software.amazon.awscdk.services.ec2.CfnNetworkAclEntry;
import software.amazon.awscdk.services.ec2.CfnSubnet;
import software.amazon.awscdk.services.ec2.CfnSubnetNetworkAclAssociation;
import software.amazon.awscdk.services.ec2.CfnSubnetRouteTableAssociation;
import software.constructs.Construct;

import java.util.ArrayList;
import java.util.List;

/**
 * Subnets for nodes and their balancer and for nothing else, one in each zone, under a network ACL
 * of their own. A security group doesn't end connections that exist already; an ACL does, so this
 * is where a fence cuts: rules below {@value #FIRST} are left to it.
 */
public final class NodeSubnets extends Construct {
    /** The first number that is taken here. */
    public static final int FIRST = 100;

    private static final int STEP = 100;

    /** What Linux takes for the near end of a connection. */
    private static final int[] EPHEMERAL = {32_768, 60_999};

    /** What any client takes for it. */
    private static final int[] ABOVE_SYSTEM = {1_024, 65_535};

    private static final int[] ALL = {0, 65_535};
    private static final int HTTPS = 443;
    private static final String TCP = "6";
    private static final Cidr ANYWHERE = new Cidr(0, 0);

    private final List<String> ids = new ArrayList<>();
    private final CfnNetworkAcl acl;

    public NodeSubnets(
            Construct scope, String id, String name, String vpc, Made made, int apiPort) {
        super(scope, id);
        acl =
                CfnNetworkAcl.Builder.create(this, "Acl")
                        .vpcId(vpc)
                        .tags(List.of(CfnTag.builder().key("Name").value(name).build()))
                        .build();
        explain(acl);
        made.subnets()
                .forEach(
                        (zone, range) -> {
                            CfnSubnet subnet =
                                    CfnSubnet.Builder.create(this, "Subnet-" + zone)
                                            .vpcId(vpc)
                                            .availabilityZone(zone)
                                            .cidrBlock(range.toString())
                                            .mapPublicIpOnLaunch(false)
                                            .tags(
                                                    List.of(
                                                            CfnTag.builder()
                                                                    .key("Name")
                                                                    .value(name + "-" + zone)
                                                                    .build()))
                                            .build();
                            Lint.accept(
                                    subnet,
                                    "W3010",
                                    "The configuration names zones, and the addresses of each");
                            ids.add(subnet.getRef());
                            CfnSubnetRouteTableAssociation.Builder.create(this, "Route-" + zone)
                                    .subnetId(subnet.getRef())
                                    .routeTableId(made.routeTables().get(zone))
                                    .build();
                            CfnSubnetNetworkAclAssociation.Builder.create(this, "Acl-" + zone)
                                    .subnetId(subnet.getRef())
                                    .networkAclId(acl.getRef())
                                    .build();
                        });
        List<Cidr> nodes = List.copyOf(made.subnets().values());
        int[] api = {apiPort, apiPort};
        int[] https = {HTTPS, HTTPS};

        rules(false, "Clients", FIRST, made.clients(), api);
        rules(false, "Functions", FIRST + STEP, made.functions(), api);
        rules(false, "Nodes", FIRST + 2 * STEP, nodes, ALL);
        rules(false, "Answers", FIRST + 3 * STEP, List.of(ANYWHERE), EPHEMERAL);

        rules(true, "Clients", FIRST, made.clients(), ABOVE_SYSTEM);
        rules(true, "Functions", FIRST + STEP, made.functions(), ABOVE_SYSTEM);
        rules(true, "Nodes", FIRST + 2 * STEP, nodes, ALL);
        rules(true, "Aws", FIRST + 3 * STEP, List.of(ANYWHERE), https);
        for (int i = 0; i < made.reaches().size(); i++) {
            Destination to = made.reaches().get(i);
            int[] port = {to.port(), to.port()};
            rule(true, "Reaches" + i, FIRST + 4 * STEP + i, to.range(), port);
        }
    }

    private void rules(boolean out, String what, int number, List<Cidr> ranges, int[] ports) {
        for (int i = 0; i < ranges.size(); i++) {
            rule(out, what + i, number + i, ranges.get(i), ports);
        }
    }

    private void rule(boolean out, String what, int number, Cidr range, int[] ports) {
        CfnNetworkAclEntry entry =
                CfnNetworkAclEntry.Builder.create(this, (out ? "To" : "From") + what)
                        .networkAclId(acl.getRef())
                        .egress(out)
                        .ruleNumber(number)
                        .protocol(Integer.parseInt(TCP))
                        .ruleAction("allow")
                        .cidrBlock(range.toString())
                        .portRange(
                                CfnNetworkAclEntry.PortRangeProperty.builder()
                                        .from(ports[0])
                                        .to(ports[1])
                                        .build())
                        .build();
        explain(entry);
    }

    private static void explain(CfnResource cut) {
        NagSuppressions.addResourceSuppressions(
                cut,
                List.of(
                        NagPackSuppression.builder()
                                .id("AwsSolutions-VPC3")
                                .reason(
                                        "A security group leaves connections that exist: only an"
                                                + " ACL cuts a node off at once, and each of its"
                                                + " rules has a security group's beside it")
                                .build()));
    }

    /** The subnets' ids, by zone. */
    public List<String> ids() {
        return List.copyOf(ids);
    }
}
