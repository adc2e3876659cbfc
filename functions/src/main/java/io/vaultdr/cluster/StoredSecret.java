package io.vaultdr.cluster;

import io.vaultdr.model.Secret;

import java.util.Optional;

/**
 * A secret of Secrets Manager that a deployment made, empty. Both methods throw {@link
 * io.vaultdr.model.Failure} where it can't be reached or refuses.
 */
public interface StoredSecret {
    /** The region that it lies in. */
    String region();

    /** Its value; empty before the first one. */
    Optional<Secret> value();

    /** Makes {@code value} the current one. */
    void put(Secret value);
}
