package io.vaultdr.workflow;

import io.vaultdr.failover.Incident;
import io.vaultdr.failover.Incident.Approval;
import io.vaultdr.failover.Incident.StepRecord;
import io.vaultdr.failover.Ledger;
import io.vaultdr.failover.PairState.Phase;
import io.vaultdr.model.Epoch;
import io.vaultdr.model.Failure;
import io.vaultdr.model.Loss;
import io.vaultdr.model.Outcome;
import io.vaultdr.model.Secret;
import io.vaultdr.model.StepName;
import io.vaultdr.runtime.Deadline;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.UnaryOperator;

/**
 * Runs a step of an incident once, however often it is called: <em>begin</em> writes an attempt
 * into the ledger under the incident's epoch, <em>perform</em> does the work, <em>finish</em>
 * writes its answer.
 *
 * <ul>
 *   <li>Finished before: the same answer, nothing is done.
 *   <li>A stale epoch, or a closed incident: {@link Ledger.StaleEpochException}, nothing is done.
 *   <li>Begun and never finished: the attempt before was killed; taken up again with what it
 *       remembered.
 *   <li>Another attempt began meanwhile: this one may write no more.
 * </ul>
 */
public final class StepRunner {
    private final Ledger ledger;
    private final Clock clock;

    /** Runs steps under {@code ledger}. */
    public StepRunner(Ledger ledger, Clock clock) {
        this.ledger = ledger;
        this.clock = clock;
    }

    /** Runs {@code step} for {@code input} and gives its answer. */
    public Map<String, String> run(Step step, StepInput input, Deadline deadline) {
        if (input.dryRun()) {
            return step.perform(new Running(step.name(), dryIncident(input), input, deadline));
        }
        Incident incident;
        try {
            incident = begin(step, input);
        } catch (Ledger.StaleEpochException e) {
            // An answer stands when its incident is over.
            return ledger.incident(input.epoch())
                    .flatMap(it -> answer(step, it))
                    .orElseThrow(() -> e);
        }
        Optional<Map<String, String>> before = answer(step, incident);
        if (before.isPresent()) {
            return before.get();
        }
        Running work = new Running(step.name(), incident, input, deadline);
        try {
            work.result.putAll(step.perform(work));
        } catch (Ledger.StaleEpochException e) {
            throw e;
        } catch (RuntimeException e) {
            record(work, e);
            throw e;
        }
        work.write(Optional.of(clock.instant()), Optional.empty());
        return Map.copyOf(work.result);
    }

    private static void record(Running work, RuntimeException e) {
        // A failure's message holds no secret by contract; nobody vouches for another's.
        String text =
                e instanceof Failure ? String.valueOf(e.getMessage()) : e.getClass().getName();
        try {
            work.write(Optional.empty(), Optional.of(text));
        } catch (RuntimeException unwritten) {
            e.addSuppressed(unwritten);
        }
    }

    /** What the step answered for good. */
    private static Optional<Map<String, String>> answer(Step step, Incident incident) {
        return Optional.ofNullable(incident.steps().get(step.name()))
                .filter(record -> record.finishedAt().isPresent() && step.settled(record))
                .map(StepRecord::result);
    }

    /** Writes an attempt, unless the step has answered for good: then nothing. */
    private Incident begin(Step step, StepInput input) {
        Instant now = clock.instant();
        Epoch epoch = input.epoch();
        return ledger.updateBoth(
                epoch,
                state -> state.withPhase(new Phase.Changing(epoch, step.name())),
                incident ->
                        answer(step, incident).isPresent()
                                ? incident
                                : incident.withStep(
                                        step.name(), begun(incident, step.name(), now)));
    }

    private static StepRecord begun(Incident incident, StepName step, Instant now) {
        StepRecord before = incident.steps().get(step);
        return before == null
                ? new StepRecord(1, now, Optional.empty(), Map.of(), Optional.empty())
                : new StepRecord(
                        before.attempts() + 1,
                        before.startedAt(),
                        Optional.empty(),
                        before.result(),
                        Optional.empty());
    }

    /** What a dry run works on; it is in no ledger. */
    private Incident dryIncident(StepInput input) {
        return new Incident(
                input.pair(),
                input.epoch(),
                clock.instant(),
                "dry run",
                "DRY_RUN",
                Map.of(),
                List.of(),
                List.of(),
                "DRY_RUN",
                "DRY_RUN",
                new Loss(Duration.ZERO, OptionalLong.empty()),
                Optional.empty(),
                // Judge reads from it whether the way by AskApproval was gone already.
                input.asked() ? new Approval.Released(clock.instant()) : new Approval.NotNeeded(),
                Map.of(),
                Optional.empty(),
                List.of(),
                Outcome.OPEN,
                Optional.empty(),
                0);
    }

    /** A step at work. A dry run writes nothing to the ledger, which knows no such incident. */
    private final class Running implements Work {
        private final StepName step;
        private final int attempt;
        private final StepInput input;
        private final Deadline deadline;
        private final Map<String, String> result = new HashMap<>();
        private Incident incident;

        Running(StepName step, Incident incident, StepInput input, Deadline deadline) {
            this.step = step;
            this.incident = incident;
            this.input = input;
            this.deadline = deadline;
            this.attempt = input.dryRun() ? 1 : own(incident).attempts();
            if (!input.dryRun()) {
                result.putAll(own(incident).result());
            }
        }

        @Override
        public Incident incident() {
            return incident;
        }

        @Override
        public boolean dryRun() {
            return input.dryRun();
        }

        @Override
        public Deadline deadline() {
            return deadline;
        }

        @Override
        public Optional<Secret> taskToken() {
            return input.taskToken();
        }

        @Override
        public void change(UnaryOperator<Incident> change) {
            incident =
                    dryRun()
                            ? change.apply(incident)
                            : ledger.update(incident, seen -> change.apply(mine(seen)));
        }

        private Incident mine(Incident seen) {
            if (own(seen).attempts() != attempt) {
                throw new Ledger.StaleEpochException(
                        "%s of %s: taken up by a later attempt than %d"
                                .formatted(step, seen.id(), attempt));
            }
            return seen;
        }

        @Override
        public Map<String, String> remembered() {
            return Map.copyOf(result);
        }

        @Override
        public void remember(Map<String, String> facts) {
            result.putAll(facts);
            if (!dryRun()) {
                write(Optional.empty(), Optional.empty());
            }
        }

        private void write(Optional<Instant> finishedAt, Optional<String> failure) {
            change(
                    seen ->
                            seen.withStep(
                                    step,
                                    new StepRecord(
                                            attempt,
                                            own(seen).startedAt(),
                                            finishedAt,
                                            Map.copyOf(result),
                                            failure)));
        }

        private StepRecord own(Incident incident) {
            StepRecord record = incident.steps().get(step);
            if (record == null) {
                throw new Ledger.StaleEpochException(step + " of " + incident.id() + ": not begun");
            }
            return record;
        }
    }
}
