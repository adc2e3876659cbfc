package io.vaultdr.failover;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vaultdr.failover.Diagnosis.Doubt;
import io.vaultdr.failover.Diagnosis.Rule;
import io.vaultdr.failover.Evidence.Says;
import io.vaultdr.failover.Incident.Approval;
import io.vaultdr.failover.PairState.Pause;
import io.vaultdr.failover.PairState.Phase;
import io.vaultdr.model.Epoch;
import io.vaultdr.model.Loss;
import io.vaultdr.model.Outcome;
import io.vaultdr.model.Side;
import io.vaultdr.model.StepName;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.runtime.PairSettings.Stage;

import org.junit.jupiter.api.Test;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/** Both tables, over every row, every tie and every combination of what vantages can say. */
class JudgementTest {
    private static final long LAST = 1000;
    private static final Instant NOW = Instant.parse("2026-03-01T03:00:00Z");
    private static final PairSettings.Failover LIMITS =
            TestPair.at(Stage.AUTOMATIC).failover().orElseThrow();

    /** All that a vantage's window can amount to. */
    private enum Window {
        YES_FRESH,
        YES_OLD,
        YES_STALE,
        NO_SILENT,
        NO_SEALED,
        NO_ACTIVE,
        NOTHING_EMPTY,
        NOTHING_OLD,
        NOTHING_SPARSE,
        NOTHING_SEALED;

        Says says() {
            return name().startsWith("YES")
                    ? Says.YES
                    : name().startsWith("NO_") ? Says.NO : Says.NOTHING;
        }

        Evidence evidence(String vantage, boolean inside) {
            List<Observation> seen = new ArrayList<>();
            LongStream all = LongStream.rangeClosed(LAST - 11, LAST);
            switch (this) {
                case YES_FRESH -> all.forEach(s -> seen.add(at(s, Observation.Evidence.REACHED)));
                case YES_OLD ->
                        all.forEach(
                                s ->
                                        seen.add(
                                                at(
                                                        s,
                                                        s <= LAST - 4
                                                                ? Observation.Evidence.REACHED
                                                                : Observation.Evidence.SILENT)));
                case YES_STALE -> seen.add(at(LAST - 11, Observation.Evidence.REACHED));
                case NO_SILENT -> all.forEach(s -> seen.add(at(s, Observation.Evidence.SILENT)));
                case NO_SEALED ->
                        all.forEach(
                                s ->
                                        seen.add(
                                                at(
                                                        s,
                                                        s < LAST - 5
                                                                ? Observation.Evidence.SEALED
                                                                : Observation.Evidence.SILENT)));
                case NO_ACTIVE -> all.forEach(s -> seen.add(at(s, Observation.Evidence.NO_ACTIVE)));
                case NOTHING_EMPTY -> {}
                case NOTHING_OLD ->
                        all.filter(s -> s <= LAST - 4)
                                .forEach(s -> seen.add(at(s, Observation.Evidence.SILENT)));
                case NOTHING_SPARSE ->
                        all.filter(s -> s > LAST - 8)
                                .forEach(s -> seen.add(at(s, Observation.Evidence.SILENT)));
                case NOTHING_SEALED -> seen.add(at(LAST, Observation.Evidence.SEALED));
            }
            return Evidence.of(vantage, inside, Side.HOME, seen, LAST);
        }

        private static Observation at(long slot, Observation.Evidence evidence) {
            return new Observation("v", slot, Side.HOME, evidence, OptionalLong.empty(), NOW);
        }
    }

    private static List<Evidence> three(Window home, Window dr, Window witness) {
        return List.of(
                home.evidence(TestPair.HOME, true),
                dr.evidence(TestPair.DR, false),
                witness.evidence(TestPair.WITNESS, false));
    }

    private static Rule rule(Window home, Window dr, Window witness) {
        return Diagnosis.of(three(home, dr, witness), LAST).rule();
    }

    @Test
    void everyWindowSaysWhatItsNameSays() {
        for (Window window : Window.values()) {
            assertEquals(window.says(), window.evidence("v", false).says(), window.name());
        }
    }

