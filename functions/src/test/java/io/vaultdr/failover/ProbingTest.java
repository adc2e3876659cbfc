package io.vaultdr.failover;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vaultdr.failover.Observation.Evidence;
import io.vaultdr.model.Epoch;
import io.vaultdr.model.Failure;
import io.vaultdr.model.Side;
import io.vaultdr.model.Slots;
import io.vaultdr.runtime.Sleep;

import org.junit.jupiter.api.Test;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/** Probing in short slots on the real clock. */
class ProbingTest {
    private static final Slots SLOTS = new Slots(Duration.ofMillis(200));
    private static final Clock CLOCK = Clock.systemUTC();
    private static final Probing.Finding REACHED =
            new Probing.Finding(Evidence.REACHED, OptionalLong.of(7));

    private final InMemoryEvidence log = new InMemoryEvidence(List.of("dr"));
    private final List<Instant> published = Collections.synchronizedList(new ArrayList<>());

    private Probing probing(Probing.Probe probe, EvidenceLog evidence, Probing.LedgerState ledger) {
        return new Probing(
                "dr",
                SLOTS,
                CLOCK,
                Sleep.on(CLOCK),
                new Probing.Ports(
                        probe,
                        evidence,
                        ledger,
                        (start, reached) -> published.add(start),
                        Optional.empty()));
    }

    private static PairState home() {
        return PairState.initial(LedgerContract.PAIR);
    }

    private List<Long> slots() {
        return log.between(0, Long.MAX_VALUE).getOrDefault("dr", List.of()).stream()
                .map(Observation::slot)
                .toList();
    }

    private static Instant in(int slots) {
        return SLOTS.start(SLOTS.at(CLOCK.instant()) + slots);
    }

    private static void assertNoGap(List<Long> slots) {
        for (int i = 1; i < slots.size(); i++) {
            assertEquals(slots.get(i - 1) + 1, slots.get(i), slots::toString);
        }
    }

    @Test
    void everySlotUntilTheEndHasOneObservationAndOneMetric() {
        probing((side, limit) -> REACHED, log, ProbingTest::home).run("1", in(6));
        assertNoGap(slots());
        assertTrue(slots().size() >= 5, slots()::toString);
        assertEquals(slots().size(), published.size());
    }

    @Test
    void earlierInvocationLeavesOnceALaterOneHoldsASlotAndNoneIsLostOrDoubled() throws Exception {
        Thread earlier =
                Thread.startVirtualThread(
                        () -> {
                            Probing.Probe slower =
                                    (side, limit) -> {
                                        Sleep.on(CLOCK).accept(CLOCK.instant().plusMillis(30));
                                        return REACHED;
                                    };
                            probing(slower, log, ProbingTest::home).run("1", in(40));
                        });
        Sleep.on(CLOCK).accept(in(4));
        Instant end = in(8);
        probing((side, limit) -> REACHED, log, ProbingTest::home).run("2", end);
        assertTrue(earlier.join(Duration.ofMillis(500)), "the earlier one goes on");
        assertNoGap(slots());
        assertTrue(slots().size() >= 10, slots()::toString);
    }

    @Test
    void laterInvocationGoesOnWhereTheEarlierOneHoldsTheSlot() {
        long first = SLOTS.at(CLOCK.instant());
        for (long slot = first; slot < first + 4; slot++) {
            log.put(
                    new Observation(
                            "dr",
                            slot,
                            Side.HOME,
                            Evidence.REACHED,
                            OptionalLong.empty(),
                            CLOCK.instant()),
                    "1");
        }
        probing((side, limit) -> REACHED, log, ProbingTest::home).run("2", in(8));
        assertNoGap(slots());
        assertTrue(slots().size() >= 7, slots()::toString);
    }

    @Test
    void hangingTableOrServerDelaysNoSlot() {
        CountDownLatch never = new CountDownLatch(1);
        AtomicInteger calls = new AtomicInteger();
        EvidenceLog hanging =
                new EvidenceLog() {
                    @Override
                    public Optional<String> put(Observation observation, String claimant) {
                        if (calls.getAndIncrement() % 2 == 0) {
                            await(never);
                        }
                        return log.put(observation, claimant);
                    }

                    @Override
                    public Map<String, List<Observation>> between(long first, long last) {
                        return log.between(first, last);
                    }

                    @Override
                    public void put(Readiness readiness) {
                        log.put(readiness);
                    }

                    @Override
                    public List<Readiness> readiness() {
                        return log.readiness();
                    }
                };
        Instant until = in(7);
        probing((side, limit) -> REACHED, hanging, ProbingTest::home).run("1", until);
        assertTrue(CLOCK.instant().isBefore(until.plusMillis(300)), "it waited for the table");
        assertTrue(published.size() >= 5, published::toString);
        assertTrue(slots().size() >= 2, slots()::toString);
    }

    @Test
    void whatServesIsProbedAndAnUnreadableLedgerLeavesTheSideAsItWas() {
        AtomicInteger reads = new AtomicInteger();
        List<Side> probed = Collections.synchronizedList(new ArrayList<>());
        Probing.LedgerState ledger =
                () -> {
                    if (reads.getAndIncrement() > 0) {
                        throw new Failure.Retryable("read the state", "no answer", "Again");
                    }
                    return home().served(Side.DR, CLOCK.instant(), new Epoch(1));
                };
        probing(
                        (side, limit) -> {
                            probed.add(side);
                            return REACHED;
                        },
                        log,
                        ledger)
                .run("1", in(6));
        assertEquals(Side.DR, probed.getLast());
        assertTrue(reads.get() > 2);
    }

    @Test
    void probeHasFourFifthsOfTheSlot() {
        List<Duration> limits = Collections.synchronizedList(new ArrayList<>());
        probing(
                        (side, limit) -> {
                            limits.add(limit);
                            return REACHED;
                        },
                        log,
                        ProbingTest::home)
                .run("1", in(5));
        limits.forEach(
                limit ->
                        assertTrue(
                                limit.compareTo(Duration.ofMillis(160)) <= 0 && !limit.isNegative(),
                                limit::toString));
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
