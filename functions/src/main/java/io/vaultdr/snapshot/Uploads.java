package io.vaultdr.snapshot;

import java.io.InputStream;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * Where one bucket takes archives, and the manifests that commit them. All methods throw {@link
 * io.vaultdr.model.Failure} when the bucket can't be reached or refuses.
 */
public interface Uploads {
    /** The region of the bucket. */
    String region();

    /** The manifest that commits {@code id}, if there is one. */
    Optional<Manifest> committed(String id);

    /**
     * Begins to upload an archive. Nothing can be seen of it before {@link Upload#complete}, and
     * nothing counts before {@link #commit}.
     *
     * @param key {@link Manifest#archiveKey}
     */
    Upload begin(String key);

    /**
     * Writes the manifest unless there is one with its id.
     *
     * @return whether it was written; otherwise another run was faster
     */
    boolean commit(Manifest manifest);

    /** Gives up uploads that were begun before {@code before} and never ended; how many. */
    int sweep(Instant before);

    /** An upload that goes on. */
    interface Upload {
        /** Sends a part, from 1 on; any order, several at once. */
        Part put(int number, Content content);

        /** Makes the archive of these parts, in order. */
        void complete(List<Part> parts);

        /** Gives the upload up; never fails, the next run's sweep is behind it. */
        void abort();
    }

    /**
     * What a bucket answered to a part.
     *
     * @param checksum that the part was sent with
     */
    record Part(int number, String tag, String checksum) {}

    /** A part's bytes, which can be read again when the sending fails. */
    interface Content {
        long length();

        /** The CRC-32 that its bytes had when they came, before they were kept anywhere. */
        int crc32();

        InputStream open();
    }
}
