package io.vaultdr.workflow;

import io.vaultdr.model.Epoch;
import io.vaultdr.model.Failure;
import io.vaultdr.model.PairId;
import io.vaultdr.model.Secret;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What an execution hands to a step.
 *
 * @param dryRun do all but the last call, and write nothing into the ledger
 * @param taskToken on which the execution waits; only AskApproval gets one
 */
public record StepInput(PairId pair, Epoch epoch, boolean dryRun, Optional<Secret> taskToken) {
    /**
     * Reads {@code {"pair":…,"epoch":…,"dryRun":…}}, or the same as {@code input} beside {@code
     * taskToken}. What else is there is left alone: results of the steps before.
     *
     * @throws Failure.Terminal naming what was read and what is expected
     */
    public static StepInput of(Map<String, ?> event, PairId own) {
        Map<?, ?> input = event.get("input") instanceof Map<?, ?> inner ? inner : event;
        List<String> mistakes = new ArrayList<>();
        if (!own.value().equals(input.get("pair"))) {
            mistakes.add("pair: read " + input.get("pair") + ", expected " + own);
        }
        boolean dryRun = Boolean.TRUE.equals(input.get("dryRun"));
        long least = dryRun ? 0 : 1;
        long epoch = input.get("epoch") instanceof Number number ? number.longValue() : -1;
        if (epoch < least) {
            mistakes.add("epoch: read " + input.get("epoch") + ", expected a number from " + least);
        }
        if (!mistakes.isEmpty()) {
            throw new Failure.Terminal(
                    "read a step's input",
                    String.join("; ", mistakes),
                    "Expected {\"pair\":\""
                            + own
                            + "\",\"epoch\":1}, as EvaluateFailover starts it");
        }
        Optional<Secret> token =
                event.get("taskToken") instanceof String text
                        ? Optional.of(Secret.of(text))
                        : Optional.empty();
        return new StepInput(own, new Epoch(epoch), dryRun, token);
    }

    /** The name of the error that a Catch left under {@code failure}, without its cause's text. */
    public static Optional<String> failure(Map<String, ?> event) {
        return event.get("failure") instanceof Map<?, ?> failure
                        && failure.get("Error") instanceof String error
                ? Optional.of(error)
                : Optional.empty();
    }
}
