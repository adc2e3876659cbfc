package io.vaultdr.model;

import java.time.Duration;
import java.time.Instant;

/**
 * Absolute probing slots: slot <i>n</i> lasts from <i>n</i> × length to (<i>n</i> + 1) × length
 * since 1970. Every vantage counts the same slots, whatever its function's start.
 *
 * @param length how long a slot lasts; ten seconds unless a compressed rehearsal says otherwise
 */
public record Slots(Duration length) {
    /** How many slots the window has that evidence is judged over: two minutes of ten seconds. */
    public static final int WINDOW = 12;

    /** The length of a slot unless something else is configured. */
    public static final Duration DEFAULT_LENGTH = Duration.ofSeconds(10);

    public Slots {
        if (length.toMillis() < 100 || length.toMinutes() > 1) {
            throw new IllegalArgumentException(
                    "slot length " + length + ": expected 100 ms to 1 min");
        }
    }

    /** The slot that is running at {@code time}. */
    public long at(Instant time) {
        return Math.floorDiv(time.toEpochMilli(), length.toMillis());
    }

    /** The newest slot that is over at {@code time}. */
    public long lastComplete(Instant time) {
        return at(time) - 1;
    }

    /** When {@code slot} begins. */
    public Instant start(long slot) {
        return Instant.ofEpochMilli(slot * length.toMillis());
    }

    /** When {@code slot} is over and the next one begins. */
    public Instant end(long slot) {
        return start(slot + 1);
    }

    /** How long {@code count} slots last. */
    public Duration span(int count) {
        return length.multipliedBy(count);
    }

    /** How long the window lasts. */
    public Duration window() {
        return span(WINDOW);
    }
}
