package io.vaultdr.snapshot;

import io.vaultdr.model.PairId;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a proof of a snapshot came to. It lies beside the manifest as {@code
 * proofs/<id>.proof.json}; a later attempt writes a new version of it.
 *
 * @param id of the snapshot
 * @param verdict whether a real server restored the snapshot and read its canary back
 * @param reason why not; empty for a proven one
 * @param detail a sentence for people, without any restored content; empty for a proven one
 * @param madeAt when the verdict was reached
 * @param region where the copy lies that was restored
 * @param attempt from 1 on
 * @param sha256 of the archive as it was read from the bucket, lower-case hex; empty when it was
 *     not read to its end
 * @param index the restored server's Raft index after the restore, where it was read
 * @param clusterId what the restored server called itself, where it was read
 * @param counts what was counted in the restored server, where that was reached
 * @param stages how long each stage took, in order
 * @param peakMemoryBytes the server's peak anonymous memory, where the system tells it
 * @param versions {@code server}, {@code serverSha256}, {@code function}, {@code java} and so on
 */
public record Proof(
        String id,
        PairId pair,
        Verdict verdict,
        Optional<Reason> reason,
        Optional<String> detail,
        Instant madeAt,
        String region,
        int attempt,
        Optional<String> sha256,
        Optional<Long> index,
        Optional<String> clusterId,
        Optional<Counts> counts,
        List<StageTime> stages,
        Optional<Long> peakMemoryBytes,
        Map<String, String> versions) {

    /** How it ended. */
    public enum Verdict {
        /** A server restored it and the canary was read back. */
        PROVEN,
        /** It was tried to the end, and the snapshot can't be used as it is. */
        REFUTED,
        /** Something that isn't the snapshot's fault stood in the way; it is tried again. */
        UNDECIDED,
        /** Too large for a function of this deployment. */
        NOT_PROVABLE_HERE
    }

    /** Why a snapshot isn't proven; the same word in logs, metrics, reports and runbooks. */
    public enum Reason {
        ARCHIVE_MISSING,
        ARCHIVE_DAMAGED,
        SEAL_KEY_WRONG,
        SEAL_KEY_DISABLED,
        SEAL_KEY_PENDING_DELETION,
        SEAL_KEY_UNREACHABLE,
        CANARY_MISSING,
        CANARY_OLD,
        CLUSTER_ID_DIFFERS,
        INDEX_TOO_LOW,
        LOGIN_REFUSED,
        AUDIT_PATH,
        LICENCE_MISSING,
        PLUGIN_MISSING,
        BINARY_MISSING,
        BINARY_HASH_DIFFERS,
        SERVER_DIED,
        SERVER_HUNG,
        SERVER_SEALED,
        OUT_OF_MEMORY,
        OUT_OF_SCRATCH,
        OUT_OF_TIME,
        TOO_LARGE
    }

    /**
     * What a restored server holds, in numbers only.
     *
     * @param secretEngines mounted engines
     * @param authMethods mounted auth methods
     * @param policies ACL policies
     * @param entities identity entities
     * @param keys keys of KV version 2 engines
     * @param keysComplete whether all were counted, or the time for it ended before
     */
    public record Counts(
            long secretEngines,
            long authMethods,
            long policies,
            long entities,
            long keys,
            boolean keysComplete) {}

    /** How long a stage took. */
    public record StageTime(String name, Duration took) {}

    /** The key of the proof of {@code id}. */
    public static String key(String id) {
        return "proofs/" + id + ".proof.json";
    }

    /** Whether the snapshot counts as a backup. */
    public boolean proven() {
        return verdict == Verdict.PROVEN;
    }
}