    @Test
    void noNeedsNineOfTwelveAndANewestOfAtMostThreeSlots() {
        assertEquals(Says.NO, silent(LAST - 11, LAST - 3).says());
        assertEquals(Says.NOTHING, silent(LAST - 11, LAST - 4).says());
        assertEquals(Says.NO, silent(LAST - 8, LAST).says());
        assertEquals(Says.NOTHING, silent(LAST - 7, LAST).says());
    }

    private static Evidence silent(long first, long last) {
        List<Observation> seen =
                LongStream.rangeClosed(first, last)
                        .mapToObj(s -> Window.at(s, Observation.Evidence.SILENT))
                        .toList();
        return Evidence.of("v", false, Side.HOME, seen, LAST);
    }

    @Test
    void evidenceOfTheOtherSideAndOfLaterSlotsDoesNotCount() {
        List<Observation> seen =
                List.of(
                        new Observation(
                                "v",
                                LAST,
                                Side.DR,
                                Observation.Evidence.REACHED,
                                OptionalLong.empty(),
                                NOW),
                        Window.at(LAST + 1, Observation.Evidence.REACHED),
                        Window.at(LAST - 12, Observation.Evidence.REACHED));
        Evidence evidence = Evidence.of("v", false, Side.HOME, seen, LAST);
        assertEquals(Says.NOTHING, evidence.says());
        assertEquals(0, evidence.present());
    }

    @Test
    void eachRowOfTheDiagnosis() {
        // 1: no vantage outside says anything, whatever home's own says.
        assertEquals(
                Rule.UNCLEAR, rule(Window.YES_FRESH, Window.NOTHING_EMPTY, Window.NOTHING_OLD));
        assertEquals(
                Rule.UNCLEAR, rule(Window.NO_SILENT, Window.NOTHING_SPARSE, Window.NOTHING_EMPTY));
        // 2: half or more, ties included.
        assertEquals(Rule.SERVING, rule(Window.YES_FRESH, Window.YES_FRESH, Window.YES_FRESH));
        assertEquals(Rule.SERVING, rule(Window.YES_FRESH, Window.NO_SILENT, Window.NOTHING_EMPTY));
        assertEquals(Rule.SERVING, rule(Window.NOTHING_EMPTY, Window.NO_SILENT, Window.YES_OLD));
        assertEquals(Rule.SERVING, rule(Window.YES_FRESH, Window.NO_SILENT, Window.YES_STALE));
        // 3 and 4: a minority.
        assertEquals(Rule.FADING, rule(Window.YES_OLD, Window.NO_SILENT, Window.NO_SILENT));
        assertEquals(Rule.FADING, rule(Window.NO_SILENT, Window.NO_ACTIVE, Window.YES_STALE));
        assertEquals(Rule.PARTITIONED, rule(Window.YES_FRESH, Window.NO_SILENT, Window.NO_SILENT));
        // 5: the last answers, however long ago in the window, are all sealed.
        assertEquals(Rule.ALL_SEALED, rule(Window.NO_SEALED, Window.NO_SEALED, Window.NO_SEALED));
        assertEquals(
                Rule.ALL_SEALED, rule(Window.NOTHING_SEALED, Window.NO_SILENT, Window.NO_SILENT));
        assertEquals(Rule.DOWN, rule(Window.NO_SEALED, Window.NO_ACTIVE, Window.NO_SILENT));
        // 6
        assertEquals(Rule.DOWN, rule(Window.NOTHING_EMPTY, Window.NO_SILENT, Window.NO_SILENT));
        assertEquals(Rule.DOWN, rule(Window.NO_ACTIVE, Window.NO_ACTIVE, Window.NO_ACTIVE));
    }

    @Test
    void everyCombinationOfOneToThreeVantagesIsDiagnosedByTheFirstRowThatFits() {
        for (Window a : Window.values()) {
            check(List.of(a.evidence("dr", false)));
            for (Window b : Window.values()) {
                check(List.of(a.evidence("home", true), b.evidence("dr", false)));
                check(List.of(a.evidence("dr", false), b.evidence("witness", false)));
                for (Window c : Window.values()) {
                    check(three(a, b, c));
                }
            }
        }
    }

