package io.vaultdr.infra.stack;

import io.vaultdr.infra.config.Config;
import io.vaultdr.infra.config.Config.Cluster;
import io.vaultdr.infra.config.Config.Pair;
import io.vaultdr.infra.config.Names;
import io.vaultdr.infra.config.PairSettingsMaker;
import io.vaultdr.infra.watch.PairDashboard;
import io.vaultdr.infra.watch.WatchedCluster;

import software.amazon.awscdk.App;

import java.util.List;

/**
 * A pair's dashboard, in the DR region where there is one: it is looked at when home is away. It
 * holds nothing that another stack needs, so it may be deleted and made again at any time.
 */
public final class WatchStack extends VaultDrStack {
    public WatchStack(App app, String name, Config config, Pair pair) {
        super(
                app,
                name,
                config,
                pair.dr()
                        .filter(it -> pair.probed())
                        .map(Cluster::region)
                        .orElse(pair.home().region()),
                "What people on call look at of " + pair.id(),
                false);
        Names names = PairSettingsMaker.names(config, pair);
        new PairDashboard(
                this,
                "Pair",
                new PairDashboard.Props(
                        names,
                        pair,
                        List.copyOf(config.vantages().keySet()),
                        pair.madeSides().stream()
                                .map(side -> WatchedCluster.of(names, pair, side))
                                .toList(),
                        PairDashboard.functions(config, pair)));
    }
}
