package io.vaultdr.cli;

import io.vaultdr.model.Failure;
import io.vaultdr.promotion.ByRestore;
import io.vaultdr.promotion.NodeCommands;
import io.vaultdr.runtime.Deadline;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.vault.VaultClient;
import io.vaultdr.vault.VaultClient.NodeStatus;
import io.vaultdr.vault.VaultClients;

import java.io.PrintWriter;
import java.net.URI;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * Asks the operator to do what documents of Systems Manager do elsewhere, and waits until the node
 * itself shows that it was done.
 */
final class ByHand implements NodeCommands {
    static final ByRestore.Documents DOCUMENTS = new ByRestore.Documents("restart", "wipe");

    private static final Duration POLL = Duration.ofSeconds(1);

    private final URI node;
    private final VaultClients clients;
    private final Duration patience;
    private final Clock clock;
    private final PrintWriter out;

    /**
     * Asks for {@code node}.
     *
     * @param patience how long the operator may take
     */
    ByHand(URI node, VaultClients clients, Duration patience, Clock clock, PrintWriter out) {
        this.node = node;
        this.clients = clients;
        this.patience = patience;
        this.clock = clock;
        this.out = out;
    }

    @Override
    public List<Run> run(PairSettings.Cluster cluster, String document, Duration limit) {
        VaultClient client = clients.at(cluster, node);
        boolean restart = document.equals(DOCUMENTS.restart());
        Optional<Instant> before = activeSince(client);
        out.println(
                restart
                        ? "  ▶ Restart the server on " + node + " now (systemctl restart)."
                        : "  ▶ Stop the server on "
                                + node
                                + ", empty its data directory, start it again.");
        out.println("    Waiting up to " + patience.toMinutes() + " minutes for it.");
        out.flush();
        boolean seen =
                new Deadline(clock, clock.instant().plus(patience))
                        .poll(
                                POLL,
                                () ->
                                        (restart ? restarted(client, before) : blank(client))
                                                ? Optional.of(true)
                                                : Optional.empty())
                        .isPresent();
        return List.of(
                new Run(
                        node.toString(),
                        seen ? Result.SUCCEEDED : Result.UNANSWERED,
                        seen ? "done by hand" : "not seen within " + patience));
    }

    private static boolean restarted(VaultClient client, Optional<Instant> before) {
        return activeSince(client).filter(now -> !before.equals(Optional.of(now))).isPresent();
    }

    private static Optional<Instant> activeSince(VaultClient client) {
        try {
            return client.leader().activeTime();
        } catch (Failure e) {
            return Optional.empty();
        }
    }

    private static boolean blank(VaultClient client) {
        try {
            return client.health().meaning() == NodeStatus.NOT_INITIALISED;
        } catch (Failure e) {
            return false;
        }
    }
}