    private static void check(List<Evidence> evidence) {
        Diagnosis diagnosis = Diagnosis.of(evidence, LAST);
        long yes = evidence.stream().filter(e -> e.says() == Says.YES).count();
        long no = evidence.stream().filter(e -> e.says() == Says.NO).count();
        boolean outside = evidence.stream().anyMatch(e -> !e.inside() && e.says() != Says.NOTHING);
        boolean freshYes =
                evidence.stream()
                        .anyMatch(e -> LAST - e.newestReached().orElse(0) <= Evidence.FRESH);
        List<Rule> fits = new ArrayList<>();
        if (!outside) {
            fits.add(Rule.UNCLEAR);
        }
        if (2 * yes >= yes + no && yes > 0) {
            fits.add(Rule.SERVING);
        }
        if (yes > 0 && !freshYes) {
            fits.add(Rule.FADING);
        }
        if (yes > 0) {
            fits.add(Rule.PARTITIONED);
        }
        List<Observation.Evidence> answers =
                evidence.stream().flatMap(e -> e.lastAnswer().stream()).toList();
        if (Set.copyOf(answers).equals(Set.of(Observation.Evidence.SEALED))) {
            fits.add(Rule.ALL_SEALED);
        }
        fits.add(Rule.DOWN);
        assertEquals(fits.getFirst(), diagnosis.rule(), evidence::toString);
        assertEquals(yes > 0 && !freshYes, diagnosis.fading(), evidence::toString);
        assertEquals(
                diagnosis.rule() == Rule.SERVING && no > 0,
                diagnosis.doubts().contains(Doubt.DOUBTED),
                evidence::toString);
    }

    @Test
    void servingUnderHalfOfFiveMinutesIsFlapping() {
        List<Observation> seen =
                LongStream.rangeClosed(LAST - 29, LAST)
                        .mapToObj(
                                s ->
                                        Window.at(
                                                s,
                                                s % 3 == 0
                                                        ? Observation.Evidence.REACHED
                                                        : Observation.Evidence.SILENT))
                        .toList();
        Evidence flapping = Evidence.of("dr", false, Side.HOME, seen, LAST);
        assertEquals(
                new Diagnosis(Rule.SERVING, Set.of(Doubt.FLAPPING), false),
                Diagnosis.of(List.of(flapping), LAST));
        Evidence young = Evidence.of("dr", false, Side.HOME, seen.subList(10, 30), LAST);
        assertEquals(Set.of(), Diagnosis.of(List.of(young), LAST).doubts());
    }

    private static final List<Evidence> DOWN =
            three(Window.NOTHING_EMPTY, Window.NO_SILENT, Window.NO_SILENT);

    private static Situation situation(PairState state) {
        return new Situation(
                NOW,
                LAST,
                state,
                Optional.empty(),
                DOWN,
                List.of(),
                Optional.of(new Loss(Duration.ofMinutes(4), OptionalLong.empty())),
                Optional.empty(),
                OptionalLong.empty(),
                Optional.empty());
    }

    private static PairState home() {
        return PairState.initial(LedgerContract.PAIR);
    }

    private static Situation with(
            PairState state,
            Optional<Incident> newest,
            List<Evidence> evidence,
            List<String> missing,
            Duration loss) {
        return new Situation(
                NOW,
                LAST,
                state,
                newest,
                evidence,
                missing,
                Optional.of(new Loss(loss, OptionalLong.empty())),
                Optional.empty(),
                OptionalLong.empty(),
                Optional.empty());
    }

