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
import software.amazon.awssdk.services.secretsmanager.model.GetSecretValueResponse;
import software.amazon.awssdk.services.secretsmanager.model.ResourceNotFoundException;

import java.io.IOException;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Supplier;

/**
 * Logs in by AppRole, or where the cluster has it by the function's own AWS role.
 *
 * <p>An AppRole's credentials are those that {@code ./vault-dr setup} left in Secrets Manager of
 * the function's own region: {@code <login>/<intent>} holds {@code {"role_id":…, "secret_id":…,
 * "secret_id_accessor":…}}.
 *
 * <p>A rotation makes a new version of the secret, whose version id is the secret id's accessor, in
 * every region. A restored cluster knows only the secret ids that are older than its snapshot, so
 * its manifest names the version of each intent, and the login goes back to it.
 */
public final class Login {
    private static final Logger LOG = LoggerFactory.getLogger(Login.class);
    private static final String CURRENT = "AWSCURRENT";

    private final SecretsManagerClient secrets;
    private final Optional<SignedIdentity> identity;

    /** What a login may do; one role and one policy each. */
    public enum Intent {
        /** Takes snapshots, writes the canary. */
        SNAPSHOT,
        /** Reads the canary, writes beside it. */
        VERIFY,
        /** Watches nodes join. */
        GROW,
        /** Reads the canary of a restored copy and counts what is in it. */
        PROVE,
        /** Reads the secrets that the configuration lets anybody recover from a snapshot. */
        RECOVER,
        /** Issues and destroys the secret ids of all logins. */
        ROTATE,
        /** Looks at the Raft configuration, makes a leader step down and removes peers. */
        RETIRE,
        /** Reads back what was set up, to tell what somebody changed. */
        CONFIGURE;

        /**
         * The logins that a pair's clusters have. A snapshot takes them from home to DR, so both
         * have the same.
         *
         * @param made whether the CDK app made one of both; nobody tends to one that was brought
         */
        public static Set<Intent> of(boolean made) {
            Set<Intent> all = EnumSet.allOf(Intent.class);
            if (!made) {
                all.removeAll(EnumSet.of(RETIRE, CONFIGURE));
            }
            return Collections.unmodifiableSet(all);
        }

        /**
         * Whether it is for a cluster that was restored just now, or for an isolated copy. Its
         * login is by AppRole in any case: such a server can't ask AWS who calls, or mustn't depend
         * on it.
         */
        public boolean restored() {
            return switch (this) {
                case VERIFY, GROW, PROVE, RECOVER -> true;
                case SNAPSHOT, ROTATE, RETIRE, CONFIGURE -> false;
            };
        }

        /** As secrets, roles and policies are named. */
        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }

