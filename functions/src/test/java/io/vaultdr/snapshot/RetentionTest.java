package io.vaultdr.snapshot;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vaultdr.model.Epoch;
import io.vaultdr.runtime.RetentionSettings;
import io.vaultdr.snapshot.Proof.Verdict;
import io.vaultdr.snapshot.Retention.Action;
import io.vaultdr.snapshot.Retention.Decision;
import io.vaultdr.snapshot.Retention.Hold;
import io.vaultdr.snapshot.Retention.Stored;

import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Every rule by its row, and what must never happen over random histories ({@code -Dvaultdr.runs=N}
 * makes more of them).
 */
class RetentionTest {
    private static final Instant NOW = Instant.parse("2027-01-15T12:00:00Z");
    private static final Instant LATEST = NOW.plus(Retention.SKEW);
    private static final Epoch SERVING = new Epoch(2);
    private static final int RUNS = Integer.getInteger("vaultdr.runs", 10_000) / 10;

    /**
     * A history, newest first, with what is expected of each: {@code time lineage proof marks =
     * rule}. Lineage {@code -} is unknown; proofs are {@code proven}, {@code refuted}, {@code
     * undecided}, {@code -}; marks {@code locked}, {@code hold}, {@code cold}. An upper-case {@code
     * ARCHIVE} before the rule is the action.
     */
    private record Row(String name, RetentionSettings keep, String history) {}

