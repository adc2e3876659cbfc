package io.vaultdr.runtime;

import java.time.Duration;
import java.util.Optional;

/**
 * What Retention is told beside {@link PairSettings}: the environment variable {@code RETENTION},
 * as JSON. A snapshot stays while any rule wants it; the newest proven one stays always.
 *
 * @param last how many of the newest stay, at least 1
 * @param hourly for how many hours the newest of each hour stays
 * @param daily for how many days the newest of each day (UTC) stays
 * @param weekly for how many ISO weeks the newest of each stays
 * @param monthly for how many months the newest of each stays
 * @param archive when what stays goes to a colder class; empty: never
 */
public record RetentionSettings(
        int last, int hourly, int daily, int weekly, int monthly, Optional<Archive> archive) {

    /**
     * A colder class.
     *
     * @param storageClass S3's word: {@code GLACIER_IR}, {@code GLACIER} or {@code DEEP_ARCHIVE}
     * @param after the age from which on snapshots go there; never the newest proven ones
     */
    public record Archive(String storageClass, Duration after) {}
}
