package io.vaultdr.cluster;

import io.vaultdr.cluster.FaultTolerance.Decision;
import io.vaultdr.cluster.FaultTolerance.Instance;
import io.vaultdr.cluster.FaultTolerance.Lifecycle;
import io.vaultdr.cluster.FaultTolerance.Peer;
import io.vaultdr.cluster.FaultTolerance.Raft;
import io.vaultdr.cluster.FaultTolerance.Rule;
import io.vaultdr.cluster.FaultTolerance.World;
import io.vaultdr.failover.Pager;
import io.vaultdr.model.Failure;
import io.vaultdr.model.Secret;
import io.vaultdr.model.Side;
import io.vaultdr.runtime.Deadline;
import io.vaultdr.runtime.PairMetrics;
import io.vaultdr.runtime.PairMetrics.Measure;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.vault.KeptSession;
import io.vaultdr.vault.LeaderFinder;
import io.vaultdr.vault.LeaderFinder.Finding;
import io.vaultdr.vault.Login;
import io.vaultdr.vault.Login.Intent;
import io.vaultdr.vault.VaultClient;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * Sees instances of a made cluster in and out: what the group launches goes into service when its
 * node votes, what it terminates goes when its peer is out of the Raft configuration, and peers
 * whose instance is gone are removed. {@link FaultTolerance} decides; here it is looked and done.
 *
 * <p>Nothing but a token is remembered between runs: each looks at the group and at Raft, so it may
 * run twice, late, or die anywhere. After each change of the configuration both are looked at again
 * before anything else is done. In one run one leader stands down and one peer is removed at the
 * most.
 */
public final class RetirePeer {
    private static final Logger LOG = LoggerFactory.getLogger(RetirePeer.class);

    private static final Duration FINDING = Duration.ofSeconds(5);
    private static final Duration POLL = Duration.ofMillis(500);

    /** An election takes a second or two. */
    private static final Duration ELECTION = Duration.ofSeconds(20);

    /** What holds an instance because of the cluster, not only because another one goes first. */
    private static final Set<Rule> HOLDING =
            EnumSet.of(Rule.INTOLERABLE, Rule.QUORUM_AT_STAKE, Rule.INCIDENT, Rule.UNSEEN);

    private final PairSettings settings;
    private final Side side;
    private final PairSettings.Cluster cluster;
    private final PairSettings.Made made;
    private final Ports ports;
    private final PairMetrics metrics;
    private final Clock clock;

    /** It runs each minute, and a run asks several times. */
    private final KeptSession session;

    /**
     * What it uses.
     *
     * @param incident asks the ledger whether a failover is under way; throws {@link Failure} where
     *     it can't be read
     */
    public record Ports(
            LeaderFinder finder,
            Login login,
            NodeGroup group,
            BooleanSupplier incident,
            Pager pager) {}

    /** Looks after the cluster on {@code side}, which is a made one. */
    public RetirePeer(
            PairSettings settings, Side side, Ports ports, PairMetrics metrics, Clock clock) {
        this.settings = settings;
        this.side = side;
        this.cluster = settings.cluster(side);
        this.made = cluster.made().orElseThrow();
        this.ports = ports;
        this.metrics = metrics;
        this.clock = clock;
        this.session = new KeptSession(node -> ports.login().to(cluster, node, Intent.RETIRE));
    }

    /**
     * What a run saw and did.
     *
     * @param tolerance how many more voters may be lost; empty while there is no cluster
     * @param decided what decided over each node that something is to become of
     * @param done what was done, a sentence each
     * @param problems what couldn't be looked at, a sentence each
     */
    public record Report(
            OptionalInt tolerance,
            Map<String, Rule> decided,
            List<String> done,
            List<String> problems) {}

