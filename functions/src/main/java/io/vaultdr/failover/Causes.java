package io.vaultdr.failover;

import io.vaultdr.model.Side;

import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * What people have to know of a pair that nothing is being done to. A cause has a stable name; the
 * runbook of the same name, in lower case with hyphens, goes on from there.
 */
final class Causes {
    private Causes() {}

    /**
     * Per cause what to tell. A look at the standby may fail once, of a lost packet or a server
     * that starts again: it wakes somebody when the evaluation before, a minute ago, found it so
     * too. The gate holds from the first on.
     */
    static Map<String, String> of(Situation situation, Judgement judgement, Assessment before) {
        Map<String, String> causes = new TreeMap<>();
        Diagnosis diagnosis = judgement.diagnosis();
        String found = found(situation, judgement);
        switch (diagnosis.rule()) {
            case UNCLEAR, PARTITIONED, ALL_SEALED, DOWN ->
                    causes.put(diagnosis.rule().name(), found);
            case SERVING -> diagnosis.doubts().forEach(doubt -> causes.put(doubt.name(), found));
            case FADING -> {}
        }
        if (situation.state().serving() == Side.HOME
                && !situation.missing().isEmpty()
                && !before.missing().isEmpty()) {
            causes.put(
                    Gate.DR_NOT_READY.name(),
                    "The DR side could not take over: " + String.join(" ", situation.missing()));
        }
        return causes;
    }

    /** The runbook that a page of this cause names. */
    static String runbook(String cause) {
        return cause.toLowerCase(Locale.ROOT).replace('_', '-');
    }

    private static String found(Situation situation, Judgement judgement) {
        StringBuilder text = new StringBuilder();
        text.append("The serving side (")
                .append(situation.state().serving())
                .append(") is diagnosed ")
                .append(judgement.diagnosis().rule())
                .append(".\n");
        situation
                .evidence()
                .forEach(e -> text.append(e.vantage()).append(' ').append(e.line()).append('\n'));
        text.append("Verdict ")
                .append(judgement.verdict().line())
                .append("; an automatic stage would have ")
                .append(judgement.wouldHave().line())
                .append(".\n");
        situation
                .lastServed()
                .ifPresent(
                        at ->
                                text.append("It was last seen to serve at ")
                                        .append(at)
                                        .append(".\n"));
        return text.toString();
    }
}
