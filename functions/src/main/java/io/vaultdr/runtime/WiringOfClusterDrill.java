package io.vaultdr.runtime;

import io.vaultdr.aws.DrillInstances;
import io.vaultdr.doctor.Looks;
import io.vaultdr.drill.ClusterDrill;
import io.vaultdr.model.Failure;

import java.time.Duration;
import java.util.Optional;

/** What the part of a drill that boots a cluster uses beside the pair's {@link Wiring}. */
public final class WiringOfClusterDrill {
    private static final Duration POLL = Duration.ofSeconds(2);

    private final Wiring wiring;
    private final ClusterDrillSettings settings;

    /** The adapters of a drill with {@code settings}. */
    public WiringOfClusterDrill(Wiring wiring, ClusterDrillSettings settings) {
        this.wiring = wiring;
        this.settings = settings;
    }

    /** The drill that the function's environment describes. */
    public static WiringOfClusterDrill ofEnvironment() {
        return new WiringOfClusterDrill(
                Wiring.ofPair(),
                Settings.part(System.getenv(), "DRILL_CLUSTER", ClusterDrillSettings.class));
    }

    /** The pair's metrics. */
    public PairMetrics metrics() {
        return PairMetrics.embedded(wiring.pair().pair());
    }

    /** What it uses of the pair. */
    public Looks looks() {
        return new WiringOfDoctor(wiring).drillCluster();
    }

    /** The drill. */
    public ClusterDrill drill() {
        PairSettings.Cluster cluster = settings.cluster();
        return new ClusterDrill(
                settings,
                new ClusterDrill.Ports(
                        wiring.ledger(),
                        new DrillInstances(
                                wiring.aws().autoScaling(cluster.region()),
                                wiring.aws().ssm(cluster.region()),
                                named(cluster.autoScalingGroup(), "Auto Scaling group"),
                                named(cluster.instanceTag(), "instance tag"),
                                cluster.address().getPort()),
                        wiring.drCatalog(),
                        wiring.vaultClients(),
                        wiring.nodeCommands(),
                        wiring.login()),
                wiring.scratch(),
                POLL);
    }

    private static <T> T named(Optional<T> part, String what) {
        return part.orElseThrow(
                () ->
                        new Failure.Terminal(
                                "wire the drill's cluster",
                                "its settings name no " + what,
                                "Deploy the function with the CDK app"));
    }
}
