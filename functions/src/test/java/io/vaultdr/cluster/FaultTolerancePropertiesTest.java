package io.vaultdr.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vaultdr.cluster.FaultTolerance.Decision;
import io.vaultdr.cluster.FaultTolerance.Instance;
import io.vaultdr.cluster.FaultTolerance.Lifecycle;
import io.vaultdr.cluster.FaultTolerance.Peer;
import io.vaultdr.cluster.FaultTolerance.Raft;
import io.vaultdr.cluster.FaultTolerance.World;

import org.junit.jupiter.api.Test;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * The promises over random lives of a cluster: what the group, the machines and people do to it is
 * thrown at dice, and what is decided is done. {@code -Dvaultdr.runs=N} makes more of them.
 */
class FaultTolerancePropertiesTest {
    private static final int RUNS = Integer.getInteger("vaultdr.runs", 10_000);
    private static final int MINUTES = 24;
    private static final Duration LIMIT = Duration.ofMinutes(8);
    private static final Duration MINUTE = Duration.ofMinutes(1);

    @Test
    void theQuorumIsNeverLostByUsAndEveryTerminationEndsOrIsHeldForAReason() {
        int removed = 0;
        int released = 0;
        int held = 0;
        for (int seed = 0; seed < RUNS; seed++) {
            Life life = new Life(new Random(seed), seed);
            for (int minute = 0; minute < MINUTES; minute++) {
                life.befall();
                life.tend();
            }
            life.heal();
            removed += life.removed;
            released += life.released;
            held += life.held;
        }
        // It has to have met what it promises something about.
        assertTrue(
                removed > RUNS && released > RUNS && held > RUNS,
                removed + " removed, " + released + " released, " + held + " held");
    }

    /** A machine with its server. */
    private static final class Node {
        private Lifecycle lifecycle = Lifecycle.LAUNCHING;
        private Duration held = Duration.ZERO;
        private boolean inGroup = true;
        private boolean up = true;
        private boolean peer;
        private boolean voter;
    }

    /** One cluster and all that happens to it. */
    private static final class Life {
        private final Random dice;
        private final int seed;
        private final int desired;
        private final Map<String, Node> nodes = new TreeMap<>();
        private int launched;
        private String leader = "";
        private boolean incident;
        private int removed;
        private int released;
        private int held;

        Life(Random dice, int seed) {
            this.dice = dice;
            this.seed = seed;
            this.desired = List.of(3, 5, 7).get(dice.nextInt(3));
            for (int i = 0; i < desired; i++) {
                Node node = launch();
                node.lifecycle = Lifecycle.IN_SERVICE;
                node.peer = true;
                node.voter = true;
            }
            leader = nodes.keySet().iterator().next();
        }

        private Node launch() {
            Node node = new Node();
            nodes.put("i-%03d".formatted(launched++), node);
            return node;
        }

        /** Throws a few dice. */
        void befall() {
            nodes.values().forEach(node -> node.held = node.held.plus(MINUTE));
            for (Node node : nodes.values()) {
                if (dice.nextInt(40) == 0) {
                    node.up = false;
                } else if (!node.up && node.inGroup && dice.nextInt(5) == 0) {
                    node.up = true;
                }
                if (node.lifecycle == Lifecycle.IN_SERVICE && dice.nextInt(node.up ? 50 : 6) == 0) {
                    terminate(node);
                }
                if (node.inGroup && dice.nextInt(200) == 0) {
                    // Its hook's time is over, or somebody ended it past the group.
                    node.inGroup = false;
                    node.up = false;
                }
            }
            incident = dice.nextInt(incident ? 3 : 60) == (incident ? 1 : 0);
            long counted =
                    nodes.values().stream()
                            .filter(it -> it.inGroup)
                            .filter(it -> it.lifecycle != Lifecycle.TERMINATING)
                            .count();
            if (counted < desired && dice.nextInt(3) == 0) {
                launch();
            }
            join();
        }

        private static void terminate(Node node) {
            node.lifecycle = Lifecycle.TERMINATING;
            node.held = Duration.ZERO;
        }

        /** New servers join, then vote; a leader is elected where there is a quorum. */
        private void join() {
            elect();
            if (leader.isEmpty()) {
                return;
            }
            for (Node node : nodes.values()) {
                if (node.inGroup && node.up && node.lifecycle != Lifecycle.TERMINATING) {
                    node.voter |= node.peer && dice.nextInt(2) == 0;
                    node.peer |= dice.nextInt(2) == 0;
                }
            }
        }

        private void elect() {
            List<String> able =
                    nodes.entrySet().stream()
                            .filter(it -> it.getValue().voter && it.getValue().up)
                            .map(Map.Entry::getKey)
                            .collect(Collectors.toCollection(ArrayList::new));
            boolean quorum = able.size() >= voters() / 2 + 1;
            leader =
                    !quorum
                            ? ""
                            : able.contains(leader) ? leader : able.get(dice.nextInt(able.size()));
        }