    /**
     * Looks, decides and acts.
     *
     * @param announced the instance whose termination has just been announced
     * @param dryRun whether nothing is done but looking
     * @throws Failure the first of what couldn't be done, after all the rest was; from a dry run
     *     also where the login or the ledger doesn't answer
     */
    public Report run(Optional<String> announced, boolean dryRun, Deadline deadline) {
        Work work = new Work(announced, deadline);
        World world = work.look();
        List<Decision> decisions = FaultTolerance.decide(world);
        if (dryRun) {
            ports.pager().receivers();
            if (world.raft() instanceof Raft.Blank) {
                ports.login().check(cluster, Intent.RETIRE);
            }
            work.raise();
            return work.report(world, decisions);
        }
        Optional<Decision> change = work.next(decisions);
        while (change.isPresent() && work.change(change.get())) {
            world = work.look();
            decisions = FaultTolerance.decide(world);
            change = work.next(decisions);
        }
        for (Decision decision : decisions) {
            work.settle(world, decision);
        }
        Report report = work.report(world, decisions);
        LOG.info("Decided: {}, done: {}", report.decided(), report.done());
        publish(decisions, report);
        work.raise();
        return report;
    }

    private void publish(List<Decision> decisions, Report report) {
        List<Measure> measures = new ArrayList<>();
        measures.add(
                Measure.count(
                        "PeersHeld",
                        (double)
                                decisions.stream()
                                        .filter(it -> it instanceof Decision.HoldTermination)
                                        .filter(it -> HOLDING.contains(it.rule()))
                                        .count()));
        measures.add(
                Measure.count(
                        "PeersToRetire",
                        (double)
                                decisions.stream()
                                        .filter(it -> it instanceof Decision.Leave)
                                        .count()));
        report.tolerance().ifPresent(left -> measures.add(Measure.count("FaultTolerance", left)));
        metrics.publish(measures);
    }

    /** What one run sees and does. */
    private final class Work {
        private final Optional<String> announced;
        private final Deadline deadline;
        private final List<String> done = new ArrayList<>();
        private final List<String> problems = new ArrayList<>();
        private final List<Failure> failures = new ArrayList<>();
        private boolean stoodDown;
        private boolean removed;

        Work(Optional<String> announced, Deadline deadline) {
            this.announced = announced;
            this.deadline = deadline;
        }

        Report report(World world, List<Decision> decisions) {
            Map<String, Rule> rules = new TreeMap<>();
            decisions.forEach(it -> rules.put(it.node(), it.rule()));
            return new Report(
                    FaultTolerance.tolerance(world.raft()),
                    Map.copyOf(rules),
                    List.copyOf(done),
                    List.copyOf(problems));
        }

        void raise() {
            for (Failure failure : failures) {
                throw failure;
            }
        }

        World look() {
            NodeGroup.Seen seen = ports.group().look();
            return new World(
                    raft(),
                    held(seen.instances()),
                    seen.desired(),
                    incident(),
                    made.holdLimit(),
                    announced);
        }

        private Raft raft() {
            return switch (ports.finder().find(cluster, FINDING)) {
                case Finding.Active(VaultClient node, _) -> {
                    try {
                        yield new Raft.Led(peers(node));
                    } catch (Failure e) {
                        failures.add(e);
                        yield new Raft.Unseen(problem("look at the peers", e));
                    }
                }
                case Finding.NoneActive none when none.blank() -> new Raft.Blank();
                case Finding.NoneActive none -> {
                    problems.add("No node is active: " + none);
                    yield new Raft.Unseen(none.toString());
                }
            };
        }

        private List<Instance> held(List<Instance> instances) {
            if (instances.stream().noneMatch(Work::hooked)) {
                return instances;
            }
            Map<String, Instant> since = new HashMap<>();
            attempt(
                    "ask since when instances are held",
                    () -> since.putAll(ports.group().heldSince()));
            Instant now = clock.instant();
            return instances.stream()
                    .map(
                            it ->
                                    it.heldFor(
                                            Optional.ofNullable(since.get(it.id()))
                                                    .map(then -> Duration.between(then, now))))
                    .toList();
        }

