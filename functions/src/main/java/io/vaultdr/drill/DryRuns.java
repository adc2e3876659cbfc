package io.vaultdr.drill;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** Dry runs of the failover's state machine: all of each step but its last call. */
public interface DryRuns {
    /**
     * Starts one, named {@code <pair>-dryrun-<seconds of at>}; again changes nothing.
     *
     * @return the execution's ARN
     */
    String start(Instant at);

    /** How the execution stands. Throws {@link io.vaultdr.model.Failure} without an answer. */
    Standing look(String arn);

    /**
     * How a dry run stands.
     *
     * @param running whether it goes on
     * @param failure the error that ended it; empty while it runs and when it succeeded
     * @param steps what was come by so far, in order of their beginning
     */
    record Standing(boolean running, Optional<String> failure, List<Step> steps) {}

    /** A step's state: from the moment it was entered to the moment it was left. */
    record Step(String name, Instant enteredAt, Instant exitedAt) {
        /** Whether {@code other} ran at the same time and was waited for longer. */
        boolean isBesideLonger(Step other) {
            return other.enteredAt.isBefore(exitedAt)
                    && enteredAt.isBefore(other.exitedAt)
                    && Duration.between(other.enteredAt, other.exitedAt)
                                    .compareTo(Duration.between(enteredAt, exitedAt))
                            > 0;
        }
    }
}
