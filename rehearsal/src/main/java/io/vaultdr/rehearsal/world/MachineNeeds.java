package io.vaultdr.rehearsal.world;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;

import io.vaultdr.rehearsal.world.Call.Need;
import io.vaultdr.runtime.Json;

import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/**
 * What the role of an instance has to grant for the calls that its programs make: they use other
 * SDKs than ours, so it is read from the call. A call that isn't known here is refused.
 */
final class MachineNeeds {
    private MachineNeeds() {}

    /** The needs of a machine's call; none for anybody else's. */
    static List<Need> of(Call call, URI uri, byte[] body) {
        if (call.function().isEmpty() || !call.caller().contains("#i-")) {
            return List.of();
        }
        String resource =
                switch (call.service() + ":" + action(call)) {
                    // A machine's own parameter lies below the one that its tag names on AWS.
                    case "ssm:GetParameter" ->
                            arn(
                                    call,
                                    "ssm",
                                    "parameter"
                                            + json(body)
                                                    .path("Name")
                                                    .asText()
                                                    .replaceFirst("/i-[0-9a-f]+$", ""));
                    case "secretsmanager:GetSecretValue" ->
                            arn(
                                    call,
                                    "secretsmanager",
                                    "secret:" + json(body).path("SecretId").asText() + "-AbCdEf");
                    case "sns:Publish" ->
                            Gateway.query(new String(body, StandardCharsets.UTF_8))
                                    .getOrDefault("TopicArn", "");
                    case "s3:GetObject" -> "arn:aws:s3:::" + uri.getPath().substring(1);
                    case "ec2:DescribeInstances" -> "*";
                    default -> call.toString();
                };
        return List.of(new Need(call.service() + ":" + action(call), resource, Map.of()));
    }

    private static String action(Call call) {
        return call.service().equals("s3") && call.operation().isEmpty()
                ? "GetObject"
                : call.operation();
    }

    private static String arn(Call call, String service, String resource) {
        return "arn:aws:"
                + service
                + ":"
                + call.region()
                + ":"
                + MotoServer.ACCOUNT
                + ":"
                + resource;
    }

    private static JsonNode json(byte[] body) {
        try {
            return Json.MAPPER.readTree(new String(body, StandardCharsets.UTF_8));
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("expected JSON in a machine's call", e);
        }
    }
}