        private long voters() {
            return nodes.values().stream().filter(it -> it.voter).count();
        }

        private long healthy() {
            return nodes.values().stream().filter(it -> it.voter && it.up).count();
        }

        private World world() {
            Raft raft =
                    leader.isEmpty()
                            ? new Raft.Unseen("no quorum")
                            : new Raft.Led(
                                    nodes.entrySet().stream()
                                            .filter(it -> it.getValue().peer)
                                            .map(
                                                    it ->
                                                            new Peer(
                                                                    it.getKey(),
                                                                    it.getValue().voter,
                                                                    it.getKey().equals(leader),
                                                                    it.getValue().up))
                                            .toList());
            List<Instance> instances =
                    nodes.entrySet().stream()
                            .filter(it -> it.getValue().inGroup)
                            .map(
                                    it ->
                                            new Instance(
                                                    it.getKey(),
                                                    "z",
                                                    it.getValue().lifecycle,
                                                    true,
                                                    Optional.of(it.getValue().held)))
                            .toList();
            return new World(raft, instances, desired, incident, LIMIT, Optional.empty());
        }

        /** Does what is decided, as the function does it, and looks whether it kept its word. */
        void tend() {
            World world = world();
            List<Decision> decisions = FaultTolerance.decide(world);
            assertEquals(decisions, FaultTolerance.decide(world), () -> seed + ": twice");
            everyTerminationIsSeenTo(world, decisions);
            long changes =
                    decisions.stream()
                            .filter(
                                    it ->
                                            it instanceof Decision.Remove
                                                    || it instanceof Decision.StandDown)
                            .count();
            assertTrue(changes <= 1, () -> seed + ": several changes " + decisions);
            decisions.forEach(this::carryOut);
            nodes.values().removeIf(node -> !node.inGroup && !node.peer);
        }

        private void everyTerminationIsSeenTo(World world, List<Decision> decisions) {
            for (Instance instance : world.instances()) {
                long seen =
                        decisions.stream().filter(it -> it.node().equals(instance.id())).count();
                boolean hooked =
                        instance.lifecycle() == Lifecycle.TERMINATING
                                || instance.lifecycle() == Lifecycle.LAUNCHING;
                assertEquals(hooked ? 1 : 0, seen, () -> seed + ": " + instance);
            }
        }

        private Node node(String id) {
            return Objects.requireNonNull(nodes.get(id));
        }

        private void carryOut(Decision decision) {
            Node node = node(decision.node());
            switch (decision) {
                case Decision.StandDown _ -> {
                    assertEquals(leader, decision.node());
                    leader = "";
                    List<String> others =
                            nodes.entrySet().stream()
                                    .filter(it -> it.getValue().voter && it.getValue().up)
                                    .map(Map.Entry::getKey)
                                    .filter(it -> !it.equals(decision.node()))
                                    .toList();
                    leader = others.get(dice.nextInt(others.size()));
                }
                case Decision.Remove _ -> {
                    assertTrue(!decision.node().equals(leader), () -> seed + ": a leader");
                    assertTrue(!incident, () -> seed + ": during an incident");
                    node.peer = false;
                    node.voter = false;
                    removed++;
                    assertTrue(
                            healthy() >= voters() / 2 + 1,
                            () -> seed + ": quorum lost by " + decision);
                }
                case Decision.LetGo _ -> {
                    assertTrue(!node.peer, () -> seed + ": still a peer " + decision);
                    node.inGroup = false;
                    node.up = false;
                    released++;
                }
                case Decision.Launch(_, _, boolean goOn) -> {
                    if (goOn) {
                        node.lifecycle = Lifecycle.IN_SERVICE;
                    } else {
                        terminate(node);
                    }
                }
                case Decision.HoldTermination _ -> held++;
                case Decision.HoldLaunch _, Decision.Leave _ -> {}
            }
        }

        /** When nothing befalls it any more, everything that was to go has gone. */
        void heal() {
            incident = false;
            nodes.values().forEach(node -> node.up |= node.inGroup);
            for (int minute = 0; minute < 4 * MINUTES && !settled(); minute++) {
                nodes.values().forEach(node -> node.held = node.held.plus(MINUTE));
                long counted =
                        nodes.values().stream()
                                .filter(it -> it.inGroup)
                                .filter(it -> it.lifecycle != Lifecycle.TERMINATING)
                                .count();
                if (counted < desired) {
                    launch();
                }
                join();
                tend();
            }
            if (!leader.isEmpty()) {
                assertTrue(settled(), () -> seed + ": left over of " + world());
            }
        }

        /** Everything that is there is in service, and nothing but a whole cluster is there. */
        private boolean settled() {
            return voters() >= desired
                    && nodes.values().stream()
                            .allMatch(it -> it.inGroup && it.lifecycle == Lifecycle.IN_SERVICE);
        }
    }
}
