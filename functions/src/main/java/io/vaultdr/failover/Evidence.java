package io.vaultdr.failover;

import io.vaultdr.model.Side;
import io.vaultdr.model.Slots;

import org.jspecify.annotations.Nullable;

import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What one vantage says of the serving side, at the end of a slot.
 *
 * @param vantage its region
 * @param inside whether it stands in the region of the side that it speaks of; only what stands
 *     outside can tell a lost region from a lost link
 * @param says yes, no or nothing
 * @param newestReached the newest slot of the window in which it reached the active node
 * @param lastAnswer the last in the window that any node answered it at all
 * @param present how many of the window's slots it has
 * @param age how many slots old its newest is; empty without one in the window
 * @param probes its probes of the last five minutes (thirty slots)
 * @param reached how many of them reached the active node
 */
public record Evidence(
        String vantage,
        boolean inside,
        Says says,
        OptionalLong newestReached,
        Optional<Observation.Evidence> lastAnswer,
        int present,
        OptionalLong age,
        int probes,
        int reached) {

    /** Slots that a vantage may be behind and still count as fresh; also when a yes fades. */
    static final int FRESH = 3;

    /** Slots of the window that a vantage must have to say no. */
    static final int ENOUGH = 9;

    /** Slots that the success of probing is looked at over: five minutes of ten seconds. */
    static final int LONG_RUN = 30;

    /** What a vantage says. */
    public enum Says {
        /** It reached the active node in the window, however fresh that is. */
        YES,
        /** It is fresh and didn't reach the active node in the whole window. */
        NO,
        /** It may have lost its own evidence. */
        NOTHING
    }

    /**
     * What {@code vantage} says at the end of the slot {@code last}.
     *
     * <p>A yes need not be fresh: were it, a home whose vantages lose a third of their writes would
     * be failed over while it serves.
     *
     * @param observations its observations of the last five minutes, in any order; those of the
     *     other side and of slots after {@code last} don't count
     */
    public static Evidence of(
            String vantage,
            boolean inside,
            Side serving,
            List<Observation> observations,
            long last) {
        int probes = 0;
        int reached = 0;
        int present = 0;
        Observation newest = null;
        Observation newestReached = null;
        Observation newestAnswer = null;
        for (Observation one : observations) {
            if (one.side() != serving || one.slot() > last || one.slot() <= last - LONG_RUN) {
                continue;
            }
            probes++;
            boolean hit = one.evidence() == Observation.Evidence.REACHED;
            reached += hit ? 1 : 0;
            if (one.slot() > last - Slots.WINDOW) {
                present++;
                newest = newer(newest, one);
                newestReached = hit ? newer(newestReached, one) : newestReached;
                boolean answered = one.evidence() != Observation.Evidence.SILENT;
                newestAnswer = answered ? newer(newestAnswer, one) : newestAnswer;
            }
        }
        boolean fresh = newest != null && last - newest.slot() <= FRESH && present >= ENOUGH;
        return new Evidence(
                vantage,
                inside,
                newestReached != null ? Says.YES : fresh ? Says.NO : Says.NOTHING,
                newestReached == null
                        ? OptionalLong.empty()
                        : OptionalLong.of(newestReached.slot()),
                Optional.ofNullable(newestAnswer).map(Observation::evidence),
                present,
                newest == null ? OptionalLong.empty() : OptionalLong.of(last - newest.slot()),
                probes,
                reached);
    }

    private static Observation newer(@Nullable Observation newest, Observation one) {
        return newest == null || one.slot() > newest.slot() ? one : newest;
    }

    /** The same in a line for a person. */
    public String line() {
        String newest = age.isPresent() ? "newest " + age.getAsLong() + " slots old" : "none";
        String answer = lastAnswer.map(seen -> ", last answer " + seen).orElse("");
        return says + ": " + present + " of " + Slots.WINDOW + " slots, " + newest + answer;
    }
}
