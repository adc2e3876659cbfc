package io.vaultdr.snapshot;

import io.vaultdr.model.Failure;
import io.vaultdr.model.Secret;
import io.vaultdr.runtime.Deadline;
import io.vaultdr.runtime.ProofSettings;
import io.vaultdr.snapshot.Proof.Reason;
import io.vaultdr.snapshot.Proof.StageTime;
import io.vaultdr.vault.IsolatedServer;
import io.vaultdr.vault.VaultClient;
import io.vaultdr.vault.VaultClient.Health;
import io.vaultdr.vault.VaultClient.NodeStatus;
import io.vaultdr.vault.VaultClient.RestoreAnswer;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;

/**
 * Restores a snapshot into a server of its own, on loopback, in this process's scratch space, and
 * lets somebody use it for a moment. In whatever way that ends, the server is killed and its files
 * are wiped before it returns; what an earlier run left is ended first.
 *
 * <ol>
 *   <li>What can be known is looked at before anything starts: size, seal type and key, audit
 *       devices, licence, programs and their hashes.
 *   <li>A blank node starts and is initialised; its root token stays in memory.
 *   <li>The archive is posted without force while it is fetched and checked in one pass, so nothing
 *       touches scratch space twice, and no damaged archive is ever given to its end.
 *   <li>The answer means <em>verified</em>. Restored is when the node is active under the
 *       manifest's cluster id (facts §3, §11 C).
 * </ol>
 */
public final class IsolatedRestore {
    private static final Logger LOG = LoggerFactory.getLogger(IsolatedRestore.class);
    private static final Duration POLL = Duration.ofMillis(100);

    /** Less than this isn't worth starting a server. */
    private static final Duration WORTHWHILE = Duration.ofSeconds(20);

    /** Bytes a second that the slowest machine restores; measured ones are ten times faster. */
    private static final long SLOWEST = 10L << 20;

    private final ProofSettings settings;
    private final Ports ports;
    private final Limits limits;

    /**
     * What it works with.
     *
     * @param catalog where the archive lies
     * @param secrets a secret's value by its name; empty where there is none
     * @param entered is told each stage when it begins
     */
    public record Ports(
            Catalog catalog,
            Artifacts artifacts,
            Function<String, Optional<Secret>> secrets,
            SealKeys sealKeys,
            Consumer<String> entered) {}

    /**
     * What it may use.
     *
     * @param directory for the server's files; nobody else's
     * @param memoryBytes the server's anonymous memory
     * @param scratchBytes the server's files
     * @param environment of the server: credentials where the seal is KMS, otherwise nothing
     * @param patience how long a server that runs may say nothing, or the same wrong thing
     */
    public record Limits(
            Path directory,
            long memoryBytes,
            long scratchBytes,
            Map<String, String> environment,
            Duration patience) {}

    /** Restores as {@code settings} say. */
    public IsolatedRestore(ProofSettings settings, Ports ports, Limits limits) {
        this.settings = settings;
        this.ports = ports;
        this.limits = limits;
    }

    /** Why a restore ended before its end; an outcome, not a defect, so it keeps no stack. */
    public static final class Ended extends RuntimeException {
        private final Reason reason;

        /**
         * @param detail a sentence for people, without anything of the restored content
         */
        public Ended(Reason reason, String detail) {
            super(detail, null, false, false);
            this.reason = reason;
        }

        /** The reason by its name. */
        public Reason reason() {
            return reason;
        }

        /** The sentence. */
        public String detail() {
            return String.valueOf(getMessage());
        }
    }

    /** What is known of a restore while it goes on and when it has ended. */
    public static final class Trace {
        private final Deadline deadline;
        private final Consumer<String> entered;
        private final List<StageTime> stages = new ArrayList<>();
        private Optional<String> stage = Optional.empty();
        private Instant since;
        private Optional<String> sha256 = Optional.empty();
        private Optional<String> version = Optional.empty();
        private long peakMemory;
        private long peakScratch;

        private Trace(Deadline deadline, Consumer<String> entered) {
            this.deadline = deadline;
            this.entered = entered;
            this.since = deadline.clock().instant();
        }

        /** Ends the stage before and begins the next one. */
        public void enter(String next) {
            end();
            stage = Optional.of(next);
            entered.accept(next);
        }

        private void end() {
            Instant now = deadline.clock().instant();
            stage.ifPresent(name -> stages.add(new StageTime(name, Duration.between(since, now))));
            stage = Optional.empty();
            since = now;
        }

        /** The stages that ended. */
        public List<StageTime> stages() {
            return List.copyOf(stages);
        }

