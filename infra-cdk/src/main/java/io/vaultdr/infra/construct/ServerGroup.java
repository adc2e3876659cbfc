package io.vaultdr.infra.construct;

import io.github.cdklabs.cdknag.NagPackSuppression;
import io.github.cdklabs.cdknag.NagSuppressions;
import io.vaultdr.infra.config.Config.Pair;
import io.vaultdr.infra.config.Config.Servers;
import io.vaultdr.infra.config.Names;
import io.vaultdr.infra.config.NodeSettings;
import io.vaultdr.infra.iam.Allowance;
import io.vaultdr.infra.iam.NodePolicy;
import io.vaultdr.model.Side;
import io.vaultdr.runtime.PairSettings.Tag;

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
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

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

    /**
     * What groups differ in.
     *
     * @param name of the group and its template
     * @param role the name of its instances' role
     * @param parameter the path of its nodes' settings
     * @param node what that says
     * @param fewest how many instances there always are
     * @param subnets the ids of where they stand
     * @param balancer who sends clients to them; empty: nobody does
     * @param tended whether hooks hold an instance until its node votes, and until it may go
     * @param reserved the zones in which instances are reserved
     */
    public record Props(
            String name,
            String role,
            String parameter,
            Tag tag,
            NodeSettings node,
            int fewest,
            List<String> subnets,
            Optional<LoadBalancer> balancer,
            CfnSecurityGroup security,
            boolean tended,
            Set<String> reserved) {

        /** The cluster of a side. */
        public static Props of(
                Names names,
                Pair pair,
                Side side,
                NodeSettings node,
                NodeSubnets subnets,
                LoadBalancer balancer,
                CfnSecurityGroup security) {
            boolean reserved =
                    side == Side.DR && pair.servers().orElseThrow().capacityReservation();
            return new Props(
                    names.group(side),
                    names.nodeRole(node.region()),
                    names.nodeSettings(side),
                    Names.instances(names.pair(), side),
                    node,
                    pair.fewest(side),
                    subnets.ids(),
                    Optional.of(balancer),
                    security,
                    true,
                    reserved ? pair.drCluster().made().orElseThrow().subnets().keySet() : Set.of());
        }
    }

    /** A group whose instances may do what a node needs. */
    public ServerGroup(Construct scope, String id, Names names, Pair pair, Props props) {
        this(scope, id, names, pair, props, List.of());
    }

    /** A group whose instances may do {@code more} than a node needs. */
    public ServerGroup(
            Construct scope, String id, Names names, Pair pair, Props props, List<Allowance> more) {
        super(scope, id);
        Servers servers = pair.servers().orElseThrow();
        role =
                Roles.role(
                        this,
                        "Role",
                        props.role(),
                        "ec2.amazonaws.com",
                        Stream.concat(
                                        new NodePolicy(names, props.parameter(), props.node())
                                                .allowances().stream(),
                                        more.stream())
                                .toList());
        CfnInstanceProfile profile =
                CfnInstanceProfile.Builder.create(this, "Profile")
                        .instanceProfileName(props.role())
                        .roles(List.of(role.getRoleName()))
                        .build();
        template = template(names, props, servers, profile);
        Lint.accept(
                template,
                "E1152",
                "EC2 looks the parameter up at each launch; the rule knows ids only");
        group =
                CfnAutoScalingGroup.Builder.create(this, "Group")
                        .autoScalingGroupName(props.name())
                        .minSize(String.valueOf(props.fewest()))
                        // One more, for the node that takes another's place.
                        .maxSize(String.valueOf(servers.nodes() + 1))
                        .vpcZoneIdentifier(props.subnets())
                        .launchTemplate(
                                CfnAutoScalingGroup.LaunchTemplateSpecificationProperty.builder()
                                        .launchTemplateId(template.getRef())
                                        .version(template.getAttrLatestVersionNumber())
                                        .build())
                        .targetGroupArns(
                                props.balancer()
                                        .map(it -> List.of(it.targets().getRef()))
                                        .orElse(null))
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
                        .lifecycleHookSpecificationList(props.tended() ? hooks(names) : null)
                        .metricsCollection(
                                List.of(
                                        CfnAutoScalingGroup.MetricsCollectionProperty.builder()
                                                .granularity("1Minute")
                                                .build()))
                        .build();
        if (!props.reserved().isEmpty()) {
            reserve(props.reserved(), pair.reservedPerZone(), servers);
        }
        props.balancer().ifPresent(it -> group.getNode().addDependency(it.listener()));
        Map<String, String> tags =
                Map.of(
                        "Name",
                        props.name(),
                        Names.NODE_TAG,
                        props.parameter(),
                        props.tag().key(),
                        props.tag().value());
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
                                        "Functions hear of every launch and termination and page"
                                                + " where a person is needed")
                                .build()));
    }

    private static List<CfnAutoScalingGroup.LifecycleHookSpecificationProperty> hooks(Names names) {
        return List.of(
                hook(names.launchHook(), "LAUNCHING", "ABANDON"),
                hook(names.terminationHook(), "TERMINATING", "CONTINUE"));
    }

    private CfnLaunchTemplate template(
            Names names, Props props, Servers servers, CfnInstanceProfile profile) {
        return CfnLaunchTemplate.Builder.create(this, "Template")
                .launchTemplateName(props.name())
                .launchTemplateData(
                        CfnLaunchTemplate.LaunchTemplateDataProperty.builder()
                                .imageId("resolve:ssm:" + names.image())
                                .instanceType(servers.instanceType())
                                .iamInstanceProfile(
                                        CfnLaunchTemplate.IamInstanceProfileProperty.builder()
                                                .arn(profile.getAttrArn())
                                                .build())
                                .securityGroupIds(List.of(props.security().getAttrGroupId()))
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
    private void reserve(Set<String> zones, int perZone, Servers servers) {
        List<String> reserved =
                zones.stream()
                        .map(
                                zone ->
                                        CfnCapacityReservation.Builder.create(
                                                        this, "Reserved-" + zone)
                                                .availabilityZone(zone)
                                                .instanceCount(perZone)
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

    /** What its instances may do. */
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
