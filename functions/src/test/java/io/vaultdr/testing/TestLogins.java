package io.vaultdr.testing;

import com.fasterxml.jackson.core.JsonProcessingException;

import io.vaultdr.cluster.VaultSetup;
import io.vaultdr.runtime.Json;
import io.vaultdr.vault.Login.Intent;

import software.amazon.awssdk.services.secretsmanager.SecretsManagerClient;
import software.amazon.awssdk.services.secretsmanager.model.ResourceNotFoundException;

import java.util.Map;

/**
 * Logins of a test's cluster with the policies that deployments have, and their secrets as {@code
 * ./vault-dr setup} stores them.
 *
 * @param prefix of the secrets' names
 */
public record TestLogins(
        BaoCluster cluster, SecretsManagerClient secrets, String prefix, VaultSetup setup) {
    /** Makes policy, role and secret of each intent. */
    public TestLogins make(Intent... intents) {
        if (!cluster.call("GET", "sys/auth", null).expect().data().has("approle/")) {
            cluster.call("POST", "sys/auth/approle", Map.of("type", "approle")).expect();
        }
        for (Intent intent : intents) {
            VaultSetup.Policy policy = setup.policy(intent);
            cluster.call(
                            "POST",
                            "sys/policies/acl/" + policy.name(),
                            Map.of("policy", policy.rules()))
                    .expect();
            VaultSetup.Role role = VaultSetup.role(intent);
            cluster.call("POST", role.path(), role.values()).expect();
            rotate(intent);
        }
        return this;
    }

    /** Issues a new secret id for the intent, whose accessor names the secret's version. */
    public String rotate(Intent intent) {
        String role = VaultSetup.role(intent).path();
        var issued = cluster.call("POST", role + "/secret-id", null).expect().data();
        String accessor = issued.path("secret_id_accessor").asText();
        var id = cluster.call("GET", role + "/role-id", null).expect().data();
        String value;
        try {
            value =
                    Json.MAPPER.writeValueAsString(
                            Map.of(
                                    "role_id",
                                    id.path("role_id").asText(),
                                    "secret_id",
                                    issued.path("secret_id").asText(),
                                    "secret_id_accessor",
                                    accessor));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a map of texts always becomes JSON", e);
        }
        String name = prefix + "/" + intent;
        try {
            secrets.putSecretValue(
                    it -> it.secretId(name).clientRequestToken(accessor).secretString(value));
        } catch (ResourceNotFoundException e) {
            secrets.createSecret(
                    it -> it.name(name).clientRequestToken(accessor).secretString(value));
        }
        return accessor;
    }
}
