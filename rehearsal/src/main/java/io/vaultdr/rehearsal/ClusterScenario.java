package io.vaultdr.rehearsal;

import static io.vaultdr.rehearsal.ClusterStage.TOLERANT;
import static io.vaultdr.rehearsal.ClusterStage.WHOLE;
import static io.vaultdr.rehearsal.Expectations.fact;
import static io.vaultdr.rehearsal.Expectations.facts;
import static io.vaultdr.rehearsal.Expectations.nothingLost;
import static io.vaultdr.rehearsal.Expectations.nothingMoved;
import static io.vaultdr.rehearsal.Expectations.pagedOnly;

import io.vaultdr.model.Slots;
import io.vaultdr.rehearsal.Ending.Expectation;
import io.vaultdr.snapshot.Proof;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What happens to a cluster that the CDK app made, and how it has to end. Five machines were
 * started by the boot script, InitializeCluster has brought them to service, and clients write and
 * read when it begins.
 *
 * @param longestGap how long clients may be unable to write
 */
record ClusterScenario(
        String name,
        String what,
        String expected,
        Duration longestGap,
        Play play,
        Expectation expectation) {
    /** An election, and a client that found the dead node first. */
    private static final Duration ELECTION = Duration.ofSeconds(15);

    /** The same, and what the balancer takes to find out: two checks of ten seconds. */
    private static final Duration MACHINE = Duration.ofSeconds(40);

    /** What happens, in order. */
    @FunctionalInterface
    interface Play {
        void on(ClusterStage stage) throws Exception;
    }

    static final List<ClusterScenario> ALL =
            List.of(
                    new ClusterScenario(
                            "initialize",
                            "Both clusters are made: their groups start blank machines by the boot"
                                    + " script, and InitializeCluster is run, twice.",
                            "Five voters at home, the recovery keys in both regions, no root token"
                                    + " left; the second run changes nothing and finds no drift.",
                            ELECTION,
                            stage -> {
                                stage.check(
                                        "the recovery keys are in both regions",
                                        stage.secret(Configuration.HOME, "recovery-keys")
                                                .filter(
                                                        stage.secret(
                                                                                Configuration.DR,
                                                                                "recovery-keys")
                                                                        .orElse("none")
                                                                ::equals)
                                                .isPresent());
                                var before = stage.peers();
                                var again = stage.run("initialize-cluster");
                                stage.check(
                                        "the second run changes nothing",
                                        again.path("found").asText().equals("COMPARE")
                                                && again.path("done").isEmpty()
                                                && before.equals(stage.peers()));
                                stage.check(
                                        "it finds no drift",
                                        again.path("drift").isEmpty()
                                                && again.path("problems").isEmpty());
                                stage.awaitWhole(Set.of());
                            },
                            made().and(
                                            facts(
                                                    "the recovery keys are in both regions",
                                                    "no root token is left",
                                                    "the second run changes nothing",
                                                    "it finds no drift"))),
                    new ClusterScenario(
                            "node-loss",
                            "The instance of home's leader loses its power.",
                            "Nothing moves: Raft elects another leader within seconds. The group"
                                    + " replaces the instance, its peer is removed once the"
                                    + " replacement votes, and there are five voters again.",
                            MACHINE,
                            stage -> {
                                String leader = stage.leader();
                                stage.strike("the power of " + leader + " is cut, which leads");
                                stage.kill(leader);
                                stage.waitSlots(Slots.WINDOW + 2);
                                stage.awaitWhole(Set.of(leader));
                                stage.checkNeverFewer(5);
                            },
                            made().and(fact("never fewer than 5 voters"))),
                    new ClusterScenario(
                            "zone-loss",
                            "A zone of home is lost, and with it two of the five nodes.",
                            "Clients go on writing, nothing moves; the other zones get two new"
                                    + " nodes, and only then the lost peers are removed.",
                            MACHINE,
                            stage -> {
                                String zone = stage.fullestZone();
                                Set<String> lost = stage.in(zone);
                                stage.strike("zone " + zone + " is lost, with " + lost);
                                stage.check("two of five were lost", lost.size() == 2);
                                stage.world().loseZone(zone);
                                stage.waitSlots(Slots.WINDOW + 2);
                                stage.awaitWhole(lost);
                                stage.checkNeverFewer(5);
                                stage.check(
                                        "nothing runs in the lost zone", stage.in(zone).isEmpty());
                            },
                            made().and(
                                            facts(
                                                    "two of five were lost",
                                                    "never fewer than 5 voters",
                                                    "nothing runs in the lost zone"))),
                    new ClusterScenario(
                            "rolling-image",
                            "There is a new image, and an instance refresh brings it to home's"
                                    + " nodes.",
                            "Every node is replaced, one after the other, each new one votes before"
                                    + " an old one goes; clients go on.",
                            ELECTION,
                            stage -> {
                                Set<String> before = stage.ids();
                                stage.strike("an instance refresh begins");
                                stage.roll("ami-0new");
                                stage.awaitWhole(before);
                                stage.checkNeverFewer(5);
                            },
                            made().and(
                                            facts(
                                                    "never fewer than 5 voters",
                                                    "every instance has the new image"))),
                    new ClusterScenario(
                            "terminate-leader",
                            "Somebody ends the instance of home's leader by its group.",
                            "The hook holds it: it stands down, its peer is removed, then the"
                                    + " instance goes; the group replaces it.",
                            ELECTION,
                            stage -> {
                                String leader = stage.leader();
                                stage.strike("the instance " + leader + " is ended, which leads");
                                stage.terminate(leader);
                                stage.follow(leader);
                                stage.awaitWhole(Set.of(leader));
                            },
                            made().and(
                                            facts(
                                                    "the leader stood down first",
                                                    "its peer was removed before its machine"
                                                            + " went"))),
                    new ClusterScenario(
                            "terminate-too-many",
                            "Somebody ends four of home's five instances at once.",
                            "As many go as leave a fault tolerance of one; the others are held by"
                                    + " the hook, somebody is paged, and they go one by one as"
                                    + " replacements vote.",
                            MACHINE,
                            stage -> {
                                Set<String> going = stage.allBut(1);
                                stage.strike("four instances are ended: " + going);
                                going.forEach(stage::terminate);
                                stage.awaitHeld(going, 1);
                                stage.awaitPage("intolerable");
                                stage.awaitWhole(going);
                                stage.checkNeverFewer(3);
                            },
                            movedNothing()
                                    .and(pagedOnly("intolerable"))
                                    .and(
                                            facts(
                                                    "a page came: intolerable",
                                                    "never fewer than 3 voters"))),
                    new ClusterScenario(
                            "rotate-logins",
                            "The secret id by which snapshots are taken is destroyed at the server,"
                                    + " as one that has leaked.",
                            "RotateLogins, which runs by its schedule, issues another one and"
                                    + " brings it to both regions; the next snapshot is taken with"
                                    + " it and proven, and nobody has deployed anything.",
                            ELECTION,
                            stage -> {
                                String before = stage.login(Configuration.HOME);
                                stage.strike("the secret id of the login snapshot is destroyed");
                                stage.destroyLogin(before);
                                stage.run("rotate-logins");
                                String after = stage.login(Configuration.HOME);
                                stage.check(
                                        "there is another secret id, the same in both regions",
                                        !before.equals(after)
                                                && after.equals(stage.login(Configuration.DR)));
                                Proof proof =
                                        stage.awaitProof(
                                                stage.takeSnapshot().id(), Optional.empty());
                                stage.check(
                                        "a snapshot is taken with it, and proven", proof.proven());
                                stage.check(
                                        "no secret id is in a log", stage.unlogged(before, after));
                                stage.awaitWhole(Set.of());
                            },
                            made().and(
                                            facts(
                                                    "there is another secret id, the same in both"
                                                            + " regions",
                                                    "a snapshot is taken with it, and proven",
                                                    "no secret id is in a log"))));

    /**
     * Nothing moved, nothing is lost, the cluster is whole, and nobody had to be woken for its
     * sake.
     */
    private static Expectation made() {
        return movedNothing().and(pagedOnly());
    }

    private static Expectation movedNothing() {
        return nothingMoved().and(nothingLost()).and(facts(WHOLE, TOLERANT));
    }

    /** The scenario of this name. */
    static Optional<ClusterScenario> named(String name) {
        return ALL.stream().filter(scenario -> scenario.name().equals(name)).findFirst();
    }
}
