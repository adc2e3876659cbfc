package io.vaultdr.workflow;

import io.vaultdr.failover.Assessment;
import io.vaultdr.failover.Incident;
import io.vaultdr.failover.Incident.Approval;
import io.vaultdr.failover.Incident.StepRecord;
import io.vaultdr.failover.Ledger;
import io.vaultdr.model.Epoch;
import io.vaultdr.model.Failure;
import io.vaultdr.model.Loss;
import io.vaultdr.model.Outcome;
import io.vaultdr.model.StepName;
import io.vaultdr.promotion.ByRestore;
import io.vaultdr.promotion.LastSeen;
import io.vaultdr.promotion.PilotLight;
import io.vaultdr.runtime.Deadline;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.runtime.PairSettings.Failover.Prefer;
import io.vaultdr.snapshot.ArchiveFile;
import io.vaultdr.snapshot.AuditDevices;
import io.vaultdr.snapshot.Catalog;
import io.vaultdr.snapshot.Manifest;
import io.vaultdr.snapshot.Proofs;
import io.vaultdr.snapshot.SnapshotChoice;
import io.vaultdr.vault.Login;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * Makes the DR side a cluster that holds home's data: where no node stands by, the first is started
 * ({@link PilotLight}); a snapshot of home's lineage is restored into the blank node, the newest
 * proven one, or the newest sound one where less loss is preferred or none is proven ({@link
 * SnapshotChoice}). A damaged one is passed over for the next; if what that loses is more than was
 * accepted, a person is asked.
 *
 * <p>It runs beside {@link Fence}: choosing, fetching and a node that is initialised and empty harm
 * nobody. What makes a second cluster of home's data is the restore, and it waits until the ledger
 * says that Fence is through.
 */
public final class Promote implements Step {
    private static final Logger LOG = LoggerFactory.getLogger(Promote.class);
    static final String SNAPSHOT = "snapshot";
    static final String CLUSTER_ID = "clusterId";
    static final String NONCE = "nonce";
    static final String NODE = "node";
    static final String DECISION = "decision";
    private static final String LOGIN = "login-";

    /** The newest as a rule; each manifest is a call to S3. */
    private static final int NEWEST = 3;

    /** Longer than the machine lets Fence take. */
    private static final Duration FENCING = Duration.ofMinutes(6);

    private static final Duration LOOK = Duration.ofMillis(100);

    /** More snapshots than anybody wants to go back by itself. */
    private static final int LOOK_BACK = 50;

    private final Ledger ledger;
    private final Catalog catalog;
    private final Proofs proofs;
    private final Optional<PilotLight> pilotLight;
    private final ByRestore promotion;
    private final PairSettings.Failover settings;
    private final Path scratch;

    /**
     * Promotes from the snapshots of {@code catalog}.
     *
     * @param proofs of the same bucket
     * @param pilotLight starts the first node; empty where one stands by
     * @param settings the accepted loss, up to which nobody is asked, and which snapshot is
     *     preferred
     * @param scratch a directory with room for the archive
     */
    public Promote(
            Ledger ledger,
            Catalog catalog,
            Proofs proofs,
            Optional<PilotLight> pilotLight,
            ByRestore promotion,
            PairSettings.Failover settings,
            Path scratch) {
        this.ledger = ledger;
        this.catalog = catalog;
        this.proofs = proofs;
        this.pilotLight = pilotLight;
        this.promotion = promotion;
        this.settings = settings;
        this.scratch = scratch;
    }

    @Override
    public StepName name() {
        return StepName.PROMOTE;
    }

    /** After asking, the execution comes by again. */
    @Override
    public boolean settled(StepRecord finished) {
        return "DONE".equals(finished.result().get(DECISION));
    }

