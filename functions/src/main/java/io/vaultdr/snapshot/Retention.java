package io.vaultdr.snapshot;

import io.vaultdr.model.Epoch;
import io.vaultdr.runtime.RetentionSettings;
import io.vaultdr.snapshot.Proof.Verdict;

import java.time.DayOfWeek;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.YearMonth;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.time.temporal.TemporalAdjusters;
import java.util.Collection;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Decides which snapshots stay, which go to a colder class and which go. What goes is deleted for
 * good, so whatever is uncertain stays.
 *
 * <p>What serves now has a lineage, and its snapshots are counted among themselves: those of
 * another lineage, or taken while nobody could tell, never take their places. The others are
 * counted together with all, so that they go as new ones come. Among the snapshots of one period
 * the newest proven one stays, and only where none is proven the newest; one that was refuted never
 * stands for a period.
 *
 * <p>Times are compared with each other and hardly with the clock: see {@link RetentionSettings}.
 */
public final class Retention {
    /** A snapshot that much later than now was taken by another clock. */
    static final Duration SKEW = Duration.ofMinutes(5);

    /** The newest snapshot first; the id decides between equal times. */
    private static final Comparator<Stored> NEWEST_FIRST =
            Comparator.comparing(Stored::takenAt).thenComparing(Stored::id).reversed();

    private Retention() {}

    /** What S3 holds an object by. */
    public enum Hold {
        /** Object lock: its retention hasn't ended. */
        LOCKED,
        /** A legal hold, which somebody has to lift. */
        LEGAL_HOLD
    }

    /**
     * A committed snapshot.
     *
     * @param lineage empty: taken without the ledger
     * @param verdict the newest proof's; empty: none yet
     * @param hold the strictest one on any of its objects in any bucket, where it was looked for
     * @param cold whether every copy is in a colder class already
     */
    public record Stored(
            String id,
            Instant takenAt,
            Optional<Epoch> lineage,
            Optional<Verdict> verdict,
            Optional<Hold> hold,
            boolean cold) {
        boolean is(Verdict other) {
            return verdict.equals(Optional.of(other));
        }

        /** The same one, held. */
        public Stored held(Hold by) {
            return new Stored(id, takenAt, lineage, verdict, Optional.of(by), cold);
        }
    }

    /** What decided, in the order in which it is asked; the same word in plans, logs and tests. */
    public enum Rule {
        /** Kept: taken after now, by some clock. It takes nobody's place either. */
        IN_THE_FUTURE,
        /** Kept: the newest proven one of its lineage. */
        NEWEST_PROVEN,
        /** Kept: newer than the newest proven one while fewer than two are proven. */
        TOO_FEW_PROVEN,
        /** Kept: among the newest. */
        LAST,
        /** Kept: refuted, and as new as the newest that stay, for whoever looks into it. */
        REFUTED_LATELY,
        /** Kept: stands for its hour. */
        HOURLY,
        /** Kept: stands for its day. */
        DAILY,
        /** Kept: stands for its ISO week. */
        WEEKLY,
        /** Kept: stands for its month. */
        MONTHLY,
        /** Kept: {@link Hold#LOCKED}. */
        LOCKED,
        /** Kept: {@link Hold#LEGAL_HOLD}. */
        LEGAL_HOLD,
        /** Deleted: refuted, and no longer new. */
        REFUTED,
        /** Deleted: no rule wants it any more. */
        NOT_WANTED
    }

    /** What comes of a snapshot. */
    public enum Action {
        KEEP,
        /** Kept, and moved to the colder class. */
        ARCHIVE,
        DELETE
    }

    /**
     * A decision.
     *
     * @param rule what decided that it stays or goes; an archived one is older than {@link
     *     RetentionSettings.Archive#after} besides
     */
    public record Decision(Stored snapshot, Action action, Rule rule) {}

    /**
     * Decides over all snapshots of a pair.
     *
     * @param serving the lineage of what serves now
     * @param proofs whether this pair's snapshots are proven; otherwise their want doesn't matter
     * @param now only to tell what can't have been taken yet, and the age for the archive
     * @return a decision for each, newest first
     */
    public static List<Decision> plan(
            Collection<Stored> snapshots,
            Epoch serving,
            boolean proofs,
            Instant now,
            RetentionSettings settings) {
        List<Stored> counted =
                snapshots.stream()
                        .filter(stored -> !future(stored, now))
                        .sorted(NEWEST_FIRST)
                        .toList();
        Wanted wanted = new Wanted(counted, serving, settings);
        Optional<Instant> proven = proofs ? wanted.keptForWantOfProofs() : Optional.empty();
        return snapshots.stream()
                .sorted(NEWEST_FIRST)
                .map(
                        stored -> {
                            Rule rule =
                                    future(stored, now)
                                            ? Rule.IN_THE_FUTURE
                                            : wanted.rule(stored, proven);
                            return new Decision(stored, action(stored, rule, now, settings), rule);
                        })
                .toList();
    }

    private static boolean future(Stored stored, Instant now) {
        return stored.takenAt().isAfter(now.plus(SKEW));
    }

    private static Action action(
            Stored stored, Rule rule, Instant now, RetentionSettings settings) {
        return switch (rule) {
            case REFUTED, NOT_WANTED -> Action.DELETE;
            case HOURLY, DAILY, WEEKLY, MONTHLY, LOCKED, LEGAL_HOLD ->
                    settings.archive()
                                    .filter(
                                            archive ->
                                                    !stored.cold()
                                                            && !stored.takenAt()
                                                                    .isAfter(
                                                                            now.minus(
                                                                                    archive
                                                                                            .after())))
                                    .isPresent()
                            ? Action.ARCHIVE
                            : Action.KEEP;
            // What a failover may want next stays where it is read at once.
            case IN_THE_FUTURE, NEWEST_PROVEN, TOO_FEW_PROVEN, LAST, REFUTED_LATELY -> Action.KEEP;
        };
    }

