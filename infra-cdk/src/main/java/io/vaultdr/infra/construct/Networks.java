package io.vaultdr.infra.construct;

import io.vaultdr.infra.config.Config.Network;

import software.amazon.awscdk.Annotations;
import software.amazon.awscdk.services.ec2.ISubnet;
import software.amazon.awscdk.services.ec2.IVpc;
import software.amazon.awscdk.services.ec2.Subnet;
import software.amazon.awscdk.services.ec2.SubnetSelection;
import software.amazon.awscdk.services.ec2.SubnetType;
import software.amazon.awscdk.services.ec2.Vpc;
import software.amazon.awscdk.services.ec2.VpcAttributes;
import software.amazon.awscdk.services.ec2.VpcLookupOptions;
import software.constructs.Construct;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The networks of one stack, each known once; they exist and are only named here. */
public final class Networks {
    private final Construct scope;
    private final Map<Network, IVpc> vpcs = new HashMap<>();

    public Networks(Construct scope) {
        this.scope = scope;
    }

    /** The VPC, looked up at deployment where the configuration names no subnets. */
    public IVpc vpc(Network network) {
        return vpcs.computeIfAbsent(
                network,
                key ->
                        network.subnets().isEmpty()
                                ? Vpc.fromLookup(
                                        scope,
                                        network.vpc(),
                                        VpcLookupOptions.builder().vpcId(network.vpc()).build())
                                : Vpc.fromVpcAttributes(
                                        scope,
                                        network.vpc(),
                                        VpcAttributes.builder()
                                                .vpcId(network.vpc())
                                                // Wanted by the construct, used by nothing here.
                                                .availabilityZones(List.of("any"))
                                                .build()));
    }

    /** The subnets that a function stands in. */
    public SubnetSelection subnets(Network network) {
        if (network.subnets().isEmpty()) {
            return SubnetSelection.builder().subnetType(SubnetType.PRIVATE_WITH_EGRESS).build();
        }
        List<ISubnet> subnets = new ArrayList<>();
        for (String id : network.subnets()) {
            ISubnet subnet =
                    scope.getNode().tryFindChild(id) instanceof ISubnet known ? known : subnet(id);
            subnets.add(subnet);
        }
        return SubnetSelection.builder().subnets(subnets).build();
    }

    private ISubnet subnet(String id) {
        ISubnet subnet = Subnet.fromSubnetId(scope, id, id);
        Annotations.of(subnet)
                .acknowledgeWarning(
                        "@aws-cdk/aws-ec2:noSubnetRouteTableId", "Nothing here makes routes");
        return subnet;
    }
}
