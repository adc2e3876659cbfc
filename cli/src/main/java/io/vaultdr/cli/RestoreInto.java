package io.vaultdr.cli;

import io.vaultdr.model.Failure;
import io.vaultdr.promotion.ByRestore;
import io.vaultdr.promotion.ByRestore.Standing;
import io.vaultdr.promotion.Capacity;
import io.vaultdr.promotion.LastSeen;
import io.vaultdr.promotion.NodeCommands;
import io.vaultdr.promotion.RestoreGuards;
import io.vaultdr.promotion.Voters;
import io.vaultdr.runtime.Deadline;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.snapshot.ArchiveFile;
import io.vaultdr.snapshot.Manifest;
import io.vaultdr.snapshot.SnapshotStore;
import io.vaultdr.snapshot.SnapshotTaker;
import io.vaultdr.vault.LeaderFinder;
import io.vaultdr.vault.LeaderFinder.Finding;
import io.vaultdr.vault.Login;
import io.vaultdr.vault.VaultClient;
import io.vaultdr.vault.VaultClient.NodeStatus;
import io.vaultdr.vault.VaultClients;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiFunction;
import java.util.function.Predicate;
import java.util.function.Supplier;

/**
 * Restores a chosen snapshot into a named cluster's one blank node, as a promotion does, and lets
 * the others join. Ended anywhere in between, the same command goes on: the node itself and the
 * journal say how far it came.
 */
final class RestoreInto {
    private static final Duration LOOK = Duration.ofSeconds(5);

    /**
     * What it works with; the operator's own rights everywhere.
     *
     * @param beside what else may change the pair meanwhile, a sentence each
     */
    record Tools(
            PairSettings.Cluster cluster,
            PairSettings.Edition edition,
            VaultClients clients,
            Login login,
            List<? extends SnapshotStore> stores,
            Supplier<List<String>> beside,
            Supplier<Optional<LastSeen>> lastSeen,
            BiFunction<URI, PrintWriter, NodeCommands> commands,
            ByRestore.Documents documents,
            Optional<Capacity> capacity,
            Clock clock) {}

    private final String name;
    private final Tools tools;
    private final Path scratch;
    private final PrintWriter out;
    private final LeaderFinder leaders;

    /**
     * Restores into the cluster called {@code name}, {@code <pair>-<side>}.
     *
     * @param scratch where archive and journal lie meanwhile
     */
    RestoreInto(String name, Tools tools, Path scratch, PrintWriter out) {
        this.name = name;
        this.tools = tools;
        this.scratch = scratch;
        this.out = out;
        this.leaders = new LeaderFinder(tools.clients());
    }

    /**
     * Restores snapshot {@code id}.
     *
     * @param confirmed is given the cluster's name and asks a person; false: nothing is done
     * @param patience how long the whole may take
     * @return one of {@link Exit}
     */
    int restore(String id, Predicate<String> confirmed, Duration patience) {
        Manifest snapshot = manifest(id);
        show(snapshot);
        FileJournal journal = journal(id);
        Finding nodes = leaders.find(tools.cluster(), LOOK);
        // Not by the cluster id: a cluster that serves has the one of all its snapshots.
        boolean resumed = !journal.remembered().isEmpty();
        Optional<VaultClient> blank = blank(nodes);
        List<String> refusals =
                RestoreGuards.refusals(
                        snapshot,
                        tools.edition().name().toLowerCase(Locale.ROOT),
                        nodes,
                        blank.map(VaultClient::sealStatus));
        List<String> beside = tools.beside().get();
        if (!beside.isEmpty()) {
            refused(beside);
            return Exit.NEGATIVE;
        }
        if (resumed) {
            say("An earlier attempt began this restore; it goes on where that stopped.");
        } else if (!refusals.isEmpty()) {
            refused(refusals);
            return Exit.NEGATIVE;
        }
        if (!confirmed.test(name)) {
            say("Not confirmed; nothing was done.");
            return Exit.NEGATIVE;
        }
        Deadline deadline = new Deadline(tools.clock(), tools.clock().instant().plus(patience));
        Path archive = scratch.resolve(id + ".snap");
        URI node =
                into(
                        snapshot,
                        archive,
                        journal,
                        Optional.ofNullable(journal.remembered().get(ByRestore.INITIALISED))
                                .map(URI::create)
                                .or(() -> blank.map(VaultClient::address))
                                .orElseThrow(),
                        deadline);
        canary(snapshot, node);
        grow(snapshot, deadline);
        delete(archive);
        journal.done();
        say(name + " serves " + id + ". From now on its tokens, recovery keys and policies count.");
        return Exit.EXPECTED;
    }

    private void refused(List<String> why) {
        say("Refused; nothing was done:");
        why.forEach(refusal -> say("  - " + refusal));
    }

    private Manifest manifest(String id) {
        return tools.stores().stream()
                .flatMap(store -> store.committed(id).stream())
                .findFirst()
                .orElseThrow(
                        () ->
                                new Unusable(
                                        id
                                                + ": no such snapshot; the newest are "
                                                + String.join(
                                                        ", ",
                                                        tools.stores().getFirst().newestIds(5))));
    }