        /** The archive's hash, where it was read to its end and is sound. */
        public Optional<String> sha256() {
            return sha256;
        }

        /** The isolated server's version, where it came so far. */
        public Optional<String> version() {
            return version;
        }

        /** The server's peak anonymous memory; 0 where unknown. */
        public long peakMemoryBytes() {
            return peakMemory;
        }

        /** The most that the server's files took. */
        public long peakScratchBytes() {
            return peakScratch;
        }
    }

    /** A trace to hand in. */
    public Trace trace(Deadline deadline) {
        return new Trace(deadline, ports.entered());
    }

    /**
     * Restores {@code snapshot} and lets {@code use} do its part.
     *
     * @param trace from {@link #trace}; says afterwards what was reached
     * @throws Ended where a named reason ended it
     * @throws Failure where a bucket, or a service beside the server, doesn't answer
     */
    public <T> T use(
            Manifest snapshot, Deadline deadline, Trace trace, Function<VaultClient, T> use) {
        trace.enter("prepare");
        IsolatedServer.Spec spec = prepare(snapshot, deadline);
        try (IsolatedServer server = started(spec, trace)) {
            try {
                Secret root = blank(server, deadline, trace);
                String blankId = server.client().sealStatus().clusterId().orElse("");
                inTime(deadline, "before the restore");
                trace.enter("restore");
                post(server, root, snapshot, deadline, trace);
                trace.enter("settle");
                settle(server, snapshot, blankId, deadline);
                inTime(deadline, "before it was read back");
                return asked(server, deadline, () -> use.apply(server.client()));
            } finally {
                trace.end();
                trace.peakMemory = server.peakMemoryBytes();
                trace.peakScratch = server.peakScratchBytes();
            }
        } catch (UncheckedIOException e) {
            throw outOfScratch(e);
        } finally {
            trace.end();
        }
    }

    /** Goes all the way but the restore itself: everything is fetched, a blank server starts. */
    public void rehearse(Optional<Manifest> newest, Deadline deadline, Trace trace) {
        trace.enter("prepare");
        IsolatedServer.Spec spec = newest.isPresent() ? prepare(newest.get(), deadline) : spec();
        try (IsolatedServer server = started(spec, trace)) {
            blank(server, deadline, trace);
        } catch (UncheckedIOException e) {
            throw outOfScratch(e);
        } finally {
            trace.end();
        }
    }

    private IsolatedServer.Spec prepare(Manifest snapshot, Deadline deadline) {
        if (snapshot.bytes() > settings.largestSnapshotBytes()) {
            throw new Ended(
                    Reason.TOO_LARGE,
                    "it has %d bytes and the function was sized for %d: raise snapshots.largest and deploy"
                            .formatted(snapshot.bytes(), settings.largestSnapshotBytes()));
        }
        if (deadline.left().compareTo(WORTHWHILE) < 0) {
            throw outOfTime("before a server was started");
        }
        Manifest.RestoreNeeds needs = snapshot.needs();
        if (!needs.sealType().equals(settings.seal().type())) {
            throw new Ended(
                    Reason.SEAL_KEY_WRONG,
                    "it was sealed by %s and prove.seal is %s"
                            .formatted(needs.sealType(), settings.seal().type()));
        }
        AuditDevices.impossibleHere(needs.auditPaths())
                .ifPresent(
                        why -> {
                            throw new Ended(Reason.AUDIT_PATH, why);
                        });
        if (needs.version().contains("+ent") && settings.licence().isEmpty()) {
            throw new Ended(
                    Reason.LICENCE_MISSING,
                    "it comes from Vault Enterprise: name the licence's secret in prove.licence");
        }
        return spec();
    }

    private IsolatedServer.Spec spec() {
        ProofSettings.Seal seal = settings.seal();
        Map<String, String> options;
        if (seal.keyId().isPresent()) {
            options = staticKey(seal.key(), seal.keyId().get());
        } else {
            usable(seal.key());
            options = Map.of("kms_key_id", seal.key(), "region", ports.catalog().region());
        }
        Path binary = program(settings.server(), "prove.server", Reason.BINARY_MISSING);
        Optional<IsolatedServer.Plugin> plugin =
                settings.sealPlugin()
                        .map(
                                it ->
                                        new IsolatedServer.Plugin(
                                                program(
                                                        it,
                                                        "prove.sealPlugin",
                                                        Reason.PLUGIN_MISSING),
                                                it.sha256()));
        Optional<Secret> licence = settings.licence().map(this::licence);
        return new IsolatedServer.Spec(
                limits.directory(),
                binary,
                seal.type(),
                options,
                plugin,
                licence,
                limits.environment(),
                limits.memoryBytes(),
                limits.scratchBytes());
    }

