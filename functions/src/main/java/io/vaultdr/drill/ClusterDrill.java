package io.vaultdr.drill;

import io.vaultdr.drill.Drill.Run;
import io.vaultdr.drill.DrillState.Outcome;
import io.vaultdr.failover.Ledger;
import io.vaultdr.failover.PairState.Phase;
import io.vaultdr.model.Failure;
import io.vaultdr.model.Secret;
import io.vaultdr.promotion.ByRestore;
import io.vaultdr.promotion.Journal;
import io.vaultdr.promotion.NodeCommands;
import io.vaultdr.promotion.Voters;
import io.vaultdr.runtime.ClusterDrillSettings;
import io.vaultdr.runtime.Deadline;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.snapshot.ArchiveFile;
import io.vaultdr.snapshot.Catalog;
import io.vaultdr.snapshot.Manifest;
import io.vaultdr.vault.LeaderFinder;
import io.vaultdr.vault.Login;
import io.vaultdr.vault.Login.Intent;
import io.vaultdr.vault.VaultClient;
import io.vaultdr.vault.VaultClient.NodeStatus;
import io.vaultdr.vault.VaultClients;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/**
 * The part of a drill that boots a cluster: the pair's real promotion, by the very code of a
 * failover, into instances of the drill's own that stand in a network without a way out.
 *
 * <ol>
 *   <li><em>boot</em> asks the empty group for one instance and waits until it answers blank.
 *   <li><em>promote</em> restores the snapshot that the drill took and restarts the node ({@link
 *       ByRestore}).
 *   <li><em>verify</em> reads the canary back and writes beside it.
 *   <li><em>grow</em> asks for all instances and waits until they vote.
 *   <li><em>tear down</em> empties the group, whatever happened before.
 * </ol>
 *
 * Each phase may run twice and be killed in the middle. An incident stops them: what is real goes
 * first, and a phase that finds one leaves at once, to the tear-down.
 */
public final class ClusterDrill {
    /** The stages that clients would have waited for; growing goes on beside them. */
    static final Set<String> WAITED_FOR =
            Set.of("boot: first node", "boot: restore", "boot: verify");

    /** An instance's start, its boot script and the server: EC2 rarely needs five minutes. */
    private static final Duration BOOT = Duration.ofMinutes(12);

    private static final Duration EMPTY = Duration.ofMinutes(10);
    private static final Duration LEADER = Duration.ofSeconds(30);
    private static final Duration LOOK = Duration.ofSeconds(5);
    private static final String MOUNT = "vault-dr";

    /** The drill took its snapshot an hour ago at the most. */
    private static final int NEWEST = 24;

    private final ClusterDrillSettings settings;
    private final Ports ports;
    private final Path scratch;
    private final Duration poll;

    /**
     * What a cluster drill uses.
     *
     * @param catalog the snapshots of the DR region
     */
    public record Ports(
            Ledger ledger,
            DrillGroup group,
            Catalog catalog,
            VaultClients clients,
            NodeCommands commands,
            Login login) {}

    /**
     * Boots the cluster of {@code settings}.
     *
     * @param scratch a directory with room for the archive
     * @param poll how long to rest between two looks
     */
    public ClusterDrill(ClusterDrillSettings settings, Ports ports, Path scratch, Duration poll) {
        this.settings = settings;
        this.ports = ports;
        this.scratch = scratch;
        this.poll = poll;
    }

