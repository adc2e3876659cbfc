package io.vaultdr.snapshot;

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

    /** The archive's bytes, as they stand in the bucket: check them before use. */
    InputStream open(Manifest snapshot);
}
