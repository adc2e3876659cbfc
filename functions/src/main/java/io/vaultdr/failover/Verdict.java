package io.vaultdr.failover;

import io.vaultdr.failover.Gate.Effect;

import java.util.List;
import java.util.stream.Stream;

/** What follows from a diagnosis and the gates that apply. */
public sealed interface Verdict {
    /** Nothing happens, by this rule: a diagnosis' or a gate's name. */
    record Hold(String rule) implements Verdict {}

    /** A person is told what is missing, by this rule. */
    record Page(String rule) implements Verdict {}

    /** A person decides, for these reasons: a diagnosis' and gates' names. */
    record Ask(List<String> reasons) implements Verdict {}

    /** The DR side takes over. */
    record FailOver() implements Verdict {}

    /** The verdict. */
    static Verdict of(Diagnosis.Rule diagnosis, List<Gate> gates) {
        if (!diagnosis.mayFailOver()) {
            return new Hold(diagnosis.name());
        }
        for (Gate gate : gates) {
            switch (gate.effect()) {
                case HOLD -> {
                    return new Hold(gate.name());
                }
                case PAGE -> {
                    return new Page(gate.name());
                }
                case ASK -> {}
            }
        }
        Stream<String> asks = gates.stream().filter(g -> g.effect() == Effect.ASK).map(Gate::name);
        List<String> reasons =
                Stream.concat(
                                Stream.of(diagnosis)
                                        .filter(Diagnosis.Rule::asks)
                                        .map(Diagnosis.Rule::name),
                                asks)
                        .toList();
        return reasons.isEmpty() ? new FailOver() : new Ask(reasons);
    }

    /** Its name, as a metric's dimension: {@code HOLD}, {@code PAGE}, {@code ASK}, … */
    default String name() {
        return switch (this) {
            case Hold _ -> "HOLD";
            case Page _ -> "PAGE";
            case Ask _ -> "ASK";
            case FailOver _ -> "FAIL_OVER";
        };
    }

    /** Name and reasons in a line, such as {@code HOLD: PAUSED}. */
    default String line() {
        return switch (this) {
            case Hold(String rule) -> name() + ": " + rule;
            case Page(String rule) -> name() + ": " + rule;
            case Ask(List<String> reasons) -> name() + ": " + String.join(", ", reasons);
            case FailOver _ -> name();
        };
    }
}
