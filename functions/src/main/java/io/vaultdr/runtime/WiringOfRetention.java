package io.vaultdr.runtime;

import io.vaultdr.aws.S3ObjectVersions;
import io.vaultdr.snapshot.ObjectVersions;
import io.vaultdr.snapshot.RetentionRun;

import java.util.List;
import java.util.Optional;

/** What Retention uses beside the pair's {@link Wiring}. */
public final class WiringOfRetention {
    private WiringOfRetention() {}

    /** The Retention of the pair of {@code wiring} that the function's environment describes. */
    public static RetentionRun ofEnvironment(Wiring wiring) {
        return run(wiring, Settings.part(System.getenv(), "RETENTION", RetentionSettings.class));
    }

    static RetentionRun run(Wiring wiring, RetentionSettings settings) {
        PairSettings pair = wiring.pair();
        List<? extends ObjectVersions> buckets =
                pair.own().stream()
                        .map(bucket -> new S3ObjectVersions(wiring.aws(), bucket, pair.pair()))
                        .toList();
        return new RetentionRun(
                // With several accounts each has one, which nobody stands in for.
                side -> pair.apart() || wiring.sideHere().equals(Optional.of(side)),
                wiring::serving,
                wiring.proven(),
                settings,
                buckets,
                PairMetrics.embedded(pair.pair()));
    }
}
