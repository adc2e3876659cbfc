package io.vaultdr.infra.watch;

import io.vaultdr.infra.config.Config.Pair;
import io.vaultdr.infra.config.Names;
import io.vaultdr.model.Side;
import io.vaultdr.runtime.PairSettings.Edition;

import java.util.List;

/**
 * A made cluster, as those who watch it know it. Its names are told by pair and side alone, so that
 * a dashboard in one region finds the metrics of another.
 *
 * @param group its Auto Scaling group
 * @param auditFile where the servers write their audit log, the same on every node
 * @param disks where its disks are mounted
 * @param instanceType what its nodes are; only burstable ones have CPU credits
 */
public record WatchedCluster(
        Names names,
        Side side,
        String region,
        Edition edition,
        String group,
        String auditFile,
        List<String> disks,
        String instanceType) {
    /** The namespace of everything that nodes publish. */
    public static final String NAMESPACE = "VaultDr/Nodes";

    /** The dimension that every metric of a node has. */
    public static final String DIMENSION = "Cluster";

    /**
     * Where the server answers for its metrics and nothing else, without a token. The listener is
     * the boot script's.
     */
    public static final String METRICS_ADDRESS = "127.0.0.1:8202";

    /** The cluster that is made of {@code pair} on {@code side}. */
    public static WatchedCluster of(Names names, Pair pair, Side side) {
        return new WatchedCluster(
                names,
                side,
                pair.cluster(side).region(),
                pair.edition(),
                names.group(side),
                pair.auditFile(),
                // Data, logs and system share one volume.
                List.of("/"),
                pair.servers().orElseThrow().instanceType());
    }

    /** What its nodes put into the dimension {@code Cluster}, and into their tag. */
    public String cluster() {
        return names.pair() + "-" + side;
    }

    /** {@code <prefix>-<pair>-<side>-<purpose>}, of an alarm. */
    public String alarm(String purpose) {
        return names.of(side + "-" + purpose);
    }

    /** The parameter that holds the agent's configuration. */
    public String agentParameter() {
        return "/" + names.prefix() + "/" + names.pair() + "/agent-" + side;
    }

    /** The log group of the audit log. */
    public String auditLog() {
        return log("audit");
    }

    /** The log group that the server's telemetry passes through. */
    public String telemetryLog() {
        return log("telemetry");
    }

    /** Both log groups. */
    public List<String> logs() {
        return List.of(auditLog(), telemetryLog());
    }

    /** Whether its instances have CPU credits that may run out. */
    public boolean burstable() {
        return instanceType.startsWith("t");
    }

    private String log(String purpose) {
        return "/" + names.prefix() + "/" + cluster() + "/" + purpose;
    }
}
