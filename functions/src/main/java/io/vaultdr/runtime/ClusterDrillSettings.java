package io.vaultdr.runtime;

/**
 * What the function that boots a drill's cluster is told beside {@link PairSettings}: the
 * environment variable {@code DRILL_CLUSTER}, as JSON.
 *
 * @param cluster the drill's own cluster: its group, the tag of its instances, how many of them
 *     vote when it is complete; its address is that of nothing, since nodes are found by the tag
 * @param restartDocument the SSM document that restarts the server on its nodes
 * @param wipeDocument the SSM document that wipes such a node and starts it blank
 */
public record ClusterDrillSettings(
        PairSettings.Cluster cluster, String restartDocument, String wipeDocument) {}
