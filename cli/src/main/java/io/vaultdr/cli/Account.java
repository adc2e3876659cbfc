package io.vaultdr.cli;

import io.vaultdr.aws.AwsClients;
import io.vaultdr.infra.config.Config;
import io.vaultdr.model.Failure;

import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.sts.StsClient;

/** The AWS account that the operator is signed in to, with that operator's own rights. */
final class Account {
    private Account() {}

    /** Clients with the credentials of environment, profile or sign-in. */
    static AwsClients clients() {
        return new AwsClients(DefaultCredentialsProvider.builder().build());
    }

    /** {@code config} with the account it is deployed in: its own, or the one signed in to. */
    static Config of(Config config, String region) {
        if (config.account().isPresent()) {
            return config;
        }
        try (StsClient sts =
                StsClient.builder()
                        .region(Region.of(region))
                        .httpClientBuilder(UrlConnectionHttpClient.builder())
                        .build()) {
            return config.inAccount(sts.getCallerIdentity().account());
        } catch (SdkException e) {
            throw new Failure.Terminal(
                    "ask which AWS account you are signed in to",
                    e.getClass().getSimpleName() + ": " + e.getMessage(),
                    "Sign in (aws sso login), or set AWS_PROFILE, and repeat it.",
                    e);
        }
    }
}
