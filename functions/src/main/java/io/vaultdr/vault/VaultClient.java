package io.vaultdr.vault;

import com.fasterxml.jackson.databind.JsonNode;

import io.vaultdr.model.Secret;

import java.io.InputStream;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * One node of a Vault or OpenBao cluster, asked directly. Redirects are followed only where a
 * method says so. Every call has a connect and a read time-out and throws a {@link
 * io.vaultdr.model.Failure} of the fitting kind; a call that changes something and gets no answer
 * throws {@code OutcomeUnknown}.
 */
public interface VaultClient {
    /** The node's own address. */
    URI address();

    /**
     * {@code GET sys/health}, any status. A node that answers is never a failure; silence and
     * garbage are {@code Retryable}.
     */
    Health health();

    /** {@code GET sys/seal-status}. */
    SealStatus sealStatus();

    /** {@code GET sys/leader}, as this node sees it, which may be stale (facts §11 J). */
    Leader leader();

    /** {@code GET sys/storage/raft/configuration}. */
    List<RaftServer> raftConfiguration(Secret token);

    /** {@code GET sys/storage/raft/autopilot/state}. */
    Autopilot autopilotState(Secret token);

    /**
     * {@code POST sys/storage/raft/remove-peer}. Removing one that isn't there changes nothing.
     *
     * @param nodeId the id that the server has in the Raft configuration
     * @see <a
     *     href="https://openbao.org/api-docs/system/storage/raft/#remove-a-node-from-raft-cluster">Remove
     *     a node</a>
     */
    void removePeer(Secret token, String nodeId);

    /**
     * {@code PUT sys/step-down}: the active node gives leadership up; who leads next isn't told.
     *
     * @see <a href="https://openbao.org/api-docs/system/step-down/">Step down</a>
     */
    void stepDown(Secret token);

    /** {@code PUT sys/init} with recovery shares, for a node whose seal unseals it by itself. */
    Initialized initialize(int recoveryShares, int recoveryThreshold);

    /**
     * {@code GET sys/storage/raft/snapshot}, read as it comes: the caller reads at full speed and
     * closes it. A body that breaks off throws {@code IOException} from read; a read that stalls
     * longer than {@code stall} too.
     */
    InputStream snapshot(Secret token, Duration stall);

    /**
     * {@code POST sys/storage/raft/snapshot}, without force. Returning means <em>verified, not
     * restored</em>: the caller waits for the cluster id and the canary.
     */
    void restore(Secret token, Path archive, Duration limit);

    /**
     * {@code POST sys/storage/raft/snapshot}, without force, of an archive that is read while it is
     * sent. A read that throws breaks the request off, and nothing is restored.
     *
     * @param bytes the archive's length
     * @throws io.vaultdr.model.Failure.OutcomeUnknown where no answer came
     */
    RestoreAnswer restore(Secret token, InputStream archive, long bytes, Duration limit);

    /** How a server answers to a restore. */
    enum RestoreAnswer {
        /** Verified, not restored: the cluster id tells when it is. */
        VERIFIED,
        /** Its seal key doesn't open the archive's sums. */
        KEY_REFUSED,
        /** Any other refusal; it is as it was. */
        REFUSED
    }

    /** {@code POST auth/approle/login}. */
    Token login(Secret roleId, Secret secretId);

    /**
     * {@code POST auth/<mount>/login} of an AWS auth method.
     *
     * @param signed the body, with the signed request
     */
    Token loginByAws(String mount, Secret signed);

    /** {@code POST auth/token/revoke-self}. */
    void revokeSelf(Secret token);

    /** {@code GET <mount>/data/<path>} of a KV version 2 engine: newest version, empty if none. */
    Optional<KvVersion> readKv(Secret token, String mount, String path);

    /**
     * {@code GET <mount>/data/<path>} of a KV version 2 engine, untouched: {@code data} (none where
     * the newest version was deleted) and {@code metadata}; empty where there is nothing. Holds
     * secrets.
     */
    Optional<JsonNode> newestKv(Secret token, String mount, String path);

