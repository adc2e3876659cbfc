package io.vaultdr.rehearsal;

import static io.vaultdr.rehearsal.Ending.expect;

import io.vaultdr.failover.Incident;
import io.vaultdr.failover.Incident.Approval;
import io.vaultdr.model.Outcome;
import io.vaultdr.model.Side;
import io.vaultdr.model.Slots;
import io.vaultdr.model.StepName;
import io.vaultdr.rehearsal.Ending.Expectation;
import io.vaultdr.snapshot.Manifest;
import io.vaultdr.snapshot.Proof;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Predicate;

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
    private static final String AUTOMATIC = "automatic";

    /** What happens, in order. */
    @FunctionalInterface
    interface Play {
        void on(Stage stage) throws Exception;
    }

    /** All of them, the default one first. */
    static final List<Scenario> ALL =
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
                            "node-loss",
                            "Home's leader is killed; four of its five servers go on.",
                            "Nothing moves: Raft elects another leader within seconds.",
                            AUTOMATIC,
                            stage -> {
                                stage.strike("kill -9 for home's leader " + stage.killLeader());
                                stage.waitSlots(Slots.WINDOW + 2);
                            },
                            nothingMoved().and(nothingLost())),
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
                                Manifest newest = stage.takeSnapshot();
                                stage.awaitProof(newest.id(), Optional.empty());
                                stage.corruptNewest(Configuration.DR);
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
                                                            + " lost"))),
                    new Scenario(
                            "prove",
                            "A snapshot is committed; a function restores it into a real server of"
                                    + " its own and reads its canary back.",
                            "It is proven; nothing else moves.",
                            AUTOMATIC,
                            stage -> {
                                Manifest taken = stage.takeSnapshot();
                                Proof proof = stage.awaitProof(taken.id(), Optional.empty());
                                stage.check("the snapshot is proven", proof.proven());
                                stage.check(
                                        "the proof is of that archive",
                                        proof.sha256().equals(Optional.of(taken.sha256()))
                                                && proof.clusterId()
                                                        .equals(Optional.of(taken.clusterId())));
                            },
                            nothingMoved()
                                    .and(nothingLost())
                                    .and(fact("the snapshot is proven"))
                                    .and(fact("the proof is of that archive"))),
                    new Scenario(
                            "damaged-in-bucket",
                            "A proven snapshot is damaged in its bucket; it is proven again.",
                            "The proof names the damage, somebody is paged, nothing moves.",
                            AUTOMATIC,
                            stage -> {
                                Manifest taken = stage.takeSnapshot();
                                stage.awaitProof(taken.id(), Optional.empty());
                                stage.corruptNewest(Configuration.DR);
                                stage.check(
                                        "refuted as damaged",
                                        refuted(
                                                stage.proveAgain(taken.id()),
                                                Proof.Reason.ARCHIVE_DAMAGED));
                                stage.awaitPage("proof-refuted");
                            },
                            nothingMoved()
                                    .and(nothingLost())
                                    .and(paged())
                                    .and(fact("refuted as damaged"))),
                    new Scenario(
                            "wrong-key",
                            "The key that the seal is opened with is not the one that the"
                                    + " snapshot was sealed with.",
                            "The proof names the key; nothing moves.",
                            AUTOMATIC,
                            stage -> {
                                stage.replaceSealKey();
                                Manifest taken = stage.takeSnapshot();
                                Proof proof = stage.awaitProof(taken.id(), Optional.empty());
                                stage.check(
                                        "the wrong key is named",
                                        !proof.proven()
                                                && proof.reason()
                                                        .equals(
                                                                Optional.of(
                                                                        Proof.Reason
                                                                                .SEAL_KEY_WRONG)));
                            },
                            nothingMoved().and(nothingLost()).and(fact("the wrong key is named"))));

    private static boolean refuted(Proof proof, Proof.Reason reason) {
        return proof.verdict() == Proof.Verdict.REFUTED
                && proof.reason().equals(Optional.of(reason));
    }

    /** The scenario of this name. */
    static Optional<Scenario> named(String name) {
        return ALL.stream().filter(scenario -> scenario.name().equals(name)).findFirst();
    }

    private static Expectation failedOver(String diagnosis) {
        return movedOver(diagnosis).and(Scenario::withinTheBudget).and(Scenario::lossWasForetold);
    }

    /** The DR side serves and clients write there. */
    private static Expectation movedOver(String diagnosis) {
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

    private static Expectation nothingMoved() {
        return notMoved()
                .and(
                        (ending, differences) ->
                                expect(differences, "incidents", 0, ending.incidents().size()));
    }

    private static Expectation notMoved() {
        return (ending, differences) -> {
            expect(differences, "serving", Side.HOME, ending.state().serving());
            expect(differences, "clients are told", Side.HOME, ending.told());
            expect(differences, "a flag stands", false, ending.flags().containsValue(true));
            expect(differences, "weights", new Resolver.Weights(100, 0), ending.weights());
            expect(differences, "the standby is initialised", false, ending.drInitialised());
        };
    }

    private static Expectation nothingLost() {
        return (ending, differences) ->
                expect(differences, "lost writes", OptionalInt.of(0), ending.account().lost());
    }

    private static Expectation asked(String diagnosis) {
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

    private static Expectation outcome(Outcome outcome) {
        return (ending, differences) ->
                expect(
                        differences,
                        "outcome",
                        outcome.name(),
                        ending.incident().map(i -> i.outcome().name()).orElse("NONE"));
    }

    private static Expectation diagnosis(String diagnosis) {
        return (ending, differences) ->
                expect(
                        differences,
                        "diagnosis",
                        diagnosis,
                        ending.incident().map(Incident::diagnosis).orElse("none"));
    }

    private static Expectation gate(String gate) {
        return ofIncident("gate " + gate + " applied", i -> i.gates().contains(gate));
    }

    private static Expectation finding(String pattern) {
        return ofIncident(
                "a finding matches " + pattern,
                i ->
                        i.findings().stream()
                                .anyMatch(
                                        finding -> finding.matches("(?is).*(" + pattern + ").*")));
    }

    private static Expectation takenUpAgain() {
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

    private static Expectation oneExecution() {
        return (ending, differences) -> expect(differences, "executions", 1, ending.executions());
    }

    private static Expectation paged() {
        return (ending, differences) ->
                expect(differences, "somebody was paged", false, ending.pages().isEmpty());
    }

    private static Expectation fact(String fact) {
        return (ending, differences) ->
                expect(differences, fact, true, ending.facts().contains(fact));
    }

    private static Expectation turnedByFlagAlone() {
        return movedWithoutWeights("DOWN")
                .and(Scenario::withinTheBudget)
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
