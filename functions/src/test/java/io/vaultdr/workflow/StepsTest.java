package io.vaultdr.workflow;

import static io.vaultdr.workflow.Fixture.CLOCK;
import static io.vaultdr.workflow.Fixture.EPOCH;
import static io.vaultdr.workflow.Fixture.NOW;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vaultdr.failover.Incident;
import io.vaultdr.failover.Incident.Approval;
import io.vaultdr.failover.Incident.StepRecord;
import io.vaultdr.failover.Pager;
import io.vaultdr.failover.PairState.Phase;
import io.vaultdr.model.Failure;
import io.vaultdr.model.Outcome;
import io.vaultdr.model.Side;
import io.vaultdr.model.StepName;
import io.vaultdr.promotion.NodeCommands;
import io.vaultdr.promotion.NodeCommands.Result;
import io.vaultdr.promotion.NodeCommands.Run;
import io.vaultdr.promotion.QuarantineMark;
import io.vaultdr.runtime.Deadline;
import io.vaultdr.runtime.PairSettings.Stage;
import io.vaultdr.traffic.TrafficFlag;
import io.vaultdr.traffic.WeightedRecords;
import io.vaultdr.vault.HttpVaultClients;
import io.vaultdr.vault.LeaderFinder;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.mockito.Mockito;

import java.net.URI;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

/** AskApproval, Fence, RedirectTraffic and CloseIncident over stand-ins of their ports. */
class StepsTest {
    private final Fixture fixture = new Fixture();

    @Test
    void asksOnceWithReasonsAndHowToAnswerAndKeepsTheTokenToTheLedger() {
        fixture.open(new Approval.Needed(List.of("LONE_EVIDENCE")));

        fixture.run(ask());

        assertEquals(
                new Approval.Waiting(List.of("LONE_EVIDENCE"), NOW), fixture.incident().approval());
        assertEquals("task-token", fixture.ledger.taskToken(EPOCH).orElseThrow().reveal());
        String text = fixture.pages.getFirst().text();
        assertTrue(text.contains("LONE_EVIDENCE"), text);
        assertTrue(text.contains("./vault-dr approve payments"), text);
        assertTrue(text.contains("--function-name vault-dr-payments-control:operate"), text);
        assertTrue(
                !text.contains("task-token")
                        && !fixture.incident().toString().contains("task-token"));
    }

    @Test
    void aRepetitionWithANewTokenAsksAgainAndKeepsTheReasons() {
        fixture.open(new Approval.Needed(List.of("LONE_EVIDENCE")));
        fixture.run(ask());
        fixture.run(ask());

        assertEquals(2, fixture.pages.size());
        assertInstanceOf(Approval.Waiting.class, fixture.incident().approval());
    }

    @Test
    void aQuestionThatWasAnsweredMeanwhileLetsTheExecutionGoOn() {
        fixture.open(new Approval.Withdrawn(NOW));

        fixture.run(ask());

        assertEquals(List.of("task-token"), fixture.resumed);
        assertEquals(List.of(), fixture.pages);
        assertEquals(new Approval.Withdrawn(NOW), fixture.incident().approval());
    }

    @Test
    void aHomeThatIsStoppedIsCut() {
        fixture.open(new Approval.NotNeeded());

        Map<String, String> answer =
                fixture.run(
                        fence((c, d, l) -> List.of(new Run("i-1", Result.SUCCEEDED, "Success"))));

        assertEquals("yes", answer.get("cut"));
        assertEquals(List.of(), fixture.incident().findings());
    }

    @Test
    void aHomeThatDoesntAnswerIsRecordedAndPassed() {
        fixture.open(new Approval.NotNeeded());

        Map<String, String> answer =
                fixture.run(
                        fence(
                                (c, d, l) -> {
                                    throw unreachable();
                                },
                                new Mark("eu-north-1", true)));

        assertEquals("no", answer.get("cut"));
        List<String> findings = fixture.incident().findings();
        assertEquals(2, findings.size());
        assertTrue(findings.get(0).startsWith("Couldn't fence home"), findings::toString);
        assertTrue(findings.get(1).startsWith("No quarantine mark in eu-north-1"));
    }

    @Test
    void whatCouldNotBeCutIsTriedAgainAndWhatIsCutIsNot() {
        fixture.open(new Approval.NotNeeded());
        List<String> runs = new ArrayList<>();
        Fence fence =
                fence(
                        (c, d, l) -> {
                            runs.add(d);
                            if (runs.size() == 1) {
                                throw unreachable();
                            }
                            return List.of(new Run("i-1", Result.SUCCEEDED, "Success"));
                        });

        assertEquals("no", fixture.run(fence).get("cut"));
        assertEquals("yes", fixture.run(fence).get("cut"));
        assertEquals("yes", fixture.run(fence).get("cut"));

        assertEquals(2, runs.size());
        assertTrue(
                fixture.incident().findings().getLast().startsWith("Home is fenced now"),
                fixture.incident().findings()::toString);
    }

