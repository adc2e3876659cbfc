package io.vaultdr.rehearsal;

import static io.vaultdr.rehearsal.Expectations.fact;
import static io.vaultdr.rehearsal.Expectations.notMoved;
import static io.vaultdr.rehearsal.Expectations.nothingLost;

import com.fasterxml.jackson.databind.JsonNode;

import io.vaultdr.model.Check;

import java.util.ArrayList;
import java.util.List;

/** Asks the doctor while all is well, and again when one way is cut. */
final class DoctorScenario {
    private static final String PAIR = Configuration.PAIR;

    private DoctorScenario() {}

    static Scenario scenario() {
        return new Scenario(
                "doctor",
                "An operator asks the doctor; then the DR region is cut off from home, and he asks"
                        + " again.",
                "All is well but that a rehearsal has nobody to page; then the doctor names the"
                        + " way that is cut, from where it is cut, and nothing else.",
                Scenario.AUTOMATIC,
                DoctorScenario::play,
                notMoved()
                        .and(nothingLost())
                        .and(fact("every function answers"))
                        .and(fact("all is well"))
                        .and(fact("what is cut is named with its remedy"))
                        .and(fact("nothing else fails")));
    }

    private static void play(Stage stage) throws Exception {
        stage.warmSteps();
        Operator operator = stage.operator();
        // Several functions that start at once on two cores miss the time-outs of their calls;
        // in Lambda each starts on a core of its own.
        JsonNode well = operator.run("doctor", PAIR, "--json", "--at-once", "1").json();
        stage.check("every function answers", well.path("unanswered").asInt(-1) == 0);
        failed(well).forEach(it -> stage.tell(Console.Tone.BAD, "not well: " + it));
        stage.check("all is well", failed(well).isEmpty());

        stage.strike("the DR region is cut off from home");
        stage.cut(Configuration.DR);
        Operator.Ran cut = operator.run("doctor", PAIR);
        stage.check(
                "what is cut is named with its remedy",
                // A link that is cut here takes a connection, and nothing comes through it.
                cut.exit() == 1
                        && cut.says("✗ TLS")
                        && cut.says("it takes the connection and says nothing")
                        && cut.says("→ "));
        List<String> failed = failed(operator.run("doctor", PAIR, "--json").json());
        stage.check(
                "nothing else fails",
                !failed.isEmpty()
                        && failed.stream()
                                .allMatch(
                                        it ->
                                                it.startsWith(Configuration.DR + " vault-dr-probe ")
                                                        || it.startsWith(
                                                                Configuration.DR
                                                                        + " vault-dr-"
                                                                        + PAIR
                                                                        + "-fence ")));
        stage.mendAll();
    }

    /** Region, function and name of each check that failed; here nobody can be paged. */
    private static List<String> failed(JsonNode report) {
        List<String> failed = new ArrayList<>();
        for (JsonNode function : report.path("functions")) {
            for (JsonNode check : function.path("checks")) {
                if (check.path("result").asText().equals(Check.Result.FAILED.name())
                        && !check.path("name").asText().equals(Check.PAGES)) {
                    failed.add(
                            function.path("region").asText()
                                    + " "
                                    + function.path("function").asText()
                                    + " "
                                    + check.path("name").asText()
                                    + ": "
                                    + check.path("saw").asText());
                }
            }
        }
        return failed;
    }
}
