package io.vaultdr.failover;

import java.util.List;
import java.util.Map;

/** The probes' evidence, beside the ledger in the same table; each item lives a day. */
public interface EvidenceLog {
    /** Writes an observation unless the vantage already has one for that slot; false if it had. */
    boolean put(Observation observation);

    /** Per vantage its observations of the slots {@code first} to {@code last}, oldest first. */
    Map<String, List<Observation>> between(long first, long last);
}
