package io.vaultdr.failover;

import io.vaultdr.model.Epoch;
import io.vaultdr.model.Secret;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * The one truth about a pair: its state, its incidents, its history. One DynamoDB table per pair in
 * its DR region, every write conditional. All methods are strongly consistent and throw {@link
 * io.vaultdr.model.Failure} when the table can't be reached.
 */
public interface Ledger {
    /** The pair's state; a new pair is settled at home with epoch 0. */
    PairState state();

    /** The incident with this epoch. */
    Optional<Incident> incident(Epoch epoch);

    /** The newest incidents, newest first. */
    List<Incident> incidents(int limit);

    /**
     * Opens an incident: pair state and incident in one transaction, on the condition that the
     * state is still {@code seen}. Empty when somebody else was faster: read the state again.
     */
    Optional<Incident> open(PairState seen, Incident incident);

    /**
     * Changes an open incident of the newest epoch. The change may be applied more than once to
     * newer versions (optimistic lock) and must be pure.
     *
     * @throws StaleEpochException when the pair has a newer epoch or the incident is closed
     */
    Incident update(Epoch epoch, UnaryOperator<Incident> change);

    /**
     * The same for who has just read or written the incident: {@code seen} is changed without being
     * read again, unless somebody else wrote since.
     *
     * @throws StaleEpochException as {@link #update(Epoch, UnaryOperator)}
     */
    Incident update(Incident seen, UnaryOperator<Incident> change);

    /** Changes the pair's state under an optimistic lock; the change must be pure. */
    PairState change(UnaryOperator<PairState> change);

    /**
     * Changes the state and an open incident of the newest epoch in one transaction. Where {@code
     * incident} gives back the very incident that it was given, neither is written.
     *
     * @return the incident as it is then
     * @throws StaleEpochException as {@link #update(Epoch, UnaryOperator)}
     */
    Incident updateBoth(
            Epoch epoch, UnaryOperator<PairState> state, UnaryOperator<Incident> incident);

    /** The newest evaluation; empty before the first. */
    Optional<Assessment> assessment();

    /**
     * Stores an evaluation in place of the one whose version it carries, raising the version.
     *
     * @return false when another one was stored since: nothing was written
     */
    boolean assess(Assessment assessment);

    /** Stores the task token on which an execution waits for a person. */
    void storeTaskToken(Epoch epoch, Secret token);

    /** The stored task token. */
    Optional<Secret> taskToken(Epoch epoch);

    /** Appends a line of history. */
    void note(Instant at, Epoch epoch, String event, String detail);

    /** The newest history lines, newest first. */
    List<HistoryLine> history(int limit);

    /** A transition. */
    record HistoryLine(Instant at, Epoch epoch, String event, String detail) {}

    /** What acts carries an epoch that isn't the pair's newest open one; it must stop. */
    final class StaleEpochException extends RuntimeException {
        public StaleEpochException(String message) {
            super(message);
        }
    }
}
