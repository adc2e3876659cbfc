package io.vaultdr.rehearsal.world;

import com.fasterxml.jackson.databind.node.ObjectNode;

import io.vaultdr.runtime.Json;

import software.amazon.event.ruler.Machine;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

/** EventBridge's rules with patterns: which of them want an event. Matching is event-ruler's. */
final class EventRules {
    /** A rule; its targets get the event as it is. */
    record Rule(
            String region,
            String name,
            String arn,
            String pattern,
            List<TemplateApplier.Target> to) {}

    /** Whose events there are here. */
    static final Set<String> SOURCES = Set.of("aws.autoscaling", "aws.s3");

    private final Map<String, Rule> rules = new HashMap<>();
    private final Map<String, Machine> machines = new HashMap<>();

    /**
     * Rules of several regions.
     *
     * @throws IllegalArgumentException for a pattern that EventBridge would refuse
     */
    EventRules(List<Rule> all) {
        for (Rule rule : all) {
            rules.put(rule.arn(), rule);
            try {
                machines.computeIfAbsent(rule.region(), region -> Machine.builder().build())
                        .addRule(rule.arn(), rule.pattern());
            } catch (IOException e) {
                throw new IllegalArgumentException(
                        rule.arn() + ": its event pattern can't be read: " + e.getMessage(), e);
            }
        }
    }

    /** The rules in {@code region} that match. */
    List<Rule> matching(String region, String event) {
        Machine machine = machines.get(region);
        if (machine == null) {
            return List.of();
        }
        try {
            return machine.rulesForJSONEvent(event).stream().map(this::rule).toList();
        } catch (Exception e) {
            throw new IllegalStateException("an event of the rehearsal's own is no JSON", e);
        }
    }

    private Rule rule(String arn) {
        Rule rule = rules.get(arn);
        if (rule == null) {
            throw new IllegalStateException("a rule matched that isn't there: " + arn);
        }
        return rule;
    }

    /** What happens to an object that S3 tells EventBridge of. */
    enum ObjectEvent {
        PUT("Object Created", "PutObject"),
        UPLOADED("Object Created", "CompleteMultipartUpload"),
        /** It is back from a Glacier class. */
        RESTORED("Object Restore Completed", "");

        private final String type;
        private final String reason;

        ObjectEvent(String type, String reason) {
            this.type = type;
            this.reason = reason;
        }
    }

    /**
     * What S3 tells EventBridge when something happened to an object.
     *
     * @see <a href="https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html">Event
     *     message structure</a>
     */
    static String ofObject(String region, String bucket, String key, ObjectEvent what, Instant at) {
        ObjectNode event = event(region, what.type, "aws.s3", "arn:aws:s3:::" + bucket, at);
        ObjectNode detail = event.putObject("detail");
        detail.put("version", "0");
        detail.putObject("bucket").put("name", bucket);
        detail.putObject("object").put("key", key);
        if (what == ObjectEvent.RESTORED) {
            detail.put("requester", "s3.amazonaws.com");
        } else {
            detail.put("reason", what.reason).put("requester", MotoServer.ACCOUNT);
        }
        return event.toString();
    }

    /**
     * What Auto Scaling tells EventBridge when a hook holds an instance.
     *
     * @see <a
     *     href="https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-event-reference.html">Event
     *     reference</a>
     */
    static String ofHook(Instance instance, GroupSpec.Hook hook, String token, Instant at) {
        ObjectNode event =
                event(
                        instance.region(),
                        hook.launching()
                                ? "EC2 Instance-launch Lifecycle Action"
                                : "EC2 Instance-terminate Lifecycle Action",
                        "aws.autoscaling",
                        group(instance.region(), instance.group()),
                        at);
        event.putObject("detail")
                .put("LifecycleActionToken", token)
                .put("AutoScalingGroupName", instance.group())
                .put("LifecycleHookName", hook.name())
                .put("EC2InstanceId", instance.id())
                .put("LifecycleTransition", Groups.transition(hook))
                .put("Origin", hook.launching() ? "EC2" : "AutoScalingGroup")
                .put("Destination", hook.launching() ? "AutoScalingGroup" : "EC2");
        return event.toString();
    }

    /** What Auto Scaling tells EventBridge of an instance refresh: {@code Started} and so on. */
    static String ofRefresh(String region, String group, String refresh, String what, Instant at) {
        ObjectNode event =
                event(
                        region,
                        "EC2 Auto Scaling Instance Refresh " + what,
                        "aws.autoscaling",
                        group(region, group),
                        at);
        event.putObject("detail")
                .put("InstanceRefreshId", refresh)
                .put("AutoScalingGroupName", group);
        return event.toString();
    }

    private static String group(String region, String name) {
        return "arn:aws:autoscaling:%s:%s:autoScalingGroup:%s:autoScalingGroupName/%s"
                .formatted(
                        region,
                        MotoServer.ACCOUNT,
                        UUID.nameUUIDFromBytes(name.getBytes(StandardCharsets.UTF_8)),
                        name);
    }

    private static ObjectNode event(
            String region, String type, String source, String resource, Instant at) {
        ObjectNode event = Json.MAPPER.createObjectNode();
        event.put("version", "0").put("id", UUID.randomUUID().toString());
        event.put("detail-type", type).put("source", source);
        event.put("account", MotoServer.ACCOUNT).put("time", at.toString()).put("region", region);
        event.putArray("resources").add(resource);
        return event;
    }
}
