package io.vaultdr.failover;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;

import io.vaultdr.model.Epoch;
import io.vaultdr.model.Loss;
import io.vaultdr.model.Outcome;
import io.vaultdr.model.PairId;
import io.vaultdr.model.StepName;

import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * An attempt to change the serving side, with all that was known when it was opened and all that
 * was done since. What a person reads afterwards.
 *
 * @param requestedBy {@code evidence}, or who asked for it as claimed
 * @param diagnosis the diagnosis' name at opening
 * @param evidence per vantage what was said and seen at opening, one line each
 * @param gates every gate that applied at opening, first decides
 * @param overridden gates that a person's request set aside
 * @param verdict what followed from them
 * @param wouldHave what would have followed if the stage were automatic
 * @param predictedLoss what a restore of the newest checked snapshot would lose
 * @param lastServed the end of the last slot in which home served, if evidence still had one
 * @param approval where asking a person stands
 * @param steps per step name its record
 * @param execution the execution's ARN once it was started
 * @param findings what a person has to know, a sentence each: what couldn't be fenced, what was
 *     lost
 * @param outcome how it stands
 */
public record Incident(
        PairId pair,
        Epoch epoch,
        Instant openedAt,
        String requestedBy,
        String diagnosis,
        Map<String, String> evidence,
        List<String> gates,
        List<String> overridden,
        String verdict,
        String wouldHave,
        Loss predictedLoss,
        Optional<Instant> lastServed,
        Approval approval,
        Map<StepName, StepRecord> steps,
        Optional<String> execution,
        List<String> findings,
        Outcome outcome,
        Optional<Instant> closedAt,
        long version) {

    /** {@code <pair>-<epoch>}. */
    public String id() {
        return pair + "-" + epoch;
    }

    /** The same incident with another approval. */
    public Incident withApproval(Approval next) {
        return copy(predictedLoss, next, steps, execution, findings, outcome, closedAt);
    }

    /** The same incident with a step's record put in. */
    public Incident withStep(StepName step, StepRecord record) {
        Map<StepName, StepRecord> next = new EnumMap<>(StepName.class);
        next.putAll(steps);
        next.put(step, record);
        return copy(predictedLoss, approval, next, execution, findings, outcome, closedAt);
    }

    /** The same incident with its execution. */
    public Incident withExecution(String arn) {
        return copy(predictedLoss, approval, steps, Optional.of(arn), findings, outcome, closedAt);
    }

    /** The same incident with a sentence more, unless it holds that sentence already. */
    public Incident withFinding(String sentence) {
        if (findings.contains(sentence)) {
            return this;
        }
        List<String> next = new ArrayList<>(findings);
        next.add(sentence);
        return copy(predictedLoss, approval, steps, execution, next, outcome, closedAt);
    }

    /** The same incident, closed. */
    public Incident closed(Outcome end, Instant at) {
        return copy(predictedLoss, approval, steps, execution, findings, end, Optional.of(at));
    }

    /** The same incident, whose promotion would lose this much. */
    public Incident withPredictedLoss(Loss next) {
        return copy(next, approval, steps, execution, findings, outcome, closedAt);
    }

    private Incident copy(
            Loss nextLoss,
            Approval nextApproval,
            Map<StepName, StepRecord> nextSteps,
            Optional<String> nextExecution,
            List<String> nextFindings,
            Outcome nextOutcome,
            Optional<Instant> nextClosedAt) {
        return new Incident(
                pair,
                epoch,
                openedAt,
                requestedBy,
                diagnosis,
                evidence,
                gates,
                overridden,
                verdict,
                wouldHave,
                nextLoss,
                lastServed,
                nextApproval,
                nextSteps,
                nextExecution,
                nextFindings,
                nextOutcome,
                nextClosedAt,
                version);
    }

    /** The same incident as its {@code next}th version. */
    public Incident withVersion(long next) {
        return new Incident(
                pair,
                epoch,
                openedAt,
                requestedBy,
                diagnosis,
                evidence,
                gates,
                overridden,
                verdict,
                wouldHave,
                predictedLoss,
                lastServed,
                approval,
                steps,
                execution,
                findings,
                outcome,
                closedAt,
                next);
    }

    /** Where asking a person stands. */
    @JsonTypeInfo(use = JsonTypeInfo.Id.SIMPLE_NAME, property = "kind")
    @JsonSubTypes({
        @JsonSubTypes.Type(Approval.NotNeeded.class),
        @JsonSubTypes.Type(Approval.Needed.class),
        @JsonSubTypes.Type(Approval.Waiting.class),
        @JsonSubTypes.Type(Approval.Approved.class),
        @JsonSubTypes.Type(Approval.Rejected.class),
        @JsonSubTypes.Type(Approval.Released.class),
        @JsonSubTypes.Type(Approval.Withdrawn.class),
        @JsonSubTypes.Type(Approval.Unanswered.class)
    })
    public sealed interface Approval {
        /** Nobody has to be asked. */
        record NotNeeded() implements Approval {}

        /** Somebody has to be asked, for these reasons. */
        record Needed(List<String> reasons) implements Approval {}

        /** Asked; the task token lies in the ledger beside the incident. */
        record Waiting(List<String> reasons, Instant askedAt) implements Approval {}

        /** Approved by a person, as claimed, up to the loss that was stated then. */
        record Approved(String by, Instant at, String requestId, Loss acceptedLoss)
                implements Approval {}

        /** A person said no. */
        record Rejected(String by, Instant at, String requestId) implements Approval {}

        /** No reason to ask was left and the stage is automatic. */
        record Released(Instant at) implements Approval {}

        /** Home served again while a person was waited for. */
        record Withdrawn(Instant at) implements Approval {}

        /** Nobody answered in time. */
        record Unanswered(Instant at) implements Approval {}
    }

    /**
     * What a step did.
     *
     * @param attempts how often it was begun; more than one when it was killed in between
     * @param result what it found and did, small, without secrets; the same answer for a repetition
     */
    public record StepRecord(
            int attempts,
            Instant startedAt,
            Optional<Instant> finishedAt,
            Map<String, String> result,
            Optional<String> failure) {}
}
