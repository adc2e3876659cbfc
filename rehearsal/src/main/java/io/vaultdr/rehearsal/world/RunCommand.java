package io.vaultdr.rehearsal.world;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

import io.vaultdr.rehearsal.world.Gateway.Message;
import io.vaultdr.rehearsal.world.Machines.CommandResult;
import io.vaultdr.rehearsal.world.WorldEvent.CommandRun;
import io.vaultdr.runtime.Json;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
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
 * Systems Manager's Run Command, answered by {@link Machines}: the document's commands, which come
 * from the template, are run for real.
 */
final class RunCommand {
    private static final Pattern PARAMETER = Pattern.compile("\\{\\{\\s*(\\w+)\\s*}}");

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

    /** Runs {@code documents}, region/name to content. */
    RunCommand(Machines machines, Map<String, JsonNode> documents, Consumer<WorldEvent> events) {
        this.machines = machines;
        this.documents = documents;
        this.events = events;
    }

    /** Answers these services' calls at {@code gateway}. */
    void join(Gateway gateway) {
        gateway.bridge("ssm", "SendCommand", (call, body) -> send(call, json(body)));
        gateway.bridge("ssm", "ListCommandInvocations", (call, body) -> list(json(body)));
        gateway.bridge("ssm", "GetCommandInvocation", (call, body) -> get(call, json(body)));
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

    private static JsonNode json(byte[] body) {
        try {
            return Json.MAPPER.readTree(new String(body, StandardCharsets.UTF_8));
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("expected the JSON of Systems Manager", e);
        }
    }
}