    private static final List<Row> ROWS =
            List.of(
                    new Row(
                            "the last n stay whatever their age",
                            keep(2, 0, 0, 0, 0),
                            """
                            2020-01-03T00:00 2 proven = NEWEST_PROVEN
                            2020-01-02T00:00 2 proven = LAST
                            2020-01-01T00:00 2 proven = NOT_WANTED
                            """),
                    new Row(
                            "of equal times the greater id is the newer one",
                            keep(1, 1, 0, 0, 0),
                            """
                            2027-01-15T11:00 2 proven b = NEWEST_PROVEN
                            2027-01-15T11:00 2 proven a = NOT_WANTED
                            """),
                    new Row(
                            "an hour is stood for by its newest, to the second",
                            keep(1, 2, 0, 0, 0),
                            """
                            2027-01-15T11:30 2 proven = NEWEST_PROVEN
                            2027-01-15T10:59 2 proven = HOURLY
                            2027-01-15T10:00 2 proven = NOT_WANTED
                            2027-01-15T09:59 2 proven = NOT_WANTED
                            """),
                    new Row(
                            "a day is stood for by its newest proven one",
                            keep(1, 0, 2, 0, 0),
                            """
                            2027-01-15T11:00 2 proven = NEWEST_PROVEN
                            2027-01-14T23:00 2 - = NOT_WANTED
                            2027-01-14T22:00 2 undecided = NOT_WANTED
                            2027-01-14T01:00 2 proven = DAILY
                            2027-01-14T00:00 2 proven = NOT_WANTED
                            """),
                    new Row(
                            "a day without a proven one is stood for by the newest that isn't bad",
                            keep(1, 0, 2, 0, 0),
                            """
                            2027-01-15T11:00 2 proven = NEWEST_PROVEN
                            2027-01-14T23:00 2 refuted = REFUTED
                            2027-01-14T22:00 2 undecided = DAILY
                            2027-01-14T21:00 2 - = NOT_WANTED
                            2027-01-13T21:00 2 proven = NOT_WANTED
                            """),
                    new Row(
                            "days are UTC's, where a clock goes back too",
                            keep(1, 0, 3, 0, 0),
                            """
                            2026-10-25T01:30 2 proven = NEWEST_PROVEN
                            2026-10-25T00:30 2 proven = NOT_WANTED
                            2026-10-24T23:59 2 proven = DAILY
                            2026-10-24T22:30 2 proven = NOT_WANTED
                            2026-10-23T23:59 2 proven = DAILY
                            """),
                    new Row(
                            "the ISO week of a new year's first days began in the old one",
                            keep(1, 0, 0, 3, 0),
                            """
                            2027-01-04T00:00 2 proven = NEWEST_PROVEN
                            2027-01-03T23:59 2 proven = WEEKLY
                            2027-01-01T00:00 2 proven = NOT_WANTED
                            2026-12-28T00:00 2 proven = NOT_WANTED
                            2026-12-27T23:59 2 proven = WEEKLY
                            2026-12-20T23:59 2 proven = NOT_WANTED
                            """),
                    new Row(
                            "months end where they end",
                            keep(1, 0, 0, 0, 4),
                            """
                            2024-03-31T23:59 2 proven = NEWEST_PROVEN
                            2024-03-01T00:00 2 proven = NOT_WANTED
                            2024-02-29T23:59 2 proven = MONTHLY
                            2024-02-28T23:59 2 proven = NOT_WANTED
                            2024-01-31T23:59 2 proven = MONTHLY
                            2023-12-31T23:59 2 proven = MONTHLY
                            2023-11-30T23:59 2 proven = NOT_WANTED
                            """),
                    new Row(
                            "the first rule that wants it is named",
                            keep(1, 1, 2, 3, 4),
                            """
                            2026-12-31T23:00 2 proven = NEWEST_PROVEN
                            2026-12-30T23:00 2 proven = DAILY
                            2026-12-27T23:00 2 proven = WEEKLY
                            2026-12-20T23:00 2 proven = WEEKLY
                            2026-11-30T23:00 2 proven = MONTHLY
                            2026-10-31T23:00 2 proven = MONTHLY
                            2026-09-30T23:00 2 proven = MONTHLY
                            2026-08-31T23:00 2 proven = NOT_WANTED
                            """),
                    new Row(
                            "a gap makes nothing go: days are counted where there are any",
                            keep(1, 0, 3, 0, 0),
                            """
                            2026-03-02T10:00 2 proven = NEWEST_PROVEN
                            2026-03-01T10:00 2 proven = DAILY
                            2025-06-01T10:00 2 proven = DAILY
                            2025-05-01T10:00 2 proven = NOT_WANTED
                            """),
                    new Row(
                            "what a clock ahead took stays and takes nobody's place",
                            keep(1, 0, 2, 0, 0),
                            """
                            2031-01-01T00:00 2 proven = IN_THE_FUTURE
                            2027-01-16T00:00 2 - = IN_THE_FUTURE
                            2027-01-15T12:04 2 proven = NEWEST_PROVEN
                            2027-01-14T11:00 2 proven = DAILY
                            2027-01-13T11:00 2 proven = NOT_WANTED
                            """),
                    new Row(
                            "the newest proven one stays, however many came after",
                            keep(1, 0, 0, 0, 0),
                            """
                            2027-01-15T11:00 2 - = LAST
                            2027-01-15T10:00 2 undecided = NOT_WANTED
                            2027-01-15T09:00 2 proven = NEWEST_PROVEN
                            2027-01-15T08:00 2 proven = NOT_WANTED
                            """),
                    new Row(
                            "while one is proven, nothing newer goes",
                            keep(1, 0, 0, 0, 0),
                            """
                            2027-01-15T11:00 2 - = TOO_FEW_PROVEN
                            2027-01-15T10:00 2 refuted = TOO_FEW_PROVEN
                            2027-01-15T09:00 2 proven = NEWEST_PROVEN
                            2027-01-15T08:00 2 - = NOT_WANTED
                            """),
                    new Row(
                            "while nothing is proven, nothing goes",
                            keep(1, 0, 0, 0, 0),
                            """
                            2027-01-15T11:00 2 - = TOO_FEW_PROVEN
                            2027-01-15T10:00 - - = TOO_FEW_PROVEN
                            2027-01-15T09:00 1 - = TOO_FEW_PROVEN
                            2027-01-15T08:00 2 refuted = TOO_FEW_PROVEN
                            """),
                    new Row(
                            "right after a failover the old lineage stays, until the new is proven",
                            keep(2, 0, 0, 0, 0),
                            """
                            2027-01-15T11:00 2 - = TOO_FEW_PROVEN
                            2027-01-15T10:00 1 proven = NEWEST_PROVEN
                            2027-01-15T09:00 1 proven = TOO_FEW_PROVEN
                            2027-01-15T08:00 0 proven = NEWEST_PROVEN
                            """),
                    new Row(
                            "other lineages take no place of the serving one, and go as it grows",
                            keep(2, 0, 2, 0, 0),
                            """
                            2027-01-15T11:00 - proven = NEWEST_PROVEN
                            2027-01-15T10:00 - - = LAST
                            2027-01-15T09:00 1 - = DAILY
                            2027-01-15T08:00 1 - = NOT_WANTED
                            2027-01-14T10:00 1 - = DAILY
                            2027-01-13T10:00 1 proven = NEWEST_PROVEN
                            2027-01-13T09:00 1 proven = NOT_WANTED
                            2027-01-12T10:00 2 proven = NEWEST_PROVEN
                            2027-01-12T09:00 2 proven = LAST
                            2027-01-11T10:00 2 proven = DAILY
                            2027-01-10T10:00 2 proven = NOT_WANTED
                            """),
                    new Row(
                            "a refuted one stays as long as the last, and stands for nothing",
                            keep(2, 0, 9, 0, 0),
                            """
                            2027-01-15T11:00 2 refuted = REFUTED_LATELY
                            2027-01-15T10:00 2 proven = NEWEST_PROVEN
                            2027-01-15T09:00 2 refuted = REFUTED_LATELY
                            2027-01-15T08:00 2 proven = LAST
                            2027-01-14T08:00 2 refuted = REFUTED
                            """),
                    new Row(
                            "what is held stays",
                            keep(1, 0, 0, 0, 0),
                            """
                            2027-01-15T11:00 2 proven = NEWEST_PROVEN
                            2027-01-15T10:00 2 proven locked = LOCKED
                            2027-01-15T09:00 2 proven hold = LEGAL_HOLD
                            2027-01-15T08:00 2 refuted locked = LOCKED
                            2027-01-15T07:00 2 proven = NOT_WANTED
                            """),
                    new Row(
                            "old ones that stay go to the colder class, the newest never",
                            new RetentionSettings(
                                    2,
                                    0,
                                    9,
                                    0,
                                    0,
                                    Optional.of(
                                            new RetentionSettings.Archive(
                                                    "DEEP_ARCHIVE", Duration.ofDays(90)))),
                            """
                            2026-10-18T12:00 2 - = LAST
                            2026-10-17T12:01 2 - = LAST
                            2026-10-16T12:00 2 proven = NEWEST_PROVEN
                            2026-10-15T12:00 2 proven = ARCHIVE DAILY
                            2026-10-14T12:00 2 proven cold = DAILY
                            2026-10-14T11:00 2 proven locked = ARCHIVE LOCKED
                            2026-10-14T10:00 2 proven = NOT_WANTED
                            2026-10-13T10:00 1 proven = NEWEST_PROVEN
                            """));

