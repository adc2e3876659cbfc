package io.vaultdr.snapshot;

import java.util.List;

/** One bucket, read and written. */
public interface SnapshotStore extends Catalog, Uploads {
    @Override
    String region();

    /** Ids of the newest committed snapshots, newest first, without reading their manifests. */
    List<String> newestIds(int limit);
}
