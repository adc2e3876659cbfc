package io.vaultdr.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vaultdr.cluster.FaultTolerance.Decision;
import io.vaultdr.cluster.FaultTolerance.Instance;
import io.vaultdr.cluster.FaultTolerance.Lifecycle;
import io.vaultdr.cluster.FaultTolerance.Peer;
import io.vaultdr.cluster.FaultTolerance.Raft;
import io.vaultdr.cluster.FaultTolerance.Rule;
import io.vaultdr.cluster.FaultTolerance.World;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The table, row by row. A node is written as its name, its instance and its peer: {@code a:in:V}
 * is in service and a healthy voter.
 *
 * <p>Instances: {@code pend}, {@code wait} (the launch hook holds it), {@code in}, {@code term}
 * (the termination hook holds it; {@code term90} for ninety minutes), {@code out}, {@code -}
 * (none). Peers: {@code L} leads, {@code V} votes, {@code v} votes and isn't healthy, {@code N}
 * doesn't vote, {@code n} doesn't and isn't healthy, {@code -} (none).
 */
class FaultToleranceTest {
    private static final Duration LIMIT = Duration.ofHours(1);

    static Stream<Arguments> rows() {
        return Stream.of(
                row("all is well", 3, "a:in:L b:in:V c:in:V", ""),
                // Terminations.
                row(
                        "five keep one to spare",
                        5,
                        "a:in:L b:in:V c:in:V d:in:V e:term:V",
                        "e:Remove:TOLERABLE"),
                row("so do four", 5, "a:in:L b:in:V c:in:V e:term:V", "e:Remove:TOLERABLE"),
                row("three don't", 3, "a:in:L b:in:V c:term:V", "c:HoldTermination:INTOLERABLE"),
                row(
                        "until a replacement votes",
                        3,
                        "a:in:L b:in:V c:term:V d:in:V",
                        "c:Remove:TOLERABLE"),
                row(
                        "and not while it only joins",
                        3,
                        "a:in:L b:in:V c:term:V d:wait:N",
                        "d:HoldLaunch:JOINING c:HoldTermination:INTOLERABLE"),
                row(
                        "or is unwell",
                        3,
                        "a:in:L b:in:V c:term:V d:in:v",
                        "c:HoldTermination:INTOLERABLE"),
                row(
                        "a leader stands down first",
                        5,
                        "a:term:L b:in:V c:in:V d:in:V e:in:V",
                        "a:StandDown:TOLERABLE"),
                row(
                        "and isn't troubled while it is held",
                        3,
                        "a:term:L b:in:V c:in:V",
                        "a:HoldTermination:INTOLERABLE"),
                row(
                        "a peer that is out lets its instance go",
                        3,
                        "a:in:L b:in:V c:in:V d:term:-",
                        "d:LetGo:NO_PEER"),
                row(
                        "who doesn't vote is no loss",
                        3,
                        "a:in:L b:in:V c:in:V d:term:N",
                        "d:Remove:NON_VOTER"),
                row(
                        "a dead one too waits for tolerance",
                        5,
                        "a:in:L b:in:V c:in:V d:in:v e:term:v",
                        "e:HoldTermination:INTOLERABLE"),
                // Several at once.
                row(
                        "one at a time",
                        5,
                        "a:in:L b:in:V c:in:V d:term:V e:term:V",
                        "d:Remove:TOLERABLE e:HoldTermination:ONE_AT_A_TIME"),
                row(
                        "the leader last",
                        5,
                        "a:term:L b:in:V c:in:V d:in:V e:term:V",
                        "e:Remove:TOLERABLE a:HoldTermination:ONE_AT_A_TIME"),
                row(
                        "the dead before the living",
                        5,
                        "a:in:L b:in:V c:in:V d:in:V e:term:V f:term:v",
                        "f:Remove:TOLERABLE e:HoldTermination:ONE_AT_A_TIME"),
                row(
                        "but all that only wait may go",
                        3,
                        "a:in:L b:in:V c:in:V d:term:- e:term:-",
                        "d:LetGo:NO_PEER e:LetGo:NO_PEER"),
                row(
                        "too many are held",
                        5,
                        "a:in:L b:in:V c:term:V d:term:V e:term:-",
                        "e:LetGo:NO_PEER c:Remove:TOLERABLE d:HoldTermination:ONE_AT_A_TIME"),
                row(
                        "as soon as it would cost",
                        5,
                        "a:in:L b:in:V c:term:V",
                        "c:HoldTermination:INTOLERABLE"),
                // The limit.
                row(
                        "after the limit the quorum is enough",
                        3,
                        "a:in:L b:in:V c:term90:V",
                        "c:Remove:LIMIT_REACHED"),
                row("for a leader too", 3, "a:term90:L b:in:V c:in:V", "a:StandDown:LIMIT_REACHED"),
                row(
                        "without it nothing goes",
                        3,
                        "a:in:L b:in:v c:term90:V",
                        "c:HoldTermination:QUORUM_AT_STAKE"),
                row("nor the last two", 2, "a:in:L b:term90:v", "b:Remove:LIMIT_REACHED"),
                row("nor the last one", 1, "a:term90:L", "a:HoldTermination:QUORUM_AT_STAKE"),
                // Simply gone.
                row(
                        "a gone one stays until its replacement votes",
                        3,
                        "a:in:L b:in:V c:-:v",
                        "c:Leave:UNREPLACED"),
                row("not only joins", 3, "a:in:L b:in:V c:-:v d:in:N", "c:Leave:UNREPLACED"),
                row("then it is removed", 3, "a:in:L b:in:V c:-:v d:in:V", "c:Remove:REPLACED"),
                row(
                        "one whose hook is over is gone",
                        3,
                        "a:in:L b:in:V c:out:v d:in:V",
                        "c:Remove:REPLACED"),
                row(
                        "but not while it answers",
                        3,
                        "a:in:L b:in:V c:out:V d:in:V",
                        "c:Leave:STRANGER"),
                row(
                        "a stranger that is well is never touched",
                        3,
                        "a:in:L b:in:V c:in:V d:-:V",
                        "d:Leave:STRANGER"),
                row(
                        "a gone non-voter is removed",
                        3,
                        "a:in:L b:in:V c:in:V d:-:n",
                        "d:Remove:NON_VOTER"),
                row(
                        "two gone, one replaced",
                        5,
                        "a:in:L b:in:V c:in:V d:-:v e:-:v f:in:V",
                        "d:Remove:REPLACED e:Leave:ONE_AT_A_TIME"),
                row(
                        "then the other waits",
                        5,
                        "a:in:L b:in:V c:in:V e:-:v f:in:V",
                        "e:Leave:UNREPLACED"),
                row(
                        "a group that wants fewer needs no replacement",
                        3,
                        "a:in:L b:in:V c:in:V d:-:v",
                        "d:Remove:REPLACED"),
                row(
                        "gone before going",
                        5,
                        "a:in:L b:in:V c:in:V d:in:V e:-:v f:term:V g:in:V",
                        "e:Remove:REPLACED f:HoldTermination:ONE_AT_A_TIME"),
                // A zone is out.
                row("two of five are out of reach", 5, "a:in:L b:in:V c:in:V d:in:v e:in:v", ""),
                row(
                        "the group ends them",
                        5,
                        "a:in:L b:in:V c:in:V d:term:v e:term:v",
                        "d:HoldTermination:INTOLERABLE e:HoldTermination:INTOLERABLE"),
                row(
                        "or they are gone",
                        5,
                        "a:in:L b:in:V c:in:V d:-:v e:-:v",
                        "d:Leave:UNREPLACED e:Leave:UNREPLACED"),
                row(
                        "and never one of the three that are left",
                        5,
                        "a:in:L b:in:V c:term90:V d:in:v e:in:v",
                        "c:HoldTermination:QUORUM_AT_STAKE"),
                row(
                        "one replacement lets one go",
                        5,
                        "a:in:L b:in:V c:in:V d:term:v e:term:v f:in:V",
                        "d:Remove:TOLERABLE e:HoldTermination:ONE_AT_A_TIME"),
                row(
                        "and the other after the next",
                        5,
                        "a:in:L b:in:V c:in:V e:term:v f:in:V g:in:V",
                        "e:Remove:TOLERABLE"),
                // Launches.
                row(
                        "a new one that votes goes into service",
                        3,
                        "a:in:L b:in:V c:wait:V",
                        "c:Launch:VOTES"),
                row("one that joins is held", 3, "a:in:L b:in:V c:wait:-", "c:HoldLaunch:JOINING"),
                row("for its time", 3, "a:in:L b:in:V c:wait90:N", "c:Launch:LATE"),
                row(
                        "what votes and is unwell isn't there yet",
                        3,
                        "a:in:L b:in:V c:wait:v",
                        "c:HoldLaunch:JOINING"),
                row("before its hook there is nothing to do", 3, "a:in:L b:in:V c:pend:-", ""),
                row("a new one that leads is in", 1, "a:wait:L", "a:Launch:VOTES"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("rows")
    void decides(String name, int desired, String nodes, String expected) {
        World world = world(desired, nodes, false);

        assertEquals(expected, text(FaultTolerance.decide(world)));
        assertEquals(FaultTolerance.decide(world), FaultTolerance.decide(world), "the same twice");
    }

    static Stream<Arguments> unled() {
        Raft blank = new Raft.Blank();
        Raft unseen = new Raft.Unseen("all sealed");
        return Stream.of(
                Arguments.of(blank, "a:wait:-", "a:Launch:BLANK"),
                Arguments.of(blank, "a:in:- b:wait90:-", "b:Launch:BLANK"),
                Arguments.of(blank, "a:in:- b:term:-", "b:LetGo:BLANK"),
                Arguments.of(unseen, "a:in:- b:term:-", "b:HoldTermination:UNSEEN"),
                Arguments.of(unseen, "a:in:- b:term90:-", "b:HoldTermination:UNSEEN"),
                Arguments.of(unseen, "a:in:- b:wait:-", "b:HoldLaunch:UNSEEN"),
                Arguments.of(unseen, "a:in:- b:wait90:-", "b:HoldLaunch:UNSEEN"),
                Arguments.of(unseen, "a:wait:- b:wait:-", "a:Launch:FIRST b:Launch:FIRST"),
                Arguments.of(unseen, "", ""));
    }

    @ParameterizedTest
    @MethodSource("unled")
    void withoutALeaderOnlyABlankClusterHoldsNothing(Raft raft, String nodes, String expected) {
        World world = world(3, nodes, false);

        assertEquals(
                expected,
                text(
                        FaultTolerance.decide(
                                new World(
                                        raft,
                                        world.instances(),
                                        3,
                                        false,
                                        LIMIT,
                                        Optional.empty()))));
    }

    static Stream<Arguments> incidents() {
        return Stream.of(
                Arguments.of("a:in:L b:in:V c:in:V d:term:V", "d:HoldTermination:INCIDENT"),
                Arguments.of("a:in:L b:in:V c:in:V d:term90:n", "d:HoldTermination:INCIDENT"),
                Arguments.of("a:in:L b:in:V c:-:v d:in:V", "c:Leave:INCIDENT"),
                Arguments.of("a:in:L b:in:V c:in:V d:term:-", "d:LetGo:NO_PEER"),
                Arguments.of("a:in:L b:wait:V c:wait90:N", "b:Launch:VOTES c:HoldLaunch:JOINING"));
    }

    @ParameterizedTest
    @MethodSource("incidents")
    void duringAFailoverNothingIsTakenAway(String nodes, String expected) {
        assertEquals(expected, text(FaultTolerance.decide(world(3, nodes, true))));
    }

    @Test
    void everyRuleHasItsRow() {
        Set<Rule> seen =
                Stream.of(rows(), unled(), incidents())
                        .flatMap(it -> it)
                        .map(Arguments::get)
                        .map(it -> (String) it[it.length - 1])
                        .filter(it -> !it.isEmpty())
                        .flatMap(it -> Arrays.stream(it.split(" ")))
                        .map(it -> Rule.valueOf(it.split(":", -1)[2]))
                        .collect(Collectors.toSet());

        assertEquals(EnumSet.allOf(Rule.class), seen);
    }

    @Test
    void peopleHearOfWhatIsHeldWhenItIsAnnouncedAtTheLimitAndEachHour() {
        assertEquals(List.of("c"), paged("a:in:L b:in:V c:term:V", "c"));
        assertEquals(List.of(), paged("a:in:L b:in:V c:term:V", "b"));
        assertEquals(List.of(), paged("a:in:L b:in:v c:term59:V", "-"));
        assertEquals(List.of("c"), paged("a:in:L b:in:v c:term60:V", "-"));
        assertEquals(List.of("c"), paged("a:in:L b:in:v c:term61:V", "-"));
        assertEquals(List.of(), paged("a:in:L b:in:v c:term62:V", "-"));
        assertEquals(List.of("c"), paged("a:in:L b:in:v c:term120:V", "-"));
    }

    @Test
    void peopleHearOfWhatIsForcedOrGivenUp() {
        assertEquals(List.of("c"), paged("a:in:L b:in:V c:term90:V", "-"));
        assertEquals(List.of("c"), paged("a:in:L b:in:V c:wait31:N", "-"));
        assertEquals(List.of(), paged("a:in:L b:in:V c:in:V d:term:V", "d"));
        assertEquals(List.of(), paged("a:in:L b:in:V c:in:V d:term:V e:term:V", "e"));
    }

    @Test
    void theToleranceIsThatOfTheHealthy() {
        assertEquals(OptionalInt.of(2), tolerance("a:in:L b:in:V c:in:V d:in:V e:in:V"));
        assertEquals(OptionalInt.of(1), tolerance("a:in:L b:in:V c:in:V d:in:V"));
        assertEquals(OptionalInt.of(0), tolerance("a:in:L b:in:V c:in:V d:in:v e:-:v"));
        assertEquals(OptionalInt.of(1), tolerance("a:in:L b:in:V c:in:V d:in:N"));
        assertEquals(OptionalInt.of(0), FaultTolerance.tolerance(new Raft.Unseen("silent")));
        assertEquals(OptionalInt.empty(), FaultTolerance.tolerance(new Raft.Blank()));
        assertTrue(tolerance("a:in:V b:in:v c:in:v").getAsInt() == 0);
    }

    private static OptionalInt tolerance(String nodes) {
        return FaultTolerance.tolerance(world(3, nodes, false).raft());
    }

    private static List<String> paged(String nodes, String announced) {
        World world = world(3, nodes, false);
        return FaultTolerance.decide(
                        new World(
                                world.raft(),
                                world.instances(),
                                3,
                                false,
                                LIMIT,
                                Optional.of(announced)))
                .stream()
                .filter(Decision::page)
                .map(Decision::node)
                .toList();
    }

    private static Arguments row(String name, int desired, String nodes, String expected) {
        return Arguments.of(name, desired, nodes, expected);
    }

    private static World world(int desired, String nodes, boolean incident) {
        List<Instance> instances = new ArrayList<>();
        List<Peer> peers = new ArrayList<>();
        for (String node : nodes.isEmpty() ? new String[0] : nodes.split(" ")) {
            String[] parts = node.split(":", -1);
            String minutes = parts[1].replaceAll("[a-z-]", "");
            lifecycle(parts[1].replaceAll("[0-9]", ""))
                    .ifPresent(
                            it ->
                                    instances.add(
                                            new Instance(
                                                    parts[0],
                                                    "eu-west-1a",
                                                    it,
                                                    true,
                                                    minutes.isEmpty()
                                                            ? Optional.empty()
                                                            : Optional.of(
                                                                    Duration.ofMinutes(
                                                                            Long.parseLong(
                                                                                    minutes))))));
            String peer = parts[2];
            if (!peer.equals("-")) {
                peers.add(
                        new Peer(
                                parts[0],
                                !peer.equalsIgnoreCase("n"),
                                peer.equals("L"),
                                peer.equals(peer.toUpperCase(java.util.Locale.ROOT))));
            }
        }
        return new World(
                new Raft.Led(peers), instances, desired, incident, LIMIT, Optional.empty());
    }

    private static Optional<Lifecycle> lifecycle(String word) {
        return switch (word) {
            case "pend" -> Optional.of(Lifecycle.PENDING);
            case "wait" -> Optional.of(Lifecycle.LAUNCHING);
            case "in" -> Optional.of(Lifecycle.IN_SERVICE);
            case "term" -> Optional.of(Lifecycle.TERMINATING);
            case "out" -> Optional.of(Lifecycle.LEAVING);
            case "-" -> Optional.empty();
            default -> throw new IllegalArgumentException(word);
        };
    }

    private static String text(List<Decision> decisions) {
        return decisions.stream()
                .map(it -> it.node() + ":" + it.getClass().getSimpleName() + ":" + it.rule().name())
                .collect(Collectors.joining(" "));
    }
}
