package io.vaultdr.testing;

import io.vaultdr.runtime.PairSettings;

import java.net.URI;
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
}