        private static boolean hooked(Instance instance) {
            return instance.lifecycle() == Lifecycle.LAUNCHING
                    || instance.lifecycle() == Lifecycle.TERMINATING;
        }

        /**
         * Whether a failover is under way. Without a ledger none is at home: its steps need it. In
         * DR's own region it has to be told, before anything is taken away.
         */
        private boolean incident() {
            try {
                return ports.incident().getAsBoolean();
            } catch (Failure e) {
                problem("ask whether a failover is under way", e);
                if (side == Side.DR) {
                    failures.add(e);
                }
                return side == Side.DR;
            }
        }

        /** The change that is still this run's to make. */
        Optional<Decision> next(List<Decision> decisions) {
            return deadline.passed()
                    ? Optional.empty()
                    : decisions.stream()
                            .filter(
                                    it ->
                                            (it instanceof Decision.StandDown && !stoodDown)
                                                    || (it instanceof Decision.Remove && !removed))
                            .findFirst();
        }

        /** Makes it; whether the world is to be looked at again. */
        boolean change(Decision decision) {
            return attempt(
                    decision.rule() + " " + decision.node(),
                    () -> {
                        if (decision instanceof Decision.StandDown) {
                            stoodDown = true;
                            standDown(decision);
                        } else {
                            removed = true;
                            remove(decision);
                        }
                    });
        }

        private void standDown(Decision decision) {
            asked(session -> session.node().stepDown(session.token()));
            did("%s led and stands down (%s)", decision);
            // A new leader takes some seconds to hear from all the others.
            Optional<Boolean> settled =
                    deadline.within(ELECTION)
                            .poll(
                                    POLL,
                                    () ->
                                            Optional.of(led(decision.node()))
                                                    .filter(Led.BY_ANOTHER_AND_SETTLED::equals)
                                                    .map(_ -> true));
            if (settled.isEmpty() && led(decision.node()) == Led.NOT_BY_ANOTHER) {
                throw new Failure.Retryable(
                        "let " + decision.node() + " stand down",
                        "no other node leads after " + ELECTION.toSeconds() + " s",
                        "It is tried again within a minute; look whether other voters are healthy");
            }
        }

        private void remove(Decision decision) {
            asked(session -> session.node().removePeer(session.token(), decision.node()));
            did("peer %s is removed (%s)", decision);
            if (decision.page()) {
                page(
                        decision,
                        "held longer than "
                                + made.holdLimit().toMinutes()
                                + " min, so its peer is removed now: there is still a quorum, but"
                                + " not one more node may be lost.");
            }
        }

        /** Asks the active node; the next look tells what came of a call without an answer. */
        private void asked(Consumer<Login.Session> call) {
            try {
                call.accept(session.at(ports.finder().require(cluster, FINDING)));
            } catch (Failure.OutcomeUnknown e) {
                LOG.warn("It is looked again: {}", e.getMessage());
            }
        }

        /** Does what changes no configuration. */
        void settle(World world, Decision decision) {
            attempt(
                    decision.rule() + " " + decision.node(),
                    () -> {
                        switch (decision) {
                            // Its turn is the next run's.
                            case Decision.StandDown(String node, _) -> keep(world, node);
                            case Decision.Remove(String node, _, _) -> keep(world, node);
                            case Decision.HoldTermination(String node, Rule rule, _) -> {
                                ports.group().heartbeat(made.terminationHook(), node);
                                told(decision, explained(rule, world));
                            }
                            case Decision.HoldLaunch(String node, _) ->
                                    ports.group().heartbeat(made.launchHook(), node);
                            case Decision.LetGo(String node, _) -> {
                                ports.group().complete(made.terminationHook(), node, true);
                                did("instance %s may go (%s)", decision);
                            }
                            case Decision.Launch(String node, _, boolean goOn) -> {
                                ports.group().complete(made.launchHook(), node, goOn);
                                did(
                                        goOn
                                                ? "instance %s goes into service (%s)"
                                                : "instance %s is given up (%s)",
                                        decision);
                                told(
                                        decision,
                                        "its node didn't vote within "
                                                + FaultTolerance.JOINING.toMinutes()
                                                + " min and is given up; the group starts another"
                                                + " one, and an instance refresh stops.");
                            }
                            case Decision.Leave(String node, Rule rule) ->
                                    LOG.info("Peer {} stays: {}", node, rule);
                        }
                    });
        }

