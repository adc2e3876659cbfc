package io.vaultdr.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.vaultdr.cluster.Rotation.Rule;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;

class RotationTest {
    private static final Instant NOW = Instant.parse("2026-11-23T17:00:00Z");
    private static final Instant LONG_AGO = NOW.minus(Duration.ofDays(100));

    private static Rotation issued(Duration ago) {
        return new Rotation(
                "d", Map.of("a", LONG_AGO, "b", LONG_AGO, "c", LONG_AGO, "d", NOW.minus(ago)));
    }

    @ParameterizedTest
    @CsvSource({
        "PT0S, YOUNG",
        "PT719H59M59S, YOUNG",
        "PT720H, OLD",
        "PT9000H, OLD",
        "PT-1H, YOUNG"
    })
    void aSecretIdIsUsedForThirtyDays(Duration ago, Rule rule) {
        assertEquals(rule, issued(ago).rule(NOW));
    }

    @Test
    void oneThatTheServerDoesNotKnowIsReplacedAtOnce() {
        Rotation restored = new Rotation("e", Map.of("a", LONG_AGO));

        assertEquals(Rule.UNKNOWN, restored.rule(NOW));
        assertEquals(List.of(), restored.outdated(Set.of(), Set.of(), NOW));
    }

    @Test
    void whatNoSnapshotKnowsAndNoRegionUsesIsOutdated() {
        assertEquals(
                List.of("c"),
                issued(Duration.ofDays(2)).outdated(Set.of("b", "gone"), Set.of("a"), NOW));
    }

    @ParameterizedTest
    @CsvSource({"PT23H59M59S, 0", "PT24H, 3"})
    void theOneBeforeStaysForADay(Duration ago, int outdated) {
        assertEquals(outdated, issued(ago).outdated(Set.of(), Set.of(), NOW).size());
    }

    @Test
    void oneThatSomebodyHasJustIssuedStays() {
        Rotation rotation = new Rotation("a", Map.of("a", LONG_AGO, "new", NOW.minusSeconds(2)));

        assertEquals(List.of(), rotation.outdated(Set.of(), Set.of(), NOW));
    }
}
