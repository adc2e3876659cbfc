package io.vaultdr.workflow;

import io.vaultdr.failover.Incident;
import io.vaultdr.failover.Incident.StepRecord;
import io.vaultdr.failover.Ledger;
import io.vaultdr.failover.Pager;
import io.vaultdr.failover.PairState;
import io.vaultdr.failover.PairState.Phase;
import io.vaultdr.model.Failure;
import io.vaultdr.model.Outcome;
import io.vaultdr.model.Side;
import io.vaultdr.model.StepName;
import io.vaultdr.promotion.Capacity;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/**
 * Ends an incident: reads from the ledger how far its steps came, says how it ended, settles the
 * pair so that the next incident can open, and tells people. It is no {@link Step}: what is closed
 * can't be written any more. Closed before: the same answer.
 */
public final class CloseIncident {
    private final Ledger ledger;
    private final Pager pager;
    private final Optional<Capacity> capacity;
    private final Optional<Capacity> home;
    private final Clock clock;

    /**
     * Closes incidents in {@code ledger}.
     *
     * @param capacity the DR side's group, which Promote or Grow may have left suspended
     * @param home home's group, which Fence suspended
     */
    public CloseIncident(
            Ledger ledger,
            Pager pager,
            Optional<Capacity> capacity,
            Optional<Capacity> home,
            Clock clock) {
        this.home = home;
        this.ledger = ledger;
        this.pager = pager;
        this.capacity = capacity;
        this.clock = clock;
    }

    /**
     * Closes the incident of {@code input}.
     *
     * @param failure the error's name that brought the execution here, if one did
     */
    public Map<String, String> close(StepInput input, Optional<String> failure) {
        if (input.dryRun()) {
            failure.ifPresent(CloseIncident::failed);
            return Map.of(
                    "outcome",
                    Outcome.COMPLETED.name(),
                    "receivers",
                    Integer.toString(pager.receivers()));
        }
        Incident incident =
                ledger.incident(input.epoch())
                        .orElseThrow(
                                () ->
                                        new Ledger.StaleEpochException(
                                                "close incident "
                                                        + input.epoch()
                                                        + ": there is none"));
        if (incident.outcome() != Outcome.OPEN) {
            return answer(incident.outcome());
        }
        Outcome outcome = outcome(incident, ledger.state());
        Incident told = withFindings(incident, outcome, failure);
        told = resumeHome(resumeGroup(told), outcome);
        told = page(told, outcome);
        Instant now = clock.instant();
        Incident last = told;
        ledger.updateBoth(
                input.epoch(),
                state -> state.withPhase(new Phase.Settled()),
                seen -> {
                    Incident next = seen;
                    for (String finding : last.findings()) {
                        next = next.withFinding(finding);
                    }
                    return next.closed(outcome, now);
                });
        ledger.note(now, input.epoch(), "closed", outcome.name());
        return answer(outcome);
    }

    private static void failed(String failure) {
        throw new Failure.Terminal(
                "rehearse the steps", failure, "Look at the step's log and mend its cause");
    }

    private static Map<String, String> answer(Outcome outcome) {
        return Map.of("outcome", outcome.name());
    }

    private static Outcome outcome(Incident incident, PairState state) {
        // Redirected and killed before it said so is redirected all the same.
        boolean turned = state.serving() == Side.DR && state.lineage().equals(incident.epoch());
        if (turned || finished(incident, StepName.REDIRECT_TRAFFIC)) {
            return Outcome.COMPLETED;
        }
        StepRecord judge = incident.steps().get(StepName.JUDGE);
        String decision = judge == null ? "" : judge.result().getOrDefault(Judge.DECISION, "");
        return switch (decision) {
            case "RECOVERED" -> Outcome.RECOVERED;
            case "REJECTED" -> Outcome.REJECTED;
            case "TIMED_OUT" -> Outcome.TIMED_OUT;
            default -> Outcome.FAILED;
        };
    }

