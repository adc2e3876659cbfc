package io.vaultdr.handler;

import io.vaultdr.runtime.PairMetrics;
import io.vaultdr.runtime.PairMetrics.Measure;
import io.vaultdr.runtime.PairSettings;

import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * Dry runs: {@code {"dryRun":true}} lets a function do all but its last call, by its real network
 * path. One that fails is counted as {@code DryRunFailed} and fails the function.
 */
final class DryRun {
    private DryRun() {}

    /** Whether {@code event} asks for one. */
    static boolean asked(Map<String, ?> event) {
        return Boolean.TRUE.equals(event.get("dryRun"));
    }

    /** Runs {@code path} and says what was seen. */
    static <T> T of(PairSettings pair, Supplier<T> path) {
        return of(PairMetrics.embedded(pair.pair()), path);
    }

    static <T> T of(PairMetrics metrics, Supplier<T> path) {
        boolean failed = true;
        try {
            T seen = path.get();
            failed = false;
            return seen;
        } finally {
            metrics.publish(List.of(Measure.count("DryRunFailed", failed ? 1 : 0)));
        }
    }
}
