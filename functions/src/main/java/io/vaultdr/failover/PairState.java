package io.vaultdr.failover;

import io.vaultdr.model.Epoch;
import io.vaultdr.model.PairId;
import io.vaultdr.model.Side;
import io.vaultdr.model.StepName;

import java.time.Instant;
import java.util.Optional;

/**
 * How a pair stands, as the ledger says.
 *
 * @param epoch the newest incident's number
 * @param serving the side that clients use, also while something changes
 * @param since when it began to serve; changes only with the serving side
 * @param lineage the epoch of the promotion that made it serve
 * @param phase what goes on
 * @param pause who paused the pair, over any phase
 * @param homeServedSince the newest evaluation that found home serving, which lifts a rejection
 * @param version raised by each write, for optimistic locking
 */
public record PairState(
        PairId pair,
        Epoch epoch,
        Side serving,
        Instant since,
        Epoch lineage,
        Phase phase,
        Optional<Pause> pause,
        Optional<Instant> homeServedSince,
        long version) {

    /** What goes on with a pair. */
    public sealed interface Phase {
        /** Nothing: the serving side serves or doesn't, and nobody changes it. */
        record Settled() implements Phase {}

        /** An incident is open. */
        record Changing(Epoch incident, StepName step) implements Phase {}

        /** Both sides may have written; a person decides. */
        record Diverged(String seen) implements Phase {}
    }

    /** Who paused, why and when, as claimed; the request id is what CloudTrail proves. */
    public record Pause(String by, String reason, Instant at, String requestId) {}
}
