package io.vaultdr.snapshot;

import io.vaultdr.model.Epoch;
import io.vaultdr.model.PairId;
import io.vaultdr.model.Side;

import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * The commit of a snapshot: written last, with If-None-Match. Without it there is no snapshot.
 *
 * @param id the same for the same scheduled minute of the same pair; sorts by time
 * @param takenAt when the server's answer began; nothing acknowledged before the canary's write is
 *     missing
 * @param lineage the epoch of the promotion that made the serving side serve; empty (ledger away)
 *     means kept, but never chosen by itself
 * @param bytes the archive's length
 * @param sha256 the archive's hash, lower-case hex
 * @param index the Raft index of the snapshot
 * @param term its Raft term
 * @param clusterId the cluster it was taken from, the same on both sides after a restore
 * @param nonce what the canary held when it was taken; tells one snapshot's content from another's
 * @param needs what it wants in order to be opened and used
 */
public record Manifest(
        String id,
        PairId pair,
        Side side,
        Instant takenAt,
        Optional<Epoch> lineage,
        long bytes,
        String sha256,
        long index,
        long term,
        String clusterId,
        String nonce,
        RestoreNeeds needs) {
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("uuuuMMdd'T'HHmmss'Z'", Locale.ROOT)
                    .withZone(ZoneOffset.UTC);

    /**
     * The key of the archive in each bucket. It carries the nonce, so that two runs for the same id
     * never write the same object.
     */
    public static String archiveKey(String id, String nonce) {
        return "archives/" + id + "-" + nonce + ".snap";
    }

    /** The key of this snapshot's archive. */
    public String archiveKey() {
        return archiveKey(id, nonce);
    }

    /** The key of the manifest that commits {@code id}. */
    public static String key(String id) {
        return "manifests/" + id + ".json";
    }

    /**
     * The id of a pair's snapshot: the same for the same scheduled minute, and sorting by time. A
     * schedule that is faster than a minute, as in a compressed rehearsal, gets an id per interval.
     */
    public static String id(PairId pair, Instant scheduled, Duration every) {
        long step = Math.max(1, Math.min(60, every.toSeconds()));
        Instant start =
                Instant.ofEpochSecond(Math.floorDiv(scheduled.getEpochSecond(), step) * step);
        return pair + "-" + TIME.format(start);
    }

    /**
     * What a snapshot needs to be restored and used.
     *
     * @param edition {@code openbao} or {@code vault}
     * @param version the server's version
     * @param sealType the seal's type, such as {@code awskms}
     * @param sealKey the seal key's id or ARN where the function can know it
     * @param login intent → version id of the AppRole secret that this snapshot knows
     * @param auditPaths the files that its audit devices write, and for a device of another type
     *     its type and a colon; a restored server must be able to open one of them
     */
    public record RestoreNeeds(
            String edition,
            String version,
            String sealType,
            Optional<String> sealKey,
            Map<String, String> login,
            List<String> auditPaths) {}
}
