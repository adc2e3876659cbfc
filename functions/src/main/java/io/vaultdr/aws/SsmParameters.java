package io.vaultdr.aws;

import software.amazon.awssdk.services.ssm.SsmClient;
import software.amazon.awssdk.services.ssm.model.ParameterNotFoundException;
import software.amazon.lambda.powertools.parameters.ssm.SSMProvider;

import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.Optional;

/**
 * Parameters of Systems Manager, kept by Powertools: single ones for five minutes, others for
 * seconds. One at a time: its provider carries the options of a call as state.
 */
public final class SsmParameters {
    private final SSMProvider provider;

    /** Reads through {@code client}. */
    public SsmParameters(SsmClient client) {
        this.provider = SSMProvider.builder().withClient(client).build();
    }

    /** The parameter of that name. */
    public synchronized Optional<String> find(String name) {
        return AwsCalls.read(
                "read parameter " + name,
                () -> {
                    try {
                        return Optional.of(provider.withMaxAge(5, ChronoUnit.MINUTES).get(name));
                    } catch (ParameterNotFoundException e) {
                        return Optional.empty();
                    }
                });
    }

    /** All parameters below {@code path}, by the rest of their names without a leading slash. */
    public synchronized Map<String, String> below(String path) {
        return AwsCalls.read(
                "read the parameters below " + path, () -> provider.recursive().getMultiple(path));
    }
}
