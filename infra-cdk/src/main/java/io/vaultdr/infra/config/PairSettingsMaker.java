package io.vaultdr.infra.config;

import io.vaultdr.infra.config.Config.Pair;
import io.vaultdr.infra.config.Config.Prove;
import io.vaultdr.model.Slots;
import io.vaultdr.runtime.ClusterDrillSettings;
import io.vaultdr.runtime.DrillSettings;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.runtime.PairSettings.Failover.Prefer;
import io.vaultdr.runtime.ProofSettings;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

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
                cluster(pair.home(), made(pair, names)),
                pair.dr().filter(dr -> pair.probed()).map(dr -> cluster(dr, made(pair, names))),
                pair.bucketRegions().stream().map(region -> snapshots(names, region)).toList(),
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

    /** What is told to functions that restore snapshots of {@code any} pair in isolation. */
    public static ProofSettings proof(Config config, Pair any) {
        Pair pair = any.there();
        Names names = names(config, pair);
        Prove prove = pair.proving().orElseThrow();
        String region = pair.proofRegion();
        return new ProofSettings(
                snapshots(names, region),
                artifact(names, region, prove.server()),
                prove.sealPlugin().map(it -> artifact(names, region, it)),
                prove.licence(),
                prove.seal(),
                pair.proofLogin(),
                Math.min(pair.snapshots().largest(), Sizes.LARGEST_PROVABLE),
                SWEEP,
                prove.recover().isEmpty()
                        ? Optional.empty()
                        : Optional.of(
                                new PairSettings.Bucket(
                                        region, names.recovered(region), names.account())),
                prove.recover());
    }

    /** How often the newest snapshot that isn't proven yet is looked for. */
    public static final Duration SWEEP = Duration.ofMinutes(15);

    private static ProofSettings.Artifact artifact(
            Names names, String region, Config.Artifact artifact) {
        return new ProofSettings.Artifact(
                artifact.bucket().orElseGet(() -> names.servers(region)),
                artifact.key(),
                artifact.sha256());
    }

    /** What a drill of {@code pair} is told. */
    public static DrillSettings drill(Config config, Pair pair) {
        Names names = names(config, pair);
        String region = pair.drillRegion();
        return new DrillSettings(
                new PairSettings.Bucket(region, names.drills(region), names.account()),
                names.arn("kms", region, names.drillKeyAlias()),
                takeSnapshot(names, pair.home().region()),
                pair.dr().filter(dr -> pair.probed()).map(dr -> takeSnapshot(names, dr.region())),
                pair.goals().rpo(),
                pair.goals().rto(),
                pair.bootsDrills());
    }

    /** What the function is told that boots a drill's own cluster. */
    public static ClusterDrillSettings drillCluster(Config config, Pair pair) {
        Names names = names(config, pair);
        PairSettings.Cluster dr = cluster(pair.drCluster());
        return new ClusterDrillSettings(
                new PairSettings.Cluster(
                        dr.region(),
                        dr.address(),
                        dr.nodes(),
                        dr.serverName(),
                        dr.login(),
                        Optional.of(names.drillGroup()),
                        Optional.of(Names.drillInstances(pair.id())),
                        dr.voters(),
                        dr.awsLogin(),
                        Optional.empty()),
                names.of("restart"),
                names.of("wipe"));
    }

    private static String takeSnapshot(Names names, String region) {
        return names.functionArn(region, "take-snapshot") + ":live";
    }

    /** The names of {@code pair}'s resources, as the account knows them that it is told to. */
    public static Names names(Config config, Pair pair) {
        String home = config.account().orElseThrow();
        String copy = pair.copyAccount().orElse(home);
        Map<String, String> owners = new TreeMap<>();
        owners.put(pair.home().region(), home);
        pair.copyTo().ifPresent(region -> owners.put(region, copy));
        return new Names(
                config.prefix(),
                pair.id(),
                pair.inCopyAccount() ? copy : home,
                owners,
                pair.snapshots().existing());
    }

    private static PairSettings.Bucket snapshots(Names names, String region) {
        return new PairSettings.Bucket(region, names.snapshots(region), names.owner(region));
    }

    /** How long a termination that would cost too much is held. */
    private static final Duration HOLD_LIMIT = Duration.ofHours(2);

    private static Optional<PairSettings.Made> made(Pair pair, Names names) {
        return pair.servers()
                .map(
                        servers ->
                                new PairSettings.Made(
                                        servers.nodes(),
                                        names.launchHook(),
                                        names.terminationHook(),
                                        HOLD_LIMIT,
                                        names.recoveryKeys(),
                                        names.initialisation(),
                                        names.of("wipe"),
                                        pair.auditFile()));
    }

    /** What is known of {@code cluster} by who only talks to its servers. */
    public static PairSettings.Cluster cluster(Config.Cluster cluster) {
        return cluster(cluster, Optional.empty());
    }

    private static PairSettings.Cluster cluster(
            Config.Cluster cluster, Optional<PairSettings.Made> made) {
        return new PairSettings.Cluster(
                cluster.region(),
                cluster.address(),
                cluster.nodes(),
                cluster.serverName(),
                cluster.login(),
                cluster.autoScalingGroup(),
                cluster.instances(),
                cluster.voters(),
                cluster.awsLogin(),
                made.filter(it -> cluster.made().isPresent()));
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
                pair.proving()
                        .filter(it -> Sizes.provable(pair.snapshots().largest()))
                        .map(Prove::maxAge),
                pair.proving().map(Prove::prefer).orElse(Prefer.PROVEN),
                pair.strategy());
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
                regions.stream().map(region -> flag(traffic.flag(), region, names)).toList());
    }

    private static PairSettings.Flag flag(Config.Traffic.Flag flag, String region, Names names) {
        return switch (flag) {
            case OBJECT ->
                    new PairSettings.Flag.InBucket(region, names.flag(region), Names.FLAG_KEY);
            case METRIC ->
                    new PairSettings.Flag.InMetric(
                            region, names.flagNamespace(), Names.FLAG_METRIC, names.flagAlarm());
        };
    }
}
