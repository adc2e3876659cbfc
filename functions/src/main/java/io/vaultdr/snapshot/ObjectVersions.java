package io.vaultdr.snapshot;

import io.vaultdr.snapshot.PoisonGuard.Acceptance;
import io.vaultdr.snapshot.PoisonGuard.Freeze;
import io.vaultdr.snapshot.Retention.Hold;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * One bucket as Retention sees it: every version of every object of a pair. All methods throw
 * {@link io.vaultdr.model.Failure} when the bucket can't be reached or refuses.
 */
public interface ObjectVersions {
    /** S3's word for the class of an object that is read at once and paid by the month. */
    String STANDARD = "STANDARD";

    /** The region of the bucket. */
    String region();

    /**
     * Every version and delete marker of the pair's manifests, proofs, claims and archives.
     *
     * @see <a
     *     href="https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html">ListObjectVersions</a>
     */
    List<Version> list();

    /**
     * A version of an object.
     *
     * @param current whether it is the newest version of its key
     * @param marker a delete marker: it hides the versions below it
     * @param modified when it was written
     * @param storageClass S3's word; {@link #STANDARD} for a marker
     */
    record Version(
            String key,
            String versionId,
            boolean current,
            boolean marker,
            Instant modified,
            String storageClass) {
        /** Whether a reader of the key gets it. */
        public boolean visible() {
            return current && !marker;
        }
    }

    /** The manifest of {@code id}, if it is still there; terminal where it can't be read. */
    Optional<Manifest> manifest(String id);

    /** The latest proof of {@code id}. */
    Optional<Proof> proof(String id);

    /** Whether the bucket has object lock at all, so that something in it may be held. */
    boolean lockable();

    /** What holds a version that isn't a marker, at {@code now}. */
    Optional<Hold> hold(Version version, Instant now);

    /**
     * Deletes versions for good, in batches; one that isn't there any more counts as deleted.
     *
     * @return those that weren't deleted, and S3's reason for each
     */
    Map<Version, String> delete(List<Version> versions);

    /**
     * Marks an archive, so that the bucket's lifecycle moves it to the colder class within days: it
     * gets the tag {@value #TAG} = {@value #TAG_VALUE}. May be done again, and under lock.
     */
    void archive(String key);

    /** The tag that the lifecycle rule looks for. */
    String TAG = "vault-dr-class";

    /** Its value. */
    String TAG_VALUE = "archive";

    /** The freeze in this bucket. */
    Optional<Freeze> frozen();

    /** Writes a freeze unless there is one. */
    void freeze(Freeze freeze);

    /** Takes the freeze away; nothing happens where there is none. */
    void unfreeze();

    /** The newest acceptance in this bucket. */
    Optional<Acceptance> accepted();

    /** Writes an acceptance; an earlier one stays as an older version. */
    void accept(Acceptance acceptance);
}
