package io.vaultdr.promotion;

import io.vaultdr.model.Failure;
import io.vaultdr.model.Secret;
import io.vaultdr.promotion.NodeCommands.Result;
import io.vaultdr.promotion.NodeCommands.Run;
import io.vaultdr.runtime.Deadline;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.runtime.Parallel;
import io.vaultdr.snapshot.Manifest;
import io.vaultdr.vault.VaultClient;
import io.vaultdr.vault.VaultClient.Health;
import io.vaultdr.vault.VaultClient.NodeStatus;
import io.vaultdr.vault.VaultClients;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.function.Supplier;

/**
 * Promotes the DR side by restoring a snapshot into one blank node.
 *
 * <ol>
 *   <li>The blank node is initialised; root token and recovery keys stay in memory and vanish with
 *       the restore. It holds nothing yet, so this may go on beside a fence.
 *   <li>Whoever promotes says when the restore may begin. If it may not, the node is wiped: it is
 *       left as blank as it was found.
 *   <li>The snapshot is posted without force, which lets the server check it with its seal. The
 *       answer means <em>verified, not restored</em>: done is when the node is active under the
 *       snapshot's cluster id.
 *   <li>The node is restarted: until then it shows stale state, and other nodes that join it never
 *       unseal.
 * </ol>
 *
 * Killed anywhere in between, the node itself says how far it came: the snapshot's cluster id means
 * restored; another one, that this promotion made, means to wipe the node and begin again. A node
 * that somebody else initialised is never touched.
 */
public final class ByRestore {
    /** Remembers which node was initialised, before it is. */
    public static final String INITIALISED = "initialised";

    /** Remembers which snapshot was posted, before it is. */
    public static final String POSTED = "posted";

    private static final String RESTARTED = "restarted";
    private static final Duration POLL = Duration.ofMillis(200);

    /** A function that was never called before takes some seconds for its first handshake. */
    private static final Duration LOOK = Duration.ofSeconds(5);

    /** From initialised to active: a second or two. */
    private static final Duration UNSEAL = Duration.ofSeconds(60);

    /** What the server does behind its answer: under ten seconds for 100 MiB, and more for more. */
    private static final Duration RESTORE = Duration.ofMinutes(10);

    private static final Duration DOCUMENT = Duration.ofSeconds(90);

    /** A restore that was posted before the kill may still be going on. */
    private static final Duration SETTLE = Duration.ofSeconds(20);

    private final PairSettings.Cluster cluster;
    private final Documents documents;
    private final VaultClients clients;
    private final NodeCommands commands;

    /**
     * What is run on the nodes.
     *
     * @param restart restarts the server
     * @param wipe empties the server's data and starts it
     */
    public record Documents(String restart, String wipe) {
        /** Those of a failover. */
        public static Documents of(PairSettings.Failover failover) {
            return new Documents(failover.restartDocument(), failover.wipeDocument());
        }
    }

    /** Promotes {@code cluster} with {@code documents}. */
    public ByRestore(
            PairSettings.Cluster cluster,
            Documents documents,
            VaultClients clients,
            NodeCommands commands) {
        this.cluster = cluster;
        this.documents = documents;
        this.clients = clients;
        this.commands = commands;
    }

    /** How the DR side stands to a snapshot. */
    public sealed interface Standing {
        /** The node it is about. */
        URI node();

        /** Answers 501: nothing is on it. */
        record Blank(URI node) implements Standing {}

        /** Active under the snapshot's cluster id. */
        record Restored(URI node) implements Standing {}

        /** Initialised, and not by this snapshot. */
        record Other(URI node, Health health) implements Standing {}
    }

    /**
     * Looks at every node of the DR side at once, and once more where none answers: each is given
     * five seconds, whatever the time-out of a single call.
     *
     * @throws Failure.Retryable if none answers
     */
    public Standing look(Manifest snapshot, Deadline deadline) {
        return deadline.within(LOOK)
                .poll(POLL, () -> standing(snapshot))
                .orElseThrow(
                        () ->
                                new Failure.Retryable(
                                        "find the DR side's node",
                                        "none of "
                                                + cluster.nodes()
                                                + " answered within "
                                                + LOOK.toSeconds()
                                                + " s",
                                        "Start the server on one of them, uninitialised"));
    }

