package io.vaultdr.rehearsal;

import static io.vaultdr.rehearsal.Expectations.asked;
import static io.vaultdr.rehearsal.Expectations.diagnosis;
import static io.vaultdr.rehearsal.Expectations.fact;
import static io.vaultdr.rehearsal.Expectations.failedOver;
import static io.vaultdr.rehearsal.Expectations.finding;
import static io.vaultdr.rehearsal.Expectations.gate;
import static io.vaultdr.rehearsal.Expectations.movedOver;
import static io.vaultdr.rehearsal.Expectations.notMoved;
import static io.vaultdr.rehearsal.Expectations.nothingLost;
import static io.vaultdr.rehearsal.Expectations.nothingMoved;
import static io.vaultdr.rehearsal.Expectations.oneExecution;
import static io.vaultdr.rehearsal.Expectations.outcome;
import static io.vaultdr.rehearsal.Expectations.paged;
import static io.vaultdr.rehearsal.Expectations.takenUpAgain;
import static io.vaultdr.rehearsal.Expectations.turnedByFlagAlone;

import io.vaultdr.model.Outcome;
import io.vaultdr.model.Slots;
import io.vaultdr.rehearsal.Ending.Expectation;
import io.vaultdr.snapshot.Manifest;

import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A way in which things go wrong, and how it has to end.
 *
 * @param name what it is called on the command line
 * @param what what happens to the world
 * @param expected how it ends, in words
 * @param stage the rung of the ladder that the pair stands on
 * @param play does the harm, and waits until it is over
 * @param expectation what must be so at the end
 */
