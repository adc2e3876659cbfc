package io.vaultdr.failover;

import io.vaultdr.failover.Evidence.Says;
import io.vaultdr.model.Outcome;
import io.vaultdr.model.Side;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.runtime.PairSettings.Stage;

import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;

/**
 * What stands in the way of a failover. Every gate that applies is recorded and the first decides:
 * holds come before pages, pages before asks.
 */
public enum Gate {
    /** Somebody paused the pair. */
    PAUSED(Effect.HOLD),
    /** An incident is open already, or both sides may have written. */
    INCIDENT_OPEN(Effect.HOLD),
    /** Home doesn't serve; the serving side is diagnosed all the same. */
    NOT_AT_HOME(Effect.HOLD),
    /** The serving side changed less than the cool-down ago. */
    COOLING_DOWN(Effect.HOLD),
    /** A person said no or didn't answer; until home served once, or it is time to ask again. */
    REJECTED(Effect.HOLD),
    /** The stage acts on nothing. */
    OBSERVE_ONLY(Effect.HOLD),
    /** The DR side lacks something. */
    DR_NOT_READY(Effect.PAGE),
    /** More would be lost than is accepted without asking. */
    LOSS_TOO_GREAT(Effect.ASK),
    /** Fewer than two vantages outside say no: one can't tell a lost region from a lost link. */
    LONE_EVIDENCE(Effect.ASK),
    /** The stage wants a person's word. */
    NEEDS_APPROVAL(Effect.ASK);

    /** What a gate makes of a failover. */
    public enum Effect {
        /** Nothing happens. */
        HOLD,
        /** A person is told what is missing. */
        PAGE,
        /** A person decides. */
        ASK
    }

    private final Effect effect;

    Gate(Effect effect) {
        this.effect = effect;
    }

    /** What this gate makes of a failover. */
    public Effect effect() {
        return effect;
    }

    /**
     * Every gate that applies, the deciding one first.
     *
     * @param stage the pair's own, or another for what would have been
     */
    public static List<Gate> applying(
            Situation situation, Stage stage, PairSettings.Failover limits) {
        return Arrays.stream(values())
                .filter(gate -> gate.applies(situation, stage, limits))
                .toList();
    }

    private boolean applies(Situation situation, Stage stage, PairSettings.Failover limits) {
        PairState state = situation.state();
        Instant now = situation.now();
        return switch (this) {
            case PAUSED -> state.pause().isPresent();
            case INCIDENT_OPEN ->
                    switch (state.phase()) {
                        case PairState.Phase.Settled _ -> false;
                        case PairState.Phase.Changing(var incident, _) ->
                                situation.judged().stream().noneMatch(incident::equals);
                        case PairState.Phase.Diverged _ -> true;
                    };
            case NOT_AT_HOME -> state.serving() != Side.HOME;
            case COOLING_DOWN -> state.since().plus(limits.coolDown()).isAfter(now);
            case REJECTED ->
                    situation
                            .newestIncident()
                            .filter(i -> rejects(i, state, limits.askAgainAfter(), now))
                            .isPresent();
            case OBSERVE_ONLY -> stage.compareTo(Stage.OBSERVE) <= 0;
            case DR_NOT_READY -> !situation.missing().isEmpty();
            case LOSS_TOO_GREAT ->
                    situation
                            .predictedLoss()
                            .filter(loss -> loss.time().compareTo(limits.acceptedLoss()) > 0)
                            .isPresent();
            case LONE_EVIDENCE ->
                    situation.evidence().stream()
                                    .filter(e -> !e.inside() && e.says() == Says.NO)
                                    .count()
                            < 2;
            case NEEDS_APPROVAL -> stage == Stage.APPROVAL;
        };
    }

    private static boolean rejects(
            Incident incident, PairState state, Duration askAgainAfter, Instant now) {
        if (incident.outcome() != Outcome.REJECTED && incident.outcome() != Outcome.TIMED_OUT) {
            return false;
        }
        Instant closed = incident.closedAt().orElse(incident.openedAt());
        boolean servedSince = state.homeServedSince().filter(closed::isBefore).isPresent();
        return !servedSince && closed.plus(askAgainAfter).isAfter(now);
    }
}
