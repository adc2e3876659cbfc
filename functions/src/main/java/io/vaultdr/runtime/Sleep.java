package io.vaultdr.runtime;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.function.Consumer;

/** Waits for a moment. */
public final class Sleep {
    private Sleep() {}

    /** Sleeps until a moment of {@code clock}; returns early, interrupted, when the thread is. */
    public static Consumer<Instant> on(Clock clock) {
        return until -> {
            try {
                Thread.sleep(Duration.between(clock.instant(), until).plusMillis(1));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        };
    }
}
