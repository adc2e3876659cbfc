package io.vaultdr.cli;

import io.vaultdr.aws.AwsClients;
import io.vaultdr.runtime.PairSettings;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Option;

import software.amazon.awssdk.auth.credentials.ProfileCredentialsProvider;

/** How the operator gets at a copy in another account. */
final class CopyProfile {
    @Option(
            names = "--copy-profile",
            paramLabel = "PROFILE",
            description =
                    "The AWS profile for the copy, where that is in another account. Default: the"
                            + " credentials used for everything else")
    private @Nullable String profile;

    /** Clients for one of the pair's buckets; {@code own} for those of home's account. */
    AwsClients of(PairSettings.Bucket bucket, PairSettings pair, AwsClients own) {
        return profile == null || bucket.account().equals(pair.account())
                ? own
                : new AwsClients(ProfileCredentialsProvider.create(profile));
    }
}
