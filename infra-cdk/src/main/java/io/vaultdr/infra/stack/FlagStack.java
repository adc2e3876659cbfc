package io.vaultdr.infra.stack;

import io.vaultdr.infra.config.Config;
import io.vaultdr.infra.config.Config.Pair;
import io.vaultdr.infra.config.PairSettingsMaker;
import io.vaultdr.infra.construct.FlagBucket;

import software.amazon.awscdk.App;

/** The witness' copy of a pair's traffic flag. */
public final class FlagStack extends VaultDrStack {
    public FlagStack(App app, String name, Config config, Pair pair, String region) {
        super(app, name, config, region, "Second traffic flag of " + pair.id(), true);
        new FlagBucket(this, "Flag", PairSettingsMaker.names(config, pair).flag(region));
    }
}
