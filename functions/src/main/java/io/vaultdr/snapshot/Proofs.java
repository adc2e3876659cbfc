package io.vaultdr.snapshot;

import java.util.List;
import java.util.Optional;

/** The proofs in one bucket. All methods throw {@link io.vaultdr.model.Failure} as the bucket's. */
public interface Proofs {
    /** The region of the bucket. */
    String region();

    /** The latest proof of {@code id}, whatever its verdict. */
    Optional<Proof> of(String id);

    /** Writes a proof; an earlier one of the same snapshot stays as an older version. */
    void write(Proof proof);

    /** The same, each proof read once; what couldn't be read is asked for again. */
    default Proofs remembering() {
        return new RememberedProofs(this);
    }

    /**
     * The proof of the first of {@code ids} that is proven; each one before it is a call.
     *
     * @param ids newest first, as {@link SnapshotStore#newestIds}
     */
    default Optional<Proof> newestProven(List<String> ids) {
        return ids.stream()
                .map(this::of)
                .flatMap(Optional::stream)
                .filter(Proof::proven)
                .findFirst();
    }
}
