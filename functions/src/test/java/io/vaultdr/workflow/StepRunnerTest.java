package io.vaultdr.workflow;

import static io.vaultdr.workflow.Fixture.CLOCK;
import static io.vaultdr.workflow.Fixture.EPOCH;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vaultdr.failover.Incident.Approval;
import io.vaultdr.failover.Incident.StepRecord;
import io.vaultdr.failover.Ledger.StaleEpochException;
import io.vaultdr.failover.PairState.Phase;
import io.vaultdr.model.Failure;
import io.vaultdr.model.Outcome;
import io.vaultdr.model.StepName;

import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

class StepRunnerTest {
    private final Fixture fixture = new Fixture().open(new Approval.NotNeeded());
    private final List<Map<String, String>> performed = new ArrayList<>();

    @Test
    void aStepThatIsFinishedGivesTheSameAnswerAndDoesNothing() {
        Step step = step(work -> Map.of("cut", "yes"));

        Map<String, String> first = fixture.run(step);
        Map<String, String> second = fixture.run(step);

        assertEquals(Map.of("cut", "yes"), first);
        assertEquals(first, second);
        assertEquals(1, performed.size());
        assertEquals(1, record().attempts());
        assertEquals(Optional.of(CLOCK.instant()), record().finishedAt());
    }

    @Test
    void theAnswerOfAFinishedStepStandsAfterTheIncidentIsClosed() {
        Step step = step(work -> Map.of("cut", "yes"));
        fixture.run(step);
        fixture.ledger.update(EPOCH, i -> i.closed(Outcome.COMPLETED, CLOCK.instant()));

        assertEquals(Map.of("cut", "yes"), fixture.run(step));
    }

    @Test
    void beginsUnderTheIncidentsNameInTheState() {
        fixture.run(step(work -> Map.of()));

        assertEquals(new Phase.Changing(EPOCH, StepName.FENCE), fixture.ledger.state().phase());
    }

    @Test
    void refusesAStaleEpoch() {
        fixture.ledger.update(EPOCH, i -> i.closed(Outcome.FAILED, CLOCK.instant()));
        fixture.ledger.open(
                fixture.ledger.state(),
                Fixture.incident(EPOCH.next(), "evidence", new Approval.NotNeeded()));

        assertThrows(StaleEpochException.class, () -> fixture.run(step(work -> Map.of())));
        assertTrue(performed.isEmpty());
    }

    @Test
    void refusesAClosedIncident() {
        fixture.ledger.update(EPOCH, i -> i.closed(Outcome.REJECTED, CLOCK.instant()));

        assertThrows(StaleEpochException.class, () -> fixture.run(step(work -> Map.of())));
        assertTrue(performed.isEmpty());
    }

    /** An error is how a kill looks from here: nothing is written after it. */
    @Test
    void aKilledStepIsTakenUpWithWhatItRemembered() {
        Step killed =
                step(
                        work -> {
                            work.remember("initialised", "node-1");
                            throw new Killed();
                        });
        assertThrows(Killed.class, () -> fixture.run(killed));
        assertEquals(Optional.empty(), record().finishedAt());

        Map<String, String> answer = fixture.run(step(work -> Map.of("done", "yes")));

        assertEquals(Map.of("initialised", "node-1"), performed.getLast());
        assertEquals(Map.of("initialised", "node-1", "done", "yes"), answer);
        assertEquals(2, record().attempts());
    }

    @Test
    void aFailureIsWrittenDownAndTheNextAttemptClearsIt() {
        Failure failure = new Failure.Retryable("ask home", "silence", "Ask again");
        assertEquals(
                failure,
                assertThrows(
                        Failure.class,
                        () ->
                                fixture.run(
                                        step(
                                                work -> {
                                                    throw failure;
                                                }))));
        assertEquals(Optional.of("ask home: silence. Ask again"), record().failure());

        fixture.run(step(work -> Map.of()));

        assertEquals(Optional.empty(), record().failure());
        assertEquals(2, record().attempts());
    }

    @Test
    void anotherExceptionsTextIsNotWrittenDown() {
        assertThrows(
                IllegalStateException.class,
                () ->
                        fixture.run(
                                step(
                                        work -> {
                                            throw new IllegalStateException("hvs.token");
                                        })));

        assertEquals(Optional.of("java.lang.IllegalStateException"), record().failure());
    }

    @Test
    void anAttemptThatWasOvertakenWritesNoMore() {
        Step overtaken =
                step(
                        work -> {
                            fixture.run(step(inner -> Map.of("by", "the second")));
                            return Map.of("by", "the first");
                        });

        assertThrows(StaleEpochException.class, () -> fixture.run(overtaken));

        assertEquals(Map.of("by", "the second"), record().result());
    }

    @Test
    void anAnswerThatIsntTheLastIsGivenAnewEachTime() {
        Step asking =
                new Step() {
                    @Override
                    public StepName name() {
                        return StepName.FENCE;
                    }

                    @Override
                    public Map<String, String> perform(Work work) {
                        performed.add(work.remembered());
                        return Map.of("decision", performed.size() == 1 ? "ASK" : "DONE");
                    }

                    @Override
                    public boolean settled(StepRecord finished) {
                        return "DONE".equals(finished.result().get("decision"));
                    }
                };

        assertEquals("ASK", fixture.run(asking).get("decision"));
        assertEquals("DONE", fixture.run(asking).get("decision"));
        assertEquals("DONE", fixture.run(asking).get("decision"));
        assertEquals(2, performed.size());
    }

    @Test
    void findingsAreKeptOnceAndAtOnce() {
        Step step =
                step(
                        work -> {
                            work.find("Home could not be fenced.");
                            work.find("Home could not be fenced.");
                            assertEquals(
                                    List.of("Home could not be fenced."),
                                    fixture.incident().findings());
                            return Map.of();
                        });

        fixture.run(step);

        assertEquals(List.of("Home could not be fenced."), fixture.incident().findings());
    }

    @Test
    void aDryRunWritesNothing() {
        long version = fixture.ledger.state().version();
        Step step =
                step(
                        work -> {
                            assertTrue(work.dryRun());
                            work.remember("a", "b");
                            work.find("something");
                            return Map.of("would", "cut");
                        });

        Map<String, String> answer =
                new StepRunner(fixture.ledger, CLOCK)
                        .run(step, Fixture.dryRun(), Fixture.deadline());

        assertEquals(Map.of("would", "cut"), answer);
        assertEquals(version, fixture.ledger.state().version());
        assertFalse(fixture.incident().steps().containsKey(StepName.FENCE));
        assertEquals(List.of(), fixture.incident().findings());
    }

    private Step step(Function<Work, Map<String, String>> body) {
        return new Step() {
            @Override
            public StepName name() {
                return StepName.FENCE;
            }

            @Override
            public Map<String, String> perform(Work work) {
                performed.add(work.remembered());
                return body.apply(work);
            }
        };
    }

    private StepRecord record() {
        return Optional.ofNullable(fixture.incident().steps().get(StepName.FENCE)).orElseThrow();
    }

    private static final class Killed extends Error {}
}
