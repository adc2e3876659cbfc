package io.vaultdr.workflow;

import io.vaultdr.failover.Diagnosis;
import io.vaultdr.failover.Incident;
import io.vaultdr.failover.Incident.Approval;
import io.vaultdr.failover.Incident.StepRecord;
import io.vaultdr.failover.Judgement;
import io.vaultdr.failover.Situation;
import io.vaultdr.failover.Verdict;
import io.vaultdr.model.Epoch;
import io.vaultdr.model.StepName;
import io.vaultdr.runtime.PairSettings;

import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Judges the evidence once more before anything is cut, and reads what a person answered. The first
 * that fits:
 *
 * <ol>
 *   <li>a person said no: {@code REJECTED}; nobody answered: {@code TIMED_OUT}; the question was
 *       withdrawn: {@code RECOVERED};
 *   <li>Fence is done, or a person asked for the failover: nothing but an open question counts;
 *   <li>home serves: {@code RECOVERED};
 *   <li>unclear or fading: {@code WAIT} for three slots, once, and then a person's word counts;
 *   <li>a person approved: {@code PROCEED};
 *   <li>what gate and diagnosis say: {@code PROCEED} or {@code ASK}. What holds or pages at other
 *       times asks here, for an incident is open already.
 * </ol>
 *
 * A dry run goes by AskApproval once, so that all functions run, and then proceeds.
 */
public final class Judge implements Step {
    static final String DECISION = "decision";
    private static final String WAITED = "waited";

    private final PairSettings pair;
    private final Supplier<Situation> gathering;
    private final Clock clock;

    /** Where the execution goes next. */
    enum Decision {
        PROCEED,
        ASK,
        WAIT,
        RECOVERED,
        REJECTED,
        TIMED_OUT
    }

    /** Judges what {@code gathering} finds. */
    public Judge(PairSettings pair, Supplier<Situation> gathering, Clock clock) {
        this.pair = pair;
        this.gathering = gathering;
        this.clock = clock;
    }

    @Override
    public StepName name() {
        return StepName.JUDGE;
    }

    /** It is come by again after each wait and each answer. */
    @Override
    public boolean settled(StepRecord finished) {
        return false;
    }

    @Override
    public Map<String, String> perform(Work work) {
        Epoch epoch = work.incident().epoch();
        Judgement judgement =
                Judgement.of(
                        gathering.get().judging(epoch),
                        pair.stage(),
                        pair.failover().orElseThrow());
        Decision decision = work.dryRun() ? rehearse(work) : decide(judgement, work);
        return Map.of(
                DECISION,
                decision.name(),
                "diagnosis",
                judgement.diagnosis().rule().name(),
                "verdict",
                judgement.verdict().line());
    }

    private static Decision rehearse(Work work) {
        return work.incident().approval() instanceof Approval.NotNeeded
                ? Decision.ASK
                : Decision.PROCEED;
    }

    private Decision decide(Judgement judgement, Work work) {
        Incident incident = work.incident();
        if (incident.approval() instanceof Approval.Waiting) {
            // The execution came by without an answer: the question's time is over.
            work.change(
                    seen ->
                            seen.approval() instanceof Approval.Waiting
                                    ? seen.withApproval(new Approval.Unanswered(clock.instant()))
                                    : seen);
        }
        return switch (work.incident().approval()) {
            case Approval.Rejected _ -> Decision.REJECTED;
            case Approval.Unanswered _ -> Decision.TIMED_OUT;
            case Approval.Withdrawn _ -> Decision.RECOVERED;
            case Approval.Waiting _, Approval.Needed _ when fenced(work) -> Decision.ASK;
            case Approval _ when fenced(work) -> Decision.PROCEED;
            case Approval.Approved _ when !incident.requestedBy().equals("evidence") ->
                    Decision.PROCEED;
            case Approval approval -> byEvidence(judgement, approval, work);
        };
    }

    private Decision byEvidence(Judgement judgement, Approval approval, Work work) {
        Diagnosis.Rule rule = judgement.diagnosis().rule();
        boolean approved = approval instanceof Approval.Approved;
        if (rule == Diagnosis.Rule.SERVING) {
            return Decision.RECOVERED;
        }
        if (!rule.mayFailOver()) {
            if (!work.remembered().containsKey(WAITED)) {
                work.remember(WAITED, rule.name());
                return Decision.WAIT;
            }
            return approved ? Decision.PROCEED : ask(work, List.of(rule.name()));
        }
        if (approved) {
            return Decision.PROCEED;
        }
        return switch (judgement.verdict()) {
            case Verdict.FailOver _ -> {
                if (approval instanceof Approval.Needed) {
                    work.change(i -> i.withApproval(new Approval.Released(clock.instant())));
                }
                yield Decision.PROCEED;
            }
            case Verdict.Ask(List<String> reasons) -> ask(work, reasons);
            case Verdict.Hold(String gate) -> ask(work, List.of(gate));
            case Verdict.Page(String gate) -> ask(work, List.of(gate));
        };
    }

    private static Decision ask(Work work, List<String> reasons) {
        work.change(incident -> incident.withApproval(new Approval.Needed(reasons)));
        return Decision.ASK;
    }

    private static boolean fenced(Work work) {
        return work.record(StepName.FENCE)
                .map(StepRecord::finishedAt)
                .filter(Optional::isPresent)
                .isPresent();
    }
}