    private void usable(String key) {
        String next =
                " Every snapshot under it is lost with it: cancel the deletion or enable the key"
                        + " now (docs/runbooks/seal-key-unusable.md)";
        switch (ports.sealKeys().state(key)) {
            case USABLE -> {}
            case DISABLED ->
                    throw new Ended(Reason.SEAL_KEY_DISABLED, key + " is disabled." + next);
            case PENDING_DELETION ->
                    throw new Ended(
                            Reason.SEAL_KEY_PENDING_DELETION, key + " is to be deleted." + next);
            case MISSING ->
                    throw new Ended(
                            Reason.SEAL_KEY_WRONG,
                            "there is no key " + key + " in this region: look at prove.seal");
            case UNREACHABLE ->
                    throw new Ended(
                            Reason.SEAL_KEY_UNREACHABLE,
                            "KMS says nothing usable about "
                                    + key
                                    + ": look at the endpoint, the key's policy and the role");
        }
    }

    private Map<String, String> staticKey(String secret, String id) {
        Secret key;
        try {
            key =
                    ports.secrets()
                            .apply(secret)
                            .orElseThrow(
                                    () ->
                                            new Ended(
                                                    Reason.SEAL_KEY_UNREACHABLE,
                                                    "there is no secret " + secret));
        } catch (Failure e) {
            throw new Ended(Reason.SEAL_KEY_UNREACHABLE, String.valueOf(e.getMessage()));
        }
        try {
            if (Base64.getDecoder().decode(key.reveal().strip()).length == 32) {
                return Map.of("current_key_id", id, "current_key", key.reveal().strip());
            }
        } catch (IllegalArgumentException e) {
            // Said below, without what was read.
            LOG.debug("no base64");
        }
        throw new Ended(
                Reason.SEAL_KEY_WRONG, "the secret " + secret + " isn't 32 bytes in base64");
    }

    private Secret licence(String secret) {
        return ports.secrets()
                .apply(secret)
                .orElseThrow(
                        () ->
                                new Ended(
                                        Reason.LICENCE_MISSING,
                                        "there is no secret " + secret + " (prove.licence)"));
    }

    private Path program(ProofSettings.Artifact artifact, String setting, Reason missing) {
        String name = "s3://" + artifact.bucket() + "/" + artifact.key() + " (" + setting + ")";
        return switch (ports.artifacts().fetch(artifact)) {
            case Artifacts.Fetched.At(Path program) -> program;
            case Artifacts.Fetched.Missing() -> throw new Ended(missing, "there is no " + name);
            case Artifacts.Fetched.Differs(String sha256) ->
                    throw new Ended(
                            Reason.BINARY_HASH_DIFFERS,
                            "%s has sha256 %s, configured is %s: it is not run"
                                    .formatted(name, sha256, artifact.sha256()));
        };
    }

    private static IsolatedServer started(IsolatedServer.Spec spec, Trace trace) {
        trace.enter("start");
        return IsolatedServer.start(spec);
    }

    /** Waits for the blank node and initialises it; its root token. */
    private Secret blank(IsolatedServer server, Deadline deadline, Trace trace) {
        VaultClient client = server.client();
        await(
                server,
                deadline,
                limits.patience(),
                "answer as a blank node",
                health -> health.meaning() == NodeStatus.NOT_INITIALISED);
        trace.enter("initialise");
        // One share: the key opens nothing that outlives the next minute.
        Secret root = asked(server, deadline, () -> client.initialize(1, 1).rootToken());
        Health active =
                await(
                        server,
                        deadline,
                        limits.patience(),
                        "be active after it was initialised",
                        health -> health.meaning() == NodeStatus.ACTIVE);
        trace.version = active.version();
        return root;
    }

