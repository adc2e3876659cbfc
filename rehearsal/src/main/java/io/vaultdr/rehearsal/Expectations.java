package io.vaultdr.rehearsal;

import static io.vaultdr.rehearsal.Ending.expect;

import io.vaultdr.failover.Incident;
import io.vaultdr.failover.Incident.Approval;
import io.vaultdr.model.Outcome;
import io.vaultdr.model.Side;
import io.vaultdr.model.Slots;
import io.vaultdr.model.StepName;
import io.vaultdr.rehearsal.Ending.Expectation;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** What scenarios expect of their end; each says in its difference what it looked for. */
final class Expectations {
    private Expectations() {}

    static Expectation failedOver(String diagnosis) {
        return movedOver(diagnosis)
                .and(Expectations::withinTheBudget)
                .and(Expectations::lossWasForetold);
    }

    /** The DR side serves and clients write there. */
    static Expectation movedOver(String diagnosis) {
        return movedWithoutWeights(diagnosis)
                .and(
                        (ending, differences) ->
                                expect(
                                        differences,
                                        "weights",
                                        new Resolver.Weights(0, 100),
                                        ending.weights()));
    }

    private static Expectation movedWithoutWeights(String diagnosis) {
        return outcome(Outcome.COMPLETED)
                .and(diagnosis(diagnosis))
                .and(
                        (ending, differences) -> {
                            expect(differences, "incidents", 1, ending.incidents().size());
                            expect(differences, "serving", Side.DR, ending.state().serving());
                            expect(differences, "clients are told", Side.DR, ending.told());
                            expect(
                                    differences,
                                    "the flag stands in " + Configuration.DR,
                                    true,
                                    ending.flags().getOrDefault(Configuration.DR, false));
                            expect(
                                    differences,
                                    "voters on the DR side",
                                    Configuration.DR_VOTERS,
                                    ending.drVoters());
                        });
    }

    /** No acknowledged write is lost that was made before what the prediction covers. */
    private static void lossWasForetold(Ending ending, List<String> differences) {
        Optional<Instant> oldest = ending.account().oldestLost();
        Optional<Incident> incident = ending.incident();
        if (oldest.isPresent() && incident.isPresent()) {
            Duration back =
                    Duration.between(
                            oldest.get(),
                            incident.get().lastServed().orElse(incident.get().openedAt()));
            if (back.compareTo(incident.get().predictedLoss().time()) > 0) {
                differences.add(
                        "the oldest lost write was made "
                                + back
                                + " before home was last seen, "
                                + incident.get().predictedLoss().time()
                                + " was predicted");
            }
        }
    }

    /** Never before twelve complete slots, and no later than a slot and two seconds after them. */
    private static void withinTheBudget(Ending ending, List<String> differences) {
        if (ending.incident().isEmpty() || ending.struck().isEmpty()) {
            return;
        }
        Duration window = ending.slot().multipliedBy(Slots.WINDOW);
        Instant lastServed =
                ending.incident().get().lastServed().orElse(ending.struck().orElseThrow());
        Duration detection =
                Duration.between(ending.struck().get(), ending.incident().get().openedAt());
        Duration afterServing = Duration.between(lastServed, ending.incident().get().openedAt());
        if (afterServing.compareTo(window) < 0) {
            differences.add(
                    "the verdict came "
                            + afterServing
                            + " after a slot in which home served,"
                            + " before twelve slots were over");
        }
        Duration most = window.plus(ending.slot()).plusSeconds(2);
        if (detection.compareTo(most) > 0) {
            differences.add("the verdict took " + detection + ", the budget is " + most);
        }
    }

    static Expectation nothingMoved() {
        return notMoved()
                .and(
                        (ending, differences) ->
                                expect(differences, "incidents", 0, ending.incidents().size()));
    }

