package io.vaultdr.infra.watch;

import io.vaultdr.runtime.PairSettings.Edition;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What of a server's telemetry becomes a metric of CloudWatch: few, by the names that the server
 * itself gives them. All were read from OpenBao 2.7.2, which calls them {@code vault_…} as Vault
 * does; {@code docs/watching.md} says which are there in which state, and which were left out.
 *
 * @see <a href="https://developer.hashicorp.com/vault/docs/internals/telemetry/metrics/all">Vault's
 *     telemetry</a>
 */
public enum ServerMetric {
    /** 1 on the node that leads, 0 on others that are unsealed; a sealed node doesn't say it. */
    ACTIVE("vault_core_active"),
    /** 0 on a node that is sealed, or blank. */
    UNSEALED("vault_core_unsealed"),
    /** 1 while autopilot holds every node for healthy; said by the leader. */
    HEALTHY("vault_autopilot_healthy"),
    /** How many voters may go before the quorum does; said by the leader. */
    FAILURE_TOLERANCE("vault_autopilot_failure_tolerance"),
    /** 1 for each node that autopilot holds for healthy; said by the leader. */
    NODE_HEALTHY("vault_autopilot_node_healthy"),
    /** By how many entries a follower is behind; said by the leader. */
    FOLLOWER_LAG("vault_raft_storage_follower_applied_index_delta"),
    /** Raft's term: each election raises it. */
    TERM("vault_raft_storage_stats_term"),
    /** Milliseconds from an entry's arrival at the leader to its commit, of the slowest. */
    COMMIT_TIME("vault_raft_commitTime", "0.99"),
    /** Milliseconds since followers answered the leader, of the middle one. */
    LAST_CONTACT("vault_raft_leader_lastContact", "0.5"),
    /** Heartbeats of standbys that the active node didn't answer; there once the first failed. */
    ECHO_ERRORS("vault_ha_rpc_client_echo_errors"),
    /** Requests that no audit device took, which the server therefore refused. */
    AUDIT_REQUEST_FAILURES("vault_audit_log_request_failure"),
    /** Answers that no audit device took, which the server therefore held back. */
    AUDIT_RESPONSE_FAILURES("vault_audit_log_response_failure"),
    /** Requests that are being answered. */
    IN_FLIGHT("vault_core_in_flight_requests"),
    /** Leases; said by the leader. */
    LEASES("vault_expire_num_leases"),
    /** The newest entry of the log that a DR primary streams; Vault Enterprise only. */
    DR_PRIMARY_WAL("vault_replication_wal_last_dr_wal"),
    /** The newest entry that a DR secondary has of it; Vault Enterprise only. */
    DR_SECONDARY_WAL("vault_replication_fsm_last_remote_wal");

    private static final Set<ServerMetric> ENTERPRISE = Set.of(DR_PRIMARY_WAL, DR_SECONDARY_WAL);

    private final String served;
    private final Optional<String> quantile;

    ServerMetric(String served) {
        this.served = served;
        this.quantile = Optional.empty();
    }

    ServerMetric(String served, String quantile) {
        this.served = served;
        this.quantile = Optional.of(quantile);
    }

    /** The server's name for it, and CloudWatch's. */
    public String served() {
        return served;
    }

    /** Which quantile of a summary it is. */
    public Optional<String> quantile() {
        return quantile;
    }

    /** What servers of that edition serve. */
    public static List<ServerMetric> of(Edition edition) {
        return Arrays.stream(values())
                .filter(metric -> edition == Edition.VAULT || !ENTERPRISE.contains(metric))
                .toList();
    }
}
