package io.vaultdr.workflow;

import io.vaultdr.failover.Incident.StepRecord;
import io.vaultdr.model.StepName;

import java.util.Map;

/**
 * One step of a failover. It looks at the world before it acts, so that it can be taken up again
 * wherever it was killed, and answers with a few words that the ledger keeps and the state machine
 * chooses by.
 */
public interface Step {
    /** Its name, also in the ledger and the state machine. */
    StepName name();

    /**
     * Does what is left to do.
     *
     * @return what was found and done, small and without secrets
     * @throws io.vaultdr.model.Failure when it didn't come about
     */
    Map<String, String> perform(Work work);

    /**
     * Whether a finished record is the answer to every repetition. A step whose answer sends the
     * execution to a person comes by here again, and says no.
     */
    default boolean settled(StepRecord finished) {
        return true;
    }
}
