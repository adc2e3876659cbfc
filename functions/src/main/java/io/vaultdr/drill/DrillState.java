package io.vaultdr.drill;

import com.fasterxml.jackson.annotation.JsonProperty;

import java.time.Instant;
import java.util.Optional;

/**
 * How far a drill came. It travels through the execution as its data, holds no secret, and each
 * phase answers with the next one.
 *
 * @param requestedBy who asked, as claimed: a name, or {@code schedule}
 * @param snapshot the id of the snapshot that the drill takes
 * @param invokedAt when TakeSnapshot was invoked
 * @param provenBefore what a disaster at the drill's beginning would have gone back to
 * @param arrivedAt when the manifest arrived in the bucket that proofs are made from
 * @param dryRun the ARN of the dry run's execution
 * @param outcome how it ended; empty while it goes on
 * @param why what stood in the way, for people
 * @param over whether nothing is left but to report
 * @param failure what a Catch of the state machine left
 */
public record DrillState(
        Optional<String> requestedBy,
        Optional<String> snapshot,
        Optional<Instant> invokedAt,
        Optional<ProvenBefore> provenBefore,
        Optional<Instant> arrivedAt,
        Optional<String> dryRun,
        Optional<Outcome> outcome,
        Optional<String> why,
        boolean over,
        Optional<Caught> failure) {

    /** How a drill ended. */
    public enum Outcome {
        /** The chain went through, within both goals. */
        MET,
        /** The chain went through and took longer than a goal allows. */
        GOALS_MISSED,
        /** The chain broke. */
        FAILED,
        /** An incident opened while the drill went on; what is real goes first. */
        STOPPED_BY_INCIDENT,
        /** It wasn't begun, because the pair was paused or changing. */
        REFUSED
    }

    /** The newest proven snapshot when the drill began. */
    public record ProvenBefore(String id, Instant takenAt) {}

    /** A state machine's error: its name, and as cause what the function said, as JSON. */
    public record Caught(
            @JsonProperty("Error") String error, @JsonProperty("Cause") Optional<String> cause) {}

    /** Before anything happened. */
    public static DrillState asked(String by) {
        return new DrillState(
                Optional.of(by),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                false,
                Optional.empty());
    }

    DrillState invoked(String id, Instant at, Optional<ProvenBefore> before) {
        return new DrillState(
                requestedBy,
                Optional.of(id),
                Optional.of(at),
                before,
                arrivedAt,
                dryRun,
                outcome,
                why,
                over,
                failure);
    }

    DrillState arrived(Instant at) {
        return new DrillState(
                requestedBy,
                snapshot,
                invokedAt,
                provenBefore,
                Optional.of(at),
                dryRun,
                outcome,
                why,
                over,
                failure);
    }

    DrillState dryRunStarted(String arn) {
        return new DrillState(
                requestedBy,
                snapshot,
                invokedAt,
                provenBefore,
                arrivedAt,
                Optional.of(arn),
                outcome,
                why,
                over,
                failure);
    }

    /** The chain is through; what it comes to is measured when it is reported. */
    DrillState through() {
        return ended(Optional.empty(), Optional.empty());
    }

    DrillState ended(Outcome how, String reason) {
        return ended(Optional.of(how), Optional.of(reason));
    }

    private DrillState ended(Optional<Outcome> how, Optional<String> reason) {
        return new DrillState(
                requestedBy,
                snapshot,
                invokedAt,
                provenBefore,
                arrivedAt,
                dryRun,
                how,
                reason,
                true,
                failure);
    }
}