    static Expectation notMoved() {
        return (ending, differences) -> {
            expect(differences, "serving", Side.HOME, ending.state().serving());
            expect(differences, "clients are told", Side.HOME, ending.told());
            expect(differences, "a flag stands", false, ending.flags().containsValue(true));
            expect(differences, "weights", new Resolver.Weights(100, 0), ending.weights());
            expect(differences, "the standby is initialised", false, ending.drInitialised());
        };
    }

    static Expectation nothingLost() {
        return (ending, differences) ->
                expect(differences, "lost writes", OptionalInt.of(0), ending.account().lost());
    }

    static Expectation asked(String diagnosis) {
        return notMoved()
                .and(diagnosis(diagnosis))
                .and(paged())
                .and(
                        (ending, differences) -> {
                            expect(differences, "incidents", 1, ending.incidents().size());
                            boolean waiting =
                                    ending.incident()
                                            .filter(i -> i.approval() instanceof Approval.Waiting)
                                            .isPresent();
                            expect(differences, "a person is waited for", true, waiting);
                        });
    }

    static Expectation outcome(Outcome outcome) {
        return (ending, differences) ->
                expect(
                        differences,
                        "outcome",
                        outcome.name(),
                        ending.incident().map(i -> i.outcome().name()).orElse("NONE"));
    }

    static Expectation diagnosis(String diagnosis) {
        return (ending, differences) ->
                expect(
                        differences,
                        "diagnosis",
                        diagnosis,
                        ending.incident().map(Incident::diagnosis).orElse("none"));
    }

    static Expectation gate(String gate) {
        return ofIncident("gate " + gate + " applied", i -> i.gates().contains(gate));
    }

    static Expectation finding(String pattern) {
        return ofIncident(
                "a finding matches " + pattern,
                i ->
                        i.findings().stream()
                                .anyMatch(
                                        finding -> finding.matches("(?is).*(" + pattern + ").*")));
    }

    static Expectation takenUpAgain() {
        return ofIncident(
                        "Promote was begun more than once",
                        i ->
                                Optional.ofNullable(i.steps().get(StepName.PROMOTE))
                                        .filter(step -> step.attempts() > 1)
                                        .isPresent())
                .and(fact("promotion killed"));
    }

    private static Expectation ofIncident(String what, Predicate<Incident> holds) {
        return (ending, differences) ->
                expect(differences, what, true, ending.incident().filter(holds).isPresent());
    }

    static Expectation oneExecution() {
        return (ending, differences) -> expect(differences, "executions", 1, ending.executions());
    }

    static Expectation paged() {
        return (ending, differences) ->
                expect(differences, "somebody was paged", false, ending.pages().isEmpty());
    }

    /** Nobody was paged, but where the subject holds one of these words. */
    static Expectation pagedOnly(String... words) {
        return (ending, differences) ->
                expect(
                        differences,
                        "other pages",
                        List.of(),
                        ending.pages().stream()
                                .filter(page -> Stream.of(words).noneMatch(page::contains))
                                .toList());
    }

    /** An alarm, by its name without prefix and pair, paged. */
    static Expectation pagedBy(String alarm) {
        return (ending, differences) ->
                expect(
                        differences,
                        "alarm " + alarm + " paged",
                        true,
                        ending.pages().stream()
                                .anyMatch(page -> page.startsWith(Stage.page(alarm))));
    }

    static Expectation facts(String... facts) {
        return Stream.of(facts).map(Expectations::fact).reduce(Expectation::and).orElseThrow();
    }

    static Expectation fact(String fact) {
        return (ending, differences) ->
                expect(differences, fact, true, ending.facts().contains(fact));
    }

    static Expectation turnedByFlagAlone() {
        return movedWithoutWeights("DOWN")
                .and(Expectations::withinTheBudget)
                .and(finding("route ?53|weight"))
                .and(
                        (ending, differences) ->
                                expect(
                                        differences,
                                        "weights",
                                        new Resolver.Weights(100, 0),
                                        ending.weights()));
    }
}
