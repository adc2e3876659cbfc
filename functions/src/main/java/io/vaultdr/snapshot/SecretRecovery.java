package io.vaultdr.snapshot;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

import io.vaultdr.model.Failure;
import io.vaultdr.model.Secret;
import io.vaultdr.runtime.Deadline;
import io.vaultdr.runtime.Json;
import io.vaultdr.runtime.ProofSettings;
import io.vaultdr.snapshot.Proof.Reason;
import io.vaultdr.vault.Login;
import io.vaultdr.vault.VaultClient;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Pattern;

/**
 * Brings one secret back out of a snapshot without touching the live cluster: the snapshot is
 * restored in isolation, all versions of one KV version 2 secret are read there, and one encrypted
 * object is left. Values go from the isolated server into that object and nowhere else.
 */
public final class SecretRecovery {
    private static final Logger LOG = LoggerFactory.getLogger(SecretRecovery.class);

    /** Names that need no encoding in a URL; Vault allows more, and recovery doesn't. */
    private static final Pattern PATH =
            Pattern.compile("(?!.*//)(?!.*/\\.)[A-Za-z0-9_@+.=-]+(/[A-Za-z0-9_@+.= -]+)+");

    private static final int NEEDED = 2;

    private final ProofSettings settings;
    private final SnapshotStore store;
    private final IsolatedRestore isolated;
    private final Login login;
    private final RecoveredObjects objects;

    /** Where recovered secrets are left. */
    public interface RecoveredObjects {
        /**
         * Writes {@code json} under {@code key}, encrypted with KMS.
         *
         * @throws Failure where it isn't written, or not encrypted so
         */
        void put(String key, byte[] json);
    }

    /** Recovers from snapshots in {@code store}. */
    public SecretRecovery(
            ProofSettings settings,
            SnapshotStore store,
            IsolatedRestore isolated,
            Login login,
            RecoveredObjects objects) {
        this.settings = settings;
        this.store = store;
        this.isolated = isolated;
        this.login = login;
        this.objects = objects;
    }

    /**
     * What is wanted.
     *
     * @param snapshot its id
     * @param path of the secret, mount first, as {@code secret/team/db}
     * @param requestedBy who asks, as claimed
     */
    public record Request(String snapshot, String path, String requestedBy) {
        /**
         * Reads {@code {"snapshot":…, "path":…, "requestedBy":…}}.
         *
         * @throws Failure.Terminal where something is missing or is no path
         */
        public static Request of(Map<String, Object> event) {
            List<String> missing = new ArrayList<>();
            for (String name : List.of("snapshot", "path", "requestedBy")) {
                if (!(event.get(name) instanceof String text) || text.isBlank()) {
                    missing.add(name);
                }
            }
            if (!missing.isEmpty()) {
                throw new Failure.Terminal(
                        "read the event",
                        "it lacks " + String.join(", ", missing),
                        "Send one such as events/restore-secret.json");
            }
            String path = String.valueOf(event.get("path"));
            if (!PATH.matcher(path).matches()) {
                throw new Failure.Terminal(
                        "read the secret's path",
                        "'" + path + "'",
                        "Name the mount and the secret without /data/, as secret/team/db");
            }
            return new Request(
                    String.valueOf(event.get("snapshot")),
                    path,
                    String.valueOf(event.get("requestedBy")));
        }
    }

    /**
     * What came of it; holds no value.
     *
     * @param outcome {@code RECOVERED}, {@code NOTHING_THERE} or {@code FAILED}
     * @param bucket where the object lies
     * @param key of the object
     * @param versions how many versions it holds with their values
     * @param reason why it failed
     * @param detail a sentence about it
     */
    public record Answer(
            String outcome,
            Optional<String> bucket,
            Optional<String> key,
            int versions,
            Optional<Reason> reason,
            Optional<String> detail) {}

