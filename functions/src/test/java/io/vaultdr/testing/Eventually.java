package io.vaultdr.testing;

import java.time.Duration;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/** Bounded waiting for what a real server does in its own time. */
public final class Eventually {
    private static final Duration PAUSE = Duration.ofMillis(50);

    private Eventually() {}

    /** Asks until the answer is true; fails after {@code limit}, saying what was waited for. */
    public static void await(String what, Duration limit, BooleanSupplier answer) {
        get(what, limit, () -> answer.getAsBoolean() ? Optional.of(true) : Optional.empty());
    }

    /** Asks until there is an answer; fails after {@code limit}, saying what was waited for. */
    public static <T> T get(String what, Duration limit, Supplier<Optional<T>> answer) {
        long end = System.nanoTime() + limit.toNanos();
        while (true) {
            Optional<T> found = answer.get();
            if (found.isPresent()) {
                return found.get();
            }
            if (System.nanoTime() - end > 0) {
                throw new AssertionError(what + ": not within " + limit);
            }
            try {
                Thread.sleep(PAUSE);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new AssertionError(what + ": interrupted", e);
            }
        }
    }
}
