package io.vaultdr.handler;

import com.amazonaws.services.lambda.runtime.Context;
import com.fasterxml.jackson.core.JsonProcessingException;

import io.vaultdr.doctor.Looks;
import io.vaultdr.model.Check;
import io.vaultdr.model.Failure;
import io.vaultdr.runtime.Json;
import io.vaultdr.runtime.PairMetrics;
import io.vaultdr.runtime.PairMetrics.Measure;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.snapshot.IsolatedRestore;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * Dry runs: {@code {"dryRun":true}} lets a function do all but its last call, by its real network
 * path. One that fails is counted as {@code DryRunFailed} and fails the function, with what a
 * closer look found.
 *
 * <p>{@code {"dryRun":true,"report":true}}, of {@code ./vault-dr doctor}, answers {@code
 * {"checks":[…]}} whatever was found, and pages nobody: somebody is looking already.
 */
final class DryRun {
    /** For the closer look after a failure; its stages have time-outs of their own. */
    private static final Duration CLOSER = Duration.ofSeconds(20);

    /** Kept back for the answer. */
    private static final Duration RESERVE = Duration.ofSeconds(3);

    /** What a dry run answered is shown to here. */
    private static final int SHOWN = 240;

    private DryRun() {}

    /** Whether {@code event} asks for one. */
    static boolean asked(Map<String, ?> event) {
        return Boolean.TRUE.equals(event.get("dryRun"));
    }

    /** Whether {@code event} asks for one that only reports. */
    static boolean reports(Map<String, ?> event) {
        return asked(event) && Boolean.TRUE.equals(event.get("report"));
    }

    /** Runs {@code path} and says what was seen; what it can't do is looked at more closely. */
    static <T> T of(PairSettings pair, Supplier<Looks> looks, Supplier<T> path) {
        return of(PairMetrics.embedded(pair.pair()), looks, path);
    }

    static <T> T of(PairMetrics metrics, Supplier<Looks> looks, Supplier<T> path) {
        boolean failed = true;
        try {
            T seen = path.get();
            failed = false;
            return seen;
        } catch (Failure e) {
            throw closer(e, looks);
        } finally {
            metrics.publish(List.of(Measure.count("DryRunFailed", failed ? 1 : 0)));
        }
    }

    private static Failure closer(Failure why, Supplier<Looks> looks) {
        String found =
                looks.get().take(CLOSER).stream()
                        .filter(check -> check.result() == Check.Result.FAILED)
                        .map(Check::line)
                        .collect(Collectors.joining("; "));
        return found.isEmpty() ? why : why.with("found " + found);
    }

    /** Takes {@code looks} and goes {@code path}; answers what came of each. */
    static Map<String, Object> report(Looks looks, Supplier<?> path, Context context) {
        return report(
                looks.and(
                        Check.DRY_RUN,
                        context.getFunctionName(),
                        () -> List.of(gone(path, context.getFunctionName()))),
                context);
    }

    /** Takes {@code looks}; answers what came of each. */
    static Map<String, Object> report(Looks looks, Context context) {
        Duration left = Duration.ofMillis(context.getRemainingTimeInMillis()).minus(RESERVE);
        List<Map<?, ?>> checks = new ArrayList<>();
        looks.take(left).forEach(it -> checks.add(Json.MAPPER.convertValue(it, Map.class)));
        return Map.of("checks", checks);
    }

    private static Check gone(Supplier<?> path, String function) {
        try {
            return Check.of(Check.DRY_RUN, function, () -> shown(path.get()));
        } catch (IsolatedRestore.Ended e) {
            return Check.failed(
                    Check.DRY_RUN,
                    function,
                    e.reason() + ": " + e.detail(),
                    "docs/runbooks/proof-undecided.md tells what that means");
        }
    }

    private static String shown(Object answer) {
        try {
            String text = Json.MAPPER.writeValueAsString(answer);
            return text.length() > SHOWN ? text.substring(0, SHOWN) + "…" : text;
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("an answer always becomes JSON", e);
        }
    }
}
