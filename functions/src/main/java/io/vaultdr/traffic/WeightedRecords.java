package io.vaultdr.traffic;

import io.vaultdr.model.Side;
import io.vaultdr.runtime.Deadline;

/** The pair of weighted records behind the name that clients use. */
public interface WeightedRecords {
    /** The weights that stand now. */
    Weights read();

    /**
     * Gives {@code side} all the weight and the other none, in one batch, which leaves everything
     * else in the records as it stands, and waits until the change is on all of Route 53's servers.
     *
     * @throws io.vaultdr.model.Failure.OutcomeUnknown when it was accepted and isn't everywhere at
     *     the deadline
     */
    void turnTo(Side side, Deadline deadline);

    /** The two weights; never both 0, which would spread clients evenly. */
    record Weights(long home, long dr) {
        /** Whether all of the weight is on {@code side}. */
        public boolean turnedTo(Side side) {
            return side == Side.HOME ? home > 0 && dr == 0 : dr > 0 && home == 0;
        }
    }
}