    @Test
    void instancesThatDidntStopAreNamed() {
        fixture.open(new Approval.NotNeeded());

        fixture.run(
                fence(
                        (c, d, l) ->
                                List.of(
                                        new Run("i-1", Result.SUCCEEDED, "Success"),
                                        new Run("i-2", Result.UNANSWERED, "DeliveryTimedOut"))));

        assertEquals(
                List.of(
                        "Couldn't fence home's instance i-2: DeliveryTimedOut. Its server may still"
                                + " run: stop it."),
                fixture.incident().findings());
    }

    @Test
    void anEmptyTagIsNamed() {
        fixture.open(new Approval.NotNeeded());

        fixture.run(fence((c, d, l) -> List.of()));

        assertTrue(fixture.incident().findings().getFirst().contains("Name=vault-eu-west-1"));
    }

    @Test
    void turnsFlagThenLedgerThenWeights() {
        fixture.open(new Approval.NotNeeded());
        Records records = new Records(false);

        Map<String, String> answer = fixture.run(redirect(records, false, false));

        assertEquals("turned", answer.get("weights"));
        assertEquals(Side.DR, fixture.ledger.state().serving());
        assertEquals(EPOCH, fixture.ledger.state().lineage());
        assertEquals(NOW, fixture.ledger.state().since());
        assertEquals(List.of(Side.DR), records.turned);
    }

    @Test
    void oneFlagIsEnough() {
        fixture.open(new Approval.NotNeeded());

        fixture.run(redirect(new Records(false), true, false));

        assertEquals(Side.DR, fixture.ledger.state().serving());
        assertTrue(fixture.incident().findings().getFirst().startsWith("One traffic flag"));
    }

    /** Clients turn with the first; a dead region's flag is given up a time-out later. */
    @Test
    void flaggedIsWhenTheFirstStood() {
        fixture.open(new Approval.NotNeeded());
        AtomicReference<Instant> now = new AtomicReference<>(NOW);
        CountDownLatch stood = new CountDownLatch(1);
        Clock clock = Mockito.mock(Clock.class);
        Mockito.when(clock.instant())
                .thenAnswer(
                        _ -> {
                            Instant at = now.get();
                            stood.countDown();
                            return at;
                        });
        TrafficFlag dead = Mockito.mock(TrafficFlag.class);
        Mockito.doAnswer(
                        _ -> {
                            assertTrue(stood.await(20, TimeUnit.SECONDS));
                            now.set(NOW.plusSeconds(2));
                            throw unreachable();
                        })
                .when(dead)
                .raise();

        Map<String, String> answer =
                fixture.run(
                        new RedirectTraffic(
                                fixture.ledger,
                                List.of(dead, new Flag("eu-central-1", false)),
                                Optional.empty(),
                                fixture.pager,
                                clock));

        assertEquals(NOW.toString(), answer.get(RedirectTraffic.FLAGGED_AT));
        assertEquals("eu-central-1", answer.get("flags"));
        assertEquals(NOW.plusSeconds(2), fixture.ledger.state().since());
    }

    @Test
    void withoutAFlagNobodyIsTurned() {
        fixture.open(new Approval.NotNeeded());

        assertThrows(
                Failure.OutcomeUnknown.class,
                () -> fixture.run(redirect(new Records(false), true, true)));

        assertEquals(Side.HOME, fixture.ledger.state().serving());
    }

    @Test
    void aRoute53ThatIsAwayIsAFindingAndAPage() {
        fixture.open(new Approval.NotNeeded());

        Map<String, String> answer = fixture.run(redirect(new Records(true), false, false));

        assertEquals("not turned", answer.get("weights"));
        assertEquals(Side.DR, fixture.ledger.state().serving());
        assertTrue(fixture.incident().findings().getFirst().startsWith("The weights could not"));
        assertEquals("weights-not-turned", fixture.pages.getFirst().runbook());
    }

    @Test
    void aDryRunGoesOnWhileRoute53IsAwayAndLeavesTheFlagAlone() {
        fixture.open(new Approval.NotNeeded());

        Map<String, String> answer =
                new StepRunner(fixture.ledger, Fixture.CLOCK)
                        .run(
                                redirect(new Records(true), false, false),
                                Fixture.dryRun(),
                                Fixture.deadline());

        assertTrue(answer.getOrDefault("weights", "").startsWith("not seen"), answer.toString());
        assertEquals(Side.HOME, fixture.ledger.state().serving());
    }