    @TestFactory
    Stream<DynamicTest> decidesByItsTable() {
        return ROWS.stream()
                .map(
                        row ->
                                DynamicTest.dynamicTest(
                                        row.name(),
                                        () -> {
                                            List<String> lines = row.history().lines().toList();
                                            List<Stored> history =
                                                    new ArrayList<>(
                                                            lines.stream()
                                                                    .map(RetentionTest::stored)
                                                                    .toList());
                                            Collections.shuffle(history, new Random(7));
                                            assertEquals(
                                                    lines.stream()
                                                            .map(line -> line.split(" = ", -1)[1])
                                                            .toList(),
                                                    words(plan(history, row.keep())));
                                        }));
    }

    @Test
    void whereNothingIsEverProvenTheWantOfProofsKeepsNothing() {
        List<Stored> history =
                Stream.of("2027-01-15T11:00 2 - =", "2027-01-15T10:00 2 - =")
                        .map(RetentionTest::stored)
                        .toList();

        assertEquals(
                List.of("LAST", "NOT_WANTED"),
                words(Retention.plan(history, SERVING, false, NOW, keep(1, 0, 0, 0, 0))));
    }

    @Test
    void refusesSettingsThatKeepNothing() {
        assertAll(
                () -> assertThrows(IllegalArgumentException.class, () -> keep(0, 1, 1, 1, 1)),
                () -> assertThrows(IllegalArgumentException.class, () -> keep(1, -1, 1, 1, 1)),
                () ->
                        assertThrows(
                                IllegalArgumentException.class,
                                () ->
                                        new RetentionSettings.Archive(
                                                "STANDARD", Duration.ofDays(1))),
                () ->
                        assertThrows(
                                IllegalArgumentException.class,
                                () -> new RetentionSettings.Archive("GLACIER", Duration.ZERO)));
    }