    /** A situation in which exactly that gate applies on the stage automatic. */
    private static Situation only(Gate gate) {
        Duration small = Duration.ofMinutes(4);
        return switch (gate) {
            case PAUSED ->
                    situation(home().withPause(Optional.of(new Pause("ann", "upgrade", NOW, "r"))));
            case INCIDENT_OPEN -> situation(home().opened(new Epoch(1)));
            case NOT_AT_HOME ->
                    situation(home().served(Side.DR, NOW.minus(Duration.ofHours(2)), new Epoch(1)));
            case COOLING_DOWN ->
                    situation(
                            home().served(
                                            Side.HOME,
                                            NOW.minus(Duration.ofMinutes(29)),
                                            Epoch.ZERO));
            case REJECTED ->
                    with(
                            home(),
                            Optional.of(
                                    LedgerContract.incident(1)
                                            .closed(
                                                    Outcome.REJECTED,
                                                    NOW.minus(Duration.ofMinutes(59)))),
                            DOWN,
                            List.of(),
                            small);
            case DR_NOT_READY ->
                    with(home(), Optional.empty(), DOWN, List.of("No blank node."), small);
            case LOSS_TOO_GREAT ->
                    with(home(), Optional.empty(), DOWN, List.of(), Duration.ofMinutes(16));
            case LONE_EVIDENCE ->
                    with(
                            home(),
                            Optional.empty(),
                            three(Window.NO_SILENT, Window.NO_SILENT, Window.NOTHING_EMPTY),
                            List.of(),
                            small);
            case OBSERVE_ONLY, NEEDS_APPROVAL -> situation(home());
        };
    }

    private static Stage stage(Gate gate) {
        return switch (gate) {
            case OBSERVE_ONLY -> Stage.OBSERVE;
            case NEEDS_APPROVAL -> Stage.APPROVAL;
            default -> Stage.AUTOMATIC;
        };
    }

    @Test
    void nothingInTheWayFailsOver() {
        Judgement judgement = Judgement.of(situation(home()), Stage.AUTOMATIC, LIMITS);
        assertEquals(List.of(), judgement.gates());
        assertEquals(new Verdict.FailOver(), judgement.verdict());
    }

    @Test
    void eachGateByItselfDoesWhatItsRowSays() {
        for (Gate gate : Gate.values()) {
            Judgement judgement = Judgement.of(only(gate), stage(gate), LIMITS);
            assertEquals(List.of(gate), judgement.gates(), gate.name());
            Verdict expected =
                    switch (gate.effect()) {
                        case HOLD -> new Verdict.Hold(gate.name());
                        case PAGE -> new Verdict.Page(gate.name());
                        case ASK -> new Verdict.Ask(List.of(gate.name()));
                    };
            assertEquals(expected, judgement.verdict(), gate.name());
        }
    }

    @Test
    void everyCombinationOfGatesIsDecidedByHoldsThenPagesThenAsks() {
        Gate[] all = Gate.values();
        for (int bits = 0; bits < 1 << all.length; bits++) {
            int chosen = bits;
            List<Gate> gates =
                    IntStream.range(0, all.length)
                            .filter(i -> (chosen & 1 << i) != 0)
                            .mapToObj(i -> all[i])
                            .toList();
            Verdict verdict = Verdict.of(Rule.DOWN, gates);
            Optional<Gate> first = gates.stream().findFirst();
            switch (verdict) {
                case Verdict.Hold(String rule) -> {
                    assertEquals(Gate.Effect.HOLD, first.orElseThrow().effect());
                    assertEquals(first.get().name(), rule);
                }
                case Verdict.Page(String rule) -> {
                    assertEquals(Gate.Effect.PAGE, first.orElseThrow().effect());
                    assertEquals(first.get().name(), rule);
                }
                case Verdict.Ask(List<String> reasons) -> {
                    assertEquals(gates.stream().map(Gate::name).toList(), reasons);
                    assertEquals(Gate.Effect.ASK, first.orElseThrow().effect());
                }
                case Verdict.FailOver _ -> assertEquals(List.of(), gates);
            }
            for (Rule rule : List.of(Rule.UNCLEAR, Rule.SERVING, Rule.FADING)) {
                assertEquals(new Verdict.Hold(rule.name()), Verdict.of(rule, gates));
            }
            for (Rule rule : List.of(Rule.PARTITIONED, Rule.ALL_SEALED)) {
                assertTrue(!(Verdict.of(rule, gates) instanceof Verdict.FailOver));
                if (verdict instanceof Verdict.FailOver) {
                    assertEquals(new Verdict.Ask(List.of(rule.name())), Verdict.of(rule, gates));
                }
            }
        }
    }