    private Optional<Standing> standing(Manifest snapshot) {
        List<Seen> seen = healths();
        return first(seen, h -> restored(h, snapshot))
                .<Standing>map(s -> new Standing.Restored(s.node()))
                .or(
                        () ->
                                first(seen, h -> h.meaning() == NodeStatus.NOT_INITIALISED)
                                        .map(s -> new Standing.Blank(s.node())))
                .or(
                        () ->
                                first(seen, h -> true)
                                        .map(s -> new Standing.Other(s.node(), s.health())));
    }

    /**
     * Restores {@code snapshot} and restarts the node, from wherever an earlier attempt came to.
     *
     * @param archive the snapshot's checked archive
     * @param permission returns once the node may hold the snapshot's data; throws if it may not,
     *     and then nothing was restored
     * @return the node that serves now
     */
    public URI promote(
            Manifest snapshot,
            Path archive,
            Runnable permission,
            Journal journal,
            Deadline deadline) {
        Standing standing = look(snapshot, deadline);
        if (standing instanceof Standing.Other other) {
            standing = again(other, snapshot, journal, deadline);
        }
        if (standing instanceof Standing.Blank blank) {
            Secret root = initialise(blank.node(), journal, deadline);
            await(permission, blank.node(), deadline);
            restore(blank.node(), root, snapshot, archive, journal, deadline);
        }
        return restart(standing.node(), snapshot, journal, deadline);
    }

    /** Restarts a node that is restored, unless an earlier attempt lived to do it. */
    public URI restart(URI node, Manifest snapshot, Journal journal, Deadline deadline) {
        if (snapshot.id().equals(journal.remembered().get(RESTARTED))) {
            return node;
        }
        Instant began = deadline.clock().instant();
        VaultClient client = clients.at(cluster, node);
        Optional<Instant> before = client.leader().activeTime();
        List<Run> runs = commands.run(cluster, documents.restart(), DOCUMENT);
        require(
                deadline.within(UNSEAL).poll(POLL, () -> restarted(client, snapshot, before)),
                () ->
                        new Failure.Retryable(
                                "restart " + node,
                                "its server isn't active after a restart; "
                                        + documents.restart()
                                        + " said "
                                        + said(runs),
                                "Restart the server on that node by hand; the step looks"
                                        + " again"));
        journal.remember(
                Map.of("restartMillis", millisSince(began, deadline), RESTARTED, snapshot.id()));
        return node;
    }

    private Standing again(
            Standing.Other other, Manifest snapshot, Journal journal, Deadline deadline) {
        if (!other.node().toString().equals(journal.remembered().get(INITIALISED))) {
            throw new Failure.Terminal(
                    "promote " + other.node(),
                    "it is initialised (status "
                            + other.health().status()
                            + "), and not by this incident; expected a blank node (501)",
                    "If nothing on it is wanted, wipe it with " + documents.wipe());
        }
        if (journal.remembered().containsKey(POSTED)) {
            Optional<Health> settled =
                    deadline.within(SETTLE)
                            .poll(POLL, () -> active(clients.at(cluster, other.node()), snapshot));
            if (settled.isPresent()) {
                return new Standing.Restored(other.node());
            }
        }
        wipe(other.node(), deadline);
        journal.find(
                "The node was wiped and begun again: an earlier attempt was killed in between.");
        return new Standing.Blank(other.node());
    }

    private Secret initialise(URI node, Journal journal, Deadline deadline) {
        VaultClient client = clients.at(cluster, node);
        Instant began = deadline.clock().instant();
        journal.remember(INITIALISED, node.toString());
        // One share: the keys open nothing that outlives the next minute.
        Secret root = client.initialize(1, 1).rootToken();
        require(
                deadline.within(UNSEAL)
                        .poll(
                                POLL,
                                () ->
                                        quietly(client)
                                                .filter(h -> h.meaning() == NodeStatus.ACTIVE)),
                () ->
                        new Failure.Retryable(
                                "unseal the blank node " + node,
                                "not active "
                                        + UNSEAL.toSeconds()
                                        + " s after it was"
                                        + " initialised",
                                "Look at its log: its role needs the seal's key"));
        journal.remember("initMillis", millisSince(began, deadline));
        return root;
    }