    private static Incident withFindings(
            Incident incident, Outcome outcome, Optional<String> failure) {
        Incident told = incident;
        boolean broken = outcome == Outcome.FAILED || outcome == Outcome.COMPLETED;
        for (Map.Entry<StepName, StepRecord> step : incident.steps().entrySet()) {
            if (broken && step.getValue().finishedAt().isEmpty()) {
                told =
                        told.withFinding(
                                step.getKey()
                                        + " did not finish: "
                                        + step.getValue().failure().orElse("it was killed")
                                        + " ("
                                        + step.getValue().attempts()
                                        + " attempts)");
            }
        }
        if (outcome == Outcome.FAILED && failure.isPresent()) {
            told = told.withFinding("The execution was brought to its end by " + failure.get());
        }
        if (outcome != Outcome.COMPLETED && finished(incident, StepName.FENCE)) {
            told =
                    told.withFinding(
                            "Home's servers were stopped by Fence and nothing was promoted in their"
                                    + " place: start them again where home is to serve.");
        }
        return told;
    }

    private Incident resumeGroup(Incident incident) {
        if (capacity.isEmpty()
                || !(incident.steps().containsKey(StepName.GROW)
                        || incident.steps().containsKey(StepName.PROMOTE))
                || finished(incident, StepName.GROW)) {
            return incident;
        }
        try {
            capacity.get().resumeTermination();
            return incident;
        } catch (Failure e) {
            return incident.withFinding(
                    "The DR side's group still ends no instances: " + e.getMessage());
        }
    }

    /** While DR serves, home's stopped instances keep what a person may still want of them. */
    private Incident resumeHome(Incident incident, Outcome outcome) {
        if (home.isEmpty() || !incident.steps().containsKey(StepName.FENCE)) {
            return incident;
        }
        if (outcome == Outcome.COMPLETED) {
            return incident.withFinding(
                    "Home's group ends and replaces no instance, so that their data stay: resume"
                            + " its processes when home is brought back.");
        }
        try {
            home.get().resumeTermination();
            return incident;
        } catch (Failure e) {
            return incident.withFinding("Home's group still ends no instances: " + e.getMessage());
        }
    }

    /** Pages before it closes: told twice is better than never. */
    private Incident page(Incident incident, Outcome outcome) {
        try {
            pager.page(
                    new Pager.Page(
                            incident.pair() + ": failover " + incident.id() + " " + outcome,
                            summary(incident, outcome),
                            switch (outcome) {
                                case COMPLETED -> "after-failover";
                                case RECOVERED, REJECTED, TIMED_OUT -> "failover-not-done";
                                case FAILED, OPEN -> "failover-failed";
                            }));
            return incident;
        } catch (Failure e) {
            return incident.withFinding("Nobody was paged about its end: " + e.getMessage());
        }
    }

    private String summary(Incident incident, Outcome outcome) {
        StringBuilder text = new StringBuilder();
        text.append(
                switch (outcome) {
                    case COMPLETED -> "DR serves now.";
                    case RECOVERED -> "Home serves again; nothing was changed.";
                    case REJECTED -> "A person said no.";
                    case TIMED_OUT -> "Nobody answered in time.";
                    case FAILED, OPEN -> "It did not come about; a person has to go on from here.";
                });
        text.append("\nOpened ")
                .append(incident.openedAt())
                .append(" (")
                .append(incident.diagnosis())
                .append("), ended after ")
                .append(Duration.between(incident.openedAt(), clock.instant()).toSeconds())
                .append(" s.\n");
        incident.steps()
                .forEach(
                        (step, record) ->
                                text.append("  ")
                                        .append(step)
                                        .append(": ")
                                        .append(
                                                record.finishedAt().isPresent()
                                                        ? "done"
                                                        : "not finished")
                                        .append('\n'));
        incident.findings().forEach(finding -> text.append("- ").append(finding).append('\n'));
        text.append("All of it: ./vault-dr status ").append(incident.pair());
        return text.toString();
    }

    private static boolean finished(Incident incident, StepName step) {
        StepRecord record = incident.steps().get(step);
        return record != null && record.finishedAt().isPresent();
    }
}
