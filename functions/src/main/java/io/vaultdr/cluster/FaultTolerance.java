package io.vaultdr.cluster;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Decides what becomes of the peers and the instances of a made cluster, whose Raft ids are the ids
 * of their instances.
 *
 * <p>A cluster of {@code n} voters needs {@code n / 2 + 1} of them, its quorum. Its fault tolerance
 * is how many of those that are healthy it could lose and still have one. What is decided here
 * keeps three promises:
 *
 * <ol>
 *   <li>A peer is only removed where the voters that are left and healthy are a quorum of the new
 *       configuration, whatever limit has been reached.
 *   <li>A removal that leaves a fault tolerance below one waits for a replacement that votes, or
 *       for the limit; a peer whose instance is simply gone waits for its replacement alone.
 *   <li>An instance that the group lets go keeps its machine until its peer is out of the
 *       configuration, and a leader stands down before.
 * </ol>
 *
 * At the most one peer is removed, or one leader stands down, by one look: what comes next is
 * decided by the next look.
 */
public final class FaultTolerance {
    /** How long a new node may take until it votes: it boots, joins, catches up and is stable. */
    public static final Duration JOINING = Duration.ofMinutes(30);

    /** How often somebody is told again of what only a person can end. */
    static final Duration REMINDER = Duration.ofHours(1);

    /** What is decided by the minute is seen once or twice within this. */
    static final Duration TICK = Duration.ofSeconds(90);

    private FaultTolerance() {}

    /** Where an instance is on its way through the group. */
    public enum Lifecycle {
        /** Before the launch hook. */
        PENDING,
        /** The launch hook holds it. */
        LAUNCHING,
        /** Counted and behind the load balancer. */
        IN_SERVICE,
        /** The termination hook holds it. */
        TERMINATING,
        /** On its way out, and nothing holds it any more. */
        LEAVING,
        /** Put aside by a person. */
        ASIDE
    }

    /**
     * An instance of the group.
     *
     * @param healthy what the group thinks of it
     * @param held how long a hook has held it; empty: none does, or nobody knows
     */
    public record Instance(
            String id, String zone, Lifecycle lifecycle, boolean healthy, Optional<Duration> held) {
        /** The same instance, held so long. */
        public Instance heldFor(Optional<Duration> time) {
            return new Instance(id, zone, lifecycle, healthy, time);
        }
    }

    /**
     * A server of the Raft configuration.
     *
     * @param healthy whether autopilot hears from it and it keeps up
     */
    public record Peer(String id, boolean voter, boolean leader, boolean healthy) {}

    /** What was seen of Raft. */
    public sealed interface Raft {
        /** Somebody leads. */
        record Led(List<Peer> peers) implements Raft {
            public Led {
                peers = List.copyOf(peers);
            }

            private Optional<Peer> peer(String id) {
                return peers.stream().filter(it -> it.id().equals(id)).findFirst();
            }

            private long voters() {
                return peers.stream().filter(Peer::voter).count();
            }

            private long healthyVoters() {
                return peers.stream().filter(it -> it.voter() && it.healthy()).count();
            }

            /** How many more healthy voters may be lost; negative: the quorum is lost already. */
            public int tolerance() {
                return tolerance(healthyVoters(), voters());
            }

            private int toleranceWithout(Peer gone) {
                return gone.voter()
                        ? tolerance(healthyVoters() - (gone.healthy() ? 1 : 0), voters() - 1)
                        : tolerance();
            }

            private static int tolerance(long healthy, long voters) {
                return (int) (healthy - (voters / 2 + 1));
            }
        }

        /** Nodes answer, and none is initialised. */
        record Blank() implements Raft {}

        /**
         * Nothing can be told: all sealed, nobody leads, nobody answers, no login.
         *
         * @param why for people
         */
        record Unseen(String why) implements Raft {}
    }

    /**
     * One look at the world.
     *
     * @param desired how many instances the group wants
     * @param incident whether a failover is under way, in which nothing is taken away
     * @param holdLimit how long a termination is held that would cost too much
     * @param announced the instance whose termination has just been announced, about which people
     *     are told if it is held
     */
    public record World(
            Raft raft,
            List<Instance> instances,
            int desired,
            boolean incident,
            Duration holdLimit,
            Optional<String> announced) {
        public World {
            instances = List.copyOf(instances);
        }
    }