    @Test
    void keepsItsPromisesOverRandomHistories() {
        for (int run = 0; run < RUNS; run++) {
            Random random = new Random(run);
            RetentionSettings keep =
                    keep(
                            1 + random.nextInt(5),
                            random.nextInt(4),
                            random.nextInt(4),
                            random.nextInt(4),
                            random.nextInt(4));
            List<Stored> history = history(random);
            List<Decision> plan = plan(history, keep);
            String seed = "seed " + run;
            assertEquals(
                    new HashSet<>(history),
                    plan.stream().map(Decision::snapshot).collect(Collectors.toSet()),
                    seed);
            Set<Stored> gone =
                    plan.stream()
                            .filter(decision -> decision.action() == Action.DELETE)
                            .map(Decision::snapshot)
                            .collect(Collectors.toSet());
            newestProvenStay(history, gone, seed);
            theLastStay(history, gone, keep.last(), seed);
            eachPeriodIsStoodFor(history, gone, keep.daily(), seed);
            assertTrue(gone.stream().allMatch(stored -> stored.hold().isEmpty()), seed);
            assertTrue(gone.stream().noneMatch(s -> s.takenAt().isAfter(LATEST)), seed);
            // Run again at once, or years later: what stayed was no matter of when it was asked.
            List<Stored> left = history.stream().filter(stored -> !gone.contains(stored)).toList();
            assertEquals(Set.of(), goneOf(left, keep, NOW), seed);
            if (left.stream().noneMatch(stored -> stored.takenAt().isAfter(LATEST))) {
                assertEquals(Set.of(), goneOf(left, keep, NOW.plus(Duration.ofDays(2000))), seed);
            }
        }
    }

    private static void newestProvenStay(List<Stored> history, Set<Stored> gone, String seed) {
        Map<Optional<Epoch>, List<Stored>> proven =
                history.stream()
                        .filter(s -> s.is(Verdict.PROVEN) && !s.takenAt().isAfter(LATEST))
                        .collect(Collectors.groupingBy(Stored::lineage));
        proven.forEach(
                (lineage, all) -> assertTrue(!gone.contains(newestFirst(all).getFirst()), seed));
        List<Stored> own = newestFirst(proven.getOrDefault(Optional.of(SERVING), List.of()));
        if (own.size() < 2) {
            Instant from = own.isEmpty() ? Instant.MIN : own.getFirst().takenAt();
            assertTrue(gone.stream().allMatch(s -> s.takenAt().isBefore(from)), seed);
        }
    }

    private static void theLastStay(List<Stored> history, Set<Stored> gone, int last, String seed) {
        List<Stored> own =
                newestFirst(history.stream().filter(RetentionTest::countsAsOwn).toList());
        assertTrue(own.stream().limit(last).noneMatch(gone::contains), seed);
    }