    /** Thrown out of a wait when something real began. */
    private static final class Stopped extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Stopped(Phase phase) {
            super("Something real began while the drill's cluster stood: " + phase + ".");
        }
    }

    /** Starts the first node. */
    DrillState boot(DrillState state, Deadline deadline) {
        return unlessStopped(
                state,
                () -> {
                    Instant began = began(deadline);
                    ports.group().want(1);
                    URI node =
                            deadline.within(BOOT)
                                    .poll(poll, () -> watching(this::blank))
                                    .orElseThrow(
                                            () ->
                                                    new Failure.Terminal(
                                                            "boot the drill's first node",
                                                            "within "
                                                                    + BOOT.toMinutes()
                                                                    + " minutes none answered"
                                                                    + " blank (501); the group has "
                                                                    + ports.group().instances()
                                                                    + " instances, of which "
                                                                    + ports.group().nodes()
                                                                    + " take commands",
                                                            "Read the instance's console output:"
                                                                + " its boot script says what it"
                                                                + " lacked"));
                    return state.standing(node)
                            .took("boot: first node", began, since(began, deadline));
                });
    }

    private Optional<URI> blank() {
        return ports.group().nodes().stream()
                .filter(node -> status(node).equals(Optional.of(NodeStatus.NOT_INITIALISED)))
                .findFirst()
                // An attempt that was killed may have come further.
                .or(
                        () ->
                                ports.group().nodes().stream()
                                        .filter(node -> status(node).isPresent())
                                        .findFirst());
    }

    /** A node's status; empty while it doesn't answer, which is expected while it starts. */
    private Optional<NodeStatus> status(URI node) {
        try {
            return Optional.of(ports.clients().at(settings.cluster(), node).health().meaning());
        } catch (Failure.Retryable e) {
            return Optional.empty();
        }
    }

    /** Restores the drill's snapshot into it. */
    DrillState promote(DrillState state, Deadline deadline) {
        return unlessStopped(
                state,
                () -> {
                    Manifest snapshot = snapshot(state);
                    URI node = node(state);
                    Path archive = fetched(snapshot);
                    Instant began = began(deadline);
                    new ByRestore(
                                    at(node),
                                    new ByRestore.Documents(
                                            settings.restartDocument(), settings.wipeDocument()),
                                    ports.clients(),
                                    ports.commands())
                            .promote(
                                    snapshot,
                                    archive,
                                    // Nobody serves these data from elsewhere that a drill's
                                    // isolated network could reach.
                                    () -> {},
                                    new Own(node, snapshot),
                                    deadline);
                    DrillState next = state.took("boot: restore", began, since(began, deadline));
                    delete(archive);
                    return next;
                });
    }

    /**
     * What a promotion may take for granted here: whatever is on this node an earlier attempt of
     * this drill put there, and it may be wiped.
     */
    private record Own(URI node, Manifest snapshot) implements Journal {
        @Override
        public Map<String, String> remembered() {
            return Map.of(ByRestore.INITIALISED, node.toString(), ByRestore.POSTED, snapshot.id());
        }

        @Override
        public void remember(Map<String, String> facts) {
            // The drill's state says which stages are done; within one nothing is worth keeping.
        }

        @Override
        public void find(String sentence) {
            // A stage that had to be begun again shows in its time.
        }
    }

    /** Reads the canary back, writes beside it. */
    DrillState verify(DrillState state, Run run, Deadline deadline) {
        return unlessStopped(
                state,
                () -> {
                    Manifest snapshot = snapshot(state);
                    Instant began = began(deadline);
                    VaultClient leader = leader(state, deadline);
                    expect(
                            "cluster id",
                            snapshot.clusterId(),
                            leader.health().clusterId().orElse("none"));
                    try (Login.Session session = login(snapshot, leader, Intent.VERIFY)) {
                        Secret token = session.token();
                        expect(
                                "canary",
                                snapshot.nonce(),
                                leader.readKv(token, MOUNT, "canary")
                                        .map(read -> read.data().getOrDefault("nonce", "none"))
                                        .orElse("none"));
                        leader.writeKv(token, MOUNT, "verify", Map.of("drill", run.name()));
                    }
                    return state.took("boot: verify", began, since(began, deadline));
                });
    }

    /** Lets it grow until all vote. */
    DrillState grow(DrillState state, Deadline deadline) {
        return unlessStopped(
                state,
                () -> {
                    Manifest snapshot = snapshot(state);
                    Instant began = began(deadline);
                    ports.group().want(settings.cluster().voters());
                    new Voters(at(node(state)), new LeaderFinder(ports.clients()), ports.login())
                            .await(
                                    Optional.ofNullable(
                                            snapshot.needs().login().get(Intent.GROW.toString())),
                                    deadline,
                                    _ -> watch());
                    return state.took(
                            "boot: grow to " + settings.cluster().voters() + " voters",
                            began,
                            since(began, deadline));
                });
    }

    /**
     * Empties the group.
     *
     * @throws Failure.Retryable if an instance is left when the time is over; it costs money
     */
    DrillState tearDown(DrillState state, Deadline deadline) {
        Instant began = began(deadline);
        ports.group().want(0);
        Optional<Boolean> empty =
                deadline.within(EMPTY)
                        .poll(
                                poll,
                                () ->
                                        ports.group().instances() == 0
                                                ? Optional.of(true)
                                                : Optional.empty());
        if (empty.isEmpty()) {
            throw new Failure.Retryable(
                    "tear the drill's cluster down",
                    ports.group().instances()
                            + " instances are left of "
                            + settings.cluster().autoScalingGroup().orElse("its group"),
                    "Look at the group's activity; set its desired capacity to 0");
        }
        return state.took("boot: tear down", began, since(began, deadline));
    }

    /**
     * Asks whatever a cluster drill uses, and changes nothing.
     *
     * @return what was seen
     * @throws Failure naming what doesn't answer
     */
    public Map<String, String> dryRun() {
        List.of(Intent.VERIFY, Intent.GROW)
                .forEach(intent -> ports.login().check(settings.cluster(), intent));
        return Map.of(
                "instances",
                Integer.toString(ports.group().instances()),
                "phase",
                ports.ledger().state().phase().toString(),
                "newest",
                ports.catalog().newest(1).stream().map(Manifest::id).findFirst().orElse("none"));
    }

    private DrillState unlessStopped(DrillState state, Supplier<DrillState> phase) {
        if (state.outcome().isPresent()) {
            return state;
        }
        try {
            watch();
            return phase.get();
        } catch (Stopped e) {
            return state.ended(Outcome.STOPPED_BY_INCIDENT, String.valueOf(e.getMessage()));
        }
    }

    private <T> Optional<T> watching(Supplier<Optional<T>> look) {
        watch();
        return look.get();
    }

    private void watch() {
        Phase phase = ports.ledger().state().phase();
        if (!(phase instanceof Phase.Settled)) {
            throw new Stopped(phase);
        }
    }

    private Manifest snapshot(DrillState state) {
        String id = required(state.snapshot(), "snapshot");
        return ports.catalog().newest(NEWEST).stream()
                .filter(it -> it.id().equals(id))
                .findFirst()
                .orElseThrow(
                        () ->
                                new Failure.Terminal(
                                        "promote the drill's cluster",
                                        "snapshot "
                                                + id
                                                + " isn't among the newest "
                                                + NEWEST
                                                + " in "
                                                + ports.catalog().region(),
                                        "Look who deleted it"));
    }

    private Path fetched(Manifest snapshot) {
        try {
            Files.createDirectories(scratch);
        } catch (IOException e) {
            throw unusable(e);
        }
        Path file = scratch.resolve(snapshot.id() + ".snap");
        ArchiveFile.fetch(ports.catalog(), snapshot, file)
                .ifPresent(
                        wrong -> {
                            throw new Failure.Terminal(
                                    "fetch the drill's snapshot",
                                    snapshot.id() + " is damaged: " + wrong,
                                    "It was proven a moment ago: look who changed the bucket");
                        });
        return file;
    }

    private void delete(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw unusable(e);
        }
    }

    private Failure unusable(IOException e) {
        return new Failure.Retryable(
                "use scratch space at " + scratch, String.valueOf(e), "It is tried again", e);
    }

    private VaultClient leader(DrillState state, Deadline deadline) {
        var finder = new LeaderFinder(ports.clients());
        PairSettings.Cluster cluster = at(node(state));
        return deadline.within(LEADER)
                .poll(
                        poll,
                        () ->
                                watching(
                                        () ->
                                                finder.find(cluster, LOOK)
                                                                instanceof
                                                                LeaderFinder.Finding.Active active
                                                        ? Optional.of(active.node())
                                                        : Optional.empty()))
                .orElseThrow(
                        () ->
                                new Failure.Retryable(
                                        "verify the drill's cluster",
                                        "no node of it is active",
                                        "Look at the server's log on " + node(state)));
    }

    private Login.Session login(Manifest snapshot, VaultClient node, Intent intent) {
        return ports.login()
                .to(
                        settings.cluster().login(),
                        node,
                        intent,
                        Optional.ofNullable(snapshot.needs().login().get(intent.toString())));
    }

    /** The drill's cluster as one that is reached by {@code node}. */
    private PairSettings.Cluster at(URI node) {
        PairSettings.Cluster it = settings.cluster();
        return new PairSettings.Cluster(
                it.region(),
                node,
                List.of(node),
                it.serverName(),
                it.login(),
                it.autoScalingGroup(),
                it.instanceTag(),
                it.voters(),
                it.awsLogin(),
                it.made());
    }

    private static URI node(DrillState state) {
        return required(state.node(), "node");
    }

    private static <T> T required(Optional<T> value, String field) {
        return value.orElseThrow(
                () ->
                        new Failure.Terminal(
                                "go on with the drill's cluster",
                                "the drill's state has no " + field,
                                "Run its phases in their order"));
    }

    private static void expect(String what, String expected, String seen) {
        if (!seen.equals(expected)) {
            throw new Failure.Terminal(
                    "verify the drill's cluster",
                    "its " + what + " is " + seen + ", expected " + expected,
                    "Look what was restored, and from where");
        }
    }

    private static Instant began(Deadline deadline) {
        return deadline.clock().instant();
    }

    private static Duration since(Instant began, Deadline deadline) {
        return Duration.between(began, deadline.clock().instant());
    }
}
