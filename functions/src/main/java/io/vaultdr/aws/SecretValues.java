package io.vaultdr.aws;

import io.vaultdr.model.Secret;

import software.amazon.awssdk.services.secretsmanager.SecretsManagerClient;
import software.amazon.awssdk.services.secretsmanager.model.ResourceNotFoundException;

import java.util.Optional;
import java.util.function.Function;

/** Values of Secrets Manager by name; empty where there is no such secret. */
public final class SecretValues implements Function<String, Optional<Secret>> {
    private final SecretsManagerClient secrets;

    /** Reads with {@code secrets}. */
    public SecretValues(SecretsManagerClient secrets) {
        this.secrets = secrets;
    }

    @Override
    public Optional<Secret> apply(String name) {
        return AwsCalls.read(
                "read the secret " + name,
                () -> {
                    try {
                        return Optional.ofNullable(
                                        secrets.getSecretValue(it -> it.secretId(name))
                                                .secretString())
                                .map(Secret::of);
                    } catch (ResourceNotFoundException e) {
                        return Optional.empty();
                    }
                });
    }
}