    @Test
    void aDryRunOfAskingLetsTheExecutionGoOnAndPagesNobody() {
        Map<String, String> answer =
                new StepRunner(fixture.ledger, CLOCK)
                        .run(ask(fixture.pager), Fixture.dryRun(), Fixture.deadline());

        assertEquals("2", answer.get("receivers"));
        assertEquals(List.of("task-token"), fixture.resumed);
        assertEquals(List.of(), fixture.pages);
    }

    @Test
    void aDryRunOfAskingFailsWhereNoPageWouldArrive() {
        Pager away =
                new Pager() {
                    @Override
                    public void page(Page page) {
                        throw new AssertionError("a dry run pages nobody");
                    }

                    @Override
                    public int receivers() {
                        throw new Failure.Terminal("look at the topic", "404", "Deploy it");
                    }
                };

        assertThrows(
                Failure.Terminal.class,
                () ->
                        new StepRunner(fixture.ledger, CLOCK)
                                .run(ask(away), Fixture.dryRun(), Fixture.deadline()));
        assertEquals(List.of(), fixture.resumed, "the machine sees the failure and no token");
    }

    /** A branch's own Catch leaves its error elsewhere than the others'. */
    @ParameterizedTest
    @ValueSource(strings = {"fenceAndPromote", "serveAndGrow"})
    void aDryRunWithABranchThatFailedFails(String parallel) {
        Map<String, Object> event =
                Map.of(
                        "pair",
                        Fixture.PAIR.value(),
                        "epoch",
                        0,
                        "dryRun",
                        true,
                        parallel,
                        List.of(
                                Map.of("failed", "Verify", "error", Map.of("Error", "Broken")),
                                Map.of("grow", Map.of())));
        CloseIncident close =
                new CloseIncident(
                        fixture.ledger,
                        fixture.pager,
                        Optional.empty(),
                        Optional.empty(),
                        Fixture.CLOCK);

        Failure failure =
                assertThrows(
                        Failure.Terminal.class,
                        () ->
                                close.close(
                                        StepInput.of(event, Fixture.PAIR),
                                        StepInput.failure(event)));

        assertTrue(failure.toString().contains("Broken"), failure::toString);
    }

    @Test
    void homesGroupKeepsWhatFenceStopsAndIsLetGoWhereHomeGoesOnServing() {
        fixture.open(new Approval.NotNeeded());
        fixture.run(fence((c, d, l) -> List.of(new Run("i-1", Result.SUCCEEDED, "Success"))));
        assertEquals(List.of("suspend"), fixture.home.told);

        assertEquals("FAILED", close().get("outcome"));

        assertEquals(List.of("suspend", "resume"), fixture.home.told);
        assertEquals(List.of(), fixture.dr.told);
    }

    @Test
    void homesGroupStaysAsItIsWhileDrServes() {
        fixture.open(new Approval.NotNeeded());
        done(StepName.FENCE, Map.of());
        done(StepName.REDIRECT_TRAFFIC, Map.of());

        assertEquals("COMPLETED", close().get("outcome"));

        assertEquals(List.of(), fixture.home.told);
        assertTrue(
                fixture.incident().findings().toString().contains("Home's group ends and replaces"),
                () -> fixture.incident().findings().toString());
    }

    @Test
    void aGroupThatDoesntAnswerIsSaid() {
        fixture.open(new Approval.NotNeeded());
        fixture.home.away = true;
        fixture.run(fence((c, d, l) -> List.of(new Run("i-1", Result.SUCCEEDED, "Success"))));

        assertTrue(
                fixture.incident().findings().toString().contains("Home's group may replace"),
                () -> fixture.incident().findings().toString());

        close();

        assertTrue(
                fixture.incident().findings().toString().contains("still ends no instances"),
                () -> fixture.incident().findings().toString());
    }

    @Test
    void aPromotionThatDiedLeavesNoGroupSuspended() {
        fixture.open(new Approval.NotNeeded());
        record(
                fixture,
                StepName.PROMOTE,
                new StepRecord(1, NOW, Optional.empty(), Map.of(), Optional.empty()));

        close();

        assertEquals(List.of("resume"), fixture.dr.told);
    }

    @Test
    void closesWhatWasTurned() {
        fixture.open(new Approval.NotNeeded());
        done(StepName.REDIRECT_TRAFFIC, Map.of());

        assertEquals("COMPLETED", close().get("outcome"));

        assertEquals(new Phase.Settled(), fixture.ledger.state().phase());
        assertEquals("after-failover", fixture.pages.getFirst().runbook());
        assertEquals("COMPLETED", close().get("outcome"));
        assertEquals(1, fixture.pages.size());
    }

