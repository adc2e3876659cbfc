package io.vaultdr.cluster;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Decides over the secret ids of one login, which are told apart by their accessors.
 *
 * @param current the one that functions log in with in this region
 * @param known all that the server knows, and when it issued each
 */
public record Rotation(String current, Map<String, Instant> known) {
    /** How long a secret id is used. */
    public static final Duration LIFE = Duration.ofDays(30);

    /** A snapshot that is under way, or a region that is behind, may still name the one before. */
    public static final Duration OVERLAP = Duration.ofDays(1);

    /** What decided; the same word in reports, logs and tests. */
    public enum Rule {
        /** Kept: younger than {@link #LIFE}. */
        YOUNG,
        /** Replaced: older than that. */
        OLD,
        /** Replaced: the server doesn't know it, as after the restore of an older snapshot. */
        UNKNOWN
    }

    /** What comes of the current one at {@code now}. */
    public Rule rule(Instant now) {
        return Optional.ofNullable(known.get(current))
                .map(issued -> older(issued, LIFE, now) ? Rule.OLD : Rule.YOUNG)
                .orElse(Rule.UNKNOWN);
    }

    /**
     * The ones that nothing needs any more; none before the current one has been that for {@link
     * #OVERLAP}, nor one that is younger itself, which somebody may be storing right now.
     *
     * @param elsewhere the current ones of other regions
     * @param named by the manifests of snapshots that are still there
     */
    public List<String> outdated(Set<String> elsewhere, Set<String> named, Instant now) {
        Instant issued = known.get(current);
        if (issued == null || !older(issued, OVERLAP, now)) {
            return List.of();
        }
        return known.entrySet().stream()
                .filter(it -> older(it.getValue(), OVERLAP, now))
                .map(Map.Entry::getKey)
                .filter(it -> !it.equals(current))
                .filter(it -> !elsewhere.contains(it) && !named.contains(it))
                .sorted()
                .toList();
    }

    private static boolean older(Instant issued, Duration age, Instant now) {
        return !issued.isAfter(now.minus(age));
    }
}
