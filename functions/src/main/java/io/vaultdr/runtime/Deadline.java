package io.vaultdr.runtime;

import io.vaultdr.model.Failure;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.function.IntSupplier;
import java.util.function.Supplier;

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

    /** The earlier one of this and {@code limit} from now. */
    public Deadline within(Duration limit) {
        Instant other = clock.instant().plus(limit);
        return other.isBefore(at) ? new Deadline(clock, other) : this;
    }

    /**
     * Looks again and again until there is an answer or nothing is left of the time; looks at least
     * once.
     *
     * @param every how long to rest in between
     */
    public <T> Optional<T> poll(Duration every, Supplier<Optional<T>> look) {
        while (true) {
            Optional<T> answer = look.get();
            if (answer.isPresent() || left().compareTo(every) < 0) {
                return answer;
            }
            try {
                Thread.sleep(every);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new Failure.Retryable(
                        "wait", "interrupted", "It is taken up again where it stopped.", e);
            }
        }
    }

    /** Whether nothing is left. */
    public boolean passed() {
        return !clock.instant().isBefore(at);
    }
}
