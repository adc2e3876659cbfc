package io.vaultdr.snapshot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vaultdr.runtime.Json;
import io.vaultdr.snapshot.PoisonGuard.Acceptance;
import io.vaultdr.snapshot.PoisonGuard.Fall;
import io.vaultdr.snapshot.PoisonGuard.Freeze;
import io.vaultdr.snapshot.PoisonGuard.Measure;
import io.vaultdr.snapshot.PoisonGuard.Sample;
import io.vaultdr.snapshot.Proof.Counts;

import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** What freezes, and what must not, by a table; then what a person's word changes. */
class PoisonGuardTest {
    private static final Instant NOW = Instant.parse("2026-11-23T17:00:00Z");

    /** Oldest first, an hour apart: MiB, engines, auth methods, policies, entities, keys. */
    private record Row(String name, String expected, String history) {}

    private static final List<Row> ROWS =
            List.of(
                    new Row("nothing changes", "", "100 5 3 20 40 900\n100 5 3 20 40 900"),
                    new Row("it grows", "", "100 5 3 20 40 900\n400 9 6 90 200 9000"),
                    new Row("there is but one", "", "100 5 3 20 40 900"),
                    new Row("nothing is there", "", ""),
                    new Row(
                            "the database is compacted: smaller, and all counts the same",
                            "",
                            "100 5 3 20 40 900\n30 5 3 20 40 900"),
                    new Row(
                            "counts the same, and next to nothing left of the size",
                            "BYTES",
                            "100 5 3 20 40 900\n9 5 3 20 40 900"),
                    new Row(
                            "of a small cluster one mount of three goes",
                            "",
                            "1 3 2 4 3 12\n1 2 2 4 3 8"),
                    new Row("of a small cluster two of three go", "SECRET_ENGINES", "1 3 2\n1 1 2"),
                    new Row(
                            "one engine goes and a little of everything with it",
                            "",
                            "100 5 3 20 40 900\n85 4 3 19 40 750"),
                    new Row(
                            "a large mount goes, and most keys with it: on purpose or not",
                            "KEYS",
                            "100 5 3 20 40 900\n30 4 3 20 40 200"),
                    new Row(
                            "everything is gone",
                            "BYTES SECRET_ENGINES AUTH_METHODS POLICIES ENTITIES KEYS",
                            "100 8 5 20 40 900\n1 2 1 2 0 0"),
                    new Row(
                            "the few keys of a small one are gone",
                            "KEYS",
                            "1 3 2 4 3 5\n1 3 2 4 3 0"),
                    new Row("policies go", "POLICIES", "10 3 2 20\n10 3 2 12"),
                    new Row("a few policies go", "", "10 3 2 20\n10 3 2 15"),
                    new Row("half of the entities leave", "", "10 3 2 20 40\n10 3 2 20 20"),
                    new Row("most entities leave", "ENTITIES", "10 3 2 20 40\n10 3 2 20 19"),
                    new Row("auth methods go", "AUTH_METHODS", "10 3 6\n10 3 4"),
                    new Row(
                            "a drain in small steps adds up",
                            "KEYS",
                            "10 3 2 9 9 900\n10 3 2 9 9 900\n10 3 2 9 9 830\n10 3 2 9 9 760\n"
                                    + "10 3 2 9 9 700\n10 3 2 9 9 620"),
                    new Row(
                            "one outlier is no level",
                            "",
                            "10 3 2 9 9 100\n10 3 2 9 9 100\n10 3 2 9 9 5000\n10 3 2 9 9 100\n"
                                    + "10 3 2 9 9 100"),
                    new Row(
                            "several have fallen already",
                            "KEYS",
                            "10 3 2 9 9 900\n10 3 2 9 9 900\n10 3 2 9 9 100\n10 3 2 9 9 100\n"
                                    + "10 3 2 9 9 100"),
                    new Row(
                            "keys that couldn't all be counted",
                            "",
                            "10 3 2 9 9 900\n10 3 2 9 9 90+"),
                    new Row(
                            "fewer than could be counted before",
                            "KEYS",
                            "10 3 2 9 9 900+\n10 3 2 9 9 90"),
                    new Row("nothing is ever proven, and half the size stays", "", "100\n50"),
                    new Row("nothing is ever proven, and less than half stays", "BYTES", "100\n49"),
                    new Row("less than a MiB", "", "0.5\n0.01"),
                    new Row(
                            "the newest isn't counted yet: its size waits for its counts",
                            "",
                            "100 5 3 20 40 900\n100 5 3 20 40 900\n30"),
                    new Row(
                            "the newest isn't counted yet, and nearly empty",
                            "BYTES",
                            "100 5 3 20 40 900\n100 5 3 20 40 900\n5"),
                    new Row(
                            "the newest isn't counted, the one before had fallen",
                            "KEYS",
                            "100 5 3 20 40 900\n100 5 3 20 40 90\n100"));