    @Test
    void closesWithWhatTheJudgeDecided() {
        for (String decision : List.of("RECOVERED", "REJECTED", "TIMED_OUT")) {
            Fixture one = new Fixture().open(new Approval.NotNeeded());
            done(one, StepName.JUDGE, Map.of("decision", decision));
            assertEquals(decision, close(one).get("outcome"));
            assertEquals(Outcome.valueOf(decision), one.incident().outcome());
        }
    }

    @Test
    void aFailureNamesTheStepAndHowToGoOnAndTheNextIncidentCanOpen() {
        fixture.open(new Approval.NotNeeded());
        done(StepName.JUDGE, Map.of("decision", "PROCEED"));
        done(StepName.FENCE, Map.of());
        record(
                fixture,
                StepName.PROMOTE,
                new StepRecord(3, NOW, Optional.empty(), Map.of(), Optional.of("no snapshot")));

        assertEquals("FAILED", close().get("outcome"));

        String findings = String.join("\n", fixture.incident().findings());
        assertTrue(findings.contains("Promote did not finish: no snapshot (3 attempts)"), findings);
        assertTrue(findings.contains("brought to its end by States.Timeout"), findings);
        assertTrue(findings.contains("start them again"), findings);
        assertEquals("failover-failed", fixture.pages.getFirst().runbook());
        Incident next = Fixture.incident(EPOCH.next(), "evidence", new Approval.NotNeeded());
        assertTrue(fixture.ledger.open(fixture.ledger.state(), next).isPresent());
    }

    @Test
    void aGrowthThatFailedIsNamedThoughDrServes() {
        fixture.open(new Approval.NotNeeded());
        done(StepName.REDIRECT_TRAFFIC, Map.of());
        record(
                fixture,
                StepName.GROW,
                new StepRecord(1, NOW, Optional.empty(), Map.of(), Optional.of("1 vote")));

        assertEquals("COMPLETED", close().get("outcome"));

        assertTrue(
                fixture.incident().findings().getFirst().contains("Grow did not finish: 1 vote"));
    }

    private AskApproval ask() {
        return ask(fixture.pager);
    }

    private AskApproval ask(Pager pager) {
        return new AskApproval(
                Fixture.pair(Stage.AUTOMATIC),
                fixture.ledger,
                fixture.executions,
                pager,
                "vault-dr-payments-control",
                CLOCK);
    }

    private Fence fence(NodeCommands commands, QuarantineMark... marks) {
        return new Fence(
                Fixture.pair(
                        Stage.AUTOMATIC,
                        URI.create("http://127.0.0.1:9"),
                        URI.create("http://127.0.0.1:9")),
                commands,
                List.of(marks),
                new LeaderFinder(
                        new HttpVaultClients(
                                cluster -> Optional.empty(),
                                new HttpVaultClients.Limits(
                                        Duration.ofMillis(200), Duration.ofMillis(200)))),
                Optional.of(fixture.home));
    }

    private RedirectTraffic redirect(Records records, boolean drAway, boolean witnessAway) {
        return new RedirectTraffic(
                fixture.ledger,
                List.of(new Flag("eu-central-1", drAway), new Flag("eu-north-1", witnessAway)),
                Optional.of(records),
                fixture.pager,
                CLOCK);
    }

    private Map<String, String> close() {
        return close(fixture);
    }

    private static Map<String, String> close(Fixture one) {
        return new CloseIncident(
                        one.ledger, one.pager, Optional.of(one.dr), Optional.of(one.home), CLOCK)
                .close(Fixture.input(), Optional.of("States.Timeout"));
    }

    private void done(StepName step, Map<String, String> result) {
        done(fixture, step, result);
    }

    private static void done(Fixture one, StepName step, Map<String, String> result) {
        record(one, step, new StepRecord(1, NOW, Optional.of(NOW), result, Optional.empty()));
    }

    private static void record(Fixture one, StepName step, StepRecord record) {
        one.ledger.update(EPOCH, i -> i.withStep(step, record));
    }

    private record Mark(String place, boolean away) implements QuarantineMark {
        @Override
        public void put(Incident incident) {
            if (away) {
                throw unreachable();
            }
        }
    }

    private record Flag(String place, boolean away) implements TrafficFlag {
        @Override
        public boolean raised() {
            return false;
        }

        @Override
        public void raise() {
            if (away) {
                throw unreachable();
            }
        }
    }

    private record Records(boolean away, List<Side> turned) implements WeightedRecords {
        Records(boolean away) {
            this(away, new ArrayList<>());
        }

        @Override
        public Weights read() {
            if (away) {
                throw unreachable();
            }
            return new Weights(100, 0);
        }

        @Override
        public void turnTo(Side side, Deadline deadline) {
            turned.add(side);
        }
    }

    private static Failure unreachable() {
        return new Failure.OutcomeUnknown("call the region", "no answer", "Look again.");
    }
}
