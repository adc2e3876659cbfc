package io.vaultdr.snapshot;

import io.vaultdr.snapshot.Proof.Counts;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.IntStream;

/**
 * Sees when snapshots shrink as they would if somebody emptied the server, or something lost its
 * data: then nothing may be deleted, since the good ones are the old ones. A person looks and
 * accepts it, or doesn't.
 *
 * <p>The newest snapshot is compared with the highest level of the thirty days before it, so that a
 * slow drain adds up. A level is the middle one of three that follow each other: one outlier makes
 * none. A fall counts from a share <em>and</em> a number on, so that of a small cluster one mount
 * of three may go.
 *
 * <table>
 * <caption>What is suspicious</caption>
 * <tr><th>measure</th><th>fall by more than</th><th>and by at least</th></tr>
 * <tr><td>secret engines, auth methods</td><td>30 %</td><td>2</td></tr>
 * <tr><td>policies</td><td>30 %</td><td>3</td></tr>
 * <tr><td>entities</td><td>50 %</td><td>10</td></tr>
 * <tr><td>keys</td><td>30 %</td><td>20</td></tr>
 * <tr><td>bytes, where nothing is ever counted</td><td>50 %</td><td>1 MiB</td></tr>
 * <tr><td>bytes otherwise</td><td>90 %</td><td>1 MiB</td></tr>
 * </table>
 *
 * <p>Besides, whatever there were three or more of and now is none. Bytes alone say little where
 * contents are counted: expired leases and old versions that go make a snapshot smaller, and
 * nothing is lost.
 */
public final class PoisonGuard {
    private static final Duration COMPARED = Duration.ofDays(30);
    private static final int LEVEL = 3;

    /** From so many on, none left is suspicious whatever the limits say. */
    private static final int SOME = 3;

    private PoisonGuard() {}

    /**
     * A snapshot's size and contents.
     *
     * @param counts empty: not proven, or not yet
     */
    public record Sample(String id, Instant takenAt, long bytes, Optional<Counts> counts) {
        /** What is known of a snapshot. */
        public static Sample of(Manifest manifest, Optional<Proof> proof) {
            return new Sample(
                    manifest.id(),
                    manifest.takenAt(),
                    manifest.bytes(),
                    proof.flatMap(Proof::counts));
        }
    }

    /** What is compared; the same word in freezes, logs and tests. */
    public enum Measure {
        BYTES(50, 1 << 20),
        SECRET_ENGINES(30, 2),
        AUTH_METHODS(30, 2),
        POLICIES(30, 3),
        ENTITIES(50, 10),
        KEYS(30, 20);

        private static final int BYTES_BESIDE_COUNTS = 90;

        private final int percent;
        private final long atLeast;

        Measure(int percent, long atLeast) {
            this.percent = percent;
            this.atLeast = atLeast;
        }

        private Optional<Long> of(Sample sample) {
            return switch (this) {
                case BYTES -> Optional.of(sample.bytes());
                case SECRET_ENGINES -> sample.counts().map(Counts::secretEngines);
                case AUTH_METHODS -> sample.counts().map(Counts::authMethods);
                case POLICIES -> sample.counts().map(Counts::policies);
                case ENTITIES -> sample.counts().map(Counts::entities);
                case KEYS -> sample.counts().map(Counts::keys);
            };
        }

        private boolean suspicious(long before, long now, boolean counted) {
            long lost = before - now;
            int limit = this == BYTES && counted ? BYTES_BESIDE_COUNTS : percent;
            return (lost >= atLeast && lost * 100 > before * limit) || (now == 0 && before >= SOME);
        }
    }

    /**
     * A suspicious fall.
     *
     * @param before the level that it fell from
     * @param now what is left
     */
    public record Fall(Measure measure, long before, long now) {
        @Override
        public String toString() {
            return "%s fell from %,d to %,d"
                    .formatted(
                            measure.name().toLowerCase(Locale.ROOT).replace('_', ' '), before, now);
        }
    }