    /** What decided; the same word in logs, reports, pages and tests. */
    public enum Rule {
        /** Released: no peer of the configuration runs on it. */
        NO_PEER,
        /** Released: the cluster isn't initialised, nothing is on its nodes. */
        BLANK,
        /** Released: nobody is in service, and only behind the load balancer it can be asked. */
        FIRST,
        /** Released: its node votes. */
        VOTES,
        /** Held: its node doesn't vote yet. */
        JOINING,
        /** Given up: its node didn't vote in its time. */
        LATE,
        /** Removed: it doesn't vote, so nothing is lost. */
        NON_VOTER,
        /** Removed: a fault tolerance of one or more is left. */
        TOLERABLE,
        /** Removed: the limit is reached and the quorum outlives it. */
        LIMIT_REACHED,
        /** Removed: its instance is gone and its replacement votes. */
        REPLACED,
        /** Held: a fault tolerance below one would be left. */
        INTOLERABLE,
        /** Held beyond the limit: without it there would be no quorum. */
        QUORUM_AT_STAKE,
        /** Held: another one is seen to first. */
        ONE_AT_A_TIME,
        /** Held: a failover is under way. */
        INCIDENT,
        /** Held: the cluster can't be looked at. */
        UNSEEN,
        /** Left: its instance is gone, and its replacement doesn't vote yet. */
        UNREPLACED,
        /** Left: its instance isn't in the group, and it is healthy all the same. */
        STRANGER;

        /** As metrics and pages name it. */
        public String words() {
            return name().toLowerCase(Locale.ROOT).replace('_', ' ');
        }
    }

    /** What becomes of one node. */
    public sealed interface Decision {
        /** The instance, and the peer of the same id. */
        String node();

        /** Why. */
        Rule rule();

        /** Whether people are told now. */
        default boolean page() {
            return false;
        }

        /** It leads, and gives that up before its peer is removed by {@code rule}. */
        record StandDown(String node, Rule rule) implements Decision {}

        /** Its peer leaves the configuration. */
        record Remove(String node, Rule rule, boolean page) implements Decision {}

        /** The launch hook lets it go into service, or gives it up. */
        record Launch(String node, Rule rule, boolean goOn) implements Decision {
            @Override
            public boolean page() {
                return !goOn;
            }
        }

        /** The termination hook lets it go. */
        record LetGo(String node, Rule rule) implements Decision {}

        /** The launch hook goes on holding it. */
        record HoldLaunch(String node, Rule rule) implements Decision {}

        /** The termination hook goes on holding it. */
        record HoldTermination(String node, Rule rule, boolean page) implements Decision {}

        /** A peer without an instance stays for now. */
        record Leave(String node, Rule rule) implements Decision {}
    }

    /** A decision for each instance that a hook holds and each peer that has no instance. */
    public static List<Decision> decide(World world) {
        List<Decision> all = new ArrayList<>();
        for (Instance instance : world.instances()) {
            if (instance.lifecycle() == Lifecycle.LAUNCHING) {
                all.add(launching(world, instance));
            }
        }
        switch (world.raft()) {
            case Raft.Blank _ ->
                    terminating(world)
                            .forEach(it -> all.add(new Decision.LetGo(it.id(), Rule.BLANK)));
            case Raft.Unseen _ ->
                    terminating(world).forEach(it -> all.add(hold(world, it, Rule.UNSEEN)));
            case Raft.Led led -> all.addAll(leaving(world, led));
        }
        return List.copyOf(all);
    }

    /** The fault tolerance that is seen, never below zero; empty where there is no cluster yet. */
    public static OptionalInt tolerance(Raft raft) {
        return switch (raft) {
            case Raft.Led led -> OptionalInt.of(Math.max(0, led.tolerance()));
            case Raft.Blank _ -> OptionalInt.empty();
            case Raft.Unseen _ -> OptionalInt.of(0);
        };
    }

    private static Decision launching(World world, Instance instance) {
        String id = instance.id();
        boolean served =
                world.instances().stream().anyMatch(it -> it.lifecycle() == Lifecycle.IN_SERVICE);
        return switch (world.raft()) {
            case Raft.Blank _ -> new Decision.Launch(id, Rule.BLANK, true);
            case Raft.Unseen _ ->
                    served
                            ? new Decision.HoldLaunch(id, Rule.UNSEEN)
                            : new Decision.Launch(id, Rule.FIRST, true);
            case Raft.Led led -> {
                if (led.peer(id).filter(it -> it.voter() && it.healthy()).isPresent()) {
                    yield new Decision.Launch(id, Rule.VOTES, true);
                }
                boolean late =
                        !world.incident()
                                && instance.held().filter(it -> reached(it, JOINING)).isPresent();
                yield late
                        ? new Decision.Launch(id, Rule.LATE, false)
                        : new Decision.HoldLaunch(id, Rule.JOINING);
            }
        };
    }

