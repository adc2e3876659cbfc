package io.vaultdr.snapshot;

import java.time.Instant;
import java.util.Optional;

/**
 * Who proves a snapshot at the moment, so that two events for one snapshot make one proof. All
 * methods throw {@link io.vaultdr.model.Failure} as the bucket's.
 */
public interface ProofClaims {
    /**
     * Claims {@code id} unless somebody holds it. A claim whose time is over is taken over: its run
     * was stopped in the middle.
     *
     * @param by the claiming run, for people
     * @param until when this run is over at the latest
     * @return empty while another run holds it
     */
    Optional<Claim> claim(String id, String by, Instant until);

    /** Ends a claim at once; one that somebody took over meanwhile is left alone. */
    void release(Claim claim);

    /**
     * A claim that is held.
     *
     * @param attempts how many claims of this snapshot there were, this one included
     * @param abandoned how many in a row were never released, up to this one
     * @param tag tells this version of the claim from another
     */
    record Claim(String id, String by, int attempts, int abandoned, String tag) {}
}
