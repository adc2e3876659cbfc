package io.vaultdr.cli;

import io.vaultdr.infra.config.Config;
import io.vaultdr.infra.config.PairSettingsMaker;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.runtime.RetentionSettings;
import io.vaultdr.runtime.Wiring;

import picocli.CommandLine.Option;

import java.nio.file.Path;
import java.time.Clock;
import java.util.Optional;

/** Which pair's buckets are meant, and how the operator gets at them. */
final class PairBuckets {
    @Option(
            names = "--config",
            paramLabel = "FILE",
            description = "The configuration, which names the buckets. Default: ${DEFAULT-VALUE}")
    private Path config = Path.of("vault-dr.yaml");

    /**
     * A pair as its functions know it, with the operator's credentials.
     *
     * @param keep what Retention keeps
     */
    record Found(PairSettings settings, Wiring wiring, RetentionSettings keep) {}

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
        return new Found(
                settings,
                new Wiring(
                        region, settings, Clock.systemUTC(), Account.clients(), Optional.empty()),
                found.pair().snapshots().keep());
    }
}