    private void show(Manifest snapshot) {
        Manifest.RestoreNeeds needs = snapshot.needs();
        say("Snapshot  " + snapshot.id() + ", taken " + snapshot.takenAt());
        say("  index   " + snapshot.index() + " of cluster " + snapshot.clusterId());
        say(
                "  needs   "
                        + needs.edition()
                        + " "
                        + needs.version()
                        + " or newer, seal "
                        + needs.sealType());
        if (!needs.auditPaths().isEmpty()) {
            say(
                    "  audit   "
                            + String.join(", ", needs.auditPaths())
                            + " must be writable on the node, or its server dies after the"
                            + " restore");
        }
        tools.lastSeen()
                .get()
                .ifPresentOrElse(
                        seen ->
                                say(
                                        "  loses   what was written since: at the most "
                                                + LastSeen.words(seen.lostBy(snapshot))
                                                + ", as last seen at "
                                                + seen.at()),
                        () ->
                                say(
                                        "  loses   everything written after "
                                                + snapshot.takenAt()
                                                + "; how much that is nobody here knows"));
        say("  revives tokens, secret ids and leases that were revoked after it was taken");
        say("Into      " + name + " (" + tools.cluster().nodes() + ")");
    }

    private FileJournal journal(String id) {
        try {
            Files.createDirectories(
                    scratch,
                    PosixFilePermissions.asFileAttribute(
                            PosixFilePermissions.fromString("rwx------")));
            return new FileJournal(scratch.resolve(name + "-" + id + ".journal.json"), out);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Optional<VaultClient> blank(Finding nodes) {
        return nodes instanceof Finding.NoneActive(var answers)
                ? answers.stream()
                        .filter(
                                answer ->
                                        answer.status()
                                                .equals(Optional.of(NodeStatus.NOT_INITIALISED)))
                        .map(answer -> tools.clients().at(tools.cluster(), answer.node()))
                        .findFirst()
                : Optional.empty();
    }

    private URI into(
            Manifest snapshot, Path archive, FileJournal journal, URI target, Deadline deadline) {
        ByRestore promotion =
                new ByRestore(
                        tools.cluster(),
                        tools.documents(),
                        tools.clients(),
                        tools.commands().apply(target, out));
        if (journal.remembered().containsKey(ByRestore.POSTED)
                && promotion.look(snapshot, deadline) instanceof Standing.Restored(URI node)) {
            return promotion.restart(node, snapshot, journal, deadline);
        }
        fetch(snapshot, archive);
        say("Restoring into " + target);
        // A person says with the command that the node may hold them.
        return promotion.promote(snapshot, archive, () -> {}, journal, deadline);
    }

    private void fetch(Manifest snapshot, Path archive) {
        for (SnapshotStore store : tools.stores()) {
            if (store.committed(snapshot.id()).isEmpty()) {
                continue;
            }
            say("Fetching the archive from " + store.region() + " and checking it");
            Optional<String> wrong = ArchiveFile.fetch(store, snapshot, archive);
            if (wrong.isEmpty()) {
                return;
            }
            say("  it is damaged there: " + wrong.get());
        }
        throw new Failure.Terminal(
                "fetch snapshot " + snapshot.id(),
                "no bucket has a sound archive of it",
                "Look for an earlier version of the object: docs/runbooks/restore-by-hand.md");
    }

    private void canary(Manifest snapshot, URI node) {
        try (Login.Session session =
                login(snapshot, tools.clients().at(tools.cluster(), node), Login.Intent.VERIFY)) {
            String nonce =
                    session.node()
                            .readKv(session.token(), SnapshotTaker.MOUNT, SnapshotTaker.CANARY)
                            .map(read -> read.data().getOrDefault("nonce", "none"))
                            .orElse("none");
            if (!nonce.equals(snapshot.nonce())) {
                throw new Failure.Terminal(
                        "read the canary on " + node,
                        "it isn't the one that was written before this snapshot was taken",
                        "Let no client there; look which archive was restored");
            }
            say("The canary reads back as it was written before the snapshot.");
        }
    }

    private void grow(Manifest snapshot, Deadline deadline) {
        int voters = tools.cluster().voters();
        if (tools.capacity().isPresent()) {
            if (tools.capacity().get().size().desired() < voters) {
                tools.capacity().get().want(voters);
            }
            say("The group was told to want " + voters + " instances; each joins by itself.");
        } else if (voters > 1) {
            say("▶ Start the other nodes now, blank; each joins by itself.");
        }
        AtomicLong told = new AtomicLong();
        new Voters(tools.cluster(), leaders, tools.login())
                .await(
                        version(snapshot, Login.Intent.GROW),
                        deadline,
                        now -> {
                            if (told.getAndSet(now) != now) {
                                say("  " + now + " of " + voters + " vote");
                            }
                        });
    }

    private Login.Session login(Manifest snapshot, VaultClient node, Login.Intent intent) {
        return tools.login().to(tools.cluster().login(), node, intent, version(snapshot, intent));
    }

    private static Optional<String> version(Manifest snapshot, Login.Intent intent) {
        return Optional.ofNullable(snapshot.needs().login().get(intent.toString()));
    }

    private static void delete(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void say(String line) {
        out.println(line);
        out.flush();
    }
}
