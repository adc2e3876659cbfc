package io.vaultdr.promotion;

import io.vaultdr.failover.Incident;

/**
 * An object that tells home's nodes that they must not serve any more, in a place they can read.
 */
public interface QuarantineMark {
    /** Where it stands, for people: region and bucket. */
    String place();

    /** Puts the mark of {@code incident}; again changes nothing. */
    void put(Incident incident);
}
