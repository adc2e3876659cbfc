package io.vaultdr.infra.construct;

import io.github.cdklabs.cdknag.NagPackSuppression;
import io.github.cdklabs.cdknag.NagSuppressions;
import io.vaultdr.infra.config.Config.Pair;
import io.vaultdr.infra.config.Config.Servers;
import io.vaultdr.infra.config.Names;
import io.vaultdr.infra.config.NodeSettings;
import io.vaultdr.infra.iam.NodePolicy;
import io.vaultdr.model.Side;

import software.amazon.awscdk.TagProps;
import software.amazon.awscdk.Tags;
import software.amazon.awscdk.services.autoscaling.CfnAutoScalingGroup;
import software.amazon.awscdk.services.ec2.CfnCapacityReservation;
import software.amazon.awscdk.services.ec2.CfnLaunchTemplate;
import software.amazon.awscdk.services.ec2.CfnSecurityGroup;
import software.amazon.awscdk.services.iam.CfnInstanceProfile;
import software.amazon.awscdk.services.iam.Role;
import software.constructs.Construct;

import java.util.List;
import java.util.Map;

/**
 * The instances of a made cluster. How many there are is never said here, only how few there may
 * be: a deployment that named a size would shrink a DR cluster that serves. Only EC2's own checks
 * make the group replace an instance, since a standby or a sealed node is in good health; what a
 * node's server says counts with the balancer and the hooks.
 *
 * <p>The image comes from the parameter {@link Names#image}, looked up at each launch. It boots by
 * itself: there is no user data, and a tag names what a node is told.
 */
public final class ServerGroup extends Construct {
    /** Longer than a node takes to boot and vote; whoever looks after hooks asks for more. */
    private static final int HEARTBEAT_SECONDS = 900;

    private final Role role;
    private final CfnAutoScalingGroup group;
    private final CfnLaunchTemplate template;

    public ServerGroup(
            Construct scope,
            String id,
            Names names,
            Pair pair,
            Side side,
            NodeSettings node,
            NodeSubnets subnets,
            LoadBalancer balancer,
            CfnSecurityGroup security) {
        super(scope, id);
        Servers servers = pair.servers().orElseThrow();
        role =
                Roles.role(
                        this,
                        "Role",
                        names.nodeRole(node.region()),
                        "ec2.amazonaws.com",
                        new NodePolicy(names, side, node).allowances());
        CfnInstanceProfile profile =
                CfnInstanceProfile.Builder.create(this, "Profile")
                        .instanceProfileName(names.nodeRole(node.region()))
                        .roles(List.of(role.getRoleName()))
                        .build();
        template = template(names, side, servers, profile, security);
        Lint.accept(
                template,
                "E1152",
                "EC2 looks the parameter up at each launch; the rule knows ids only");
        group =
                CfnAutoScalingGroup.Builder.create(this, "Group")
                        .autoScalingGroupName(names.group(side))
                        .minSize(String.valueOf(pair.fewest(side)))
                        // One more, for the node that takes another's place.
                        .maxSize(String.valueOf(servers.nodes() + 1))
                        .vpcZoneIdentifier(subnets.ids())
                        .launchTemplate(
                                CfnAutoScalingGroup.LaunchTemplateSpecificationProperty.builder()
                                        .launchTemplateId(template.getRef())
                                        .version(template.getAttrLatestVersionNumber())
                                        .build())
                        .targetGroupArns(List.of(balancer.targets().getRef()))
                        .healthCheckType("EC2")
                        .healthCheckGracePeriod(0)
                        .instanceMaintenancePolicy(
                                CfnAutoScalingGroup.InstanceMaintenancePolicyProperty.builder()
                                        // The new one votes before the old one goes.
                                        .minHealthyPercentage(100)
                                        .maxHealthyPercentage(
                                                Math.ceilDiv(
                                                        (servers.nodes() + 1) * 100,
                                                        servers.nodes()))
                                        .build())
                        .lifecycleHookSpecificationList(
                                List.of(
                                        hook(names.launchHook(), "LAUNCHING", "ABANDON"),
                                        hook(names.terminationHook(), "TERMINATING", "CONTINUE")))
                        .metricsCollection(
                                List.of(
                                        CfnAutoScalingGroup.MetricsCollectionProperty.builder()
                                                .granularity("1Minute")
                                                .build()))
                        .build();
        if (side == Side.DR && servers.capacityReservation()) {
            reserve(pair, servers);
        }
        group.getNode().addDependency(balancer.listener());
        Map<String, String> tags =
                Map.of(
                        "Name",
                        names.group(side),
                        Names.NODE_TAG,
                        names.nodeSettings(side),
                        Names.instances(names.pair(), side).key(),
                        Names.instances(names.pair(), side).value());
        tags.forEach(
                (key, value) ->
                        // Over the tag of that key that the whole stack has.
                        Tags.of(group)
                                .add(
                                        key,
                                        value,
                                        TagProps.builder()
                                                .priority(200)
                                                .applyToLaunchedInstances(true)
                                                .build()));
        NagSuppressions.addResourceSuppressions(
                group,
                List.of(
                        NagPackSuppression.builder()
                                .id("AwsSolutions-AS3")
                                .reason(
                                        "RetirePeer hears of every launch and termination by"
                                                + " EventBridge and pages where a person is"
                                                + " needed")
                                .build()));
    }