    /** All that has to leave the configuration, and the instances that only wait for that. */
    private static List<Decision> leaving(World world, Raft.Led led) {
        List<Decision> all = new ArrayList<>();
        boolean busy = false;
        for (Peer peer : gone(world, led)) {
            Decision decision = gone(world, led, peer, busy);
            busy |= changes(decision);
            all.add(decision);
        }
        // What is dead first, the leader last: it stands down once, at the end.
        List<Instance> going =
                terminating(world).stream()
                        .sorted(
                                Comparator.comparing(
                                        it ->
                                                led.peer(it.id())
                                                        .map(
                                                                p ->
                                                                        p.leader()
                                                                                ? 2
                                                                                : p.healthy()
                                                                                        ? 1
                                                                                        : 0)
                                                        .orElse(0)))
                        .toList();
        for (Instance instance : going) {
            Decision decision =
                    led.peer(instance.id())
                            .map(peer -> terminating(world, led, instance, peer))
                            .orElseGet(() -> new Decision.LetGo(instance.id(), Rule.NO_PEER));
            if (changes(decision) && busy) {
                decision = hold(world, instance, Rule.ONE_AT_A_TIME);
            }
            busy |= changes(decision);
            all.add(decision);
        }
        return all;
    }

    private static boolean changes(Decision decision) {
        return decision instanceof Decision.Remove || decision instanceof Decision.StandDown;
    }

    private static List<Instance> terminating(World world) {
        return world.instances().stream()
                .filter(it -> it.lifecycle() == Lifecycle.TERMINATING)
                .toList();
    }

    /** Peers whose instance isn't there, or is past every hold. */
    private static List<Peer> gone(World world, Raft.Led led) {
        Set<String> there =
                world.instances().stream()
                        .filter(it -> it.lifecycle() != Lifecycle.LEAVING)
                        .map(Instance::id)
                        .collect(Collectors.toSet());
        return led.peers().stream().filter(it -> !there.contains(it.id())).toList();
    }

    private static Decision gone(World world, Raft.Led led, Peer peer, boolean busy) {
        String id = peer.id();
        if (peer.healthy()) {
            return new Decision.Leave(id, Rule.STRANGER);
        }
        if (world.incident()) {
            return new Decision.Leave(id, Rule.INCIDENT);
        }
        if (peer.voter() && (led.voters() <= world.desired() || led.toleranceWithout(peer) < 0)) {
            return new Decision.Leave(id, Rule.UNREPLACED);
        }
        if (busy) {
            return new Decision.Leave(id, Rule.ONE_AT_A_TIME);
        }
        return new Decision.Remove(id, peer.voter() ? Rule.REPLACED : Rule.NON_VOTER, false);
    }

    private static Decision terminating(World world, Raft.Led led, Instance instance, Peer peer) {
        if (world.incident()) {
            return hold(world, instance, Rule.INCIDENT);
        }
        int left = led.toleranceWithout(peer);
        boolean overdue = instance.held().filter(it -> reached(it, world.holdLimit())).isPresent();
        if (!peer.voter()) {
            return new Decision.Remove(peer.id(), Rule.NON_VOTER, false);
        }
        if (left >= 1 || (overdue && left >= 0)) {
            Rule rule = left >= 1 ? Rule.TOLERABLE : Rule.LIMIT_REACHED;
            return peer.leader()
                    ? new Decision.StandDown(peer.id(), rule)
                    : new Decision.Remove(peer.id(), rule, rule == Rule.LIMIT_REACHED);
        }
        return hold(world, instance, overdue ? Rule.QUORUM_AT_STAKE : Rule.INTOLERABLE);
    }

    /** Held; people hear of it when it is announced, at the limit, and each hour from then on. */
    private static Decision hold(World world, Instance instance, Rule rule) {
        boolean announced =
                rule != Rule.ONE_AT_A_TIME
                        && world.announced().filter(instance.id()::equals).isPresent();
        boolean overdue =
                instance.held()
                        .map(it -> it.minus(world.holdLimit()))
                        .filter(it -> !it.isNegative())
                        .filter(it -> it.toMillis() % REMINDER.toMillis() < TICK.toMillis())
                        .isPresent();
        return new Decision.HoldTermination(instance.id(), rule, announced || overdue);
    }

    private static boolean reached(Duration time, Duration limit) {
        return time.compareTo(limit) >= 0;
    }
}
