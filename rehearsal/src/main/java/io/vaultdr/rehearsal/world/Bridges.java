package io.vaultdr.rehearsal.world;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

import io.vaultdr.rehearsal.world.Gateway.Message;
import io.vaultdr.rehearsal.world.Machines.CommandResult;
import io.vaultdr.rehearsal.world.WorldEvent.CapacityChanged;
import io.vaultdr.rehearsal.world.WorldEvent.CommandRun;
import io.vaultdr.runtime.Json;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.StreamSupport;

/**
 * Run Command and Auto Scaling, answered by {@link Machines}: the document's commands, which come
 * from the template, are run for real, and a group's capacity starts real servers.
 */
final class Bridges {
    private static final Pattern PARAMETER = Pattern.compile("\\{\\{\\s*(\\w+)\\s*}}");
    private static final int MOST = 20;

    /** A command on one instance. */
    private static final class Invocation {
        private final String instance;
        private volatile String status = "InProgress";
        private volatile CommandResult result = new CommandResult(-1, "", "");

        private Invocation(String instance) {
            this.instance = instance;
        }
    }

    private record Command(String document, List<Invocation> invocations) {}

    private final Machines machines;
    private final Map<String, JsonNode> documents;
    private final Consumer<WorldEvent> events;
    private final Map<String, Command> commands = new ConcurrentHashMap<>();
    private final Map<String, Integer> desired = new ConcurrentHashMap<>();
    private final Map<String, Set<String>> suspended = new ConcurrentHashMap<>();

    /** Bridges over {@code documents}, region/name to content. */
    Bridges(Machines machines, Map<String, JsonNode> documents, Consumer<WorldEvent> events) {
        this.machines = machines;
        this.documents = documents;
        this.events = events;
    }

    /** Answers these services' calls at {@code gateway}. */
    void join(Gateway gateway) {
        gateway.bridge("ssm", "SendCommand", (call, body) -> send(call, json(body)));
        gateway.bridge("ssm", "ListCommandInvocations", (call, body) -> list(json(body)));
        gateway.bridge("ssm", "GetCommandInvocation", (call, body) -> get(call, json(body)));
        for (String operation :
                List.of(
                        "DescribeAutoScalingGroups",
                        "SetDesiredCapacity",
                        "UpdateAutoScalingGroup",
                        "SuspendProcesses",
                        "ResumeProcesses")) {
            gateway.bridge(
                    "autoscaling",
                    operation,
                    (call, body) ->
                            group(
                                    call,
                                    operation,
                                    Gateway.query(new String(body, StandardCharsets.UTF_8))));
        }
    }

    private Message send(Call call, JsonNode request) {
        String document = request.path("DocumentName").asText();
        JsonNode content = documents.get(call.region() + "/" + document);
        if (content == null) {
            return Gateway.failure(
                    call,
                    400,
                    "InvalidDocument",
                    "no document " + document + " in " + call.region());
        }
        Set<String> instances = new HashSet<>();
        request.path("InstanceIds").forEach(id -> instances.add(id.asText()));
        for (JsonNode target : request.path("Targets")) {
            String key = target.path("Key").asText();
            if (!key.startsWith("tag:")) {
                return Gateway.failure(call, 400, "InvalidTarget", "expected tag:…, got " + key);
            }
            target.path("Values")
                    .forEach(
                            value ->
                                    instances.addAll(
                                            machines.instances(
                                                    call.region(),
                                                    key.substring(4),
                                                    value.asText())));
        }
        String id = UUID.randomUUID().toString();
        List<Invocation> invocations = instances.stream().sorted().map(Invocation::new).toList();
        commands.put(id, new Command(document, invocations));
        for (Invocation invocation : invocations) {
            Thread.ofVirtual()
                    .start(() -> run(call.region(), document, content, request, invocation));
        }
        ObjectNode answer = Json.MAPPER.createObjectNode();
        answer.putObject("Command")
                .put("CommandId", id)
                .put("DocumentName", document)
                .put("Status", "Pending")
                .put("TargetCount", invocations.size());
        return Gateway.json(200, answer, id, "");
    }

    private void run(
            String region,
            String document,
            JsonNode content,
            JsonNode request,
            Invocation invocation) {
        CommandResult result = new CommandResult(0, "", "");
        for (JsonNode step : content.path("mainSteps")) {
            if (!step.path("action").asText().equals("aws:runShellScript")) {
                result = new CommandResult(1, "", step.path("action") + " isn't carried out here");
                break;
            }
            JsonNode inputs = step.path("inputs");
            List<String> lines =
                    StreamSupport.stream(inputs.path("runCommand").spliterator(), false)
                            .map(line -> fill(line.asText(), content, request))
                            .toList();
            Duration limit = Duration.ofSeconds(inputs.path("timeoutSeconds").asLong(3600));
            result = machines.run(invocation.instance, lines, limit);
            if (result.exitCode() != 0) {
                break;
            }
        }
        invocation.result = result;
        invocation.status = result.exitCode() == 0 ? "Success" : "Failed";
        events.accept(
                new CommandRun(
                        Instant.now(), region, document, invocation.instance, result.exitCode()));
    }

    private static String fill(String line, JsonNode content, JsonNode request) {
        return PARAMETER
                .matcher(line)
                .replaceAll(
                        match -> {
                            JsonNode given = request.path("Parameters").path(match.group(1));
                            JsonNode value =
                                    given.isMissingNode()
                                            ? content.path("parameters")
                                                    .path(match.group(1))
                                                    .path("default")
                                            : given;
                            return Matcher.quoteReplacement(
                                    value.isArray() ? value.path(0).asText() : value.asText());
                        });
    }

