package io.vaultdr.infra.construct;

import software.amazon.awscdk.Annotations;
import software.amazon.awscdk.CfnResource;
import software.amazon.awscdk.IAspect;
import software.constructs.IConstruct;

import java.util.Map;

/**
 * Refuses at synthesis what would let the servers of a drill reach production or clients, or be
 * reached by them: a restored copy that reaches a database revokes the leases of the original
 * there, and one that a client reaches takes writes that nobody keeps.
 */
public final class NoWayOut implements IAspect {
    /** Each with what it would open. */
    private static final Map<String, String> REFUSED =
            Map.ofEntries(
                    Map.entry("AWS::EC2::InternetGateway", "the internet"),
                    Map.entry("AWS::EC2::EgressOnlyInternetGateway", "the internet"),
                    Map.entry("AWS::EC2::VPCGatewayAttachment", "the internet or a VPN"),
                    Map.entry("AWS::EC2::NatGateway", "the internet"),
                    Map.entry("AWS::EC2::EIP", "the internet"),
                    Map.entry("AWS::EC2::Route", "other networks"),
                    Map.entry("AWS::EC2::VPCPeeringConnection", "another VPC"),
                    Map.entry("AWS::EC2::TransitGatewayAttachment", "other VPCs"),
                    Map.entry("AWS::EC2::TransitGatewayVpcAttachment", "other VPCs"),
                    Map.entry("AWS::EC2::VPNGateway", "other networks"),
                    Map.entry("AWS::EC2::VPNConnection", "other networks"),
                    Map.entry("AWS::ElasticLoadBalancingV2::LoadBalancer", "clients"),
                    Map.entry("AWS::ElasticLoadBalancingV2::TargetGroup", "clients"),
                    Map.entry("AWS::Route53::RecordSet", "clients"));

    @Override
    public void visit(IConstruct node) {
        if (node instanceof CfnResource resource) {
            String type = resource.getCfnResourceType();
            String opens = REFUSED.get(type);
            if (opens != null) {
                Annotations.of(node)
                        .addError(
                                "A drill's servers may reach nothing but their endpoints; "
                                        + type
                                        + " would open a way to "
                                        + opens
                                        + ". Take it out of the drill's network.");
            }
        }
    }
}
