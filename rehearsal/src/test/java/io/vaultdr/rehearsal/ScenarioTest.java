package io.vaultdr.rehearsal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vaultdr.failover.PairState;
import io.vaultdr.model.Epoch;
import io.vaultdr.model.PairId;
import io.vaultdr.model.Side;

import org.junit.jupiter.api.Test;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

class ScenarioTest {
    private static final List<String> NAMES =
            List.of(
                    "region-loss",
                    "quorum-loss",
                    "sealed",
                    "flap-90s",
                    "probe-partition",
                    "home-island",
                    "lone-evidence",
                    "held-then-released",
                    "recovers-during-approval",
                    "duplicate-alarms",
                    "corrupt-snapshot",
                    "route53-down",
                    "killed-mid-promotion",
                    "leader-change-mid-snapshot",
                    "prove",
                    "damaged-in-bucket",
                    "wrong-key",
                    "poisoned-backup",
                    "rotated-login",
                    "archive",
                    "drill",
                    "secret-lost",
                    "doctor",
                    "initialize",
                    "node-loss",
                    "zone-loss",
                    "rolling-image",
                    "terminate-leader",
                    "terminate-too-many",
                    "rotate-logins");

    @Test
    void listExplainsEveryScenarioAndItsEnd() {
        var out = new ByteArrayOutputStream();
        Rehearse.list(new PrintStream(out, true, StandardCharsets.UTF_8));
        String text = out.toString(StandardCharsets.UTF_8);

        assertEquals(NAMES, Rehearse.scenarios());
        for (Scenario scenario : Scenario.ALL) {
            assertTrue(
                    text.contains(scenario.name() + "\n") || text.contains(scenario.name() + " "));
            assertTrue(text.contains(scenario.expected()));
        }
        for (ClusterScenario scenario : ClusterScenario.ALL) {
            assertTrue(text.contains(scenario.name() + "\n"));
            assertTrue(text.contains(scenario.expected()));
        }
    }

    @Test
    void everyNameIsOneScenarios() {
        assertEquals(Rehearse.scenarios().size(), Set.copyOf(Rehearse.scenarios()).size());
    }

    @Test
    void refusesAnUnknownScenarioBeforeAnythingStarts() {
        var out = new ByteArrayOutputStream();
        int exit =
                Rehearse.run(
                        new Rehearse.Options(
                                Path.of("nowhere"),
                                "regionloss",
                                true,
                                Optional.empty(),
                                false,
                                ScenarioTest.class),
                        new PrintStream(out, true, StandardCharsets.UTF_8));

        assertEquals(2, exit);
        assertTrue(out.toString(StandardCharsets.UTF_8).contains("expected one of region-loss"));
    }

    @Test
    void nothingMovedIsHeldAgainstEveryThingThatCouldMove() {
        Ending.Expectation expectation = Scenario.named("flap-90s").orElseThrow().expectation();

        assertEquals(List.of(), ending(Side.HOME, 100, 0, false, false).differences(expectation));
        assertEquals(1, ending(Side.HOME, 0, 100, false, false).differences(expectation).size());
        assertEquals(1, ending(Side.HOME, 100, 0, true, false).differences(expectation).size());
        assertEquals(1, ending(Side.HOME, 100, 0, false, true).differences(expectation).size());
        assertEquals(2, ending(Side.DR, 100, 0, false, false).differences(expectation).size());
    }

    @Test
    void noScenarioOfBackupsIsFulfilledWhereNothingWasSeenOfIt() {
        for (Scenario scenario : ProofScenarios.all()) {
            List<String> differences =
                    ending(Side.HOME, 100, 0, false, false).differences(scenario.expectation());

            assertFalse(differences.isEmpty(), scenario.name());
        }
    }

    @Test
    void noScenarioOfAMadeClusterIsFulfilledWhereNothingWasSeenOfIt() {
        for (ClusterScenario scenario : ClusterScenario.ALL) {
            List<String> differences =
                    ending(Side.HOME, 100, 0, false, false).differences(scenario.expectation());

            assertFalse(differences.isEmpty(), scenario.name());
        }
    }

    @Test
    void aPageThatIsNotExpectedIsADifference() {
        List<String> pages = List.of("payments: held", "ALARM: \"other\"");
        Ending ending = ending(Side.HOME, 100, 0, false, false, pages);

        assertEquals(
                List.of("other pages: expected [], found [ALARM: \"other\"]"),
                ending.differences(Expectations.pagedOnly("held")));
        assertEquals(List.of(), ending.differences(Expectations.pagedOnly("held", "ALARM")));
        assertEquals(1, ending.differences(Expectations.pagedOnly()).size());
    }

    @Test
    void aFailoverThatDidNotHappenIsToldInFull() {
        Ending.Expectation expectation = Scenario.named("region-loss").orElseThrow().expectation();

        List<String> differences = ending(Side.HOME, 100, 0, false, false).differences(expectation);

        assertTrue(
                differences.contains("outcome: expected COMPLETED, found NONE"), "" + differences);
        assertTrue(differences.contains("serving: expected dr, found home"), "" + differences);
    }

    private static Ending ending(Side side, int home, int dr, boolean flag, boolean initialised) {
        return ending(side, home, dr, flag, initialised, List.of());
    }

    private static Ending ending(
            Side side, int home, int dr, boolean flag, boolean initialised, List<String> pages) {
        Instant start = Instant.parse("2026-03-01T03:00:00Z");
        return new Ending(
                Duration.ofSeconds(10),
                Optional.of(start),
                new PairState(
                        new PairId("payments"),
                        new Epoch(0),
                        side,
                        Instant.EPOCH,
                        new Epoch(0),
                        new PairState.Phase.Settled(),
                        Optional.empty(),
                        Optional.empty(),
                        1),
                List.of(),
                0,
                new Resolver.Weights(home, dr),
                Map.of("eu-central-1", flag),
                side,
                new Writer.Account(10, 10, OptionalInt.of(0), Optional.empty()),
                initialised,
                0,
                Map.of(),
                List.of(),
                pages,
                Set.of(),
                List.of());
    }
}
