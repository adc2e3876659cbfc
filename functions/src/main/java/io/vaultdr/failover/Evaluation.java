package io.vaultdr.failover;

import io.vaultdr.failover.Assessment.Told;
import io.vaultdr.failover.Incident.Approval;
import io.vaultdr.failover.PairState.Phase;
import io.vaultdr.model.Epoch;
import io.vaultdr.model.Failure;
import io.vaultdr.model.Loss;
import io.vaultdr.model.Outcome;
import io.vaultdr.model.Side;
import io.vaultdr.model.Slots;
import io.vaultdr.model.StepName;
import io.vaultdr.runtime.Deadline;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.runtime.PairSettings.Stage;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/**
 * Evaluates a pair: gathers, judges, acts. Called on every alarm and every minute, since alarms
 * fire on change only and a verdict that held has to be asked again when its cause ends.
 *
 * <ul>
 *   <li>Whatever is the case, the diagnosis is made and stored.
 *   <li>A verdict to ask or to fail over opens an incident under the next epoch, on the condition
 *       that the pair is as it was seen: of two at once one opens. Then its execution is started.
 *   <li>An incident that was opened and whose execution wasn't started is started.
 *   <li>An incident that waits for a person is judged: home serves, and it is withdrawn; no reason
 *       to ask is left and the stage is automatic, and it is released.
 *   <li>An incident whose execution ended without closing it is closed as failed.
 *   <li>People are paged when a cause begins and told when it is over, not each minute.
 * </ul>
 *
 * <p>What moves Vault comes before what tells people, and a failure to tell doesn't stop it.
 */
public final class Evaluation {
    private static final Logger LOG = LoggerFactory.getLogger(Evaluation.class);
    private static final int LOOKS_AGAIN = 3;

    /** What acting needs after the last look. */
    private static final Duration RESERVE = Duration.ofSeconds(5);

    private final PairSettings pair;
    private final Ledger ledger;
    private final Gathering gathering;
    private final Executions executions;
    private final Approvals approvals;
    private final Pager pager;
    private final Clock clock;
    private final Consumer<Instant> sleepUntil;

    /**
     * Evaluates {@code pair}, whose stage is {@code observe} or higher.
     *
     * @param sleepUntil returns at that time
     */
    public Evaluation(
            PairSettings pair,
            Ledger ledger,
            EvidenceLog log,
            Executions executions,
            Pager pager,
            Clock clock,
            Consumer<Instant> sleepUntil) {
        this.pair = pair;
        this.ledger = ledger;
        this.gathering = new Gathering(pair, ledger, log, clock);
        this.executions = executions;
        this.approvals = new Approvals(ledger, executions, clock);
        this.pager = pager;
        this.clock = clock;
        this.sleepUntil = sleepUntil;
    }

    /**
     * Evaluates once, looking again at the ends of the next slots, three at the most, while time
     * alone may change the diagnosis.
     *
     * @return what was stored
     * @throws Failure when the ledger can't be reached, or when people couldn't be told
     */
    public Assessment evaluate(Deadline deadline) {
        Slots slots = pair.slots();
        Optional<Assessment> before = ledger.assessment();
        Situation situation = gathering.now(before);
        Judgement judgement = judge(situation);
        Optional<Instant> warmed = warm(situation, judgement, before);
        for (int again = 0; again < LOOKS_AGAIN && judgement.diagnosis().fading(); again++) {
            Instant end = slots.end(slots.at(clock.instant()));
            if (end.plus(RESERVE).isAfter(deadline.at())) {
                break;
            }
            sleepUntil.accept(end);
            situation = gathering.now(before);
            judgement = judge(situation);
        }
        boolean opened = act(situation, judgement);
        return tell(situation, judgement, before, warmed, opened);
    }

    private Judgement judge(Situation situation) {
        return Judgement.of(situation, pair.stage(), pair.failover().orElseThrow());
    }

    /** Does what follows; whether this evaluation opened an incident. */
    private boolean act(Situation situation, Judgement judgement) {
        switch (situation.state().phase()) {
            case Phase.Changing(Epoch epoch, _) -> carryOn(situation, epoch);
            case Phase.Diverged _ -> {}
            case Phase.Settled _ -> {
                rememberThatHomeServes(situation, judgement);
                switch (judgement.verdict()) {
                    case Verdict.Ask(List<String> reasons) -> {
                        return open(situation, judgement, new Approval.Needed(reasons));
                    }
                    case Verdict.FailOver _ -> {
                        return open(situation, judgement, new Approval.NotNeeded());
                    }
                    case Verdict.Hold _, Verdict.Page _ -> {}
                }
            }
        }
        return false;
    }