record Scenario(
        String name,
        String what,
        String expected,
        String stage,
        Play play,
        Expectation expectation) {
    static final String AUTOMATIC = "automatic";

    /** What happens, in order. */
    @FunctionalInterface
    interface Play {
        void on(Stage stage) throws Exception;
    }

    private static final List<Scenario> DISASTERS =
            List.of(
                    new Scenario(
                            "region-loss",
                            "The home region dies: its servers, its functions and schedules, the"
                                    + " links to it and every AWS call made for it.",
                            "Fails over after the window; nobody is asked.",
                            AUTOMATIC,
                            stage -> {
                                stage.loseHome();
                                stage.awaitEnd(Outcome.COMPLETED);
                            },
                            failedOver("DOWN")),
                    new Scenario(
                            "quorum-loss",
                            "Three of home's five servers are killed. The other two answer, but"
                                    + " nobody leads and nothing can be written.",
                            "Fails over after the window; home's servers answer, so they are"
                                    + " stopped and the fence is closed.",
                            AUTOMATIC,
                            stage -> {
                                stage.warmSteps();
                                stage.strike("kill -9 for three of home's five servers");
                                stage.killMajority();
                                stage.awaitEnd(Outcome.COMPLETED);
                            },
                            failedOver("DOWN").and(fact("home's servers are stopped"))),
                    new Scenario(
                            "sealed",
                            "Somebody seals home, server by server, and stops those that nobody"
                                    + " is left to seal: perhaps a hand on the brake.",
                            "Asks; the operator says no, and nothing moves.",
                            AUTOMATIC,
                            stage -> {
                                stage.strike("home is sealed, server by server");
                                stage.sealHome();
                                stage.awaitAsked();
                                stage.operate("reject", "sealed on purpose");
                                stage.awaitEnd(Outcome.REJECTED);
                                stage.unsealHome();
                            },
                            notMoved()
                                    .and(outcome(Outcome.REJECTED))
                                    .and(diagnosis("ALL_SEALED"))
                                    .and(nothingLost())),
                    new Scenario(
                            "flap-90s",
                            "Every vantage's links to home are cut for nine slots, 90 seconds, and"
                                    + " come back.",
                            "Nothing moves: the window isn't full.",
                            AUTOMATIC,
                            stage -> {
                                stage.strike("all vantages' links to home are cut");
                                stage.cut(Configuration.HOME);
                                stage.cut(Configuration.DR);
                                stage.cut(Configuration.WITNESS);
                                stage.waitSlots(9);
                                stage.mendAll();
                                stage.waitSlots(Slots.WINDOW + 1);
                            },
                            nothingMoved().and(nothingLost())),
                    new Scenario(
                            "probe-partition",
                            "The DR region is cut off from home; the witness and home see home"
                                    + " serve.",
                            "Nothing moves, and somebody is paged.",
                            AUTOMATIC,
                            stage -> {
                                stage.strike("links from the DR region to home are cut");
                                stage.cut(Configuration.DR);
                                stage.waitSlots(Slots.WINDOW + 9);
                            },
                            nothingMoved().and(nothingLost()).and(paged())),
                    new Scenario(
                            "home-island",
                            "Home is cut off from the DR region and the witness, and only its own"
                                    + " vantage still sees it serve.",
                            "Asks, since clients near home may still be served; nothing moves.",
                            AUTOMATIC,
                            stage -> {
                                stage.strike("links from DR and witness to home are cut");
                                stage.cut(Configuration.DR);
                                stage.cut(Configuration.WITNESS);
                                stage.awaitAsked();
                                stage.waitSlots(2);
                            },
                            asked("PARTITIONED").and(nothingLost())),
                    new Scenario(
                            "lone-evidence",
                            "Home dies, and the witness' region with it: only the DR region is"
                                    + " left to say so.",
                            "Asks: one can't tell a lost region from a lost link; nothing moves.",
                            AUTOMATIC,
                            stage -> {
                                stage.loseHome();
                                stage.loseRegion(Configuration.WITNESS);
                                stage.awaitAsked();
                                stage.waitSlots(2);
                            },
                            asked("DOWN").and(gate("LONE_EVIDENCE"))),
                    new Scenario(
                            "held-then-released",
                            "The pair is paused when the home region dies, and resumed later.",
                            "Holds while paused; fails over with the first evaluation after it is"
                                    + " resumed.",
                            AUTOMATIC,
                            stage -> {
                                stage.operate("pause", "maintenance");
                                stage.loseHome();
                                stage.awaitVerdict("HOLD: PAUSED", "DOWN");
                                stage.waitSlots(2);
                                stage.check(
                                        "nothing was done while it was paused",
                                        stage.ledger().incidents(1).isEmpty());
                                stage.operate("resume", "maintenance is over");
                                stage.awaitEnd(Outcome.COMPLETED);
                            },
                            movedOver("DOWN").and(fact("nothing was done while it was paused"))),
                    new Scenario(
                            "recovers-during-approval",
                            "Home can't be reached from anywhere; while a person is asked it comes"
                                    + " back.",
                            "Asks, finds that home serves again, and moves nothing.",
                            "approval",
                            stage -> {
                                stage.strike("all vantages' links to home are cut");
                                stage.cut(Configuration.HOME);
                                stage.cut(Configuration.DR);
                                stage.cut(Configuration.WITNESS);
                                stage.cut(Stage.CLIENTS);
                                stage.awaitAsked();
                                stage.mendAll();
                                stage.awaitEnd(Outcome.RECOVERED);
                            },
                            notMoved().and(outcome(Outcome.RECOVERED)).and(nothingLost())),
                    new Scenario(
                            "duplicate-alarms",
                            "The home region dies, and every alarm is delivered three times.",
                            "One incident, one execution; fails over.",
                            AUTOMATIC,
                            stage -> {
                                stage.world().faults().duplicateAlarms(3);
                                stage.loseHome();
                                stage.awaitEnd(Outcome.COMPLETED);
                            },
                            failedOver("DOWN").and(oneExecution())),
                    new Scenario(
                            "corrupt-snapshot",
                            "The newest snapshot was damaged in the DR region's bucket before the"
                                    + " home region dies.",
                            "Restores the one before it, and says what more is lost.",
                            AUTOMATIC,
                            stage -> {
                                stage.warmSteps();
                                Manifest before =
                                        stage.buckets().listed(Configuration.DR).getFirst();
                                stage.awaitProof(before.id(), Optional.empty());
                                Manifest newest = stage.takeSnapshot();
                                stage.awaitProof(newest.id(), Optional.empty());
                                stage.corruptNewerThan(Configuration.DR, before);
                                stage.loseHome();
                                stage.awaitEnd(Outcome.COMPLETED);
                            },
                            movedOver("DOWN").and(finding("damaged|corrupt|hash|not whole"))),
                    new Scenario(
                            "route53-down",
                            "The home region dies while Route 53's control plane answers nobody.",
                            "Fails over: the flag alone turns the clients; that the weights stand"
                                    + " as they were is said.",
                            AUTOMATIC,
                            stage -> {
                                stage.world().faults().refuse("route53");
                                stage.loseHome();
                                stage.awaitEnd(Outcome.COMPLETED);
                            },
                            turnedByFlagAlone()),
                    new Scenario(
                            "killed-mid-promotion",
                            "The home region dies; the function that promotes is killed when the"
                                    + " restore has begun.",
                            "The step is taken up again and completes.",
                            AUTOMATIC,
                            stage -> {
                                stage.warmSteps();
                                stage.killInPromotion();
                                stage.loseHome();
                                stage.awaitEnd(Outcome.COMPLETED);
                            },
                            failedOver("DOWN").and(takenUpAgain())),
                    new Scenario(
                            "leader-change-mid-snapshot",
                            "While a snapshot is read over a slow link its leader is killed.",
                            "That snapshot is retried from the new leader; nothing bad is listed.",
                            AUTOMATIC,
                            stage -> {
                                stage.beginSlowSnapshot();
                                stage.strike(
                                        "kill -9 for the leader that is being read, "
                                                + stage.killLeader());
                                stage.mendAll();
                                stage.awaitSnapshotAfterStrike();
                            },
                            nothingMoved()
                                    .and(nothingLost())
                                    .and(
                                            fact(
                                                    "a snapshot was committed after the leader was"
                                                            + " lost"))));

    /** All of them, the default one first. */
    static final List<Scenario> ALL =
            Stream.of(
                            DISASTERS.stream(),
                            ProofScenarios.all().stream(),
                            Stream.of(DoctorScenario.scenario()))
                    .flatMap(it -> it)
                    .toList();

    /** The scenario of this name. */
    static Optional<Scenario> named(String name) {
        return ALL.stream().filter(scenario -> scenario.name().equals(name)).findFirst();
    }
}
