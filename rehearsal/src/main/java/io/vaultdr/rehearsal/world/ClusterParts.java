package io.vaultdr.rehearsal.world;

import com.fasterxml.jackson.databind.JsonNode;

import io.vaultdr.rehearsal.world.GroupSpec.Hook;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.StreamSupport;

/**
 * What one stack says of a cluster's machines, put together from the resources that only refer to
 * one another: group, hooks, launch template and subnets; load balancer, listener and target group.
 * Shapes that our templates don't have are refused.
 */
final class ClusterParts {
    private final String stack;
    private final String region;
    private final Map<String, String> zones = new HashMap<>();
    private final Map<String, JsonNode> launchTemplates = new HashMap<>();
    private final Map<String, String> profiles = new HashMap<>();
    private final Map<String, JsonNode> targetGroups = new HashMap<>();
    private final Map<String, String[]> loadBalancers = new HashMap<>();
    private final Map<String, JsonNode> groups = new LinkedHashMap<>();
    private final List<JsonNode> hooks = new ArrayList<>();
    private final List<JsonNode> listeners = new ArrayList<>();

    ClusterParts(String stack, String region) {
        this.stack = stack;
        this.region = region;
    }

    void subnet(String ref, JsonNode p) {
        zones.put(ref, p.path("AvailabilityZone").asText());
    }

    void launchTemplate(String ref, JsonNode p) {
        launchTemplates.put(ref, p.path("LaunchTemplateData"));
    }

    /** The role that an instance profile gives. */
    void profile(String arn, JsonNode p) {
        profiles.put(arn, p.path("Roles").path(0).asText());
    }

    void group(String name, JsonNode p) {
        groups.put(name, p);
    }

    void hook(JsonNode p) {
        hooks.add(p);
    }

    void targetGroup(String arn, JsonNode p) {
        targetGroups.put(arn, p);
    }

    void loadBalancer(String arn, String name, String dnsName, JsonNode p) {
        expect(p, "Type", "network");
        loadBalancers.put(arn, new String[] {name, dnsName});
    }

    void listener(JsonNode p) {
        listeners.add(p);
    }

    /** The groups, with the role of each one's instances. */
    Map<GroupSpec, String> groups() {
        Map<GroupSpec, String> all = new LinkedHashMap<>();
        groups.forEach(
                (name, p) -> {
                    JsonNode template = templateOf(name, p);
                    JsonNode metadata = template.path("MetadataOptions");
                    expect(metadata, "HttpTokens", "required");
                    Map<String, String> tags = new LinkedHashMap<>();
                    for (JsonNode of : template.path("TagSpecifications")) {
                        if (of.path("ResourceType").asText().equals("instance")) {
                            of.path("Tags").forEach(tag -> put(tags, tag));
                        }
                    }
                    for (JsonNode tag : p.path("Tags")) {
                        if (tag.path("PropagateAtLaunch").asBoolean()) {
                            put(tags, tag);
                        }
                    }
                    tags.put("aws:autoscaling:groupName", name);
                    List<String> targets = texts(p.path("TargetGroupARNs"));
                    GroupSpec spec =
                            new GroupSpec(
                                    region,
                                    name,
                                    p.path("MinSize").asInt(),
                                    p.path("MaxSize").asInt(),
                                    p.path("DesiredCapacity").asInt(p.path("MinSize").asInt()),
                                    texts(p.path("VPCZoneIdentifier")).stream()
                                            .map(this::zone)
                                            .toList(),
                                    tags,
                                    metadata.path("InstanceMetadataTags")
                                            .asText()
                                            .equals("enabled"),
                                    hooks(name, p),
                                    targets,
                                    maintenance(p, "MinHealthyPercentage", 90),
                                    maintenance(p, "MaxHealthyPercentage", 100),
                                    targets.stream()
                                            .map(it -> draining(targetGroup(it)))
                                            .max(Duration::compareTo)
                                            .orElse(Duration.ZERO),
                                    template.path("ImageId").asText());
                    expect(p, "HealthCheckType", "EC2");
                    all.put(spec, role(template));
                });
        return all;
    }

