package io.vaultdr.snapshot;

import io.vaultdr.model.Epoch;
import io.vaultdr.model.Failure;
import io.vaultdr.model.Side;
import io.vaultdr.runtime.Deadline;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.runtime.Parallel;
import io.vaultdr.snapshot.Archive.Bad;
import io.vaultdr.snapshot.Archive.Sound;
import io.vaultdr.snapshot.Transfer.Landed;
import io.vaultdr.vault.LeaderFinder;
import io.vaultdr.vault.Login;
import io.vaultdr.vault.VaultClient;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * Takes a snapshot of a pair's serving side into every bucket.
 *
 * <ol>
 *   <li>The leader is found and logged in to; a canary with a new nonce is written; the committed
 *       index is read.
 *   <li>The snapshot is read from it at full speed into scratch space (a slow reader holds the
 *       server's state lock and with it, should the leader change, every write; facts §11 A).
 *       Behind the reader one pass checks the archive and each bucket's upload follows.
 *   <li>The node must still be the same leader, without a restart, and the archive's index no older
 *       than what was committed before: every node answers from its own state, also one that was
 *       cut off.
 *   <li>Only then the uploads are completed, and in each bucket a manifest is written if there is
 *       none with this id: that is the commit. The id comes from the scheduled minute, so a
 *       schedule that fires twice takes one snapshot.
 * </ol>
 *
 * What goes wrong with the server is tried again while there is time. A bucket that is away costs
 * that bucket's copy alone; {@link MissingCopies} brings it later.
 */
public final class SnapshotTaker {
    private static final Logger LOG = LoggerFactory.getLogger(SnapshotTaker.class);

    /** The KV version 2 engine that this project's canary and probe writes live in. */
    public static final String MOUNT = "vault-dr";

    /** The canary below {@link #MOUNT}; holds {@code nonce} and {@code writtenAt}. */
    public static final String CANARY = "canary";

    /** The pauses between them add up to fifteen seconds: time for an election, and another. */
    private static final int ATTEMPTS = 5;

    private static final Duration PAUSE = Duration.ofSeconds(1);
    private static final Duration FINDING = Duration.ofSeconds(10);
    private static final Duration STALL = Duration.ofSeconds(5);

    /** Lambda ends a function after 15 minutes, so nobody goes on with an upload this old. */
    private static final Duration ABANDONED = Duration.ofMinutes(20);

    private final PairSettings pair;
    private final Side side;
    private final LeaderFinder finder;
    private final Function<VaultClient, Login.Session> login;
    private final Supplier<Map<String, String>> versions;
    private final List<? extends SnapshotStore> stores;
    private final Path scratch;
    private final Clock clock;
    private final Supplier<String> nonces;

    /**
     * A taker for one side of a pair.
     *
     * @param login logs in to a node with the intent {@code snapshot}
     * @param versions the current version of each intent's login, which the snapshot will know
     * @param stores every bucket, home's first
     * @param scratch a directory with room for the archive
     * @param nonces never gives the same twice; letters and digits
     */
    public SnapshotTaker(
            PairSettings pair,
            Side side,
            LeaderFinder finder,
            Function<VaultClient, Login.Session> login,
            Supplier<Map<String, String>> versions,
            List<? extends SnapshotStore> stores,
            Path scratch,
            Clock clock,
            Supplier<String> nonces) {
        this.pair = pair;
        this.side = side;
        this.finder = finder;
        this.login = login;
        this.versions = versions;
        this.stores = stores;
        this.scratch = scratch;
        this.clock = clock;
        this.nonces = nonces;
    }

    /** What a run came to. */
    public sealed interface Taken {
        /**
         * A snapshot is committed in at least one bucket.
         *
         * @param bytes the archive's length
         * @param regions of the buckets that hold it
         * @param degraded what is missing, a sentence each; empty when nothing is
         */
        record Committed(Manifest manifest, long bytes, List<String> regions, List<String> degraded)
                implements Taken {}

        /** This minute's snapshot is there already, by another run. */
        record Already(String id, List<String> degraded) implements Taken {}
    }

    /**
     * Takes the snapshot that was scheduled for {@code scheduled}.
     *
     * @param lineage as the ledger says; empty when it couldn't be asked
     * @throws Failure where no bucket has it; nothing is listed then
     */
    public Taken take(Instant scheduled, Optional<Epoch> lineage, Deadline deadline) {
        String id = Manifest.id(pair.pair(), scheduled, pair.snapshotEvery());
        List<String> degraded = new ArrayList<>();
        if (lineage.isEmpty()) {
            degraded.add("the ledger could not be read: the snapshot's lineage is unknown");
        }
        if (before(id, degraded)) {
            return new Taken.Already(id, degraded);
        }
        for (int attempt = 1; ; attempt++) {
            try {
                return attempt(id, lineage, degraded, deadline);
            } catch (Failure.Retryable | Failure.OutcomeUnknown e) {
                if (attempt == ATTEMPTS || deadline.left().compareTo(FINDING) < 0) {
                    throw e;
                }
                LOG.warn("The snapshot is tried again: {}", e.getMessage());
                pause(PAUSE.multipliedBy(1L << (attempt - 1)));
            }
        }
    }

    /** Sweeps all buckets and asks each whether it holds {@code id}; a dead one costs its limit. */
    private boolean before(String id, List<String> degraded) {
        Instant abandoned = clock.instant().minus(ABANDONED);
        List<Optional<Boolean>> found =
                Parallel.each(
                        stores,
                        store -> {
                            try {
                                boolean there = store.committed(id).isPresent();
                                int swept = store.sweep(abandoned);
                                if (swept > 0) {
                                    LOG.info("{} abandoned uploads were given up", swept);
                                }
                                return Optional.of(there);
                            } catch (Failure e) {
                                LOG.warn("A bucket does not answer: {}", e.getMessage());
                                return Optional.empty();
                            }
                        });
        boolean there = found.stream().flatMap(Optional::stream).anyMatch(Boolean::booleanValue);
        for (int i = 0; there && i < stores.size(); i++) {
            if (!found.get(i).orElse(false)) {
                degraded.add("no copy of " + id + " in " + stores.get(i).region());
            }
        }
        return there;
    }

    private Taken attempt(
            String id, Optional<Epoch> lineage, List<String> degraded, Deadline deadline) {
        VaultClient node = finder.require(pair.cluster(side), FINDING);
        String nonce = nonces.get();
        try (Login.Session session = login.apply(node)) {
            List<String> noticed = new ArrayList<>(degraded);
            Manifest.RestoreNeeds needs = needs(node, session, noticed);
            String clusterId = clusterId(node);
            node.writeKv(
                    session.token(),
                    MOUNT,
                    CANARY,
                    Map.of("nonce", nonce, "writtenAt", clock.instant().toString()));
            VaultClient.Leader before = leading(node);
            Instant takenAt = clock.instant();
            try (Transfer transfer =
                    Transfer.into(stores, Manifest.archiveKey(id, nonce), scratch, deadline)) {
                Sound sound = sound(receive(node, session, transfer), node);
                stillLeading(node, before, sound);
                Manifest manifest =
                        new Manifest(
                                id,
                                pair.pair(),
                                side,
                                takenAt,
                                lineage,
                                sound.bytes(),
                                sound.sha256(),
                                sound.index(),
                                sound.term(),
                                clusterId,
                                nonce,
                                needs);
                return settled(manifest, transfer.commit(manifest), noticed);
            }
        }
    }

    /** Refuses an archive of a node that stopped leading meanwhile, or of an older state. */
    private static void stillLeading(VaultClient node, VaultClient.Leader before, Sound sound) {
        VaultClient.Leader after = leading(node);
        if (!after.activeTime().equals(before.activeTime())) {
            throw refused(node, "it began to lead anew in between");
        }
        long committed = before.committedIndex().orElse(0);
        if (sound.index() < committed) {
            throw refused(
                    node,
                    "its archive has index "
                            + sound.index()
                            + ", and "
                            + committed
                            + " was committed before");
        }
    }

    private static Archive receive(VaultClient node, Login.Session session, Transfer transfer) {
        try (InputStream stream = node.snapshot(session.token(), STALL)) {
            return transfer.receive(stream);
        } catch (IOException e) {
            throw new Failure.Retryable(
                    "close the snapshot's stream", e.toString(), "It is taken again", e);
        }
    }

    private static Sound sound(Archive archive, VaultClient node) {
        return switch (archive) {
            case Sound sound -> sound;
            case Bad(Archive.Reason reason, long offset, String detail) ->
                    throw refused(
                            node,
                            "its archive is bad ("
                                    + reason
                                    + " at byte "
                                    + offset
                                    + ": "
                                    + detail
                                    + ")");
        };
    }

    /** What {@code sys/leader} of {@code node} says, if it says that the node itself leads. */
    private static VaultClient.Leader leading(VaultClient node) {
        VaultClient.Leader leader = node.leader();
        if (!leader.self()) {
            throw refused(node, "it doesn't lead any more");
        }
        return leader;
    }

    private static Failure refused(VaultClient node, String seen) {
        return new Failure.Retryable(
                "take a snapshot from " + node.address(), seen, "Nothing of it is kept");
    }

    private static String clusterId(VaultClient node) {
        return node.sealStatus()
                .clusterId()
                .orElseThrow(() -> refused(node, "it doesn't say its cluster's id"));
    }

    private Manifest.RestoreNeeds needs(
            VaultClient node, Login.Session session, List<String> noticed) {
        VaultClient.SealStatus seal = node.sealStatus();
        List<String> paths = List.of();
        try {
            paths = AuditDevices.needs(node.auditDevices(session.token()).values());
            AuditDevices.warning(paths).ifPresent(noticed::add);
        } catch (Failure e) {
            noticed.add("audit devices could not be listed: " + e.getMessage());
        }
        return new Manifest.RestoreNeeds(
                pair.edition().name().toLowerCase(Locale.ROOT),
                seal.version().orElse("unknown"),
                seal.type(),
                Optional.empty(),
                logins(noticed),
                paths);
    }

    private Map<String, String> logins(List<String> noticed) {
        try {
            return versions.get();
        } catch (Failure e) {
            noticed.add("the logins' versions could not be read: " + e.getMessage());
            return Map.of();
        }
    }

    private Taken settled(Manifest manifest, List<Landed> landed, List<String> degraded) {
        List<String> regions = new ArrayList<>();
        boolean anticipated = false;
        for (int i = 0; i < landed.size(); i++) {
            String region = stores.get(i).region();
            switch (landed.get(i)) {
                case Landed.Committed() -> regions.add(region);
                case Landed.Anticipated() -> anticipated = true;
                case Landed.Missed(String why) -> degraded.add("no copy in " + region + ": " + why);
            }
        }
        if (!regions.isEmpty()) {
            return new Taken.Committed(manifest, manifest.bytes(), regions, degraded);
        }
        if (anticipated) {
            return new Taken.Already(manifest.id(), degraded);
        }
        throw new Failure.Retryable(
                "take snapshot " + manifest.id(),
                "no bucket took it (" + String.join("; ", degraded) + ")",
                "Nothing of it is kept; look at the buckets");
    }

    private static void pause(Duration time) {
        try {
            Thread.sleep(time);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