    /**
     * {@code POST <mount>/data/<path>} unless somebody wrote since.
     *
     * @param current the version that is replaced; 0: there must be none
     * @return the new version's number
     * @throws io.vaultdr.model.Failure.Terminal where the newest version is another
     */
    long writeKv(Secret token, String mount, String path, JsonNode data, long current);

    /** {@code POST <mount>/data/<path>}; the new version's number. */
    long writeKv(Secret token, String mount, String path, Map<String, String> data);

    /**
     * {@code GET <mount>/metadata/<path>} and {@code GET <mount>/data/<path>?version=…} of a KV
     * version 2 engine, untouched; empty where there is nothing. Holds secrets.
     *
     * @param version of the data; empty: the metadata
     */
    Optional<JsonNode> readKv(Secret token, String mount, String path, OptionalLong version);

    /** {@code GET} of something small below {@code v1/}; its {@code data}, or all where none is. */
    JsonNode read(Secret token, String path);

    /**
     * {@code GET} of something small below {@code v1/} that may not be there; its {@code data}, or
     * all where none is.
     */
    Optional<JsonNode> find(Secret token, String path);

    /**
     * {@code GET auth/token/lookup-self}: whether the server knows {@code token}, which has to be
     * allowed to ask.
     *
     * @see <a href="https://openbao.org/api-docs/auth/token/#lookup-a-token-self">Look a token
     *     up</a>
     */
    boolean knows(Secret token);

    /**
     * {@code POST <path>} of something small below {@code v1/}.
     *
     * @return the answer's {@code data}, or all where none is; may hold secrets
     * @throws io.vaultdr.model.Failure.OutcomeUnknown where no answer came
     */
    JsonNode write(Secret token, String path, Map<String, ?> body);

    /** {@code LIST <path>}: its keys; none where the server has nothing there. */
    List<String> list(Secret token, String path);

    /** {@code GET sys/audit}: type and file path of each device, by its mount path. */
    Map<String, AuditDevice> auditDevices(Secret token);

    /**
     * A node's health.
     *
     * @param status the HTTP status, whose meanings are in {@link NodeStatus}
     */
    record Health(
            int status,
            NodeStatus meaning,
            Optional<String> version,
            Optional<String> clusterId,
            Optional<Instant> serverTime) {}

    /** What a status of {@code sys/health} means. */
    enum NodeStatus {
        ACTIVE,
        STANDBY,
        PERFORMANCE_STANDBY,
        DR_SECONDARY,
        UNHEALTHY_STANDBY,
        NOT_INITIALISED,
        SEALED,
        REMOVED,
        UNKNOWN
    }

    /** {@code sys/seal-status}. */
    record SealStatus(
            String type,
            boolean initialised,
            boolean sealed,
            Optional<String> version,
            Optional<String> clusterId) {}

    /**
     * {@code sys/leader}.
     *
     * @param address the leader's API address, empty without one
     * @param activeTime since when this node is the leader; changes on a restart
     */
    record Leader(
            boolean self,
            Optional<URI> address,
            Optional<Instant> activeTime,
            OptionalLong committedIndex,
            OptionalLong appliedIndex) {}

    /** A server in the Raft configuration. */
    record RaftServer(String nodeId, String address, boolean leader, boolean voter) {}

    /**
     * Autopilot's view, up to five seconds old (facts §11 E).
     *
     * @param healthyServers the ids of the servers that it hears from and that keep up
     */
    record Autopilot(
            boolean healthy,
            int failureTolerance,
            List<String> voters,
            List<String> nonVoters,
            Set<String> healthyServers) {}

    /** What {@code sys/init} gave: keys and root token, which stay in memory. */
    record Initialized(Secret rootToken, List<Secret> recoveryKeys) {}

    /** A token and how long it lives. */
    record Token(Secret value, Duration timeToLive) {}

    /** A version of a KV secret. */
    record KvVersion(long version, Map<String, String> data) {
        @Override
        public String toString() {
            return "KvVersion[version=" + version + ", data=[secret]]";
        }
    }

    /** An audit device. */
    record AuditDevice(String type, Optional<String> filePath) {}
}