    private Message list(JsonNode request) {
        ObjectNode answer = Json.MAPPER.createObjectNode();
        invocations(request).forEach(answer.putArray("CommandInvocations")::add);
        return Gateway.json(200, answer, UUID.randomUUID().toString(), "");
    }

    private Message get(Call call, JsonNode request) {
        String instance = request.path("InstanceId").asText();
        return invocations(request).stream()
                .filter(invocation -> invocation.path("InstanceId").asText().equals(instance))
                .findFirst()
                .map(found -> Gateway.json(200, found, UUID.randomUUID().toString(), ""))
                .orElseGet(
                        () ->
                                Gateway.failure(
                                        call, 400, "InvocationDoesNotExist", "no such invocation"));
    }

    private List<ObjectNode> invocations(JsonNode request) {
        String id = request.path("CommandId").asText();
        Command command = commands.get(id);
        return command == null
                ? List.of()
                : command.invocations.stream().map(i -> invocation(id, command, i)).toList();
    }

    private static ObjectNode invocation(String id, Command command, Invocation invocation) {
        return Json.MAPPER
                .createObjectNode()
                .put("CommandId", id)
                .put("InstanceId", invocation.instance)
                .put("DocumentName", command.document)
                .put("Status", invocation.status)
                .put("StatusDetails", invocation.status)
                .put("ResponseCode", invocation.result.exitCode())
                .put("StandardOutputContent", invocation.result.stdout())
                .put("StandardErrorContent", invocation.result.stderr());
    }

    private Message group(Call call, String operation, Map<String, String> form) {
        String request = UUID.randomUUID().toString();
        String result = "";
        if (operation.equals("DescribeAutoScalingGroups")) {
            StringBuilder groups = new StringBuilder();
            for (int i = 1; form.containsKey("AutoScalingGroupNames.member." + i); i++) {
                groups.append(
                        describe(call, form.getOrDefault("AutoScalingGroupNames.member." + i, "")));
            }
            result =
                    "<DescribeAutoScalingGroupsResult><AutoScalingGroups>"
                            + groups
                            + "</AutoScalingGroups></DescribeAutoScalingGroupsResult>";
        } else {
            String name = form.getOrDefault("AutoScalingGroupName", "");
            String key = call.region() + "/" + name;
            Set<String> stopped =
                    suspended.computeIfAbsent(key, k -> ConcurrentHashMap.newKeySet());
            List<String> processes = new ArrayList<>();
            for (int i = 1; form.containsKey("ScalingProcesses.member." + i); i++) {
                processes.add(form.getOrDefault("ScalingProcesses.member." + i, ""));
            }
            switch (operation) {
                case "SuspendProcesses" -> stopped.addAll(processes);
                case "ResumeProcesses" -> {
                    if (processes.isEmpty()) {
                        stopped.clear();
                    }
                    processes.forEach(stopped::remove);
                }
                default -> {
                    String wanted = form.get("DesiredCapacity");
                    if (wanted != null) {
                        int number = Integer.parseInt(wanted);
                        if (number > MOST) {
                            return Gateway.failure(
                                    call,
                                    400,
                                    "ValidationError",
                                    "New SetDesiredCapacity value "
                                            + number
                                            + " is above max value "
                                            + MOST);
                        }
                        desired.put(key, number);
                        events.accept(
                                new CapacityChanged(Instant.now(), call.region(), name, number));
                        machines.capacity(call.region(), name, number);
                    }
                }
            }
        }
        return Gateway.xml(
                200,
                "<"
                        + operation
                        + "Response xmlns=\"http://autoscaling.amazonaws.com/doc/2011-01-01/\">"
                        + result
                        + "<ResponseMetadata><RequestId>"
                        + request
                        + "</RequestId></ResponseMetadata></"
                        + operation
                        + "Response>",
                request);
    }

    private String describe(Call call, String name) {
        String key = call.region() + "/" + name;
        List<String> instances = machines.groupInstances(call.region(), name);
        StringBuilder members = new StringBuilder();
        for (String id : instances) {
            members.append("<member><InstanceId>")
                    .append(id)
                    .append("</InstanceId><AvailabilityZone>")
                    .append(call.region())
                    .append("a</AvailabilityZone><LifecycleState>InService</LifecycleState>")
                    .append("<HealthStatus>Healthy</HealthStatus>")
                    .append("<ProtectedFromScaleIn>false</ProtectedFromScaleIn></member>");
        }
        StringBuilder stopped = new StringBuilder();
        for (String process : suspended.getOrDefault(key, Set.of())) {
            stopped.append("<member><ProcessName>")
                    .append(process)
                    .append("</ProcessName></member>");
        }
        return "<member><AutoScalingGroupName>"
                + Gateway.escape(name)
                + "</AutoScalingGroupName><MinSize>0</MinSize><MaxSize>"
                + MOST
                + "</MaxSize><DesiredCapacity>"
                + desired.getOrDefault(key, instances.size())
                + "</DesiredCapacity><Instances>"
                + members
                + "</Instances><SuspendedProcesses>"
                + stopped
                + "</SuspendedProcesses></member>";
    }

    private static JsonNode json(byte[] body) {
        try {
            return Json.MAPPER.readTree(new String(body, StandardCharsets.UTF_8));
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("expected the JSON of Systems Manager", e);
        }
    }
}
