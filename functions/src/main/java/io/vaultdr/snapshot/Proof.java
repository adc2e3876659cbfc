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
        /** Nothing is known to be wrong with it, and it can't be restored in this function. */
        NOT_PROVABLE_HERE
    }

    /** Why a snapshot isn't proven; the same word in logs, metrics, reports and runbooks. */
    public enum Reason {
        /** The bucket has the manifest and not the archive. */
        ARCHIVE_MISSING(Verdict.REFUTED),
        /** The archive is in a class that has to be thawed first: {@code snapshots thaw}. */
        ARCHIVE_FROZEN(Verdict.NOT_PROVABLE_HERE),
        /** The archive isn't what it was when it was taken. */
        ARCHIVE_DAMAGED(Verdict.REFUTED),
        /** The configured seal key doesn't open it. */
        SEAL_KEY_WRONG(Verdict.REFUTED),
        SEAL_KEY_DISABLED(Verdict.UNDECIDED),
        SEAL_KEY_PENDING_DELETION(Verdict.UNDECIDED),
        /** KMS, or the secret that holds a static key, doesn't answer or refuses. */
        SEAL_KEY_UNREACHABLE(Verdict.UNDECIDED),
        /** The restored server has no canary. */
        CANARY_MISSING(Verdict.REFUTED),
        /** Its canary is another snapshot's. */
        CANARY_OLD(Verdict.REFUTED),
        CLUSTER_ID_DIFFERS(Verdict.REFUTED),
        /** The restored server's Raft index is below the manifest's. */
        INDEX_TOO_LOW(Verdict.REFUTED),
        /**
         * The restored server knows neither the login that the manifest names nor the current one.
         */
        LOGIN_REFUSED(Verdict.UNDECIDED),
        /** None of its audit devices can work here, and a server with none doesn't start. */
        AUDIT_PATH(Verdict.NOT_PROVABLE_HERE),
        LICENCE_MISSING(Verdict.UNDECIDED),
        PLUGIN_MISSING(Verdict.UNDECIDED),
        BINARY_MISSING(Verdict.UNDECIDED),
        /** The server's or plugin's program isn't the one that was configured. */
        BINARY_HASH_DIFFERS(Verdict.UNDECIDED),
        SERVER_DIED(Verdict.UNDECIDED),
        /** It runs and doesn't answer, or not what it should. */
        SERVER_HUNG(Verdict.UNDECIDED),
        SERVER_SEALED(Verdict.UNDECIDED),
        OUT_OF_MEMORY(Verdict.UNDECIDED),
        OUT_OF_SCRATCH(Verdict.UNDECIDED),
        OUT_OF_TIME(Verdict.UNDECIDED),
        /** The function was stopped in the middle, again and again. */
        FUNCTION_STOPPED(Verdict.UNDECIDED),
        /** Larger than what the function was sized for. */
        TOO_LARGE(Verdict.NOT_PROVABLE_HERE);

        private final Verdict verdict;

        Reason(Verdict verdict) {
            this.verdict = verdict;
        }

        /** What it says about the snapshot. */
        public Verdict verdict() {
            return verdict;
        }
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

    /** A verdict that nothing was measured for; the parameters are the record's. */
    public static Proof bare(
            String id,
            PairId pair,
            Verdict verdict,
            Optional<Reason> reason,
            Optional<String> detail,
            Instant madeAt,
            String region,
            int attempt) {
        return new Proof(
                id,
                pair,
                verdict,
                reason,
                detail,
                madeAt,
                region,
                attempt,
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                List.of(),
                Optional.empty(),
                Map.of());
    }

    /** The key of the proof of {@code id}. */
    public static String key(String id) {
        return "proofs/" + id + ".proof.json";
    }

    /** How often what isn't decided is tried again by itself. */
    public static final int ATTEMPTS = 3;

    /** Whether it stays as it is until a person asks for another proof. */
    public boolean last() {
        return verdict != Verdict.UNDECIDED || attempt >= ATTEMPTS;
    }

    /** Whether the snapshot counts as a backup. */
    public boolean proven() {
        return verdict == Verdict.PROVEN;
    }
}