    private void post(
            IsolatedServer server, Secret root, Manifest snapshot, Deadline deadline, Trace trace) {
        try (InputStream stored = stored(snapshot);
                CheckedArchive archive = new CheckedArchive(stored, snapshot)) {
            CompletableFuture<RestoreAnswer> answer = new CompletableFuture<>();
            Thread.ofVirtual()
                    .name("isolated restore")
                    .start(
                            () -> {
                                try {
                                    answer.complete(
                                            server.client()
                                                    .restore(
                                                            root,
                                                            archive,
                                                            snapshot.bytes(),
                                                            deadline.left()));
                                } catch (RuntimeException e) {
                                    answer.completeExceptionally(e);
                                }
                            });
            Optional<RestoreAnswer> said = answered(server, archive, answer, snapshot, deadline);
            trace.sha256 = archive.sha256();
            if (archive.wrong().isPresent()) {
                throw damaged(snapshot, archive.wrong().get());
            }
            if (archive.unreadable()) {
                throw new Failure.Retryable(
                        "read " + snapshot.archiveKey(),
                        "it broke off after " + archive.given() + " bytes",
                        "It is tried again");
            }
            switch (said.orElse(RestoreAnswer.VERIFIED)) {
                // No answer at all: the cluster id tells whether it was taken.
                case VERIFIED -> {}
                case KEY_REFUSED ->
                        throw new Ended(
                                Reason.SEAL_KEY_WRONG,
                                "the configured seal key doesn't open the archive's sums:"
                                    + " prove.seal must be the cluster's key, or one that replaced"
                                    + " it");
                case REFUSED ->
                        throw ended(
                                server,
                                deadline,
                                "the server refused the archive, which is what the manifest says");
            }
        } catch (IOException e) {
            throw new Failure.Retryable(
                    "close " + snapshot.archiveKey(), e.toString(), "It is tried again", e);
        }
    }

    private static Ended damaged(Manifest snapshot, String how) {
        return new Ended(Reason.ARCHIVE_DAMAGED, snapshot.archiveKey() + ": " + how);
    }

    private InputStream stored(Manifest snapshot) {
        return switch (ports.catalog().find(snapshot)) {
            case Catalog.Found.Here(InputStream bytes) -> bytes;
            case Catalog.Found.Missing() ->
                    throw new Ended(
                            Reason.ARCHIVE_MISSING,
                            "%s isn't in the bucket of %s"
                                    .formatted(snapshot.archiveKey(), ports.catalog().region()));
            case Catalog.Found.Frozen(String storageClass) ->
                    throw new Ended(
                            Reason.ARCHIVE_FROZEN,
                            "%s is in class %s: ./vault-dr snapshots thaw brings it back"
                                    .formatted(snapshot.archiveKey(), storageClass));
        };
    }

    /** The server's answer; empty where the connection broke. Ends where nothing goes on. */
    private Optional<RestoreAnswer> answered(
            IsolatedServer server,
            CheckedArchive archive,
            CompletableFuture<RestoreAnswer> answer,
            Manifest snapshot,
            Deadline deadline) {
        Duration patience = patience(snapshot);
        long given = -1;
        Instant progress = deadline.clock().instant();
        while (true) {
            try {
                return Optional.of(answer.get(POLL.toMillis(), TimeUnit.MILLISECONDS));
            } catch (TimeoutException e) {
                Instant now = deadline.clock().instant();
                if (archive.given() != given) {
                    given = archive.given();
                    progress = now;
                }
                if (archive.wrong().isPresent() || archive.unreadable()) {
                    return Optional.empty();
                }
                if (!server.alive() || over(deadline)) {
                    throw ended(server, deadline, "while it was given the archive");
                }
                if (Duration.between(progress, now).compareTo(patience) > 0) {
                    throw ended(
                            server,
                            deadline,
                            "it took nothing of the archive for " + patience.toSeconds() + " s");
                }
            } catch (ExecutionException e) {
                if (archive.wrong().isPresent() || archive.unreadable()) {
                    return Optional.empty();
                }
                if (e.getCause() instanceof Failure.OutcomeUnknown && server.alive()) {
                    return Optional.empty();
                }
                throw ended(server, deadline, "while it was given the archive");
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new Failure.Retryable("restore in isolation", "interrupted", "Again", e);
            }
        }
    }

    private Duration patience(Manifest snapshot) {
        return limits.patience().plusSeconds(snapshot.bytes() / SLOWEST);
    }

    /** Waits till it is active under the snapshot's cluster id. */
    private void settle(
            IsolatedServer server, Manifest snapshot, String blankId, Deadline deadline) {
        Health health =
                await(
                        server,
                        deadline,
                        patience(snapshot),
                        "be active as the snapshot's cluster",
                        it ->
                                it.meaning() == NodeStatus.ACTIVE
                                        && it.clusterId()
                                                .filter(id -> !id.equals(blankId))
                                                .isPresent());
        if (!health.clusterId().equals(Optional.of(snapshot.clusterId()))) {
            throw new Ended(
                    Reason.CLUSTER_ID_DIFFERS,
                    "the restored server calls its cluster %s, the manifest %s"
                            .formatted(health.clusterId().orElse("nothing"), snapshot.clusterId()));
        }
    }

