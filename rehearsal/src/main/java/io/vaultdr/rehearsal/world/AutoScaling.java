package io.vaultdr.rehearsal.world;

import io.vaultdr.rehearsal.world.Gateway.Message;
import io.vaultdr.rehearsal.world.WorldEvent.CapacityChanged;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/**
 * Auto Scaling's API: {@link Groups} answers for the groups of a template, {@link Machines} for one
 * that was brought, which the templates only name. What isn't known here is refused, never handed
 * on to moto, which would answer of groups of its own.
 */
final class AutoScaling {
    /** How large a group may become that was brought. */
    private static final int MOST = 20;

    private static final Set<String> PREFERENCES =
            Set.of(
                    "Preferences.MinHealthyPercentage",
                    "Preferences.MaxHealthyPercentage",
                    "Preferences.InstanceWarmup",
                    "Preferences.SkipMatching");

    private final Groups groups;
    private final Machines machines;
    private final Consumer<WorldEvent> events;
    private final Map<String, Integer> desired = new ConcurrentHashMap<>();
    private final Map<String, Set<String>> suspended = new ConcurrentHashMap<>();

    AutoScaling(Groups groups, Machines machines, Consumer<WorldEvent> events) {
        this.groups = groups;
        this.machines = machines;
        this.events = events;
    }

    /** Answers the service's calls at {@code gateway}. */
    void join(Gateway gateway) {
        gateway.bridge("autoscaling", Gateway.ANY, (call, body) -> answer(call, body));
    }

    private Message answer(Call call, byte[] body) {
        Map<String, String> form = Gateway.query(new String(body, StandardCharsets.UTF_8));
        String operation = form.getOrDefault("Action", call.operation());
        try {
            String result = result(call.region(), operation, form);
            String request = UUID.randomUUID().toString();
            return Gateway.xml(
                    200,
                    "<"
                            + operation
                            + "Response"
                            + " xmlns=\"http://autoscaling.amazonaws.com/doc/2011-01-01/\"><"
                            + operation
                            + "Result>"
                            + result
                            + "</"
                            + operation
                            + "Result><ResponseMetadata><RequestId>"
                            + request
                            + "</RequestId></ResponseMetadata></"
                            + operation
                            + "Response>",
                    request);
        } catch (Groups.Refused e) {
            return Gateway.failure(call, 400, e.code(), String.valueOf(e.getMessage()));
        }
    }

    private String result(String region, String operation, Map<String, String> form) {
        String name = form.getOrDefault("AutoScalingGroupName", "");
        String hook = form.getOrDefault("LifecycleHookName", "");
        String instance = form.getOrDefault("InstanceId", "");
        switch (operation) {
            case "DescribeAutoScalingGroups" -> {
                return members(
                        "AutoScalingGroups",
                        list(form, "AutoScalingGroupNames").stream()
                                .map(group -> describe(region, group))
                                .toList());
            }
            case "DescribeScalingActivities" -> {
                return members("Activities", activities(groups.view(region, name)));
            }
            case "SetDesiredCapacity", "UpdateAutoScalingGroup" -> {
                if (form.containsKey("DesiredCapacity")) {
                    int wanted = Integer.parseInt(form.getOrDefault("DesiredCapacity", ""));
                    capacity(region, name, wanted);
                }
            }
            case "SuspendProcesses", "ResumeProcesses" ->
                    suspend(
                            region,
                            name,
                            list(form, "ScalingProcesses"),
                            operation.equals("SuspendProcesses"));
            case "CompleteLifecycleAction" ->
                    groups.complete(
                            region,
                            name,
                            hook,
                            instance,
                            form.getOrDefault("LifecycleActionResult", "").equals("CONTINUE"));
            case "RecordLifecycleActionHeartbeat" -> groups.heartbeat(region, name, hook, instance);
            case "TerminateInstanceInAutoScalingGroup" ->
                    groups.terminate(
                            region,
                            instance,
                            Boolean.parseBoolean(
                                    form.getOrDefault("ShouldDecrementDesiredCapacity", "")));
            case "StartInstanceRefresh" -> {
                return element("InstanceRefreshId", refresh(region, name, form));
            }
            case "DescribeInstanceRefreshes" -> {
                return members(
                        "InstanceRefreshes",
                        groups.refresh(region, name).map(it -> refresh(name, it)).stream()
                                .toList());
            }
            default ->
                    throw new Groups.Refused(
                            "ValidationError", operation + " isn't carried out here");
        }
        return "";
    }

    private void capacity(String region, String name, int wanted) {
        if (groups.has(region, name)) {
            groups.capacity(region, name, wanted);
        } else if (wanted > MOST) {
            throw new Groups.Refused(
                    "ValidationError",
                    "New SetDesiredCapacity value " + wanted + " is above max value " + MOST);
        }
        events.accept(new CapacityChanged(Instant.now(), region, name, wanted));
        if (!groups.has(region, name)) {
            desired.put(region + "/" + name, wanted);
            machines.capacity(region, name, wanted);
        }
    }

