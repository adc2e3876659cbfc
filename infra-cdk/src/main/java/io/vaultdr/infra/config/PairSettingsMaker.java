package io.vaultdr.infra.config;

import io.vaultdr.infra.config.Config.Pair;
import io.vaultdr.model.Slots;
import io.vaultdr.runtime.PairSettings;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Makes what functions know of their pair, the one place where it is made. */
public final class PairSettingsMaker {
    private PairSettingsMaker() {}

    /**
     * What functions know of {@code pair}.
     *
     * @param topicArn the topic of the function's own region
     */
    public static PairSettings settings(Config config, Pair pair, String topicArn) {
        Names names = names(config, pair);
        return new PairSettings(
                pair.id(),
                pair.edition(),
                pair.stage(),
                names.account(),
                cluster(pair.home()),
                pair.dr().filter(dr -> pair.probed()).map(PairSettingsMaker::cluster),
                pair.bucketRegions().stream()
                        .map(region -> new PairSettings.Bucket(region, names.snapshots(region)))
                        .toList(),
                pair.probed()
                        ? config.vantages().keySet().stream()
                                .map(
                                        region ->
                                                new PairSettings.Vantage(
                                                        region, Config.role(pair, region)))
                                .toList()
                        : List.of(),
                pair.probed() ? Optional.of(failover(pair, names)) : Optional.empty(),
                pair.traffic()
                        .filter(traffic -> pair.probed())
                        .map(traffic -> traffic(config, pair, traffic, names)),
                Slots.DEFAULT_LENGTH,
                pair.snapshots().every(),
                topicArn);
    }

    /** The names of {@code pair}'s resources. */
    public static Names names(Config config, Pair pair) {
        return new Names(config.prefix(), pair.id(), config.account().orElseThrow());
    }

    /** What functions know of {@code cluster}. */
    public static PairSettings.Cluster cluster(Config.Cluster cluster) {
        return new PairSettings.Cluster(
                cluster.region(),
                cluster.address(),
                cluster.nodes(),
                cluster.serverName(),
                cluster.login(),
                cluster.autoScalingGroup(),
                cluster.instances(),
                cluster.voters());
    }

    private static PairSettings.Failover failover(Pair pair, Names names) {
        Config.Timings timings = pair.timings();
        return new PairSettings.Failover(
                names.table(),
                names.stateMachineArn(pair.drCluster().region()),
                names.of("restart"),
                names.of("wipe"),
                names.of("stop"),
                pair.service().unit(),
                timings.coolDown(),
                timings.askAgainAfter(),
                timings.approvalTimeout(),
                timings.acceptedLoss(),
                timings.snapshotMaxAge(),
                Optional.empty(),
                PairSettings.Failover.Prefer.PROVEN);
    }

    private static PairSettings.Traffic traffic(
            Config config, Pair pair, Config.Traffic traffic, Names names) {
        List<String> regions = new ArrayList<>(List.of(pair.drCluster().region()));
        config.witness(pair).ifPresent(regions::add);
        return new PairSettings.Traffic(
                traffic.zone(),
                traffic.name(),
                names.of("home"),
                names.of("dr"),
                regions.stream()
                        .map(
                                region ->
                                        new PairSettings.Flag(
                                                region, names.flag(region), Names.FLAG_KEY))
                        .toList());
    }
}