    private void await(Runnable permission, URI node, Deadline deadline) {
        try {
            permission.run();
        } catch (RuntimeException e) {
            try {
                wipe(node, deadline);
            } catch (Failure left) {
                e.addSuppressed(left);
            }
            throw e;
        }
    }

    private void restore(
            URI node,
            Secret root,
            Manifest snapshot,
            Path archive,
            Journal journal,
            Deadline deadline) {
        VaultClient client = clients.at(cluster, node);
        journal.remember(POSTED, snapshot.id());
        Instant began = deadline.clock().instant();
        try {
            client.restore(root, archive, deadline.within(RESTORE).left());
        } catch (Failure.OutcomeUnknown e) {
            // The cluster id tells below whether it was taken.
            journal.find(
                    "The server gave no answer to the restore; its cluster id was waited for.");
        } catch (Failure.Terminal e) {
            // Refused: nothing of the snapshot is on it, and only a blank node can be used again.
            wipe(node, deadline);
            throw e;
        }
        require(
                deadline.within(RESTORE).poll(POLL, () -> active(client, snapshot)),
                () ->
                        new Failure.Retryable(
                                "restore " + snapshot.id() + " into " + node,
                                "it isn't active under cluster id "
                                        + snapshot.clusterId()
                                        + "; it says "
                                        + quietly(client).map(Health::status),
                                "Look at the server's log: an audit device whose file can't"
                                        + " be opened stops it after a restore"));
        journal.remember("restoreMillis", millisSince(began, deadline));
    }

    private void wipe(URI node, Deadline deadline) {
        List<Run> runs = commands.run(cluster, documents.wipe(), DOCUMENT);
        VaultClient client = clients.at(cluster, node);
        if (deadline.within(UNSEAL)
                .poll(
                        POLL,
                        () ->
                                quietly(client)
                                        .filter(h -> h.meaning() == NodeStatus.NOT_INITIALISED))
                .isEmpty()) {
            throw new Failure.Retryable(
                    "wipe " + node,
                    "it doesn't answer 501; " + documents.wipe() + " said " + said(runs),
                    "Wipe the node by hand: stop the server, empty its data, start it");
        }
    }

    private static void require(Optional<?> seen, Supplier<Failure> otherwise) {
        if (seen.isEmpty()) {
            throw otherwise.get();
        }
    }

    private static Optional<Health> active(VaultClient client, Manifest snapshot) {
        return quietly(client).filter(health -> restored(health, snapshot));
    }

    private static Optional<Instant> restarted(
            VaultClient client, Manifest snapshot, Optional<Instant> before) {
        if (active(client, snapshot).isEmpty()) {
            return Optional.empty();
        }
        try {
            return client.leader().activeTime().filter(now -> !before.equals(Optional.of(now)));
        } catch (Failure.Retryable e) {
            return Optional.empty();
        }
    }

    private static boolean restored(Health health, Manifest snapshot) {
        return health.meaning() == NodeStatus.ACTIVE
                && health.clusterId().equals(Optional.of(snapshot.clusterId()));
    }

    private record Seen(URI node, Health health) {}

    /** Health of every node that answers; all are asked at once, for some may be silent. */
    private List<Seen> healths() {
        return Parallel.each(
                        cluster.nodes(),
                        node -> quietly(clients.at(cluster, node)).map(h -> new Seen(node, h)))
                .stream()
                .flatMap(Optional::stream)
                .toList();
    }

    private static Optional<Seen> first(List<Seen> seen, Predicate<Health> condition) {
        return seen.stream().filter(s -> condition.test(s.health())).findFirst();
    }

    /** A node's health; empty while it doesn't answer, which is expected of it in between. */
    private static Optional<Health> quietly(VaultClient client) {
        try {
            return Optional.of(client.health());
        } catch (Failure.Retryable e) {
            return Optional.empty();
        }
    }

    private static String said(List<Run> runs) {
        return runs.isEmpty()
                ? "no instance carries the tag"
                : String.join(
                        ", ",
                        runs.stream()
                                .map(
                                        run ->
                                                run.instance()
                                                        + (run.result() == Result.SUCCEEDED
                                                                ? " done"
                                                                : " " + run.detail()))
                                .toList());
    }

    private static String millisSince(Instant began, Deadline deadline) {
        return Long.toString(Duration.between(began, deadline.clock().instant()).toMillis());
    }
}