    private boolean open(Situation situation, Judgement judgement, Approval approval) {
        PairState state = situation.state();
        // A verdict to ask or fail over without a predicted loss doesn't exist: DR_NOT_READY pages.
        Loss loss = situation.predictedLoss().orElseThrow();
        Incident incident =
                new Incident(
                        pair.pair(),
                        state.epoch().next(),
                        clock.instant(),
                        "evidence",
                        judgement.diagnosis().rule().name(),
                        lines(situation),
                        judgement.gates().stream().map(Gate::name).toList(),
                        List.of(),
                        judgement.verdict().line(),
                        judgement.wouldHave().line(),
                        loss,
                        situation.lastServed(),
                        approval,
                        Map.of(),
                        Optional.empty(),
                        List.of(),
                        Outcome.OPEN,
                        Optional.empty(),
                        0);
        Optional<Incident> opened = ledger.open(state, incident);
        if (opened.isEmpty()) {
            LOG.info("another evaluation opened an incident first");
            return false;
        }
        start(opened.get());
        ledger.note(
                incident.openedAt(),
                incident.epoch(),
                "opened",
                incident.diagnosis() + ", " + incident.verdict());
        return true;
    }

    private void start(Incident incident) {
        String arn = executions.start(incident.epoch());
        try {
            ledger.update(incident.epoch(), seen -> seen.withExecution(arn));
        } catch (Ledger.StaleEpochException e) {
            LOG.info("incident {} was closed before its execution was noted", incident.id());
        }
    }

    /** Sees to an incident that is open. */
    private void carryOn(Situation situation, Epoch epoch) {
        Optional<Incident> found = situation.newestIncident().filter(i -> i.epoch().equals(epoch));
        if (found.isEmpty() || found.get().outcome() != Outcome.OPEN) {
            return;
        }
        Incident incident = found.get();
        if (incident.execution().isEmpty()) {
            start(incident);
        } else if (!executions.running(incident.execution().get())) {
            closeAbandoned(epoch);
        } else if (incident.approval() instanceof Approval.Waiting) {
            judgeWaiting(situation.judging(epoch), incident);
        } else if (incident.approval() instanceof Approval.Withdrawn
                || incident.approval() instanceof Approval.Released) {
            approvals.resumeAnswered(incident);
        }
    }

    /** What a person asked for is left to persons; and nothing goes back after Fence. */
    private void judgeWaiting(Situation situation, Incident incident) {
        if (!incident.requestedBy().equals("evidence")
                || incident.steps().containsKey(StepName.FENCE)) {
            return;
        }
        Judgement judgement = judge(situation);
        if (judgement.diagnosis().rule() == Diagnosis.Rule.SERVING) {
            LOG.info("home serves again: incident {} is withdrawn", incident.id());
            approvals.withdraw(incident.epoch());
        } else if (judgement.verdict() instanceof Verdict.FailOver
                && pair.stage() == Stage.AUTOMATIC) {
            LOG.info("no reason to ask is left: incident {} is released", incident.id());
            approvals.release(incident.epoch());
        }
    }

    /** Closes an incident that nobody works on any more, so that the pair can open the next. */
    private void closeAbandoned(Epoch epoch) {
        Instant now = clock.instant();
        try {
            ledger.updateBoth(
                    epoch,
                    state -> state.withPhase(new Phase.Settled()),
                    seen ->
                            seen.withFinding(
                                            "The execution ended without closing the incident; look"
                                                    + " at its history in Step Functions.")
                                    .closed(Outcome.FAILED, now));
        } catch (Ledger.StaleEpochException e) {
            LOG.info("incident {} was closed meanwhile", epoch);
            return;
        }
        ledger.note(now, epoch, "closed", "FAILED: its execution ended without closing it");
        pager.page(
                new Pager.Page(
                        pair.pair() + ": incident " + pair.pair() + "-" + epoch + " FAILED",
                        "Its execution ended without closing it. The pair may be half changed: look"
                                + " at the incident (./vault-dr status "
                                + pair.pair()
                                + ") and the execution's history before anything else.",
                        "failover-failed"));
    }

    /** Lifts a rejection; written only then, not each minute. */
    private void rememberThatHomeServes(Situation situation, Judgement judgement) {
        boolean serves =
                situation.state().serving() == Side.HOME
                        && judgement.diagnosis().rule() == Diagnosis.Rule.SERVING;
        if (serves && judgement.gates().contains(Gate.REJECTED)) {
            ledger.change(state -> state.withHomeServedSince(situation.now()));
        }
    }

