package io.vaultdr.workflow;

import io.vaultdr.model.Epoch;
import io.vaultdr.model.Failure;
import io.vaultdr.model.PairId;
import io.vaultdr.model.Secret;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What an execution hands to a step.
 *
 * @param dryRun do all but the last call, and write nothing into the ledger
 * @param asked whether Judge has sent the execution to AskApproval before
 * @param taskToken on which the execution waits; only AskApproval gets one
 */
public record StepInput(
        PairId pair, Epoch epoch, boolean dryRun, boolean asked, Optional<Secret> taskToken) {
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
        return new StepInput(own, new Epoch(epoch), dryRun, asked(event), token);
    }

    private static boolean asked(Map<String, ?> event) {
        return event.get("judge") instanceof Map<?, ?> judge
                && judge.get("Payload") instanceof Map<?, ?> answer
                && Judge.Decision.ASK.name().equals(answer.get(Judge.DECISION));
    }

    /**
     * The name of the error that a Catch left under {@code failure}, or a branch of {@code
     * FenceAndPromote} or {@code ServeAndGrow} under {@code error}; without its cause's text.
     */
    public static Optional<String> failure(Map<String, ?> event) {
        return Stream.concat(
                        Stream.of(event.get("failure")).filter(Objects::nonNull),
                        Stream.of("fenceAndPromote", "serveAndGrow")
                                .map(event::get)
                                .filter(List.class::isInstance)
                                .flatMap(branches -> ((List<?>) branches).stream())
                                .filter(Map.class::isInstance)
                                .map(branch -> ((Map<?, ?>) branch).get("error")))
                .filter(Map.class::isInstance)
                .map(failure -> ((Map<?, ?>) failure).get("Error"))
                .filter(String.class::isInstance)
                .map(String.class::cast)
                .findFirst();
    }
}