    @TestFactory
    Stream<DynamicTest> freezesByItsTable() {
        return ROWS.stream()
                .map(
                        row ->
                                DynamicTest.dynamicTest(
                                        row.name(),
                                        () ->
                                                assertEquals(
                                                        Arrays.stream(row.expected().split(" ", -1))
                                                                .filter(word -> !word.isEmpty())
                                                                .map(Measure::valueOf)
                                                                .toList(),
                                                        measures(
                                                                PoisonGuard.look(
                                                                        samples(row.history()),
                                                                        Optional.empty(),
                                                                        NOW)))));
    }

    @Test
    void comparesWithThirtyDaysOnly() {
        List<Sample> samples = samples("10 3 2 9 9 900\n10 3 2 9 9 100");
        Sample old = samples.getFirst();
        Sample older =
                new Sample(old.id(), NOW.minus(Duration.ofDays(31)), old.bytes(), old.counts());

        assertEquals(
                Optional.empty(),
                PoisonGuard.look(List.of(older, samples.getLast()), Optional.empty(), NOW));
    }

    @Test
    void leavesOutWhatAClockAheadTook() {
        List<Sample> samples = samples("10 3 2 9 9 900\n10 3 2 9 9 100");
        Sample fallen = samples.getLast();
        Sample ahead =
                new Sample(
                        fallen.id(), NOW.plus(Duration.ofDays(1)), fallen.bytes(), fallen.counts());

        assertEquals(
                Optional.empty(),
                PoisonGuard.look(List.of(samples.getFirst(), ahead), Optional.empty(), NOW));
    }

    @Test
    void isAcceptedOnceAndSeesTheNextFall() {
        List<Sample> fallen = samples("100 5 3 20 40 900\n100 5 3 20 40 900\n30 4 3 20 40 200");
        Freeze freeze = PoisonGuard.look(fallen, Optional.empty(), NOW).orElseThrow();
        Acceptance accepted = new Acceptance(NOW, "ada", "CI mount retired", freeze.sample());

        assertTrue(accepted.covers(freeze));
        assertEquals(Optional.empty(), PoisonGuard.look(fallen, Optional.of(accepted), NOW));
        List<Sample> later =
                samples(
                        "100 5 3 20 40 900\n100 5 3 20 40 900\n30 4 3 20 40 200\n"
                                + "30 4 3 20 40 210\n30 4 3 20 40 190");
        assertEquals(
                Optional.empty(),
                PoisonGuard.look(later, Optional.of(baseline(later.get(2))), NOW));
        List<Sample> again =
                samples("100 5 3 20 40 900\n100 5 3 20 40 900\n30 4 3 20 40 200\n30 4 3 20 40 60");
        Freeze next =
                PoisonGuard.look(again, Optional.of(baseline(again.get(2))), NOW).orElseThrow();
        assertEquals(List.of(new Fall(Measure.KEYS, 200, 60)), next.falls());
        assertTrue(!baseline(again.get(2)).covers(next));
    }

    @Test
    void remembersABaselineWhoseSnapshotIsGone() {
        List<Sample> samples = samples("30 4 3 20 40 200\n30 4 3 20 40 60");

        assertEquals(
                List.of(Measure.KEYS),
                measures(
                        PoisonGuard.look(
                                samples.subList(1, 2),
                                Optional.of(baseline(samples.getFirst())),
                                NOW)));
    }

    @Test
    void keepsFreezesAndAcceptancesThroughJson() throws IOException {
        Freeze freeze =
                PoisonGuard.look(
                                samples("100 5 3 20 40 900\n30 4 3 20 40 200"),
                                Optional.empty(),
                                NOW)
                        .orElseThrow();
        Acceptance accepted = baseline(freeze.sample());

        assertEquals(
                freeze, Json.MAPPER.readValue(Json.MAPPER.writeValueAsBytes(freeze), Freeze.class));
        assertEquals(
                accepted,
                Json.MAPPER.readValue(Json.MAPPER.writeValueAsBytes(accepted), Acceptance.class));
        assertEquals("keys fell from 900 to 200", freeze.falls().getFirst().toString());
    }

    private static Acceptance baseline(Sample sample) {
        return new Acceptance(NOW, "ada", "meant", sample);
    }

    private static List<Measure> measures(Optional<Freeze> freeze) {
        return freeze.map(Freeze::falls).orElse(List.of()).stream().map(Fall::measure).toList();
    }

    private static List<Sample> samples(String history) {
        List<String> lines = history.lines().toList();
        return IntStream.range(0, lines.size())
                .mapToObj(i -> sample("s" + i, NOW.minusSeconds(3600L * (9 - i)), lines.get(i)))
                .toList();
    }

    private static Sample sample(String id, Instant takenAt, String line) {
        String[] words = line.split(" ", -1);
        boolean partial = line.endsWith("+");
        long[] counts =
                IntStream.range(1, 6)
                        .mapToLong(
                                i ->
                                        i < words.length
                                                ? Long.parseLong(words[i].replace("+", ""))
                                                : 0)
                        .toArray();
        return new Sample(
                id,
                takenAt,
                (long) (Double.parseDouble(words[0]) * (1 << 20)),
                words.length == 1
                        ? Optional.empty()
                        : Optional.of(
                                new Counts(
                                        counts[0], counts[1], counts[2], counts[3], counts[4],
                                        !partial)));
    }
}