        private void keep(World world, String node) {
            if (world.instances().stream()
                    .filter(it -> it.lifecycle() == Lifecycle.TERMINATING)
                    .anyMatch(it -> it.id().equals(node))) {
                ports.group().heartbeat(made.terminationHook(), node);
            }
        }

        private void told(Decision decision, String text) {
            if (decision.page()) {
                page(decision, text);
            }
        }

        private void page(Decision decision, String text) {
            ports.pager()
                    .page(
                            new Pager.Page(
                                    settings.pair()
                                            + ": "
                                            + side
                                            + " node "
                                            + decision.node()
                                            + ": "
                                            + decision.rule().words(),
                                    "Instance "
                                            + decision.node()
                                            + " in "
                                            + cluster.region()
                                            + ": "
                                            + text,
                                    "peers-held"));
        }

        private void did(String sentence, Decision decision) {
            done.add(sentence.formatted(decision.node(), decision.rule()));
        }

        private String problem(String what, Failure e) {
            String problem = what + ": " + Objects.requireNonNull(e.getMessage());
            LOG.warn("Looking after the peers is unfinished: {}", problem);
            problems.add(problem);
            return problem;
        }

        /** Goes on with the rest where something fails. */
        private boolean attempt(String what, Runnable call) {
            try {
                call.run();
                return true;
            } catch (Failure e) {
                failures.add(e);
                problem(what, e);
                return false;
            }
        }
    }

    private static String explained(Rule rule, World world) {
        return switch (rule) {
            case INTOLERABLE ->
                    "it is to end and is held: without it not one more node might be lost. It goes"
                            + " as soon as a replacement votes, or when "
                            + world.holdLimit().toMinutes()
                            + " min are over.";
            case QUORUM_AT_STAKE ->
                    "it is to end and is held beyond the limit: without it there would be no"
                            + " quorum. Bring other nodes back; AWS ends it by itself when its hook"
                            + " is as old as it may get.";
            case INCIDENT -> "it is to end and is held, because a failover is under way.";
            default ->
                    "it is to end and is held, because the cluster can't be looked at: it may be"
                            + " needed for the quorum. "
                            + (world.raft() instanceof Raft.Unseen(String why) ? why : "");
        };
    }

    private enum Led {
        NOT_BY_ANOTHER,
        BY_ANOTHER,
        BY_ANOTHER_AND_SETTLED
    }

    /** Who leads since {@code former} stood down. */
    private Led led(String former) {
        if (!(ports.finder().find(cluster, FINDING) instanceof Finding.Active active)) {
            return Led.NOT_BY_ANOTHER;
        }
        try {
            List<Peer> peers = peers(active.node());
            if (peers.stream().noneMatch(it -> it.leader() && !it.id().equals(former))) {
                return Led.NOT_BY_ANOTHER;
            }
            return peers.stream().filter(Peer::voter).allMatch(Peer::healthy)
                    ? Led.BY_ANOTHER_AND_SETTLED
                    : Led.BY_ANOTHER;
        } catch (Failure e) {
            // Between two leaders calls fail; it is asked again.
            LOG.info("No leader can be told yet: {}", e.getMessage());
            return Led.NOT_BY_ANOTHER;
        }
    }

    private List<Peer> peers(VaultClient node) {
        Secret token = session.at(node).token();
        Set<String> healthy = node.autopilotState(token).healthyServers();
        return node.raftConfiguration(token).stream()
                .map(
                        it ->
                                new Peer(
                                        it.nodeId(),
                                        it.voter(),
                                        it.leader(),
                                        healthy.contains(it.nodeId())))
                .toList();
    }
}