        /** The role and the policy on the server. */
        public String role() {
            return "vault-dr-" + this;
        }
    }

    private Login(SecretsManagerClient secrets, Optional<SignedIdentity> identity) {
        this.secrets = secrets;
        this.identity = identity;
    }

    /** Logs in with secrets that {@code client} reads. */
    public static Login by(SecretsManagerClient client) {
        return new Login(client, Optional.empty());
    }

    /** The same, and as {@code identity} where a cluster takes it. */
    public static Login by(SecretsManagerClient client, SignedIdentity identity) {
        return new Login(client, Optional.of(identity));
    }

    /**
     * A token that is revoked when it is closed.
     *
     * @param version of the secret that was used, in Secrets Manager; empty: none was
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
     * Logs in to {@code node}, which serves: by AWS where the cluster has it, otherwise with the
     * current version of its secret.
     *
     * @throws Failure as {@link #to(String, VaultClient, Intent, Optional)}
     */
    public Session to(PairSettings.Cluster cluster, VaultClient node, Intent intent) {
        Optional<PairSettings.AwsLogin> aws = cluster.awsLogin().filter(_ -> !intent.restored());
        if (aws.isEmpty()) {
            return to(cluster.login(), node, intent, Optional.empty());
        }
        Secret signed = identity().login(aws.get(), intent.role());
        return new Session(
                node, node.loginByAws(aws.get().mount(), signed).value(), Optional.empty());
    }

    private SignedIdentity identity() {
        return identity.orElseThrow(
                () ->
                        new Failure.Terminal(
                                "log in by AWS",
                                "this runs as no function of ours",
                                "Let the function do it: ./vault-dr invoke"));
    }

    /**
     * Logs in to {@code node}: with {@code version} of the secret where it still exists and the
     * node knows it, otherwise with the current one.
     *
     * @param login the prefix of the secrets' names
     * @param version as the manifest of what was restored on the node says
     * @throws Failure.Terminal where the secret is missing or isn't what setup wrote, or the node
     *     doesn't know it
     * @throws Failure.Retryable where Secrets Manager or the node doesn't answer
     */
    public Session to(String login, VaultClient node, Intent intent, Optional<String> version) {
        String name = login + "/" + intent;
        if (version.isPresent()) {
            try {
                return to(name, node, version.get());
            } catch (Failure.Terminal e) {
                LOG.warn("The current login is tried instead: {}", e.getMessage());
            }
        }
        return to(name, node, "");
    }

    /**
     * Logs in to {@code node} with exactly {@code version} of the cluster's secret.
     *
     * @throws Failure as {@link #to(String, VaultClient, Intent, Optional)}
     */
    public Session with(
            String version, PairSettings.Cluster cluster, VaultClient node, Intent intent) {
        return to(cluster.login() + "/" + intent, node, version);
    }

    /**
     * Reads the current secret, or signs where the login is by AWS, and logs in nowhere, as a dry
     * run does where no node can be logged in to.
     *
     * @throws Failure.Terminal where the secret is missing or isn't what setup wrote
     */
    public void check(PairSettings.Cluster cluster, Intent intent) {
        if (cluster.awsLogin().isPresent() && !intent.restored()) {
            identity().login(cluster.awsLogin().get(), intent.role());
        } else {
            check(cluster.login(), intent);
        }
    }

    /**
     * The same, by the prefix of the secrets' names.
     *
     * @throws Failure.Terminal where the secret is missing or isn't what setup wrote
     */
    public void check(String login, Intent intent) {
        read(login + "/" + intent, "");
    }

    private Session to(String name, VaultClient node, String version) {
        Credentials read = read(name, version);
        return new Session(
                node, node.login(read.role(), read.id()).value(), Optional.of(read.version()));
    }

    private record Credentials(Secret role, Secret id, String version) {}

    private Credentials read(String name, String version) {
        GetSecretValueResponse read =
                asked(
                        name,
                        () ->
                                version.isEmpty()
                                        ? secrets.getSecretValue(r -> r.secretId(name))
                                        : secrets.getSecretValue(
                                                r -> r.secretId(name).versionId(version)));
        JsonNode secret;
        try {
            secret = Json.MAPPER.readTree(Optional.ofNullable(read.secretString()).orElse(""));
        } catch (IOException e) {
            // Not kept as the cause: the parser quotes what it read.
            throw unusable(name, "no JSON");
        }
        String role = secret.path("role_id").asText();
        String id = secret.path("secret_id").asText();
        if (role.isEmpty() || id.isEmpty()) {
            throw unusable(name, "no JSON with role_id and secret_id");
        }
        return new Credentials(Secret.of(role), Secret.of(id), read.versionId());
    }

    /**
     * The current version of each intent's secret, by the intent's name; none of an intent that has
     * no secret. Reads no secret's value.
     *
     * @param login the prefix of the secrets' names
     * @param intents the logins that are looked for
     */
    public Map<String, String> versions(String login, Set<Intent> intents) {
        Map<String, String> versions = new TreeMap<>();
        for (Intent intent : intents) {
            current(login + "/" + intent)
                    .ifPresent(version -> versions.put(intent.toString(), version));
        }
        return versions;
    }

    private Optional<String> current(String name) {
        return asked(
                name,
                () -> {
                    try {
                        return secrets
                                .describeSecret(r -> r.secretId(name))
                                .versionIdsToStages()
                                .entrySet()
                                .stream()
                                .filter(version -> version.getValue().contains(CURRENT))
                                .map(Map.Entry::getKey)
                                .findFirst();
                    } catch (ResourceNotFoundException e) {
                        return Optional.empty();
                    }
                });
    }

    private static <T> T asked(String name, Supplier<T> call) {
        try {
            return call.get();
        } catch (ResourceNotFoundException e) {
            throw unusable(name, "no such secret, or no such version of it, in this region");
        } catch (AwsServiceException e) {
            if (e.statusCode() / 100 == 4 && !e.isThrottlingException()) {
                throw unusable(name, e.awsErrorDetails().errorCode());
            }
            throw unanswered(name, e);
        } catch (SdkException e) {
            throw unanswered(name, e);
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
