package io.vaultdr.snapshot;

import io.vaultdr.model.Failure;
import io.vaultdr.model.PairId;
import io.vaultdr.model.Secret;
import io.vaultdr.runtime.Deadline;
import io.vaultdr.runtime.ProofSettings;
import io.vaultdr.snapshot.Proof.Counts;
import io.vaultdr.snapshot.Proof.Reason;
import io.vaultdr.snapshot.Proof.Verdict;
import io.vaultdr.vault.Login;
import io.vaultdr.vault.VaultClient;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Proves a snapshot: a real server restores it ({@link IsolatedRestore}), and what makes it this
 * snapshot and no other is read back. The login that the manifest names must work, the canary must
 * hold the manifest's nonce, the Raft index must not be below the manifest's. Then what is in it is
 * counted, in numbers only, for the guard against poisoned backups.
 */
public final class Prover {
    private static final Logger LOG = LoggerFactory.getLogger(Prover.class);

    /** Counting keys takes a call per folder; a proof doesn't wait longer for it. */
    private static final Duration COUNTING = Duration.ofSeconds(10);

    private static final Duration LOOK = Duration.ofMillis(200);

    /** A restored engine answers 400 for a moment after its node became active. */
    private static final Duration READY = Duration.ofSeconds(10);

    private final PairId pair;
    private final ProofSettings settings;
    private final IsolatedRestore isolated;
    private final Login login;
    private final Map<String, String> versions;

    /**
     * @param versions of what takes part, such as {@code function} and {@code java}
     */
    public Prover(
            PairId pair,
            ProofSettings settings,
            IsolatedRestore isolated,
            Login login,
            Map<String, String> versions) {
        this.pair = pair;
        this.settings = settings;
        this.isolated = isolated;
        this.login = login;
        this.versions = versions;
    }

    private record ReadBack(String clusterId, long index, Optional<Counts> counts) {}

    /**
     * A proof, and what it used.
     *
     * @param peakScratchBytes the most that the server's files took
     */
    public record Made(Proof proof, long peakScratchBytes) {}

    /**
     * Proves {@code snapshot}.
     *
     * @param attempt from 1 on
     * @throws Failure where a bucket or Secrets Manager doesn't answer: nothing is known then
     */
    public Made prove(Manifest snapshot, int attempt, Deadline deadline) {
        IsolatedRestore.Trace trace = isolated.trace(deadline);
        Optional<ReadBack> read = Optional.empty();
        Optional<Reason> reason = Optional.empty();
        Optional<String> detail = Optional.empty();
        try {
            read =
                    Optional.of(
                            isolated.use(
                                    snapshot,
                                    deadline,
                                    trace,
                                    node -> readBack(node, snapshot, deadline, trace)));
        } catch (IsolatedRestore.Ended e) {
            reason = Optional.of(e.reason());
            detail = Optional.of(e.detail());
        }
        Map<String, String> all = new TreeMap<>(versions);
        all.put("serverSha256", settings.server().sha256());
        trace.version().ifPresent(version -> all.put("server", version));
        return new Made(
                new Proof(
                        snapshot.id(),
                        pair,
                        reason.map(Reason::verdict).orElse(Verdict.PROVEN),
                        reason,
                        detail,
                        deadline.clock().instant(),
                        settings.bucket().region(),
                        attempt,
                        trace.sha256(),
                        read.map(ReadBack::index),
                        read.map(ReadBack::clusterId),
                        read.flatMap(ReadBack::counts),
                        trace.stages(),
                        Optional.of(trace.peakMemoryBytes()).filter(peak -> peak > 0),
                        all),
                trace.peakScratchBytes());
    }

    /** A proof's way without a restore: the newest manifest is read, a blank server starts. */
    public void rehearse(Optional<Manifest> newest, Deadline deadline) {
        isolated.rehearse(newest, deadline, isolated.trace(deadline));
    }

    private ReadBack readBack(
            VaultClient node, Manifest snapshot, Deadline deadline, IsolatedRestore.Trace trace) {
        trace.enter("read back");
        try (Login.Session session = session(node, snapshot)) {
            Secret token = session.token();
            canary(node, token, snapshot, deadline);
            long index = node.leader().committedIndex().orElse(0);
            if (index < snapshot.index()) {
                throw new IsolatedRestore.Ended(
                        Reason.INDEX_TOO_LOW,
                        "the restored server's index is %d, the manifest's %d"
                                .formatted(index, snapshot.index()));
            }
            trace.enter("count");
            return new ReadBack(snapshot.clusterId(), index, counted(node, token, deadline));
        }
    }

