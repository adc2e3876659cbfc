package io.vaultdr.failover;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The probes' evidence and the vantages' view of the DR side, beside the ledger in the same table.
 * Evidence lives a day. Methods throw {@link io.vaultdr.model.Failure} when the table can't be
 * reached.
 */
public interface EvidenceLog {
    /**
     * Writes an observation unless the vantage already has one for that slot; this is the slot's
     * claim.
     *
     * @param claimant who writes it; a later invocation's sorts after an earlier one's
     * @return empty when it was written, else who had claimed the slot before
     */
    Optional<String> put(Observation observation, String claimant);

    /**
     * Per vantage its observations of the slots {@code first} to {@code last}, oldest first; a
     * vantage without any has an empty list.
     */
    Map<String, List<Observation>> between(long first, long last);

    /** Writes what a vantage found of the DR side, in place of what it found before. */
    void put(Readiness readiness);

    /** The newest of each vantage that looks at the DR side. */
    List<Readiness> readiness();
}