    private Health await(
            IsolatedServer server,
            Deadline deadline,
            Duration patience,
            String what,
            Predicate<Health> expected) {
        Deadline limit = deadline.within(patience);
        while (true) {
            Optional<Health> health = health(server.client());
            if (health.filter(expected).isPresent()) {
                return health.get();
            }
            if (!server.alive() || limit.left().compareTo(POLL) < 0) {
                throw ended(
                        server,
                        deadline,
                        "it should %s and %s"
                                .formatted(
                                        what,
                                        health.map(it -> "answers " + it.status())
                                                .orElse("doesn't answer")));
            }
            rest();
        }
    }

    private static Optional<Health> health(VaultClient client) {
        try {
            return Optional.of(client.health());
        } catch (Failure e) {
            return Optional.empty();
        }
    }

    private static void rest() {
        try {
            Thread.sleep(POLL);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new Failure.Retryable("restore in isolation", "interrupted", "Again", e);
        }
    }

    /** What a call to the isolated server gives; a failure of the server's becomes its reason. */
    private static <T> T asked(IsolatedServer server, Deadline deadline, Supplier<T> call) {
        try {
            return call.get();
        } catch (Failure.Retryable | Failure.OutcomeUnknown e) {
            boolean well =
                    server.alive()
                            && health(server.client())
                                    .filter(it -> it.meaning() == NodeStatus.ACTIVE)
                                    .isPresent();
            if (well && !over(deadline)) {
                // Not the server but what was asked beside it, such as a secret.
                throw e;
            }
            throw ended(server, deadline, String.valueOf(e.getMessage()));
        }
    }

    /** Why the server doesn't do what it should: what it said or was ended for comes first. */
    private static Ended ended(IsolatedServer server, Deadline deadline, String seen) {
        Optional<IsolatedServer.Trouble> trouble = server.trouble();
        if (trouble.isPresent()) {
            return new Ended(
                    switch (trouble.get()) {
                        case AUDIT_PATH -> Reason.AUDIT_PATH;
                        case LICENCE -> Reason.LICENCE_MISSING;
                        case PLUGIN -> Reason.PLUGIN_MISSING;
                        case SEAL_KEY_WRONG -> Reason.SEAL_KEY_WRONG;
                        case SEAL_KEY_DISABLED -> Reason.SEAL_KEY_DISABLED;
                        case SEAL_KEY_PENDING_DELETION -> Reason.SEAL_KEY_PENDING_DELETION;
                        case SEAL_KEY_UNREACHABLE -> Reason.SEAL_KEY_UNREACHABLE;
                        case MEMORY -> Reason.OUT_OF_MEMORY;
                        case SCRATCH -> Reason.OUT_OF_SCRATCH;
                    },
                    seen
                            + "; it had %d MiB of memory and %d MiB of files at the most"
                                    .formatted(
                                            server.peakMemoryBytes() >> 20,
                                            server.peakScratchBytes() >> 20));
        }
        if (!server.alive()) {
            return new Ended(Reason.SERVER_DIED, seen);
        }
        if (over(deadline)) {
            return outOfTime(seen);
        }
        boolean sealed =
                health(server.client()).filter(it -> it.meaning() == NodeStatus.SEALED).isPresent();
        return new Ended(sealed ? Reason.SERVER_SEALED : Reason.SERVER_HUNG, seen);
    }

    /** Less is left than another look takes: it isn't the server that is slow. */
    private static boolean over(Deadline deadline) {
        return deadline.left().compareTo(POLL) < 0;
    }

    private static void inTime(Deadline deadline, String seen) {
        if (over(deadline)) {
            throw outOfTime(seen);
        }
    }

    private static Ended outOfTime(String seen) {
        return new Ended(
                Reason.OUT_OF_TIME,
                "the function's time was over (" + seen + "): raise its time-out");
    }

    /** The server's files can't be written. */
    private Ended outOfScratch(UncheckedIOException e) {
        long free = 0;
        try {
            free = Files.getFileStore(limits.directory().getParent()).getUsableSpace();
        } catch (IOException unknown) {
            LOG.warn("Scratch space can't be asked how much is left: {}", unknown.toString());
        }
        return new Ended(
                free < limits.scratchBytes() / 10 ? Reason.OUT_OF_SCRATCH : Reason.SERVER_DIED,
                "the isolated server couldn't be started or wiped (%s), %d MiB are free"
                        .formatted(String.valueOf(e.getCause()), free >> 20));
    }
}
