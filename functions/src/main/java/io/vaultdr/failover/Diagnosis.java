package io.vaultdr.failover;

import io.vaultdr.failover.Evidence.Says;

import java.util.EnumSet;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;

/**
 * What is the matter with the serving side: the first rule of {@link Rule} that fits what the
 * vantages say at the end of a slot. A diagnosis acts on nothing and is made in every state.
 *
 * @param rule the first rule that fits
 * @param doubts what a person should know of a side that serves
 * @param fading every yes is older than three slots: time alone may change the diagnosis, so it is
 *     worth looking again at the end of the next slot
 */
public record Diagnosis(Rule rule, Set<Doubt> doubts, boolean fading) {

    /** The rules, in their order. The name is the log key and the metric's dimension. */
    public enum Rule {
        /** No vantage outside says yes or no: hold, and page. */
        UNCLEAR,
        /** Half or more of those that say something say yes; a tie is serving: hold. */
        SERVING,
        /** A minority says yes, and its newest yes is older than three slots: look again. */
        FADING,
        /** A minority says yes: ask. */
        PARTITIONED,
        /** The last answers in the window are all sealed, perhaps somebody's brake: ask. */
        ALL_SEALED,
        /** Nobody finds a node that serves: on to the gate. */
        DOWN;

        /** Whether a failover may follow at all, if only after asking. */
        public boolean mayFailOver() {
            return this == PARTITIONED || this == ALL_SEALED || this == DOWN;
        }

        /** Whether a person must be asked whatever the gate says. */
        public boolean asks() {
            return this == PARTITIONED || this == ALL_SEALED;
        }
    }

    /** Why a side that serves should still be looked at by a person. */
    public enum Doubt {
        /** A vantage says no. */
        DOUBTED,
        /** Under half of the probes of the last five minutes succeeded. */
        FLAPPING
    }

    /**
     * Diagnoses.
     *
     * @param evidence what each vantage says at the end of the slot {@code last}
     */
    public static Diagnosis of(List<Evidence> evidence, long last) {
        long yes = evidence.stream().filter(e -> e.says() == Says.YES).count();
        long no = evidence.stream().filter(e -> e.says() == Says.NO).count();
        OptionalLong newestYes =
                evidence.stream().flatMapToLong(e -> e.newestReached().stream()).max();
        boolean fading = newestYes.isPresent() && last - newestYes.getAsLong() > Evidence.FRESH;
        Rule rule = rule(evidence, yes, no, fading);
        return new Diagnosis(rule, rule == Rule.SERVING ? doubts(evidence, no) : Set.of(), fading);
    }

    private static Rule rule(List<Evidence> evidence, long yes, long no, boolean fading) {
        if (evidence.stream().noneMatch(e -> !e.inside() && e.says() != Says.NOTHING)) {
            return Rule.UNCLEAR;
        }
        if (yes >= no) {
            return Rule.SERVING;
        }
        if (yes > 0) {
            return fading ? Rule.FADING : Rule.PARTITIONED;
        }
        List<Observation.Evidence> answers =
                evidence.stream().flatMap(e -> e.lastAnswer().stream()).toList();
        boolean sealed = answers.stream().allMatch(a -> a == Observation.Evidence.SEALED);
        return sealed && !answers.isEmpty() ? Rule.ALL_SEALED : Rule.DOWN;
    }

    private static Set<Doubt> doubts(List<Evidence> evidence, long no) {
        Set<Doubt> doubts = EnumSet.noneOf(Doubt.class);
        if (no > 0) {
            doubts.add(Doubt.DOUBTED);
        }
        int probes = evidence.stream().mapToInt(Evidence::probes).sum();
        int reached = evidence.stream().mapToInt(Evidence::reached).sum();
        // A pair that is probed since a minute has no five minutes to judge by.
        boolean wholeRun = evidence.stream().anyMatch(e -> e.probes() * 4 >= Evidence.LONG_RUN * 3);
        if (wholeRun && reached * 2 < probes) {
            doubts.add(Doubt.FLAPPING);
        }
        return doubts;
    }
}
