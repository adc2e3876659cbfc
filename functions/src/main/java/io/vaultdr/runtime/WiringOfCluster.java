package io.vaultdr.runtime;

import io.vaultdr.aws.AutoScalingNodes;
import io.vaultdr.cluster.RetirePeer;
import io.vaultdr.failover.PairState;
import io.vaultdr.model.Failure;
import io.vaultdr.model.Side;

/** What the functions that tend to a made cluster use beside the pair's {@link Wiring}. */
public final class WiringOfCluster {
    private final Wiring wiring;

    /** The adapters for the made cluster in the region of {@code wiring}. */
    public WiringOfCluster(Wiring wiring) {
        this.wiring = wiring;
    }

    /** Those of the pair that the function's environment describes. */
    public static WiringOfCluster ofEnvironment() {
        return new WiringOfCluster(Wiring.ofPair());
    }

    /** The pair's metrics. */
    public PairMetrics metrics() {
        return PairMetrics.embedded(wiring.pair().pair());
    }

    /** Sees this region's instances in and out. */
    public RetirePeer retirePeer() {
        Side side = side();
        return new RetirePeer(
                wiring.pair(),
                side,
                new RetirePeer.Ports(
                        wiring.leaders(),
                        wiring.login(),
                        new AutoScalingNodes(
                                wiring.aws().autoScaling(wiring.region()),
                                wiring.pair().cluster(side).autoScalingGroup().orElseThrow()),
                        this::incident,
                        wiring.pager()),
                metrics(),
                wiring.clock());
    }

    private boolean incident() {
        return wiring.pair().failover().isPresent()
                && wiring.ledger().state().phase() instanceof PairState.Phase.Changing;
    }

    private Side side() {
        return wiring.sideHere()
                .filter(side -> wiring.pair().cluster(side).made().isPresent())
                .orElseThrow(
                        () ->
                                new Failure.Terminal(
                                        "wire pair " + wiring.pair().pair(),
                                        "no cluster in " + wiring.region() + " was made",
                                        "Deploy this function only where the app made one"));
    }
}