    @Override
    public Map<String, String> perform(Work work) {
        if (!work.dryRun()) {
            pilotLight.ifPresent(it -> it.light(work, work.deadline()));
        }
        Epoch lineage = ledger.state().lineage();
        Optional<Manifest> begun =
                Optional.ofNullable(work.remembered().get(SNAPSHOT))
                        .flatMap(id -> find(candidates(LOOK_BACK, lineage), id));
        // A dry run has begun nothing, and with a pilot light it has no node to look at.
        if (begun.isPresent()
                && !work.dryRun()
                && promotion.look(begun.get(), work.deadline())
                        instanceof ByRestore.Standing.Restored restored) {
            URI node = promotion.restart(restored.node(), begun.get(), work, work.deadline());
            return done(work, begun.get(), node);
        }
        Proofs seen = proofs.remembering();
        Chosen chosen =
                choose(first(lineage, seen), seen, work)
                        .or(() -> choose(candidates(LOOK_BACK, lineage), seen, work))
                        .orElseThrow(() -> noneIsSound(lineage));
        work.find("Snapshot " + chosen.snapshot().id() + " is chosen: " + chosen.why() + ".");
        AuditDevices.warning(chosen.snapshot().needs().auditPaths())
                .ifPresent(
                        warning ->
                                work.find(
                                        "Should the node not come up after the restore: "
                                                + warning
                                                + "."));
        Loss loss = loss(chosen.snapshot(), work.incident());
        if (!work.dryRun() && tooGreat(loss, work.incident())) {
            return ask(work, chosen.snapshot(), loss);
        }
        if (work.dryRun()) {
            return rehearsed(chosen.snapshot(), work.deadline());
        }
        work.remember(SNAPSHOT, chosen.snapshot().id());
        URI node =
                promotion.promote(
                        chosen.snapshot(),
                        chosen.archive(),
                        () -> awaitFence(work),
                        work,
                        work.deadline());
        return done(work, chosen.snapshot(), node);
    }

    /**
     * Returns once Fence has cut what it could.
     *
     * @throws Ledger.StaleEpochException where the incident was closed without it
     */
    private void awaitFence(Work work) {
        Epoch epoch = work.incident().epoch();
        if (work.deadline().within(FENCING).poll(LOOK, () -> fenced(epoch)).isEmpty()) {
            throw new Failure.Retryable(
                    "restore into the node that was made ready",
                    "Fence, which has to be through before, isn't after "
                            + FENCING.toMinutes()
                            + " minutes, as far as the ledger could be read",
                    "Look at Fence's own log; what was made ready is wiped and made again");
        }
    }

    private Optional<StepRecord> fenced(Epoch epoch) {
        Optional<Incident> read;
        try {
            read = ledger.incident(epoch);
        } catch (Failure.Retryable e) {
            LOG.warn("whether Fence is through can't be read yet: {}", e.getMessage());
            return Optional.empty();
        }
        Incident seen =
                read.filter(it -> it.outcome() == Outcome.OPEN)
                        .orElseThrow(
                                () ->
                                        new Ledger.StaleEpochException(
                                                "promote in incident "
                                                        + epoch
                                                        + ": it was closed before Fence was"
                                                        + " through"));
        return Optional.ofNullable(seen.steps().get(StepName.FENCE))
                .filter(it -> it.finishedAt().isPresent());
    }

    private Map<String, String> rehearsed(Manifest snapshot, Deadline deadline) {
        if (pilotLight.isPresent()) {
            return Map.of(
                    DECISION,
                    "DONE",
                    SNAPSHOT,
                    snapshot.id(),
                    "desired",
                    Integer.toString(pilotLight.get().rehearse()));
        }
        if (promotion.look(snapshot, deadline) instanceof ByRestore.Standing.Blank blank) {
            return Map.of(DECISION, "DONE", SNAPSHOT, snapshot.id(), NODE, blank.node().toString());
        }
        throw new Failure.Terminal(
                "rehearse the promotion",
                "no node of the DR side is blank (501)",
                "Look what is on it; a standby of this strategy is not initialised");
    }

    private Map<String, String> done(Work work, Manifest snapshot, URI node) {
        Loss loss = loss(snapshot, work.incident());
        work.find(
                "Lost: what was written after "
                        + snapshot.takenAt()
                        + ", at the most "
                        + LastSeen.words(loss)
                        + ". Logins, tokens, secret ids and leases made since don't exist.");
        work.find(
                "Lives again: tokens, secret ids, leases and secrets that were revoked or deleted"
                        + " after "
                        + snapshot.takenAt()
                        + ". Revoke them again where it matters.");
        delete(scratch.resolve(snapshot.id() + ".snap"));
        Map<String, String> result = new TreeMap<>();
        result.put(DECISION, "DONE");
        result.put(SNAPSHOT, snapshot.id());
        result.put(CLUSTER_ID, snapshot.clusterId());
        result.put(NONCE, snapshot.nonce());
        result.put(NODE, node.toString());
        result.put("takenAt", snapshot.takenAt().toString());
        result.put("lossSeconds", Long.toString(loss.time().toSeconds()));
        result.put(
                "lossEntries",
                loss.entries().isPresent() ? Long.toString(loss.entries().getAsLong()) : "unknown");
        for (Login.Intent intent : List.of(Login.Intent.VERIFY, Login.Intent.GROW)) {
            Optional.ofNullable(snapshot.needs().login().get(intent.toString()))
                    .ifPresent(version -> result.put(LOGIN + intent, version));
        }
        return result;
    }

