package io.vaultdr.cluster;

import com.fasterxml.jackson.databind.JsonNode;

import io.vaultdr.model.Failure;
import io.vaultdr.model.Secret;
import io.vaultdr.runtime.Json;
import io.vaultdr.vault.VaultClient;

import java.util.List;
import java.util.Map;

/** The secret ids of an AppRole. */
final class SecretIds {
    private SecretIds() {}

    /**
     * One that was just issued.
     *
     * @param accessor by which it is named, no secret
     * @param value as the setup script stores it
     */
    record Issued(String accessor, Secret value) {}

    /**
     * Issues one.
     *
     * @param role the path of the role
     */
    static Issued issue(VaultClient node, Secret token, String role) {
        JsonNode id = node.read(token, role + "/role-id");
        JsonNode issued = node.write(token, role + "/secret-id", Map.of());
        var value = Json.MAPPER.createObjectNode();
        value.put("role_id", id.path("role_id").asText());
        for (String field : List.of("secret_id", "secret_id_accessor")) {
            value.put(field, issued.path(field).asText());
        }
        if (value.valueStream().anyMatch(it -> it.asText().isEmpty())) {
            throw new Failure.Terminal(
                    "issue a secret id of " + role,
                    "an answer without role_id, secret_id or secret_id_accessor",
                    "Check the server's edition and version");
        }
        return new Issued(value.path("secret_id_accessor").asText(), Secret.of(value.toString()));
    }

    /** Whether the server knows the one that has this accessor. */
    static boolean known(VaultClient node, Secret token, String role, String accessor) {
        return node.list(token, role + "/secret-id").contains(accessor);
    }
}