    /**
     * Starts a dry run of all steps when a quarter of a window has failed, once per five minutes.
     * It is asked each minute, half a window apart: so it begins in the second or third quarter and
     * is over before the verdict. One that began later would take the processors and functions that
     * the failover wants.
     */
    private Optional<Instant> warm(
            Situation situation, Judgement judgement, Optional<Assessment> before) {
        Optional<Instant> warmed = before.flatMap(Assessment::warmedAt);
        Instant now = situation.now();
        boolean due =
                pair.stage().compareTo(Stage.APPROVAL) >= 0
                        && situation.state().phase() instanceof Phase.Settled
                        && judgement.verdict() instanceof Verdict.Hold
                        && situation.state().pause().isEmpty()
                        && situation.state().serving() == Side.HOME
                        && aQuarterFailed(situation)
                        && warmed.map(at -> at.plus(pair.slots().span(Evidence.LONG_RUN)))
                                .filter(now::isBefore)
                                .isEmpty();
        if (!due) {
            return warmed;
        }
        try {
            executions.startDryRun(now);
            return Optional.of(now);
        } catch (Failure e) {
            // Warming saves seconds; what it is for must not fail with it.
            LOG.warn("the steps could not be warmed: {}", e.getMessage());
            return warmed;
        }
    }

    /** Whether every vantage that has fresh evidence reached nothing for a quarter of a window. */
    private static boolean aQuarterFailed(Situation situation) {
        List<Evidence> fresh =
                situation.evidence().stream()
                        .filter(e -> e.age().orElse(Slots.WINDOW) <= Evidence.FRESH)
                        .toList();
        return !fresh.isEmpty()
                && fresh.stream()
                        .flatMapToLong(e -> e.newestReached().stream())
                        .allMatch(slot -> situation.slot() - slot >= Slots.WINDOW / 4);
    }

    /**
     * Stores the evaluation and tells people what changed, from a pair's second one on. Of two
     * evaluations at once the one that stores tells.
     */
    private Assessment tell(
            Situation situation,
            Judgement judgement,
            Optional<Assessment> before,
            Optional<Instant> warmed,
            boolean opened) {
        Map<String, Told> told = new TreeMap<>(before.map(Assessment::told).orElse(Map.of()));
        boolean settled = situation.state().phase() instanceof Phase.Settled && !opened;
        // The first evaluation may come before the first probes; what is so stays for the next.
        Map<String, String> causes =
                settled
                        ? before.map(earlier -> Causes.of(situation, judgement, earlier))
                                .orElse(Map.of())
                        : Map.of();
        Map<String, String> begun = new TreeMap<>(causes);
        begun.keySet().removeAll(told.keySet());
        Instant over = situation.now().minus(pair.slots().window());
        Map<String, Told> ended =
                settled
                        ? told.entrySet().stream()
                                .filter(e -> !causes.containsKey(e.getKey()))
                                .filter(e -> e.getValue().lastSeen().isBefore(over))
                                .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue))
                        : Map.of();
        told.keySet().removeAll(ended.keySet());
        for (String cause : causes.keySet()) {
            Instant since =
                    Optional.ofNullable(told.get(cause)).map(Told::since).orElse(situation.now());
            told.put(cause, new Told(since, situation.now()));
        }
        Assessment assessment = assessment(situation, judgement, before, warmed, told);
        if (!ledger.assess(assessment)) {
            LOG.info("another evaluation was stored first");
            return assessment;
        }
        try {
            begun.forEach((cause, text) -> page(cause, cause, text));
            ended.forEach(
                    (cause, since) ->
                            page(cause, cause + " is over", "It began at " + since.since() + "."));
        } catch (Failure e) {
            // Who wasn't told has to be told again, at the price of some who are told twice.
            ledger.assess(
                    assessment.withTold(
                            before.map(Assessment::told).orElse(Map.of()),
                            assessment.version() + 1));
            throw e;
        }
        return assessment;
    }

    private void page(String cause, String what, String text) {
        pager.page(new Pager.Page(pair.pair() + ": " + what, text, Causes.runbook(cause)));
    }

    private static Map<String, String> lines(Situation situation) {
        Map<String, String> lines = new TreeMap<>();
        situation.evidence().forEach(e -> lines.put(e.vantage(), e.line()));
        return lines;
    }

    private static Assessment assessment(
            Situation situation,
            Judgement judgement,
            Optional<Assessment> before,
            Optional<Instant> warmed,
            Map<String, Told> told) {
        return new Assessment(
                situation.now(),
                situation.slot(),
                situation.state().serving(),
                judgement.diagnosis().rule().name(),
                lines(situation),
                judgement.gates().stream().map(Gate::name).toList(),
                judgement.verdict().line(),
                judgement.wouldHave().line(),
                situation.missing(),
                situation.predictedLoss(),
                situation.lastServed(),
                situation.lastIndex(),
                told,
                warmed,
                before.map(Assessment::version).orElse(0L));
    }
}
