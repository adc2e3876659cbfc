package io.vaultdr.runtime;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * What Retention is told beside {@link PairSettings}: the environment variable {@code RETENTION},
 * as JSON. A snapshot stays while any rule wants it; the newest proven one stays always.
 *
 * <p>Periods are counted as they occur in the snapshots, not back from now: thirty days are the
 * newest thirty that have a snapshot. So neither a gap nor a wrong clock makes anything go.
 *
 * @param last how many of the newest stay, at least 1
 * @param hourly of how many hours the best of each stays, 0 or more
 * @param daily of how many days (UTC)
 * @param weekly of how many ISO weeks
 * @param monthly of how many months
 * @param archive when what stays goes to a colder class; empty: never
 */
public record RetentionSettings(
        int last, int hourly, int daily, int weekly, int monthly, Optional<Archive> archive) {

    public RetentionSettings {
        if (last < 1 || hourly < 0 || daily < 0 || weekly < 0 || monthly < 0) {
            throw new IllegalArgumentException(
                    "keep last %d, hourly %d, daily %d, weekly %d, monthly %d: expected last from 1 on, the others from 0 on"
                            .formatted(last, hourly, daily, weekly, monthly));
        }
    }

    /**
     * A colder class.
     *
     * @param storageClass S3's word: {@code GLACIER_IR}, {@code GLACIER} or {@code DEEP_ARCHIVE}
     * @param after the age from which on snapshots go there; never the newest proven ones
     */
    public record Archive(String storageClass, Duration after) {
        private static final List<String> CLASSES =
                List.of("GLACIER_IR", "GLACIER", "DEEP_ARCHIVE");

        public Archive {
            if (!CLASSES.contains(storageClass) || !after.isPositive()) {
                throw new IllegalArgumentException(
                        "archive %s after %s: expected one of %s after a duration"
                                .formatted(storageClass, after, String.join(", ", CLASSES)));
            }
        }
    }
}
