package io.vaultdr.aws;

import io.vaultdr.cluster.StoredSecret;
import io.vaultdr.model.Secret;

import software.amazon.awssdk.services.secretsmanager.SecretsManagerClient;

import java.util.Optional;

/**
 * A secret in Secrets Manager of one region.
 *
 * @param secrets of {@code region}
 */
public record SecretsManagerSecret(String region, SecretsManagerClient secrets, String name)
        implements StoredSecret {
    @Override
    public Optional<Secret> value() {
        return new SecretValues(secrets).apply(name);
    }

    /**
     * @see <a
     *     href="https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html">PutSecretValue</a>
     */
    @Override
    public void put(Secret value) {
        AwsCalls.write(
                "write the secret " + name + " in " + region,
                () -> secrets.putSecretValue(it -> it.secretId(name).secretString(value.reveal())));
    }
}
