package io.vaultdr.infra.stack;

import io.vaultdr.infra.config.Config;
import io.vaultdr.infra.config.Config.Pair;
import io.vaultdr.infra.config.PairSettingsMaker;
import io.vaultdr.infra.construct.FlagAlarm;
import io.vaultdr.infra.construct.FlagBucket;
import io.vaultdr.runtime.PairSettings.Flag;

import software.amazon.awscdk.App;
import software.amazon.awscdk.Stack;
import software.constructs.Construct;

/** The witness' copy of a pair's traffic flag. */
public final class FlagStack extends VaultDrStack {
    private final Flag second;

    public FlagStack(App app, String name, Config config, Pair pair, String region) {
        super(app, name, config, region, "Second traffic flag of " + pair.id(), true);
        second =
                PairSettingsMaker.settings(config, pair, "")
                        .traffic()
                        .orElseThrow()
                        .flags()
                        .getLast();
        flag(this, second);
    }

    /**
     * Has this stack deployed before {@code traffic} where its health check needs the alarm to be
     * there. Nothing is referred to: {@code cdk deploy --exclusively} leaves a region out.
     */
    public void before(Stack traffic) {
        if (second instanceof Flag.InMetric) {
            traffic.addStackDependency(this, "A health check takes its settings from the alarm");
        }
    }

    /** What {@code flag} needs in its region. */
    static Construct flag(Stack stack, Flag flag) {
        return switch (flag) {
            case Flag.InBucket object -> new FlagBucket(stack, "Flag", object.bucket());
            case Flag.InMetric metric -> new FlagAlarm(stack, "Flag", metric);
        };
    }
}
