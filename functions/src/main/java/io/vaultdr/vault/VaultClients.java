package io.vaultdr.vault;

import io.vaultdr.runtime.PairSettings;

import java.net.URI;

/** Makes a client for one node of a cluster, with that cluster's CA and server name. */
public interface VaultClients {
    /** A client for {@code node} of {@code cluster}; nothing is asked yet. */
    VaultClient at(PairSettings.Cluster cluster, URI node);
}
