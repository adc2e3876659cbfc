package io.vaultdr.failover;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import static java.util.stream.Collectors.toList;

import io.vaultdr.failover.Diagnosis.Rule;
import io.vaultdr.model.Loss;
import io.vaultdr.model.Side;
import io.vaultdr.model.Slots;
import io.vaultdr.runtime.PairSettings.Failover;
import io.vaultdr.runtime.PairSettings.Stage;

import org.junit.jupiter.api.Test;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.stream.Stream;

/**
 * The promise, over random runs: a home that serves to any vantage's knowledge is never failed over
 * by itself, and a dead one always is, within the budget. The figures stand in {@code
 * docs/decisions-of-failover.md}; {@code -Dvaultdr.runs=N} makes more of them.
 */
class FailoverPropertiesTest {
    private static final int RUNS = Integer.getInteger("vaultdr.runs", 10_000);
    private static final Slots SLOTS = new Slots(Slots.DEFAULT_LENGTH);
    private static final int FIRST = 1000;
    private static final Failover SETTINGS = TestPair.at(Stage.AUTOMATIC).failover().orElseThrow();
    private static final List<String> VANTAGES =
            List.of(TestPair.HOME, TestPair.DR, TestPair.WITNESS);

    /** An observation and when it can be read. */
    private record Written(Observation observation, Instant at) {}

    /**
     * What came of a death.
     *
     * @param slots whole slots from the start of the one that home died in to the verdict
     * @param unseen whole slots after the newest success that was written down
     */
    private record Death(int slots, int unseen) {}

    private static Judgement judge(List<List<Written>> log, long last) {
        Instant now = SLOTS.end(last);
        List<Evidence> evidence = new ArrayList<>();
        for (int v = 0; v < log.size(); v++) {
            List<Observation> seen = new ArrayList<>();
            // A log is in the order of its slots: from its end on, no more than is asked for.
            for (Written one : log.get(v).reversed()) {
                if (one.observation().slot() <= last - Evidence.LONG_RUN) {
                    break;
                }
                if (!one.at().isAfter(now)) {
                    seen.add(one.observation());
                }
            }
            evidence.add(Evidence.of(VANTAGES.get(v), v == 0, Side.HOME, seen, last));
        }
        Situation situation =
                new Situation(
                        now,
                        last,
                        PairState.initial(LedgerContract.PAIR),
                        Optional.empty(),
                        evidence,
                        List.of(),
                        Optional.of(new Loss(Duration.ZERO, OptionalLong.empty())),
                        Optional.empty(),
                        OptionalLong.empty(),
                        Optional.empty());
        return Judgement.of(situation, Stage.AUTOMATIC, SETTINGS);
    }

    private static Written written(
            int vantage, long slot, boolean reached, Random random, double late) {
        Observation.Evidence miss =
                random.nextInt(4) == 0
                        ? Observation.Evidence.NO_ACTIVE
                        : Observation.Evidence.SILENT;
        Observation observation =
                new Observation(
                        VANTAGES.get(vantage),
                        slot,
                        Side.HOME,
                        reached ? Observation.Evidence.REACHED : miss,
                        OptionalLong.empty(),
                        SLOTS.start(slot));
        // Within four fifths of the slot, or, of a late one, up to two slots later.
        long millis =
                random.nextDouble() < late
                        ? random.nextLong(10_000, 28_000)
                        : random.nextLong(20, 8_000);
        return new Written(observation, SLOTS.start(slot).plusMillis(millis));
    }

    @Test
    void homeThatServesToAnyVantagesKnowledgeIsNeverFailedOver() {
        int judged = 0;
        int asked = 0;
        int unclear = 0;
        for (int run = 0; run < RUNS; run++) {
            Random random = new Random(run);
            int knows = random.nextInt(3);
            double late = random.nextDouble() / 5;
            List<List<Written>> log = new ArrayList<>();
            for (int v = 0; v < 3; v++) {
                double lost = random.nextDouble() / 3;
                log.add(new ArrayList<>());
                boolean link = random.nextBoolean();
                for (int slot = FIRST; slot < FIRST + 60; slot++) {
                    // The others' links are cut and heal as they like; one vantage's stays.
                    link = random.nextInt(15) == 0 ? !link : link;
                    if (random.nextDouble() >= lost) {
                        log.get(v).add(written(v, slot, v == knows || link, random, late));
                    }
                }
            }
            for (long last = FIRST + 15; last < FIRST + 60; last++) {
                Judgement judgement = judge(log, last);
                long now = last;
                judged++;
                asked += judgement.verdict() instanceof Verdict.Ask ? 1 : 0;
                unclear += judgement.diagnosis().rule() == Rule.UNCLEAR ? 1 : 0;
                int seed = run;
                assertTrue(
                        !(judgement.verdict() instanceof Verdict.FailOver),
                        () -> "run " + seed + ", slot " + now);
            }
        }
        System.out.printf(
                "serving home: %d runs, %d verdicts, 0 failovers, %d asks, %d unclear%n",
                RUNS, judged, asked, unclear);
    }

