package io.vaultdr.failover;

import io.vaultdr.model.Epoch;
import io.vaultdr.model.Secret;

import java.time.Instant;

/** The executions of a pair's failover state machine. */
public interface Executions {
    /**
     * Starts the execution of an incident, named {@code <pair>-<epoch>}; a second start changes
     * nothing.
     *
     * @return the execution's ARN
     */
    String start(Epoch epoch);

    /** Starts an execution that does all but the last call of each step, named by its time. */
    String startDryRun(Instant at);

    /** Whether the execution with this ARN still runs; false once it ended in any way. */
    boolean running(String arn);

    /**
     * Lets the execution that waits on {@code token} go on.
     *
     * @return false if nothing waits on it any more: it was answered before or timed out
     */
    boolean resume(Secret token);
}
