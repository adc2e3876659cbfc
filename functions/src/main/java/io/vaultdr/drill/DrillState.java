package io.vaultdr.drill;

import com.fasterxml.jackson.annotation.JsonProperty;

import io.vaultdr.drill.DrillReport.StageTime;

import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

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
 * @param over whether nothing is left but to report, and before that to boot a cluster where {@code
 *     boots}
 * @param boots whether the pair's real promotion follows, into a cluster of the drill's own
 * @param node the restored node of that cluster
 * @param booted what that cluster's stages took
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
        boolean boots,
        Optional<URI> node,
        List<StageTime> booted,
        Optional<Caught> failure) {
    public DrillState {
        booted = booted == null ? List.of() : List.copyOf(booted);
    }

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
                false,
                Optional.empty(),
                List.of(),
                Optional.empty());
    }

    DrillState invoked(String id, Instant at, Optional<ProvenBefore> before) {
        return with(
                next -> {
                    next.snapshot = Optional.of(id);
                    next.invokedAt = Optional.of(at);
                    next.provenBefore = before;
                });
    }

    DrillState arrived(Instant at) {
        return with(next -> next.arrivedAt = Optional.of(at));
    }

    DrillState dryRunStarted(String arn) {
        return with(next -> next.dryRun = Optional.of(arn));
    }

    /**
     * The chain is through; what it comes to is measured when it is reported.
     *
     * @param thenBoots whether a cluster is booted before that
     */
    DrillState through(boolean thenBoots) {
        return with(
                next -> {
                    next.over = true;
                    next.boots = thenBoots;
                });
    }

    DrillState ended(Outcome how, String reason) {
        return with(
                next -> {
                    next.over = true;
                    next.outcome = Optional.of(how);
                    next.why = Optional.of(reason);
                });
    }

    /** The drill's own node answers at {@code address}. */
    DrillState standing(URI address) {
        return with(next -> next.node = Optional.of(address));
    }

    /** A stage of the booted cluster took so long; done again, it counts as it was done last. */
    DrillState took(String stage, Instant began, Duration time) {
        return with(
                next -> {
                    next.booted.removeIf(it -> it.name().equals(stage));
                    next.booted.add(StageTime.measured(stage, began, time));
                });
    }

    private DrillState with(Consumer<Draft> change) {
        Draft next = new Draft(this);
        change.accept(next);
        return next.state();
    }

    /** The same state, of which something is about to change. */
    private static final class Draft {
        private final DrillState before;
        private Optional<String> snapshot;
        private Optional<Instant> invokedAt;
        private Optional<ProvenBefore> provenBefore;
        private Optional<Instant> arrivedAt;
        private Optional<String> dryRun;
        private Optional<Outcome> outcome;
        private Optional<String> why;
        private boolean over;
        private boolean boots;
        private Optional<URI> node;
        private final List<StageTime> booted;

        private Draft(DrillState before) {
            this.before = before;
            snapshot = before.snapshot;
            invokedAt = before.invokedAt;
            provenBefore = before.provenBefore;
            arrivedAt = before.arrivedAt;
            dryRun = before.dryRun;
            outcome = before.outcome;
            why = before.why;
            over = before.over;
            boots = before.boots;
            node = before.node;
            booted = new ArrayList<>(before.booted);
        }

        private DrillState state() {
            return new DrillState(
                    before.requestedBy,
                    snapshot,
                    invokedAt,
                    provenBefore,
                    arrivedAt,
                    dryRun,
                    outcome,
                    why,
                    over,
                    boots,
                    node,
                    booted,
                    before.failure);
        }
    }
}