    /**
     * Recovers.
     *
     * @param id names the object; the request's
     * @throws Failure.Terminal where the path isn't allowed, or there is no such snapshot
     * @throws Failure where a bucket or Secrets Manager doesn't answer
     */
    public Answer recover(Request request, String id, Deadline deadline) {
        allowed(request.path());
        Manifest snapshot =
                store.committed(request.snapshot())
                        .orElseThrow(
                                () ->
                                        new Failure.Terminal(
                                                "recover from snapshot " + request.snapshot(),
                                                "there is none in " + store.region(),
                                                "./vault-dr snapshots lists them"));
        LOG.info(
                "{} recovers {} from {} for {}",
                id,
                request.path(),
                snapshot.id(),
                request.requestedBy());
        IsolatedRestore.Trace trace = isolated.trace(deadline);
        Optional<ObjectNode> found;
        try {
            found = isolated.use(snapshot, deadline, trace, node -> read(node, snapshot, request));
        } catch (IsolatedRestore.Ended e) {
            return new Answer(
                    "FAILED",
                    Optional.empty(),
                    Optional.empty(),
                    0,
                    Optional.of(e.reason()),
                    Optional.of(e.detail()));
        }
        if (found.isEmpty()) {
            return new Answer(
                    "NOTHING_THERE",
                    Optional.empty(),
                    Optional.empty(),
                    0,
                    Optional.empty(),
                    Optional.of(
                            "the snapshot has nothing at %s: look in an older one"
                                    .formatted(request.path())));
        }
        String key = "recovered/" + id;
        objects.put(key, bytes(found.get()));
        return new Answer(
                "RECOVERED",
                settings.recovered().map(bucket -> bucket.name()),
                Optional.of(key),
                found.get().path("versions").size(),
                Optional.empty(),
                Optional.empty());
    }

    /** A dry run: all the way but the restore. */
    public void rehearse(Deadline deadline) {
        isolated.rehearse(store.newest(1).stream().findFirst(), deadline, isolated.trace(deadline));
    }

    private void allowed(String path) {
        boolean named =
                settings.recover().stream()
                        .anyMatch(
                                allowed ->
                                        allowed.endsWith("*")
                                                ? path.startsWith(
                                                        allowed.substring(0, allowed.length() - 1))
                                                : path.equals(allowed));
        if (!named) {
            throw new Failure.Terminal(
                    "recover " + path,
                    "prove.recover allows only " + String.join(", ", settings.recover()),
                    "Add the path there, deploy, and apply what ./vault-dr setup prints: snapshots"
                            + " taken since then know the login's new policy");
        }
    }

    private Optional<ObjectNode> read(VaultClient node, Manifest snapshot, Request request) {
        try (Login.Session session =
                login.to(
                        settings.login(),
                        node,
                        Login.Intent.RECOVER,
                        Optional.ofNullable(
                                snapshot.needs().login().get(Login.Intent.RECOVER.toString())))) {
            Secret token = session.token();
            JsonNode mount = node.read(token, "sys/internal/ui/mounts/" + request.path());
            String name = mount.path("path").asText();
            if (!mount.path("type").asText().equals("kv")
                    || mount.path("options").path("version").asInt() != NEEDED
                    || !request.path().startsWith(name)) {
                throw new Failure.Terminal(
                        "recover " + request.path(),
                        "its mount is no KV engine of version 2",
                        "Only those keep versions; restore the snapshot for anything else");
            }
            return read(node, token, name, request, snapshot);
        } catch (Failure.Terminal e) {
            throw new IsolatedRestore.Ended(Reason.LOGIN_REFUSED, String.valueOf(e.getMessage()));
        }
    }

    private Optional<ObjectNode> read(
            VaultClient node, Secret token, String mount, Request request, Manifest snapshot) {
        String engine = mount.substring(0, mount.length() - 1);
        String path = request.path().substring(mount.length());
        Optional<JsonNode> metadata = node.readKv(token, engine, path, OptionalLong.empty());
        if (metadata.isEmpty()) {
            return Optional.empty();
        }
        ObjectNode all = Json.MAPPER.createObjectNode();
        all.put("snapshot", snapshot.id())
                .put("takenAt", snapshot.takenAt().toString())
                .put("path", request.path())
                .put("mount", engine)
                .put("requestedBy", request.requestedBy());
        all.set("metadata", metadata.get());
        ArrayNode versions = all.putArray("versions");
        metadata.get()
                .path("versions")
                .properties()
                .forEach(
                        version -> {
                            boolean gone =
                                    version.getValue().path("destroyed").asBoolean()
                                            || !version.getValue()
                                                    .path("deletion_time")
                                                    .asText()
                                                    .isEmpty();
                            if (!gone) {
                                long number = Long.parseLong(version.getKey());
                                node.readKv(token, engine, path, OptionalLong.of(number))
                                        .filter(read -> read.path("data").isObject())
                                        .ifPresent(versions::add);
                            }
                        });
        return Optional.of(all);
    }

    private static byte[] bytes(ObjectNode json) {
        try {
            return Json.MAPPER.writeValueAsBytes(json);
        } catch (java.io.IOException e) {
            // Not kept as the cause: it may quote what it wrote.
            throw new IllegalStateException("a tree always becomes JSON");
        }
    }
}
