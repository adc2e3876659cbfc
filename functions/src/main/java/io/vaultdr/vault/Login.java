package io.vaultdr.vault;

import com.fasterxml.jackson.databind.JsonNode;

import io.vaultdr.model.Failure;
import io.vaultdr.model.Secret;
import io.vaultdr.runtime.Json;
import io.vaultdr.runtime.PairSettings;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.secretsmanager.SecretsManagerClient;
import software.amazon.awssdk.services.secretsmanager.model.ResourceNotFoundException;
import software.amazon.lambda.powertools.parameters.ParamProvider;
import software.amazon.lambda.powertools.parameters.cache.CacheManager;
import software.amazon.lambda.powertools.parameters.secrets.SecretsProvider;
import software.amazon.lambda.powertools.parameters.transform.TransformationManager;

import java.io.IOException;
import java.util.Locale;
import java.util.Optional;

/**
 * Logs in by AppRole, with the credentials that {@code ./vault-dr setup} left in Secrets Manager of
 * the function's own region: {@code <login>/<intent>} holds {@code {"role_id":…, "secret_id":…,
 * "secret_id_accessor":…}}.
 */
public final class Login {
    private static final Logger LOG = LoggerFactory.getLogger(Login.class);

    private final ParamProvider secrets;

    /** What a login may do; one AppRole and one policy each. */
    public enum Intent {
        /** Takes snapshots, writes the canary. */
        SNAPSHOT,
        /** Reads the canary, writes beside it. */
        VERIFY,
        /** Watches nodes join. */
        GROW;

        /** As secrets, roles and policies are named. */
        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** Logs in with secrets from {@code secrets}. */
    public Login(ParamProvider secrets) {
        this.secrets = secrets;
    }

    /** Logs in with secrets that {@code client} reads; each is kept for five seconds. */
    public static Login by(SecretsManagerClient client) {
        return new Login(
                SecretsProvider.builder()
                        .withClient(client)
                        .withCacheManager(new CacheManager())
                        .withTransformationManager(new TransformationManager())
                        .build());
    }

    /**
     * A token that is revoked when it is closed.
     *
     * @param version the accessor of the AppRole secret id, which is no secret and tells one secret
     *     id from another, in both regions and in a restored cluster; empty where the secret
     *     doesn't hold it
     */
    public record Session(VaultClient node, Secret token, Optional<String> version)
            implements AutoCloseable {
        /** Revokes the token. Where that fails it expires by itself, so it is only said. */
        @Override
        public void close() {
            try {
                node.revokeSelf(token);
            } catch (Failure e) {
                LOG.warn("The token was not revoked and stays until it expires", e);
            }
        }
    }

    /**
     * Logs in to {@code node}.
     *
     * @throws Failure.Terminal where the secret is missing or isn't what setup wrote, or the node
     *     doesn't know it
     * @throws Failure.Retryable where Secrets Manager or the node doesn't answer
     */
    public Session to(PairSettings.Cluster cluster, VaultClient node, Intent intent) {
        String name = cluster.login() + "/" + intent;
        JsonNode secret = read(name);
        String role = secret.path("role_id").asText();
        String id = secret.path("secret_id").asText();
        if (role.isEmpty() || id.isEmpty()) {
            throw unusable(name, "no JSON with role_id and secret_id");
        }
        return new Session(
                node,
                node.login(Secret.of(role), Secret.of(id)).value(),
                Optional.of(secret.path("secret_id_accessor").asText())
                        .filter(accessor -> !accessor.isEmpty()));
    }

    private JsonNode read(String name) {
        try {
            return Json.MAPPER.readTree(secrets.get(name));
        } catch (ResourceNotFoundException e) {
            throw unusable(name, "no such secret in this region");
        } catch (AwsServiceException e) {
            if (e.statusCode() / 100 == 4 && !e.isThrottlingException()) {
                throw unusable(name, e.awsErrorDetails().errorCode());
            }
            throw unanswered(name, e);
        } catch (SdkException e) {
            throw unanswered(name, e);
        } catch (IOException e) {
            // Not kept as the cause: the parser quotes what it read.
            throw unusable(name, "no JSON");
        }
    }

    private static Failure unusable(String name, String seen) {
        return new Failure.Terminal(
                "read the secret " + name,
                seen,
                "Run ./vault-dr setup for this pair and apply what it prints");
    }

    private static Failure unanswered(String name, SdkException e) {
        return new Failure.Retryable(
                "read the secret " + name,
                "Secrets Manager gave no answer",
                "Check that the function's network reaches Secrets Manager",
                e);
    }
}
