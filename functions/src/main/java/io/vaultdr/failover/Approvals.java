package io.vaultdr.failover;

import io.vaultdr.failover.Incident.Approval;
import io.vaultdr.model.Epoch;

import java.time.Clock;
import java.time.Instant;
import java.util.function.Function;

/**
 * Answers the question that an incident waits on: by a person, through Control, or by evidence. The
 * answer is first written into the ledger on the condition that nobody answered before, then the
 * execution is let go on, which reads the answer there. The execution's token is known only to the
 * ledger and to this class.
 */
public final class Approvals {
    private final Ledger ledger;
    private final Executions executions;
    private final Clock clock;

    /** Answers in {@code ledger} and lets {@code executions} go on. */
    public Approvals(Ledger ledger, Executions executions, Clock clock) {
        this.ledger = ledger;
        this.executions = executions;
        this.clock = clock;
    }

    /** A person approves, up to the loss that the incident predicts. */
    public Answer approve(Epoch epoch, String by, String requestId) {
        Instant now = clock.instant();
        return answer(epoch, i -> new Approval.Approved(by, now, requestId, i.predictedLoss()));
    }

    /** A person says no. */
    public Answer reject(Epoch epoch, String by, String requestId) {
        Instant now = clock.instant();
        return answer(epoch, i -> new Approval.Rejected(by, now, requestId));
    }

    /** No reason to ask is left and the stage is automatic. */
    public Answer release(Epoch epoch) {
        Instant now = clock.instant();
        return answer(epoch, i -> new Approval.Released(now));
    }

    /** Home serves again. */
    public Answer withdraw(Epoch epoch) {
        Instant now = clock.instant();
        return answer(epoch, i -> new Approval.Withdrawn(now));
    }

    /**
     * Lets the execution of an answered incident go on once more, for the case that it was answered
     * and nobody lived to tell the execution.
     *
     * @return whether an execution was waiting
     */
    public boolean resumeAnswered(Incident incident) {
        return answered(incident.approval()) && resume(incident.epoch());
    }

    private Answer answer(Epoch epoch, Function<Incident, Approval> choice) {
        Incident incident;
        try {
            incident =
                    ledger.update(
                            epoch,
                            seen ->
                                    seen.approval() instanceof Approval.Waiting
                                            ? seen.withApproval(choice.apply(seen))
                                            : seen);
        } catch (Ledger.StaleEpochException e) {
            return new Answer.NotWaiting("incident " + epoch + " is not open");
        }
        Approval stands = incident.approval();
        // The same answer once more: whoever gave it first may not have lived to tell the
        // execution.
        if (stands.getClass() != choice.apply(incident).getClass()) {
            return new Answer.NotWaiting(
                    incident.id() + " stands at " + stands.getClass().getSimpleName());
        }
        resume(epoch);
        return new Answer.Taken(incident);
    }

    private boolean resume(Epoch epoch) {
        return ledger.taskToken(epoch).map(executions::resume).orElse(false);
    }

    private static boolean answered(Approval approval) {
        return switch (approval) {
            case Approval.Approved _, Approval.Rejected _, Approval.Released _ -> true;
            case Approval.Withdrawn _, Approval.Unanswered _ -> true;
            case Approval.NotNeeded _, Approval.Needed _, Approval.Waiting _ -> false;
        };
    }

    /** What came of an answer. */
    public sealed interface Answer {
        /** It counts. */
        record Taken(Incident incident) implements Answer {}

        /** Nothing waits for an answer; says what is the case instead. */
        record NotWaiting(String seen) implements Answer {}
    }
}
