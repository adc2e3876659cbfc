package io.vaultdr.runtime;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * What ProveSnapshot, and what else restores in isolation, is told beside {@link PairSettings}: the
 * environment variable {@code PROOF}, as JSON.
 *
 * @param bucket where the snapshots to prove lie; of the function's own region
 * @param server the server's binary
 * @param sealPlugin the seal's plugin, where the server needs one (OpenBao 2.7 with {@code awskms})
 * @param licence the Secrets Manager secret that holds a Vault Enterprise licence
 * @param seal how the restored server is unsealed
 * @param login the prefix of the AppRole secrets: {@code <login>/prove} is used
 * @param largestSnapshotBytes what the function's memory and scratch space were sized for
 * @param sweepEvery how often the newest unproven snapshot is looked for, besides events
 * @param recovered where {@code restore --only} leaves what it brought back, encrypted, for a day:
 *     a bucket of its own, since versions in a locked one would stay as long as the lock; empty
 *     where nothing may be recovered
 * @param recover the KV paths that may be recovered, mount first; a {@code *} at the end stands for
 *     all below
 */
public record ProofSettings(
        PairSettings.Bucket bucket,
        Artifact server,
        Optional<Artifact> sealPlugin,
        Optional<String> licence,
        Seal seal,
        String login,
        long largestSnapshotBytes,
        Duration sweepEvery,
        Optional<PairSettings.Bucket> recovered,
        List<String> recover) {

    /**
     * A file in a bucket of the function's own region.
     *
     * @param sha256 lower-case hex; anything else is refused
     */
    public record Artifact(String bucket, String key, String sha256) {}

    /**
     * The seal that opens the snapshots.
     *
     * @param type {@code awskms}, or {@code static} (OpenBao)
     * @param key the KMS key's ARN in this region, or the Secrets Manager secret that holds the 32
     *     bytes of a static key in base64
     * @param keyId the id of a static key, as the cluster's configuration names it; empty for KMS
     */
    public record Seal(String type, String key, Optional<String> keyId) {}
}