    /** Of the newest days with a snapshot of the serving lineage, each keeps one. */
    private static void eachPeriodIsStoodFor(
            List<Stored> history, Set<Stored> gone, int days, String seed) {
        List<Stored> own =
                newestFirst(history.stream().filter(RetentionTest::countsAsOwn).toList());
        Function<Stored, Long> day = stored -> stored.takenAt().getEpochSecond() / 86_400;
        own.stream()
                .map(day)
                .distinct()
                .limit(days)
                .forEach(
                        one ->
                                assertTrue(
                                        own.stream()
                                                .anyMatch(
                                                        s ->
                                                                day.apply(s).equals(one)
                                                                        && !gone.contains(s)),
                                        seed));
    }

    private static boolean countsAsOwn(Stored stored) {
        return stored.lineage().equals(Optional.of(SERVING))
                && !stored.is(Verdict.REFUTED)
                && !stored.takenAt().isAfter(LATEST);
    }

    private static List<Stored> newestFirst(List<Stored> all) {
        return all.stream()
                .sorted(Comparator.comparing(Stored::takenAt).thenComparing(Stored::id).reversed())
                .toList();
    }

    private static Set<Stored> goneOf(List<Stored> history, RetentionSettings keep, Instant now) {
        return Retention.plan(history, SERVING, true, now, keep).stream()
                .filter(decision -> decision.action() == Action.DELETE)
                .map(Decision::snapshot)
                .collect(Collectors.toSet());
    }

    private static List<Stored> history(Random random) {
        List<Stored> history = new ArrayList<>();
        int count = random.nextInt(120);
        Instant time = NOW.plusSeconds(random.nextInt(3) * 7000L - 3500);
        Optional<Epoch> lineage = Optional.of(SERVING);
        for (int i = 0; i < count; i++) {
            time =
                    time.minusSeconds(
                            switch (random.nextInt(12)) {
                                case 0 -> 0;
                                case 1 -> random.nextInt(40 * 86_400);
                                case 2, 3 -> random.nextInt(86_400);
                                default -> random.nextInt(7200);
                            });
            if (random.nextInt(25) == 0) {
                lineage =
                        random.nextInt(3) == 0
                                ? Optional.empty()
                                : Optional.of(new Epoch(random.nextInt(3)));
            }
            history.add(
                    new Stored(
                            String.format(
                                    Locale.ROOT, "payments-%03d", random.nextInt(1000) * 1000 + i),
                            time,
                            lineage,
                            switch (random.nextInt(8)) {
                                case 0 -> Optional.empty();
                                case 1 -> Optional.of(Verdict.REFUTED);
                                case 2 -> Optional.of(Verdict.UNDECIDED);
                                default -> Optional.of(Verdict.PROVEN);
                            },
                            random.nextInt(10) == 0 ? Optional.of(Hold.LOCKED) : Optional.empty(),
                            random.nextInt(10) == 0));
        }
        return history;
    }

    private static List<Decision> plan(List<Stored> history, RetentionSettings keep) {
        return Retention.plan(history, SERVING, true, NOW, keep);
    }

    private static List<String> words(List<Decision> plan) {
        return plan.stream()
                .map(
                        decision ->
                                (decision.action() == Action.ARCHIVE ? "ARCHIVE " : "")
                                        + decision.rule())
                .toList();
    }

    private static Stored stored(String line) {
        List<String> words = Arrays.asList(line.split(" = ", -1)[0].split(" ", -1));
        return new Stored(
                words.get(0) + (words.contains("b") ? "b" : "a") + words.hashCode(),
                Instant.parse(words.get(0) + ":00Z"),
                words.get(1).equals("-")
                        ? Optional.empty()
                        : Optional.of(new Epoch(Long.parseLong(words.get(1)))),
                Arrays.stream(Verdict.values())
                        .filter(v -> v.name().equalsIgnoreCase(words.get(2)))
                        .findFirst(),
                words.contains("locked")
                        ? Optional.of(Hold.LOCKED)
                        : words.contains("hold") ? Optional.of(Hold.LEGAL_HOLD) : Optional.empty(),
                words.contains("cold"));
    }

    private static RetentionSettings keep(
            int last, int hourly, int daily, int weekly, int monthly) {
        return new RetentionSettings(last, hourly, daily, weekly, monthly, Optional.empty());
    }
}
