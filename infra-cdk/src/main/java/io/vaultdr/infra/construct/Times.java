package io.vaultdr.infra.construct;

import software.amazon.awscdk.Duration;

/** Turns Java's durations into CDK's. */
public final class Times {
    private Times() {}

    /** So many minutes. */
    public static Duration minutes(long minutes) {
        return Duration.minutes(minutes);
    }

    /** A duration of whole seconds. */
    public static Duration of(java.time.Duration duration) {
        return Duration.seconds(duration.toSeconds());
    }
}
