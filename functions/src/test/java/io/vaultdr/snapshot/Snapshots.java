package io.vaultdr.snapshot;

import io.vaultdr.model.Epoch;
import io.vaultdr.model.PairId;
import io.vaultdr.model.Side;
import io.vaultdr.snapshot.Proof.Counts;
import io.vaultdr.snapshot.Proof.Verdict;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Manifests and proofs for tests. */
final class Snapshots {
    static final PairId PAIR = new PairId("payments");

    private Snapshots() {}

    static Manifest taken(Instant at, Optional<Epoch> lineage, long bytes) {
        return new Manifest(
                Manifest.id(PAIR, at, Duration.ofMinutes(1)),
                PAIR,
                Side.HOME,
                at,
                lineage,
                bytes,
                "00",
                7,
                1,
                "cluster",
                "n" + at.getEpochSecond(),
                new Manifest.RestoreNeeds(
                        "openbao",
                        "2.7.2",
                        "static",
                        Optional.empty(),
                        Map.of("snapshot", "accessor"),
                        List.of("/var/log/audit.log")));
    }

    static Proof proof(Manifest manifest, Verdict verdict, Optional<Counts> counts) {
        return new Proof(
                manifest.id(),
                PAIR,
                verdict,
                verdict == Verdict.REFUTED
                        ? Optional.of(Proof.Reason.CANARY_MISSING)
                        : Optional.empty(),
                Optional.empty(),
                manifest.takenAt().plusSeconds(90),
                "eu-central-1",
                1,
                Optional.of(manifest.sha256()),
                Optional.of(manifest.index()),
                Optional.of(manifest.clusterId()),
                counts,
                List.of(new Proof.StageTime("restore", Duration.ofSeconds(7))),
                Optional.empty(),
                Map.of("server", "2.7.2"));
    }
}