    /** The load balancers, one listener each. */
    List<LoadBalancer.Spec> loadBalancers() {
        List<LoadBalancer.Spec> all = new ArrayList<>();
        for (JsonNode listener : listeners) {
            expect(listener, "Protocol", "TCP");
            JsonNode action = listener.path("DefaultActions").path(0);
            expect(action, "Type", "forward");
            String arn = action.path("TargetGroupArn").asText();
            JsonNode target = targetGroup(arn);
            expect(target, "Protocol", "TCP");
            expect(target, "TargetType", "instance");
            expect(target, "HealthCheckProtocol", "HTTPS");
            String[] names =
                    Optional.ofNullable(
                                    loadBalancers.get(listener.path("LoadBalancerArn").asText()))
                            .orElseThrow(() -> unknown("the load balancer of a listener"));
            String port = target.path("HealthCheckPort").asText("traffic-port");
            all.add(
                    new LoadBalancer.Spec(
                            region,
                            names[0],
                            names[1],
                            listener.path("Port").asInt(),
                            arn,
                            target.path("Port").asInt(),
                            new LoadBalancer.Check(
                                    target.path("HealthCheckPath").asText("/"),
                                    port.equals("traffic-port")
                                            ? target.path("Port").asInt()
                                            : Integer.parseInt(port),
                                    target.path("Matcher").path("HttpCode").asText("200-399"),
                                    seconds(target, "HealthCheckIntervalSeconds", 30),
                                    seconds(target, "HealthCheckTimeoutSeconds", 6),
                                    target.path("HealthyThresholdCount").asInt(5),
                                    target.path("UnhealthyThresholdCount").asInt(2))));
        }
        return all;
    }

    private static void put(Map<String, String> tags, JsonNode tag) {
        tags.put(tag.path("Key").asText(), tag.path("Value").asText());
    }

    private JsonNode templateOf(String group, JsonNode p) {
        return Optional.ofNullable(
                        launchTemplates.get(
                                p.path("LaunchTemplate").path("LaunchTemplateId").asText()))
                .orElseThrow(() -> unknown("the launch template of group " + group));
    }

    private String role(JsonNode template) {
        JsonNode profile = template.path("IamInstanceProfile");
        return Optional.ofNullable(
                        profiles.get(profile.path("Arn").asText(profile.path("Name").asText())))
                .orElseThrow(() -> unknown("the instance profile " + profile));
    }

    private String zone(String subnet) {
        return Optional.ofNullable(zones.get(subnet))
                .orElseThrow(() -> unknown("the zone of subnet " + subnet));
    }

    private JsonNode targetGroup(String arn) {
        return Optional.ofNullable(targetGroups.get(arn))
                .orElseThrow(() -> unknown("the target group " + arn));
    }

    private List<Hook> hooks(String group, JsonNode p) {
        List<JsonNode> all = new ArrayList<>();
        p.path("LifecycleHookSpecificationList").forEach(all::add);
        hooks.stream()
                .filter(it -> it.path("AutoScalingGroupName").asText().equals(group))
                .forEach(all::add);
        List<Hook> read =
                all.stream()
                        .map(
                                it ->
                                        new Hook(
                                                it.path("LifecycleHookName").asText(),
                                                launching(it),
                                                seconds(it, "HeartbeatTimeout", 3_600),
                                                it.path("DefaultResult")
                                                        .asText()
                                                        .equals("CONTINUE")))
                        .toList();
        if (read.stream().map(Hook::launching).distinct().count() != read.size()) {
            throw new IllegalArgumentException(
                    stack + ": group " + group + " has two hooks of a kind: " + read);
        }
        return read;
    }

    private boolean launching(JsonNode hook) {
        String transition = hook.path("LifecycleTransition").asText();
        return switch (transition) {
            case "autoscaling:EC2_INSTANCE_LAUNCHING" -> true;
            case "autoscaling:EC2_INSTANCE_TERMINATING" -> false;
            default -> throw unknown("the transition " + transition);
        };
    }

    private static int maintenance(JsonNode group, String name, int otherwise) {
        return group.path("InstanceMaintenancePolicy").path(name).asInt(otherwise);
    }

    private static Duration draining(JsonNode targetGroup) {
        for (JsonNode attribute : targetGroup.path("TargetGroupAttributes")) {
            if (attribute.path("Key").asText().equals("deregistration_delay.timeout_seconds")) {
                return Duration.ofSeconds(attribute.path("Value").asLong());
            }
        }
        return Duration.ofMinutes(5);
    }

    private static Duration seconds(JsonNode p, String name, long otherwise) {
        return Duration.ofSeconds(p.path(name).asLong(otherwise));
    }

    private static List<String> texts(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false).map(JsonNode::asText).toList();
    }

    private void expect(JsonNode p, String name, String expected) {
        if (!p.path(name).asText().equals(expected)) {
            throw new IllegalArgumentException(
                    stack
                            + ": "
                            + name
                            + " is "
                            + p.path(name)
                            + ", only "
                            + expected
                            + " is carried out here");
        }
    }

    private IllegalArgumentException unknown(String what) {
        return new IllegalArgumentException(stack + ": " + what + " isn't known here");
    }
}
