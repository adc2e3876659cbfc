package io.vaultdr.workflow;

import io.vaultdr.failover.Executions;
import io.vaultdr.failover.Incident;
import io.vaultdr.failover.Incident.Approval;
import io.vaultdr.failover.Incident.StepRecord;
import io.vaultdr.failover.Ledger;
import io.vaultdr.failover.Pager;
import io.vaultdr.model.Failure;
import io.vaultdr.model.Secret;
import io.vaultdr.model.StepName;
import io.vaultdr.runtime.PairSettings;

import java.time.Clock;
import java.util.List;
import java.util.Map;

/**
 * Asks a person. The token on which the execution waits is laid into the ledger, where only Control
 * and the evaluation take it; the page says what is asked, why, and how to answer.
 */
public final class AskApproval implements Step {
    private final PairSettings pair;
    private final Ledger ledger;
    private final Executions executions;
    private final Pager pager;
    private final String controlFunction;
    private final Clock clock;

    /**
     * Asks through {@code pager}.
     *
     * @param controlFunction the name of the function that takes the answer
     */
    public AskApproval(
            PairSettings pair,
            Ledger ledger,
            Executions executions,
            Pager pager,
            String controlFunction,
            Clock clock) {
        this.pair = pair;
        this.ledger = ledger;
        this.executions = executions;
        this.pager = pager;
        this.controlFunction = controlFunction;
        this.clock = clock;
    }

    @Override
    public StepName name() {
        return StepName.ASK_APPROVAL;
    }

    /** Each time it is called, an execution waits on a token of its own. */
    @Override
    public boolean settled(StepRecord finished) {
        return false;
    }

    @Override
    public Map<String, String> perform(Work work) {
        Secret token =
                work.taskToken()
                        .orElseThrow(
                                () ->
                                        new Failure.Terminal(
                                                "ask a person",
                                                "the input has no taskToken",
                                                "Only the state machine calls this function"));
        if (work.dryRun()) {
            // Nobody is paged and no token is kept, so the execution is let go on at once.
            ledger.state();
            int receivers = pager.receivers();
            executions.resume(token);
            return Map.of("asked", "dry run", "receivers", Integer.toString(receivers));
        }
        ledger.storeTaskToken(work.incident().epoch(), token);
        work.change(
                incident ->
                        incident.approval() instanceof Approval.Needed(List<String> reasons)
                                ? incident.withApproval(
                                        new Approval.Waiting(reasons, clock.instant()))
                                : incident);
        if (work.incident().approval() instanceof Approval.Waiting(List<String> reasons, var _)) {
            pager.page(page(work.incident(), reasons));
            return Map.of("asked", String.join(", ", reasons));
        }
        // Answered while this was on its way: whoever answered knew an older token, or none.
        executions.resume(token);
        return Map.of("asked", "answered already");
    }

    private Pager.Page page(Incident incident, List<String> reasons) {
        PairSettings.Cluster dr = pair.dr().orElseThrow();
        StringBuilder text = new StringBuilder();
        text.append("Shall ")
                .append(pair.pair())
                .append(" fail over from ")
                .append(pair.home().region())
                .append(" to ")
                .append(dr.region())
                .append("?\n\nWhy you are asked: ")
                .append(String.join("; ", reasons))
                .append("\nDiagnosis when it was opened: ")
                .append(incident.diagnosis())
                .append('\n');
        incident.evidence()
                .forEach(
                        (v, line) ->
                                text.append("  ").append(v).append(": ").append(line).append('\n'));
        text.append("It would lose at the most ")
                .append(incident.predictedLoss().time().toSeconds())
                .append(" s of writes");
        incident.predictedLoss()
                .entries()
                .ifPresent(n -> text.append(" (about ").append(n).append(" Raft entries)"));
        text.append(".\nAn answer counts for ")
                .append(pair.failover().orElseThrow().approvalTimeout().toMinutes())
                .append(" minutes; without one nothing is changed.\n\n");
        answer(text, incident, "approve");
        answer(text, incident, "reject");
        return new Pager.Page(
                pair.pair() + ": approve or reject failover " + incident.id(),
                text.toString(),
                "approve-or-reject");
    }

    private void answer(StringBuilder text, Incident incident, String action) {
        text.append(action)
                .append(":\n  ./vault-dr ")
                .append(action)
                .append(' ')
                .append(pair.pair())
                .append(" --incident ")
                .append(incident.epoch())
                .append("\n  aws lambda invoke --region ")
                .append(pair.dr().orElseThrow().region())
                .append(" --function-name ")
                .append(controlFunction)
                .append(":operate --cli-binary-format raw-in-base64-out --payload '{\"action\":\"")
                .append(action)
                .append("\",\"by\":\"YOUR NAME\",\"epoch\":")
                .append(incident.epoch())
                .append("}' /dev/stdout\n");
    }
}