    private void suspend(String region, String name, List<String> processes, boolean stop) {
        if (groups.has(region, name)) {
            groups.suspend(region, name, processes, stop);
            return;
        }
        Set<String> stopped =
                suspended.computeIfAbsent(
                        region + "/" + name, key -> ConcurrentHashMap.newKeySet());
        if (stop) {
            stopped.addAll(processes);
        } else if (processes.isEmpty()) {
            stopped.clear();
        } else {
            processes.forEach(stopped::remove);
        }
    }

    private String refresh(String region, String name, Map<String, String> form) {
        Set<String> unknown = new HashSet<>(form.keySet());
        unknown.removeIf(key -> !key.startsWith("Preferences.") || PREFERENCES.contains(key));
        if (!unknown.isEmpty()) {
            throw new Groups.Refused("ValidationError", unknown + " isn't carried out here");
        }
        return groups.refresh(
                region,
                name,
                percentage(form, "Preferences.MinHealthyPercentage"),
                percentage(form, "Preferences.MaxHealthyPercentage"),
                Duration.ofSeconds(
                        Long.parseLong(form.getOrDefault("Preferences.InstanceWarmup", "0"))),
                Boolean.parseBoolean(form.getOrDefault("Preferences.SkipMatching", "")));
    }

    private static OptionalInt percentage(Map<String, String> form, String name) {
        String value = form.get(name);
        return value == null ? OptionalInt.empty() : OptionalInt.of(Integer.parseInt(value));
    }

    private static String refresh(String group, Groups.RefreshView refresh) {
        return element("InstanceRefreshId", refresh.id())
                + element("AutoScalingGroupName", group)
                + element("Status", refresh.status())
                + element("StatusReason", refresh.reason())
                + element("PercentageComplete", refresh.percentage())
                + element("InstancesToUpdate", refresh.left());
    }

    private String describe(String region, String name) {
        if (groups.has(region, name)) {
            return made(groups.view(region, name));
        }
        String key = region + "/" + name;
        List<String> instances = machines.groupInstances(region, name);
        return element("AutoScalingGroupName", name)
                + element("MinSize", 0)
                + element("MaxSize", MOST)
                + element("DesiredCapacity", desired.getOrDefault(key, instances.size()))
                + members(
                        "Instances",
                        instances.stream()
                                .map(id -> instance(id, region + "a", "InService", true))
                                .toList())
                + suspended(suspended.getOrDefault(key, Set.of()));
    }

    /** Those that go on: an instance's launch until it is in service, its end until it is gone. */
    private static List<String> activities(Groups.View view) {
        return view.instances().stream()
                .filter(it -> it.state() != Groups.State.IN_SERVICE)
                .map(
                        it ->
                                element("ActivityId", UUID.randomUUID())
                                        + element("AutoScalingGroupName", view.spec().name())
                                        + element(
                                                "Description",
                                                (it.state() == Groups.State.PENDING_WAIT
                                                                ? "Launching a new EC2 instance: "
                                                                : "Terminating EC2 instance: ")
                                                        + it.instance().id())
                                        + element("Cause", "the rehearsal's group")
                                        + element("StartTime", it.since())
                                        + element("StatusCode", "MidLifecycleAction")
                                        + element("Progress", 50))
                .toList();
    }

    private static String made(Groups.View view) {
        return element("AutoScalingGroupName", view.spec().name())
                + element("MinSize", view.spec().min())
                + element("MaxSize", view.spec().max())
                + element("DesiredCapacity", view.desired())
                + members("AvailabilityZones", view.spec().zones())
                + members("TargetGroupARNs", view.spec().targetGroups())
                + members(
                        "Instances",
                        view.instances().stream()
                                .map(
                                        it ->
                                                instance(
                                                        it.instance().id(),
                                                        it.instance().zone(),
                                                        it.state().toString(),
                                                        it.healthy()))
                                .toList())
                + suspended(view.suspended());
    }

    private static String instance(String id, String zone, String state, boolean healthy) {
        return element("InstanceId", id)
                + element("AvailabilityZone", zone)
                + element("LifecycleState", state)
                + element("HealthStatus", healthy ? "Healthy" : "Unhealthy")
                + element("ProtectedFromScaleIn", false);
    }

    private static String suspended(Set<String> processes) {
        return members(
                "SuspendedProcesses",
                processes.stream().sorted().map(it -> element("ProcessName", it)).toList());
    }

    private static List<String> list(Map<String, String> form, String name) {
        List<String> values = new ArrayList<>();
        for (int i = 1; form.containsKey(name + ".member." + i); i++) {
            values.add(form.getOrDefault(name + ".member." + i, ""));
        }
        return values;
    }

    private static String element(String name, Object value) {
        return "<" + name + ">" + Gateway.escape(value.toString()) + "</" + name + ">";
    }

    private static String members(String name, List<String> members) {
        StringBuilder all = new StringBuilder("<" + name + ">");
        members.forEach(member -> all.append("<member>").append(member).append("</member>"));
        return all.append("</").append(name).append('>').toString();
    }
}