    /**
     * Why nothing may be deleted: {@code retention/frozen.json} in every bucket.
     *
     * @param at when it was seen
     * @param sample the snapshot that fell
     * @param falls what fell
     */
    public record Freeze(Instant at, Sample sample, List<Fall> falls) {}

    /**
     * A person's word that a fall was meant: {@code retention/accepted.json} in every bucket.
     *
     * @param at when
     * @param by who, as claimed; CloudTrail proves who called
     * @param reason why it was meant
     * @param baseline what it fell to; nothing older is compared with any more
     */
    public record Acceptance(Instant at, String by, String reason, Sample baseline) {
        /** Whether what {@code freeze} stands for was accepted with this or something later. */
        public boolean covers(Freeze freeze) {
            return !freeze.sample().takenAt().isAfter(baseline.takenAt());
        }
    }

    /**
     * Looks at the newest snapshot, and at the newest one whose contents were counted.
     *
     * @param samples a pair's snapshots, of all lineages: a promotion brings the contents along
     * @param accepted the newest acceptance
     * @return a freeze where something fell, from {@code now} on
     */
    public static Optional<Freeze> look(
            Collection<Sample> samples, Optional<Acceptance> accepted, Instant now) {
        List<Sample> compared = new ArrayList<>(samples);
        compared.removeIf(sample -> sample.takenAt().isAfter(now.plus(Retention.SKEW)));
        accepted.map(Acceptance::baseline)
                .ifPresent(
                        baseline -> {
                            compared.removeIf(
                                    sample ->
                                            sample.takenAt().isBefore(baseline.takenAt())
                                                    || sample.id().equals(baseline.id()));
                            compared.add(baseline);
                        });
        compared.sort(Comparator.comparing(Sample::takenAt).thenComparing(Sample::id).reversed());
        boolean counted = compared.stream().anyMatch(sample -> sample.counts().isPresent());
        int newestCounted =
                IntStream.range(0, compared.size())
                        .filter(i -> compared.get(i).counts().isPresent())
                        .findFirst()
                        .orElse(0);
        return IntStream.of(newestCounted, 0)
                .distinct()
                .filter(i -> i < compared.size())
                .mapToObj(
                        i ->
                                freeze(
                                        compared.get(i),
                                        compared.subList(i + 1, compared.size()),
                                        counted,
                                        now))
                .flatMap(Optional::stream)
                .findFirst();
    }

    private static Optional<Freeze> freeze(
            Sample sample, List<Sample> before, boolean counted, Instant now) {
        Instant from = sample.takenAt().minus(COMPARED);
        List<Sample> compared =
                before.stream().filter(one -> !one.takenAt().isBefore(from)).toList();
        List<Fall> falls = new ArrayList<>();
        for (Measure measure : Measure.values()) {
            Optional<Long> value = measure.of(sample);
            OptionalLong level = level(measure, compared);
            // Keys that weren't all counted are too few at the least, and no fall.
            boolean partial =
                    measure == Measure.KEYS
                            && sample.counts().filter(Counts::keysComplete).isEmpty();
            if (value.isPresent()
                    && level.isPresent()
                    && !partial
                    && measure.suspicious(level.getAsLong(), value.get(), counted)) {
                falls.add(new Fall(measure, level.getAsLong(), value.get()));
            }
        }
        return falls.isEmpty()
                ? Optional.empty()
                : Optional.of(new Freeze(now, sample, List.copyOf(falls)));
    }

    /** The highest middle of three that follow each other. */
    private static OptionalLong level(Measure measure, List<Sample> samples) {
        long[] values =
                samples.stream()
                        .map(measure::of)
                        .flatMap(Optional::stream)
                        .mapToLong(Long::longValue)
                        .toArray();
        return IntStream.rangeClosed(0, Math.max(0, values.length - LEVEL))
                .mapToLong(
                        start ->
                                IntStream.range(start, Math.min(values.length, start + LEVEL))
                                        .mapToLong(i -> values[i])
                                        .sorted()
                                        .skip(Math.min(LEVEL, values.length) / 2)
                                        .findFirst()
                                        .orElse(0))
                .filter(level -> values.length > 0)
                .max();
    }
}
