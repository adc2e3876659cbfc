package io.vaultdr.drill;

import java.time.Instant;
import java.util.Optional;

/** When snapshots were committed in the bucket that proofs are made from. */
public interface Arrivals {
    /** When the manifest of {@code id} was written, to the second; empty while it isn't there. */
    Optional<Instant> committedAt(String id);
}
