package io.vaultdr.infra.stack;

import io.vaultdr.infra.config.Config;
import io.vaultdr.infra.config.Config.Pair;
import io.vaultdr.infra.config.Names;
import io.vaultdr.infra.config.PairSettingsMaker;
import io.vaultdr.infra.construct.FlagAlarm;
import io.vaultdr.infra.construct.TrafficSwitch;
import io.vaultdr.runtime.PairSettings.Traffic;

import software.amazon.awscdk.App;
import software.constructs.Construct;

/** The record that clients use, and the flag that turns them. */
public final class TrafficStack extends VaultDrStack {
    public TrafficStack(App app, String name, Config config, Pair pair) {
        super(
                app,
                name,
                config,
                pair.drCluster().region(),
                "Where clients of " + pair.id() + " go",
                true);
        Names names = PairSettingsMaker.names(config, pair);
        Traffic traffic =
                PairSettingsMaker.settings(config, pair, names.pagesArn(getRegion()))
                        .traffic()
                        .orElseThrow();
        Construct flag = FlagStack.flag(this, traffic.flags().getFirst());
        TrafficSwitch clients =
                new TrafficSwitch(this, "Switch", traffic, pair.traffic().orElseThrow());
        if (flag instanceof FlagAlarm) {
            // A health check takes its settings from the alarm when it is made.
            clients.getNode().addDependency(flag);
        }
    }
}
