package io.vaultdr.failover;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.vaultdr.failover.Observation.Evidence;
import io.vaultdr.model.Epoch;
import io.vaultdr.model.Side;

import org.junit.jupiter.api.Test;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** What every evidence log does; each implementation's test extends it. */
abstract class EvidenceContract {
    static final Instant NOW = Instant.parse("2026-03-01T03:00:00Z");

    /** A log of the vantages {@code a} and {@code b} that nothing was written to. */
    abstract EvidenceLog empty();

    private static Observation observation(String vantage, long slot, Evidence evidence) {
        return new Observation(vantage, slot, Side.HOME, evidence, OptionalLong.of(42), NOW);
    }

    @Test
    void slotHasOneObservationAndTellsWhoseItIs() {
        EvidenceLog log = empty();
        Observation first = observation("a", 5, Evidence.REACHED);
        assertEquals(Optional.empty(), log.put(first, "1"));
        assertEquals(Optional.of("1"), log.put(observation("a", 5, Evidence.SILENT), "2"));
        assertEquals(Optional.empty(), log.put(first, "1"));
        assertEquals(List.of(first), log.between(0, 9).get("a"));
    }

    @Test
    void betweenGivesEachVantageItsSlotsInOrder() {
        EvidenceLog log = empty();
        for (long slot : List.of(7L, 5L, 6L, 4L)) {
            log.put(observation("a", slot, Evidence.SILENT), "1");
        }
        assertEquals(
                List.of(5L, 6L),
                log.between(5, 6).getOrDefault("a", List.of()).stream()
                        .map(Observation::slot)
                        .toList());
        assertEquals(List.of(), log.between(5, 6).get("b"));
    }

    @Test
    void newestReadinessOfEachVantageStands() {
        EvidenceLog log = empty();
        Readiness old = new Readiness("a", NOW, List.of("x"), Optional.empty());
        Readiness next =
                new Readiness(
                        "a",
                        NOW.plusSeconds(60),
                        List.of(),
                        Optional.of(new Readiness.Newest("id", Epoch.ZERO, NOW, 9)));
        log.put(old);
        log.put(next);
        assertEquals(List.of(next), log.readiness());
    }
}
