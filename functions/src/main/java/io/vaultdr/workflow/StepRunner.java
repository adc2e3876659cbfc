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
            return step.perform(new DryWork(dryIncident(input), deadline, input.taskToken()));
        }
        Optional<StepRecord> before =
                ledger.incident(input.epoch()).map(i -> i.steps().get(step.name()));
        if (before.isPresent() && answered(step, before.get())) {
            return before.get().result();
        }
        LedgerWork work = begin(step, input, deadline);
        try {
            work.result.putAll(step.perform(work));
        } catch (Ledger.StaleEpochException e) {
            throw e;
        } catch (RuntimeException e) {
            record(work, e);
            throw e;
        }
        work.write(work::finished);
        return Map.copyOf(work.result);
    }

    private static void record(LedgerWork work, RuntimeException e) {
        // A failure's message holds no secret by contract; nobody vouches for another's.
        String text =
                e instanceof Failure ? String.valueOf(e.getMessage()) : e.getClass().getName();
        try {
            work.write(record -> work.failed(record, text));
        } catch (RuntimeException unwritten) {
            e.addSuppressed(unwritten);
        }
    }

    private static boolean answered(Step step, StepRecord record) {
        return record.finishedAt().isPresent() && step.settled(record);
    }

    private LedgerWork begin(Step step, StepInput input, Deadline deadline) {
        Instant now = clock.instant();
        Epoch epoch = input.epoch();
        ledger.updateBoth(
                epoch,
                state -> state.withPhase(new Phase.Changing(epoch, step.name())),
                incident -> incident.withStep(step.name(), begun(incident, step.name(), now)));
        Incident incident =
                ledger.incident(epoch)
                        .orElseThrow(() -> new Ledger.StaleEpochException("no incident " + epoch));
        return new LedgerWork(step.name(), incident, deadline, input.taskToken());
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
                new Approval.NotNeeded(),
                Map.of(),
                Optional.empty(),
                List.of(),
                Outcome.OPEN,
                Optional.empty(),
                0);
    }

    private final class LedgerWork implements Work {
        private final StepName step;
        private final int attempt;
        private final Deadline deadline;
        private final Optional<Secret> taskToken;
        private final Map<String, String> result;
        private Incident incident;

        LedgerWork(
                StepName step, Incident incident, Deadline deadline, Optional<Secret> taskToken) {
            StepRecord own = own(incident, step);
            this.step = step;
            this.incident = incident;
            this.attempt = own.attempts();
            this.result = new HashMap<>(own.result());
            this.deadline = deadline;
            this.taskToken = taskToken;
        }

        @Override
        public Incident incident() {
            return incident;
        }

        @Override
        public boolean dryRun() {
            return false;
        }

        @Override
        public Deadline deadline() {
            return deadline;
        }

        @Override
        public Optional<Secret> taskToken() {
            return taskToken;
        }

        @Override
        public void change(UnaryOperator<Incident> change) {
            incident =
                    ledger.update(
                            incident.epoch(),
                            seen -> {
                                if (own(seen, step).attempts() != attempt) {
                                    throw new Ledger.StaleEpochException(
                                            step
                                                    + " of "
                                                    + seen.id()
                                                    + ": taken up by a later"
                                                    + " attempt than "
                                                    + attempt);
                                }
                                return change.apply(seen);
                            });
        }

        @Override
        public Map<String, String> remembered() {
            return Map.copyOf(result);
        }

        @Override
        public void remember(String key, String value) {
            result.put(key, value);
            write(
                    record ->
                            new StepRecord(
                                    record.attempts(),
                                    record.startedAt(),
                                    Optional.empty(),
                                    Map.copyOf(result),
                                    Optional.empty()));
        }

        private void write(UnaryOperator<StepRecord> next) {
            change(seen -> seen.withStep(step, next.apply(own(seen, step))));
        }

        private StepRecord finished(StepRecord record) {
            return new StepRecord(
                    record.attempts(),
                    record.startedAt(),
                    Optional.of(clock.instant()),
                    Map.copyOf(result),
                    Optional.empty());
        }

        private StepRecord failed(StepRecord record, String failure) {
            return new StepRecord(
                    record.attempts(),
                    record.startedAt(),
                    Optional.empty(),
                    Map.copyOf(result),
                    Optional.of(failure));
        }

        private static StepRecord own(Incident incident, StepName step) {
            StepRecord record = incident.steps().get(step);
            if (record == null) {
                throw new Ledger.StaleEpochException(step + " of " + incident.id() + ": not begun");
            }
            return record;
        }
    }

    private static final class DryWork implements Work {
        private final Deadline deadline;
        private final Optional<Secret> taskToken;
        private final Map<String, String> remembered = new HashMap<>();
        private Incident incident;

        DryWork(Incident incident, Deadline deadline, Optional<Secret> taskToken) {
            this.incident = incident;
            this.deadline = deadline;
            this.taskToken = taskToken;
        }

        @Override
        public Incident incident() {
            return incident;
        }

        @Override
        public boolean dryRun() {
            return true;
        }

        @Override
        public Deadline deadline() {
            return deadline;
        }

        @Override
        public Optional<Secret> taskToken() {
            return taskToken;
        }

        @Override
        public void change(UnaryOperator<Incident> change) {
            incident = change.apply(incident);
        }

        @Override
        public Map<String, String> remembered() {
            return Map.copyOf(remembered);
        }

        @Override
        public void remember(String key, String value) {
            remembered.put(key, value);
        }
    }
}
