package io.vaultdr.testing;

import io.vaultdr.failover.TestPair;
import io.vaultdr.runtime.PairSettings;

import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** Settings that name servers of tests. */
public final class Clusters {
    private Clusters() {}

    /** A cluster of these nodes. */
    public static PairSettings.Cluster of(List<URI> nodes) {
        return of(nodes, Optional.empty());
    }

    /** A cluster of these nodes whose certificates hold {@code serverName}. */
    public static PairSettings.Cluster of(List<URI> nodes, Optional<String> serverName) {
        return new PairSettings.Cluster(
                "eu-west-1",
                nodes.getFirst(),
                nodes,
                serverName,
                "payments-vault-dr",
                Optional.empty(),
                Optional.empty(),
                nodes.size(),
                Optional.empty(),
                Optional.empty());
    }

    /** A cluster of these nodes as the CDK app makes it. */
    public static PairSettings.Cluster made(List<URI> nodes) {
        return made(nodes, "/var/log/vault-dr/audit.log");
    }

    /** The same with an audit file of its own. */
    public static PairSettings.Cluster made(List<URI> nodes, String auditFile) {
        PairSettings.Cluster brought = of(nodes);
        return new PairSettings.Cluster(
                brought.region(),
                brought.address(),
                nodes,
                brought.serverName(),
                brought.login(),
                Optional.of("vault-dr-payments-home"),
                Optional.of(new PairSettings.Tag("vault-dr", "payments-home")),
                nodes.size(),
                Optional.empty(),
                Optional.of(
                        new PairSettings.Made(
                                3,
                                "launch",
                                "terminate",
                                Duration.ofHours(1),
                                "payments-vault-dr/recovery-keys",
                                "payments-vault-dr/initialisation",
                                "wipe",
                                auditFile)));
    }

    /** The usual pair, whose home is {@code home}. */
    public static PairSettings pair(PairSettings.Cluster home) {
        PairSettings usual = TestPair.at(PairSettings.Stage.OBSERVE);
        return new PairSettings(
                usual.pair(),
                usual.edition(),
                usual.stage(),
                usual.account(),
                home,
                usual.dr(),
                usual.buckets(),
                usual.vantages(),
                usual.failover(),
                usual.traffic(),
                usual.slot(),
                usual.snapshotEvery(),
                usual.topicArn());
    }
}
