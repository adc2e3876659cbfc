package io.vaultdr.rehearsal;

import com.fasterxml.jackson.databind.JsonNode;

import io.vaultdr.runtime.Json;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The person who may read the recovery keys, and makes a root token of them, which is the only way
 * to one: the cluster's own was revoked. The token is revoked again when the work is done.
 */
final class BreakGlass {
    private final Server server;

    private BreakGlass(Server server) {
        this.server = server;
    }

    /**
     * Makes a root token.
     *
     * @param door the leader's API, as {@link #door} finds it
     * @param secret what Secrets Manager holds
     */
    static BreakGlass with(Server door, String secret) throws IOException {
        JsonNode begun = door.must("PUT", "sys/generate-root/attempt", Map.of("ttl", ""));
        String nonce = begun.path("nonce").asText();
        JsonNode last = begun;
        for (String key : keys(Json.MAPPER.readTree(secret))) {
            if (!last.path("complete").asBoolean()) {
                last =
                        door.must(
                                "PUT",
                                "sys/generate-root/update",
                                Map.of("key", key, "nonce", nonce));
            }
        }
        if (!last.path("complete").asBoolean()) {
            throw new IllegalStateException(
                    "the recovery keys make no root token: " + last.path("progress"));
        }
        return new BreakGlass(
                door.with(token(last.path("encoded_token").asText(), begun.path("otp").asText())));
    }

    /**
     * The API as whoever has a session on the leader's machine reaches it; empty where {@code node}
     * can't tell who leads.
     */
    static Optional<Server> door(Server node) throws IOException {
        return Optional.of(node.call("GET", "sys/leader", Map.of()))
                .map(it -> it.body().path("leader_address").asText())
                .filter(it -> !it.isEmpty())
                .map(it -> URI.create(it).getHost())
                .map(it -> URI.create("http://" + it + ":" + ClusterMachines.BREAK_GLASS_PORT))
                .map(it -> new Server(node.http(), it, ""));
    }

    private static List<String> keys(JsonNode secret) {
        List<String> keys = new ArrayList<>();
        secret.path("recovery_keys").forEach(it -> keys.add(it.asText()));
        if (keys.isEmpty()) {
            throw new IllegalStateException("the secret of the recovery keys holds none");
        }
        return keys;
    }

    /** The token lies under the one-time password. */
    private static String token(String encoded, String password) {
        byte[] token = Base64.getDecoder().decode(padded(encoded));
        byte[] mask = password.getBytes(StandardCharsets.US_ASCII);
        for (int i = 0; i < token.length; i++) {
            token[i] ^= mask[i];
        }
        return new String(token, StandardCharsets.US_ASCII);
    }

    private static String padded(String base64) {
        return base64 + "=".repeat((4 - base64.length() % 4) % 4);
    }

    /**
     * The API with all rights, on the leader's machine: a standby answers reads by itself, and may
     * not know yet what was just written.
     */
    Server server() {
        return server;
    }

    /** How many tokens have all rights; its own is one of them. */
    int rootTokens() throws IOException {
        int found = 0;
        for (JsonNode accessor :
                server.must("LIST", "auth/token/accessors", Map.of()).at("/data/keys")) {
            Server.Answer token =
                    server.call(
                            "POST",
                            "auth/token/lookup-accessor",
                            Map.of("accessor", accessor.asText()));
            for (JsonNode policy : token.body().at("/data/policies")) {
                found += policy.asText().equals("root") ? 1 : 0;
            }
        }
        return found;
    }

    /** A token that sees who the peers are, and may destroy a login's secret id. */
    String watcher() throws IOException {
        server.must(
                "POST",
                "sys/policies/acl/rehearsal",
                Map.of(
                        "policy",
                        """
                        path "sys/storage/raft/configuration" { capabilities = ["read"] }
                        path "sys/storage/raft/autopilot/state" { capabilities = ["read"] }
                        path "auth/approle/role/+/secret-id/destroy" { capabilities = ["update"] }
                        """));
        return server.must(
                        "POST",
                        "auth/token/create-orphan",
                        Map.of("policies", List.of("rehearsal"), "ttl", "2h"))
                .at("/auth/client_token")
                .asText();
    }

    /** Gives the token up. */
    void done() throws IOException {
        server.must("POST", "auth/token/revoke-self", Map.of());
    }
}
