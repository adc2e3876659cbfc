package io.vaultdr.failover;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;

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

    /** The same state with something else going on. */
    public PairState withPhase(Phase next) {
        return new PairState(
                pair, epoch, serving, since, lineage, next, pause, homeServedSince, version);
    }

    /** The same state, paused or not. */
    public PairState withPause(Optional<Pause> next) {
        return new PairState(
                pair, epoch, serving, since, lineage, phase, next, homeServedSince, version);
    }

    /** The same state after an evaluation found home serving. */
    public PairState withHomeServedSince(Instant at) {
        return new PairState(
                pair, epoch, serving, since, lineage, phase, pause, Optional.of(at), version);
    }

    /** The state after {@code side} began to serve by the promotion of {@code promoted}. */
    public PairState served(Side side, Instant at, Epoch promoted) {
        return new PairState(
                pair, epoch, side, at, promoted, phase, pause, homeServedSince, version);
    }

    /** A pair that nothing was ever written of: settled at home. */
    public static PairState initial(PairId pair) {
        return new PairState(
                pair,
                Epoch.ZERO,
                Side.HOME,
                Instant.EPOCH,
                Epoch.ZERO,
                new Phase.Settled(),
                Optional.empty(),
                Optional.empty(),
                0);
    }

    /** The same state after the incident {@code next}, the pair's newest, was opened. */
    public PairState opened(Epoch next) {
        return new PairState(
                pair,
                next,
                serving,
                since,
                lineage,
                new Phase.Changing(next, StepName.JUDGE),
                pause,
                homeServedSince,
                version);
    }

    /** The same state as its {@code next}th version. */
    public PairState withVersion(long next) {
        return new PairState(
                pair, epoch, serving, since, lineage, phase, pause, homeServedSince, next);
    }

    /** What goes on with a pair. */
    @JsonTypeInfo(use = JsonTypeInfo.Id.SIMPLE_NAME, property = "kind")
    @JsonSubTypes({
        @JsonSubTypes.Type(Phase.Settled.class),
        @JsonSubTypes.Type(Phase.Changing.class),
        @JsonSubTypes.Type(Phase.Diverged.class)
    })
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