    @Test
    void wouldHaveIsTheSameWithTheStageAutomatic() {
        Judgement observed = Judgement.of(situation(home()), Stage.OBSERVE, LIMITS);
        assertEquals(new Verdict.Hold("OBSERVE_ONLY"), observed.verdict());
        assertEquals(new Verdict.FailOver(), observed.wouldHave());
        Judgement asked = Judgement.of(only(Gate.LOSS_TOO_GREAT), Stage.APPROVAL, LIMITS);
        assertEquals(new Verdict.Ask(List.of("LOSS_TOO_GREAT", "NEEDS_APPROVAL")), asked.verdict());
        assertEquals(new Verdict.Ask(List.of("LOSS_TOO_GREAT")), asked.wouldHave());
    }

    @Test
    void rejectionEndsWhenHomeServedSinceOrItIsTimeToAskAgain() {
        for (Outcome end : List.of(Outcome.REJECTED, Outcome.TIMED_OUT)) {
            Incident no = LedgerContract.incident(1).closed(end, NOW.minus(Duration.ofMinutes(59)));
            assertEquals(List.of(Gate.REJECTED), gates(home(), no));
            assertEquals(List.of(), gates(home().withHomeServedSince(NOW.minusSeconds(60)), no));
            assertEquals(
                    List.of(Gate.REJECTED),
                    gates(home().withHomeServedSince(NOW.minus(Duration.ofHours(2))), no));
            assertEquals(
                    List.of(),
                    gates(
                            home(),
                            LedgerContract.incident(1)
                                    .closed(end, NOW.minus(Duration.ofHours(1)))));
        }
        for (Outcome end : List.of(Outcome.FAILED, Outcome.RECOVERED)) {
            assertEquals(List.of(), gates(home(), LedgerContract.incident(1).closed(end, NOW)));
        }
    }

    private static List<Gate> gates(PairState state, Incident newest) {
        return Gate.applying(
                with(state, Optional.of(newest), DOWN, List.of(), Duration.ZERO),
                Stage.AUTOMATIC,
                LIMITS);
    }

    @Test
    void openIncidentDoesNotStandInItsOwnWay() {
        Situation open = situation(home().opened(new Epoch(3)));
        assertEquals(List.of(Gate.INCIDENT_OPEN), Gate.applying(open, Stage.AUTOMATIC, LIMITS));
        assertEquals(List.of(), Gate.applying(open.judging(new Epoch(3)), Stage.AUTOMATIC, LIMITS));
        assertEquals(
                List.of(Gate.INCIDENT_OPEN),
                Gate.applying(open.judging(new Epoch(2)), Stage.AUTOMATIC, LIMITS));
        assertEquals(
                List.of(Gate.INCIDENT_OPEN),
                Gate.applying(
                        situation(home().withPhase(new Phase.Diverged("both"))),
                        Stage.AUTOMATIC,
                        LIMITS));
        assertEquals(new Phase.Changing(new Epoch(3), StepName.JUDGE), open.state().phase());
        assertTrue(LedgerContract.incident(1).approval() instanceof Approval.Needed);
    }

    @Test
    void predictedLossIsAnUpperBound() {
        Readiness.Newest snapshot = new Readiness.Newest("id", Epoch.ZERO, NOW, 100);
        assertEquals(
                new Loss(Duration.ofSeconds(70), OptionalLong.of(20)),
                PredictedLoss.of(
                        snapshot,
                        Optional.of(NOW.plusSeconds(70)),
                        OptionalLong.of(120),
                        NOW.plusSeconds(300)));
        assertEquals(
                new Loss(Duration.ofMinutes(5), OptionalLong.empty()),
                PredictedLoss.of(
                        snapshot, Optional.empty(), OptionalLong.empty(), NOW.plusSeconds(300)));
        assertEquals(
                new Loss(Duration.ZERO, OptionalLong.of(0)),
                PredictedLoss.of(
                        snapshot,
                        Optional.of(NOW.minusSeconds(9)),
                        OptionalLong.of(90),
                        NOW.plusSeconds(300)));
    }
}