    private CfnLaunchTemplate template(
            Names names,
            Side side,
            Servers servers,
            CfnInstanceProfile profile,
            CfnSecurityGroup security) {
        return CfnLaunchTemplate.Builder.create(this, "Template")
                .launchTemplateName(names.group(side))
                .launchTemplateData(
                        CfnLaunchTemplate.LaunchTemplateDataProperty.builder()
                                .imageId("resolve:ssm:" + names.image())
                                .instanceType(servers.instanceType())
                                .iamInstanceProfile(
                                        CfnLaunchTemplate.IamInstanceProfileProperty.builder()
                                                .arn(profile.getAttrArn())
                                                .build())
                                .securityGroupIds(List.of(security.getAttrGroupId()))
                                .metadataOptions(
                                        CfnLaunchTemplate.MetadataOptionsProperty.builder()
                                                .httpEndpoint("enabled")
                                                .httpTokens("required")
                                                .httpPutResponseHopLimit(1)
                                                .instanceMetadataTags("enabled")
                                                .build())
                                .blockDeviceMappings(
                                        List.of(
                                                CfnLaunchTemplate.BlockDeviceMappingProperty
                                                        .builder()
                                                        .deviceName("/dev/xvda")
                                                        .ebs(
                                                                CfnLaunchTemplate.EbsProperty
                                                                        .builder()
                                                                        .encrypted(true)
                                                                        .volumeType("gp3")
                                                                        .volumeSize(
                                                                                servers.volumeGiB())
                                                                        .deleteOnTermination(true)
                                                                        .build())
                                                        .build()))
                                .monitoring(
                                        CfnLaunchTemplate.MonitoringProperty.builder()
                                                .enabled(true)
                                                .build())
                                .build())
                .build();
    }

    /** In each zone as many as the group puts there, for instances of this group only. */
    private void reserve(Pair pair, Servers servers) {
        var zones = pair.drCluster().made().orElseThrow().subnets().keySet();
        List<String> reserved =
                zones.stream()
                        .map(
                                zone ->
                                        CfnCapacityReservation.Builder.create(
                                                        this, "Reserved-" + zone)
                                                .availabilityZone(zone)
                                                .instanceCount(pair.reservedPerZone())
                                                .instancePlatform("Linux/UNIX")
                                                .instanceType(servers.instanceType())
                                                .instanceMatchCriteria("targeted")
                                                .endDateType("unlimited")
                                                .build()
                                                .getRef())
                        .toList();
        group.setCapacityReservationSpecification(
                CfnAutoScalingGroup.CapacityReservationSpecificationProperty.builder()
                        // What isn't reserved any more is launched all the same.
                        .capacityReservationPreference("capacity-reservations-first")
                        .capacityReservationTarget(
                                CfnAutoScalingGroup.CapacityReservationTargetProperty.builder()
                                        .capacityReservationIds(reserved)
                                        .build())
                        .build());
    }

    private static CfnAutoScalingGroup.LifecycleHookSpecificationProperty hook(
            String name, String transition, String otherwise) {
        return CfnAutoScalingGroup.LifecycleHookSpecificationProperty.builder()
                .lifecycleHookName(name)
                .lifecycleTransition("autoscaling:EC2_INSTANCE_" + transition)
                .heartbeatTimeout(HEARTBEAT_SECONDS)
                .defaultResult(otherwise)
                .build();
    }

    /** What its instances may do; who watches them adds what that needs. */
    public Role role() {
        return role;
    }

    /** The group itself. */
    public CfnAutoScalingGroup group() {
        return group;
    }

    /** What its instances start from. */
    public CfnLaunchTemplate template() {
        return template;
    }
}