    /** The version of the intent's login that the promoted cluster knows. */
    static Optional<String> login(Work work, Login.Intent intent) {
        return work.record(StepName.PROMOTE)
                .flatMap(record -> Optional.ofNullable(record.result().get(LOGIN + intent)));
    }

    private Map<String, String> ask(Work work, Manifest snapshot, Loss loss) {
        String reason =
                "LOSS_TOO_GREAT: the newest sound snapshot is "
                        + snapshot.id()
                        + ", restoring it loses at the most "
                        + LastSeen.words(loss);
        work.change(
                incident ->
                        incident.withPredictedLoss(loss)
                                .withApproval(new Approval.Needed(List.of(reason))));
        return Map.of(DECISION, "ASK", SNAPSHOT, snapshot.id());
    }

    private boolean tooGreat(Loss loss, Incident incident) {
        Duration accepted =
                incident.approval() instanceof Approval.Approved approved
                                && approved.acceptedLoss().time().compareTo(settings.acceptedLoss())
                                        > 0
                        ? approved.acceptedLoss().time()
                        : settings.acceptedLoss();
        return loss.time().compareTo(accepted) > 0;
    }

    private Loss loss(Manifest snapshot, Incident incident) {
        Optional<Assessment> seen = ledger.assessment();
        Instant lastServed =
                incident.lastServed()
                        .or(() -> seen.flatMap(Assessment::lastServed))
                        .orElse(incident.openedAt());
        return new LastSeen(
                        lastServed, seen.map(Assessment::lastIndex).orElse(OptionalLong.empty()))
                .lostBy(snapshot);
    }

    private record Chosen(Manifest snapshot, Path archive, String why) {}

    /** A few are enough where the wanted one is among them. */
    private List<Manifest> first(Epoch lineage, Proofs seen) {
        List<Manifest> few = candidates(NEWEST, lineage);
        return settings.prefer() == Prefer.LESS_LOSS || SnapshotChoice.proven(few, seen)
                ? few
                : candidates(LOOK_BACK, lineage);
    }

    private List<Manifest> candidates(int limit, Epoch lineage) {
        return catalog.newest(limit).stream()
                .filter(snapshot -> snapshot.lineage().equals(Optional.of(lineage)))
                .toList();
    }

    private static Optional<Manifest> find(List<Manifest> candidates, String id) {
        return candidates.stream().filter(snapshot -> snapshot.id().equals(id)).findFirst();
    }

    private Optional<Chosen> choose(List<Manifest> candidates, Proofs seen, Work work) {
        for (SnapshotChoice choice : SnapshotChoice.order(candidates, seen, settings.prefer())) {
            Manifest candidate = choice.snapshot();
            Path file = scratch.resolve(candidate.id() + ".snap");
            keepOnly(file);
            // A dry run of this very function has often left it there, a moment ago.
            Optional<String> wrong = ArchiveFile.fetch(catalog, candidate, file);
            if (wrong.isEmpty()) {
                return Optional.of(new Chosen(candidate, file, choice.why()));
            }
            work.find(
                    "Snapshot "
                            + candidate.id()
                            + " is damaged in "
                            + catalog.region()
                            + " ("
                            + wrong.get()
                            + "); another one is taken.");
        }
        return Optional.empty();
    }

    private Failure noneIsSound(Epoch lineage) {
        return new Failure.Terminal(
                "choose a snapshot to restore",
                "of the newest "
                        + LOOK_BACK
                        + " in "
                        + catalog.region()
                        + " none is of lineage "
                        + lineage
                        + " and sound",
                "Restore by hand from another bucket or version: docs/runbooks/restore-by-hand.md");
    }

    /** Frees scratch space of what an earlier invocation left. */
    private void keepOnly(Path file) {
        try {
            Files.createDirectories(scratch);
            try (Stream<Path> files = Files.list(scratch)) {
                files.filter(other -> other.toString().endsWith(".snap"))
                        .filter(other -> !other.equals(file))
                        .forEach(Promote::delete);
            }
        } catch (IOException e) {
            throw scratchFailure(scratch, e);
        }
    }

    private static void delete(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw scratchFailure(file, e);
        }
    }

    private static Failure scratchFailure(Path file, IOException e) {
        return new Failure.Retryable(
                "use scratch space at " + file, String.valueOf(e), "It is tried again", e);
    }
}
