package io.vaultdr.workflow;

import io.vaultdr.failover.Incident;
import io.vaultdr.failover.Incident.StepRecord;
import io.vaultdr.model.Secret;
import io.vaultdr.model.StepName;
import io.vaultdr.promotion.Journal;
import io.vaultdr.runtime.Deadline;

import java.util.Optional;
import java.util.function.UnaryOperator;

/** What a step works on: its incident, and the ledger as far as the step may write it. */
public interface Work extends Journal {
    /** The incident as it stands now, with what this step wrote. */
    Incident incident();

    /** Whether the last call, and every write to the ledger, is left out. */
    boolean dryRun();

    /** When the step has to be done. */
    Deadline deadline();

    /** The token on which the execution waits, where it waits. */
    Optional<Secret> taskToken();

    /** Changes the incident in the ledger; in a dry run only what {@link #incident()} shows. */
    void change(UnaryOperator<Incident> change);

    @Override
    default void find(String sentence) {
        change(incident -> incident.withFinding(sentence));
    }

    /** The record of {@code step}, if it was begun. */
    default Optional<StepRecord> record(StepName step) {
        return Optional.ofNullable(incident().steps().get(step));
    }
}
