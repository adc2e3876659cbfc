package io.vaultdr.aws;

import io.vaultdr.cluster.LoginSecrets;
import io.vaultdr.model.Failure;
import io.vaultdr.model.Secret;
import io.vaultdr.vault.Login;
import io.vaultdr.vault.Login.Intent;

import software.amazon.awssdk.services.secretsmanager.SecretsManagerClient;

import java.util.EnumMap;
import java.util.Map;
import java.util.Set;

/** The logins' secrets in Secrets Manager of one region. */
public final class SecretsManagerLogins implements LoginSecrets {
    private static final String CURRENT = "AWSCURRENT";

    private final String region;
    private final SecretsManagerClient secrets;
    private final String login;
    private final Set<Intent> intents;

    /**
     * The secrets {@code <login>/<intent>}.
     *
     * @param secrets of {@code region}
     * @param intents the logins that the pair has
     */
    public SecretsManagerLogins(
            String region, SecretsManagerClient secrets, String login, Set<Intent> intents) {
        this.region = region;
        this.secrets = secrets;
        this.login = login;
        this.intents = intents;
    }

    @Override
    public String region() {
        return region;
    }

    @Override
    public Map<Intent, String> versions() {
        Map<String, String> named = Login.by(secrets).versions(login, intents);
        Map<Intent, String> versions = new EnumMap<>(Intent.class);
        for (Intent intent : intents) {
            String version = named.get(intent.toString());
            if (version != null) {
                versions.put(intent, version);
            }
        }
        return versions;
    }

    @Override
    public Secret value(Intent intent) {
        return new SecretValues(secrets)
                .apply(name(intent))
                .orElseThrow(
                        () ->
                                new Failure.Retryable(
                                        "read the secret " + name(intent),
                                        "it was described and is gone",
                                        "It is looked for again"));
    }

    /**
     * @see <a
     *     href="https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html">PutSecretValue</a>
     */
    @Override
    public void put(Intent intent, String version, Secret value) {
        String tried = "write the secret " + name(intent) + " in " + region;
        var answer =
                AwsCalls.write(
                        tried,
                        () ->
                                secrets.putSecretValue(
                                        it ->
                                                it.secretId(name(intent))
                                                        .clientRequestToken(version)
                                                        .secretString(value.reveal())));
        if (!answer.versionStages().contains(CURRENT)) {
            throw new Failure.Terminal(
                    tried,
                    "version " + version + " is there and not the current one",
                    "Somebody moved " + CURRENT + " by hand: move it to that version");
        }
    }

    private String name(Intent intent) {
        return login + "/" + intent;
    }
}