    private Login.Session session(VaultClient node, Manifest snapshot) {
        try {
            return login.to(
                    settings.login(),
                    node,
                    Login.Intent.PROVE,
                    Optional.ofNullable(
                            snapshot.needs().login().get(Login.Intent.PROVE.toString())));
        } catch (Failure.Terminal e) {
            throw refused(e);
        }
    }

    private static IsolatedRestore.Ended refused(Failure e) {
        return new IsolatedRestore.Ended(
                Reason.LOGIN_REFUSED,
                "the restored server refused the login %s: %s"
                        .formatted(Login.Intent.PROVE, e.getMessage()));
    }

    private static void canary(
            VaultClient node, Secret token, Manifest snapshot, Deadline deadline) {
        Optional<String> nonce =
                deadline.within(READY)
                        .poll(LOOK, () -> nonce(node, token))
                        .orElseThrow(
                                () ->
                                        new Failure.Retryable(
                                                "read the canary of a restored server",
                                                "its engine wasn't ready in time",
                                                "It is tried again"));
        if (nonce.isEmpty()) {
            throw new IsolatedRestore.Ended(
                    Reason.CANARY_MISSING,
                    "nothing is at %s/%s in the restored server"
                            .formatted(SnapshotTaker.MOUNT, SnapshotTaker.CANARY));
        }
        if (!nonce.get().equals(snapshot.nonce())) {
            throw new IsolatedRestore.Ended(
                    Reason.CANARY_OLD,
                    "the restored canary isn't this snapshot's: it was written by another run");
        }
    }

    /** The canary's nonce, none where there is no canary; nothing while the engine isn't ready. */
    private static Optional<Optional<String>> nonce(VaultClient node, Secret token) {
        try {
            return Optional.of(
                    node.readKv(token, SnapshotTaker.MOUNT, SnapshotTaker.CANARY)
                            .map(read -> read.data().getOrDefault("nonce", "")));
        } catch (Failure.Retryable e) {
            return Optional.empty();
        } catch (Failure.Terminal e) {
            throw refused(e);
        }
    }

    /** Numbers are worth having and no part of the proof: without them it stands. */
    private static Optional<Counts> counted(VaultClient node, Secret token, Deadline deadline) {
        try {
            var engines = node.read(token, "sys/mounts");
            long policies = node.list(token, "sys/policies/acl").size();
            long entities = node.list(token, "identity/entity/id").size();
            Deadline limit = deadline.within(COUNTING);
            long keys = 0;
            boolean complete = true;
            long mounts = 0;
            for (var engine : engines.properties()) {
                if (!engine.getKey().endsWith("/")) {
                    continue;
                }
                mounts++;
                boolean versioned =
                        engine.getValue().path("type").asText().equals("kv")
                                && engine.getValue()
                                        .path("options")
                                        .path("version")
                                        .asText()
                                        .equals("2");
                if (versioned && !engine.getKey().equals(SnapshotTaker.MOUNT + "/")) {
                    Keys counted = keys(node, token, engine.getKey() + "metadata/", limit);
                    keys += counted.count();
                    complete &= counted.complete();
                }
            }
            long methods =
                    node.read(token, "sys/auth").properties().stream()
                            .filter(method -> method.getKey().endsWith("/"))
                            .count();
            return Optional.of(new Counts(mounts, methods, policies, entities, keys, complete));
        } catch (Failure e) {
            LOG.warn("What is in the restored server couldn't be counted: {}", e.getMessage());
            return Optional.empty();
        }
    }

    private record Keys(long count, boolean complete) {}

    private static Keys keys(VaultClient node, Secret token, String root, Deadline limit) {
        Deque<String> folders = new ArrayDeque<>();
        folders.add(root);
        long count = 0;
        while (!folders.isEmpty()) {
            if (limit.passed()) {
                return new Keys(count, false);
            }
            String folder = folders.remove();
            try {
                for (String key : node.list(token, folder)) {
                    if (key.endsWith("/")) {
                        folders.add(folder + key);
                    } else {
                        count++;
                    }
                }
            } catch (Failure.Terminal e) {
                // Deeper than the policy reaches, or a name no path may hold.
                return new Keys(count, false);
            }
        }
        return new Keys(count, true);
    }
}
