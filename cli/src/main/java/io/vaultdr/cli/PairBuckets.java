package io.vaultdr.cli;

import io.vaultdr.aws.AwsClients;
import io.vaultdr.infra.config.Config;
import io.vaultdr.infra.config.PairSettingsMaker;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.runtime.RetentionSettings;
import io.vaultdr.runtime.Wiring;

import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

import java.nio.file.Path;
import java.time.Clock;
import java.util.Optional;
import java.util.function.Function;

/** Which pair's buckets are meant, and how the operator gets at them. */
final class PairBuckets {
    @Option(
            names = "--config",
            paramLabel = "FILE",
            description = "The configuration, which names the buckets. Default: ${DEFAULT-VALUE}")
    private Path config = Path.of("vault-dr.yaml");

    @Mixin private CopyProfile copyProfile = new CopyProfile();

    /**
     * A pair as its functions know it, with the operator's credentials.
     *
     * @param keep what Retention keeps
     * @param clients for each bucket
     */
    record Found(
            PairSettings settings,
            Wiring wiring,
            RetentionSettings keep,
            Function<PairSettings.Bucket, AwsClients> clients) {}

    /**
     * Finds {@code pair}.
     *
     * @throws Unusable when there is no such configuration or pair
     * @throws io.vaultdr.model.Failure when the account has to be asked for and nobody answers
     */
    Found find(String pair) {
        Configuration.Found found = Configuration.pair(config, pair);
        String region = found.pair().home().region();
        Config placed = Account.of(found.config(), region);
        PairSettings settings = PairSettingsMaker.settings(placed, found.pair(), "");
        AwsClients own = Account.clients();
        return new Found(
                settings,
                new Wiring(region, settings, Clock.systemUTC(), own, Optional.empty()),
                found.pair().snapshots().keep(),
                bucket -> copyProfile.of(bucket, settings, own));
    }
}