    @Test
    void deadHomeIsAlwaysFailedOverWithinTheBudgetAndNeverBeforeTwelveSlots() {
        int[] after = new int[40];
        for (int run = 0; run < RUNS; run++) {
            Random random = new Random(run);
            Death death = death(random, true);
            after[death.slots()]++;
            int seed = run;
            assertTrue(death.unseen() >= Slots.WINDOW, () -> "too early in run " + seed);
            assertTrue(
                    death.slots() <= Slots.WINDOW + 1,
                    () -> "run " + seed + ": " + death.slots() + " slots");
        }
        System.out.println("dead home, at most 3 of 12 writes missing: " + histogram(after));
    }

    @Test
    void deadHomeIsFailedOverEvenWhereAnyWriteMayBeLost() {
        int[] after = new int[400];
        for (int run = 0; run < RUNS; run++) {
            Death death = death(new Random(run), false);
            after[death.slots()]++;
            int seed = run;
            assertTrue(death.unseen() >= Slots.WINDOW, () -> "too early in run " + seed);
        }
        System.out.println("dead home, up to a fifth of writes lost: " + histogram(after));
        assertEquals(RUNS, Arrays.stream(after).sum());
    }

    /**
     * Home dies within slot {@code FIRST + 30}; some vantages' probes of that slot still reach it.
     *
     * @param bounded whether each vantage misses at most three writes of any twelve in a row
     */
    private static Death death(Random random, boolean bounded) {
        int died = FIRST + 30;
        int slots = bounded ? 80 : 400;
        boolean regionLost = random.nextBoolean();
        List<Vantage> vantages = Stream.generate(() -> new Vantage(random)).limit(3).toList();
        List<List<Written>> log =
                Stream.generate(ArrayList<Written>::new).limit(3).collect(toList());
        long newest = 0;
        for (int slot = FIRST; slot < FIRST + slots; slot++) {
            for (int v = regionLost && slot > died ? 1 : 0; v < 3; v++) {
                Vantage vantage = vantages.get(v);
                boolean reached = slot < died || (slot == died && vantage.reachedLast);
                if (!vantage.loses(slot, bounded)) {
                    log.get(v).add(written(v, slot, reached, random, bounded ? 0 : 0.1));
                    newest = reached ? slot : newest;
                }
            }
            if (slot >= died && judge(log, slot).verdict() instanceof Verdict.FailOver) {
                // In whole slots from the start of the slot that it died in.
                return new Death(slot - died + 1, (int) (slot - newest));
            }
        }
        throw new AssertionError("never failed over");
    }

    /** How one vantage fares in one run. */
    private static final class Vantage {
        private final Random random;
        private final boolean reachedLast;
        private final double lost;
        private final List<Integer> missing = new ArrayList<>();

        Vantage(Random random) {
            this.random = random;
            reachedLast = random.nextBoolean();
            lost = random.nextDouble() / 5;
        }

        /** Whether its write of {@code slot} is lost; bounded: at most three of twelve are. */
        boolean loses(int slot, boolean bounded) {
            missing.removeIf(earlier -> earlier <= slot - 12);
            boolean drop = random.nextDouble() < lost && (!bounded || missing.size() < 3);
            if (drop) {
                missing.add(slot);
            }
            return drop;
        }
    }

    private static String histogram(int[] after) {
        StringBuilder text = new StringBuilder();
        for (int slots = 0; slots < after.length; slots++) {
            if (after[slots] > 0) {
                text.append(slots).append(" slots: ").append(after[slots]).append("; ");
            }
        }
        return text.toString();
    }
}
