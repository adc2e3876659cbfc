package io.vaultdr.runtime;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.function.IntSupplier;

/**
 * When a function has to be done, from the Lambda context and not from a constant.
 *
 * @param clock what time it is
 * @param at when the runtime ends the function, less what cleaning up needs
 */
public record Deadline(Clock clock, Instant at) {
    /**
     * The deadline of an invocation.
     *
     * @param remainingMillis {@code context::getRemainingTimeInMillis}
     * @param reserve kept back for cleaning up and saying so
     */
    public static Deadline of(Clock clock, IntSupplier remainingMillis, Duration reserve) {
        return new Deadline(
                clock, clock.instant().plusMillis(remainingMillis.getAsInt()).minus(reserve));
    }

    /** How long is left, never negative. */
    public Duration left() {
        Duration left = Duration.between(clock.instant(), at);
        return left.isNegative() ? Duration.ZERO : left;
    }

    /** Whether nothing is left. */
    public boolean passed() {
        return !clock.instant().isBefore(at);
    }
}
