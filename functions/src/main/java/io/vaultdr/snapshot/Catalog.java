package io.vaultdr.snapshot;

import io.vaultdr.model.Failure;

import java.io.InputStream;
import java.util.List;

/** The committed snapshots of one pair in one bucket. */
public interface Catalog {
    /** The region of the bucket. */
    String region();

    /**
     * Committed snapshots, newest first, at the most {@code limit}. Manifests that can't be read
     * are an error, not left out.
     */
    List<Manifest> newest(int limit);

    /**
     * The archive's bytes, as they stand in the bucket: check them before use.
     *
     * @throws io.vaultdr.model.Failure.Terminal also where there is none
     */
    default InputStream open(Manifest snapshot) {
        return switch (find(snapshot)) {
            case Found.Here(InputStream bytes) -> bytes;
            case Found.Missing _ -> throw unreadable(snapshot, "the bucket doesn't have it");
            case Found.Frozen(String storageClass) ->
                    throw unreadable(snapshot, "it is in class " + storageClass);
        };
    }

    private Failure unreadable(Manifest snapshot, String seen) {
        return new Failure.Terminal(
                "read " + snapshot.archiveKey() + " in " + region(),
                seen,
                "Take another snapshot, or bring it back with ./vault-dr snapshots thaw");
    }

    /** The archive's bytes, or why there are none. */
    Found find(Manifest snapshot);

    /** What a bucket has of an archive. */
    sealed interface Found {
        /** Its bytes; to be closed. */
        record Here(InputStream bytes) implements Found {}

        /** Nothing. */
        record Missing() implements Found {}

        /** It is in a class that can't be read before it was brought back. */
        record Frozen(String storageClass) implements Found {}
    }
}