    /** What each rule wants. */
    private static final class Wanted {
        private static final Map<Rule, Function<Instant, Object>> PERIODS =
                new EnumMap<>(
                        Map.of(
                                Rule.HOURLY, time -> time.truncatedTo(ChronoUnit.HOURS),
                                Rule.DAILY, Wanted::day,
                                Rule.WEEKLY,
                                        time ->
                                                day(time)
                                                        .with(
                                                                TemporalAdjusters.previousOrSame(
                                                                        DayOfWeek.MONDAY)),
                                Rule.MONTHLY, time -> YearMonth.from(day(time))));

        private final Epoch serving;
        private final List<Stored> all;
        private final List<Stored> own;
        private final Set<Stored> newestProven = new HashSet<>();
        private final Set<Stored> last = new HashSet<>();
        private final Instant oldestOfLast;
        private final Map<Rule, Set<Stored>> periodical = new EnumMap<>(Rule.class);

        /**
         * @param all newest first
         */
        Wanted(List<Stored> all, Epoch serving, RetentionSettings settings) {
            this.serving = serving;
            this.all = all;
            this.own = all.stream().filter(this::serves).toList();
            Set<Optional<Epoch>> lineages = new HashSet<>();
            all.stream()
                    .filter(stored -> stored.is(Verdict.PROVEN) && lineages.add(stored.lineage()))
                    .forEach(newestProven::add);
            for (List<Stored> counted : List.of(own, all)) {
                standing(counted).limit(settings.last()).forEach(last::add);
            }
            oldestOfLast =
                    standing(all)
                            .limit(settings.last())
                            .map(Stored::takenAt)
                            .min(Comparator.naturalOrder())
                            .orElse(Instant.MIN);
            Map.of(
                            Rule.HOURLY, settings.hourly(),
                            Rule.DAILY, settings.daily(),
                            Rule.WEEKLY, settings.weekly(),
                            Rule.MONTHLY, settings.monthly())
                    .forEach(
                            (rule, count) ->
                                    periodical.put(
                                            rule,
                                            ofPeriods(
                                                    Objects.requireNonNull(PERIODS.get(rule)),
                                                    count)));
        }

        private boolean serves(Stored stored) {
            return stored.lineage().equals(Optional.of(serving));
        }

        private static Stream<Stored> standing(List<Stored> stored) {
            return stored.stream().filter(one -> !one.is(Verdict.REFUTED));
        }

        private static LocalDate day(Instant time) {
            return LocalDate.ofInstant(time, ZoneOffset.UTC);
        }

        /** In the newest {@code count} periods, the best of each lineage. */
        private Set<Stored> ofPeriods(Function<Instant, Object> period, int count) {
            Set<Stored> best = new HashSet<>();
            for (List<Stored> counted : List.of(own, all)) {
                Set<Object> newest =
                        standing(counted)
                                .map(stored -> period.apply(stored.takenAt()))
                                .distinct()
                                .limit(count)
                                .collect(Collectors.toSet());
                Map<List<Object>, Stored> chosen = new HashMap<>();
                standing(counted)
                        .filter(stored -> newest.contains(period.apply(stored.takenAt())))
                        .forEach(
                                stored ->
                                        chosen.merge(
                                                List.of(
                                                        stored.lineage(),
                                                        period.apply(stored.takenAt())),
                                                stored,
                                                Wanted::better));
                best.addAll(chosen.values());
            }
            return best;
        }

        private static Stored better(Stored newer, Stored older) {
            return older.is(Verdict.PROVEN) && !newer.is(Verdict.PROVEN) ? older : newer;
        }

        /** What is newer than this stays until two are proven; empty: two are. */
        Optional<Instant> keptForWantOfProofs() {
            List<Stored> proven =
                    own.stream().filter(stored -> stored.is(Verdict.PROVEN)).limit(2).toList();
            return proven.size() == 2
                    ? Optional.empty()
                    : Optional.of(
                            proven.stream().map(Stored::takenAt).findFirst().orElse(Instant.MIN));
        }

        Rule rule(Stored stored, Optional<Instant> newerStays) {
            if (newestProven.contains(stored)) {
                return Rule.NEWEST_PROVEN;
            }
            if (newerStays.filter(than -> !stored.takenAt().isBefore(than)).isPresent()) {
                return Rule.TOO_FEW_PROVEN;
            }
            if (last.contains(stored)) {
                return Rule.LAST;
            }
            if (stored.is(Verdict.REFUTED) && stored.takenAt().isAfter(oldestOfLast)) {
                return Rule.REFUTED_LATELY;
            }
            for (Rule rule : List.of(Rule.HOURLY, Rule.DAILY, Rule.WEEKLY, Rule.MONTHLY)) {
                if (Objects.requireNonNull(periodical.get(rule)).contains(stored)) {
                    return rule;
                }
            }
            return stored.hold()
                    .map(
                            hold ->
                                    switch (hold) {
                                        case LOCKED -> Rule.LOCKED;
                                        case LEGAL_HOLD -> Rule.LEGAL_HOLD;
                                    })
                    .orElse(stored.is(Verdict.REFUTED) ? Rule.REFUTED : Rule.NOT_WANTED);
        }
    }
}
