package io.vaultdr.runtime;

import java.time.Duration;
import java.util.Optional;

/**
 * What a drill is told beside {@link PairSettings}: the environment variable {@code DRILL}, as
 * JSON.
 *
 * @param bucket where signed reports go, under object lock; of the function's own region
 * @param signingKey the ARN of the asymmetric KMS key (ECC_NIST_P256, sign and verify), or of its
 *     alias
 * @param takeSnapshot the ARN of the alias of TakeSnapshot in home's region
 * @param takeSnapshotDr the same in the DR region; empty where there is no DR cluster
 * @param rpo how old the newest proven snapshot may be
 * @param rto how long the chain of restore and steps may take
 * @param boots whether a drill also boots a cluster of its own and promotes it
 */
public record DrillSettings(
        PairSettings.Bucket bucket,
        String signingKey,
        String takeSnapshot,
        Optional<String> takeSnapshotDr,
        Duration rpo,
        Duration rto,
        boolean boots) {}
