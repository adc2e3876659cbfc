package io.vaultdr.cluster;

import com.fasterxml.jackson.databind.JsonNode;

import io.vaultdr.model.Secret;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.runtime.PairSettings.Edition;
import io.vaultdr.vault.Login.Intent;
import io.vaultdr.vault.VaultClient;
import io.vaultdr.vault.VaultClient.AuditDevice;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * What {@link VaultSetup} describes, on a server: written where it is missing or differs, or only
 * compared. Writing it twice changes nothing.
 */
final class ClusterSetUp {
    private final List<Part> parts = new ArrayList<>();

    /**
     * Something that the server holds.
     *
     * @param name for people
     * @param expected what it should be, for people
     * @param read what it is, in the same words; empty: it isn't there
     * @param write makes it so; empty: only the server's own configuration can
     */
    private record Part(String name, String expected, Read read, Optional<Write> write) {}

    private interface Read {
        Optional<String> of(VaultClient node, Secret token);
    }

    private interface Write {
        void to(VaultClient node, Secret token);
    }

    /**
     * A part that isn't as it was set up.
     *
     * @param read what it is; {@code missing} where it isn't there
     */
    record Drift(String name, String read, String expected) {}

    ClusterSetUp(VaultSetup setup, Edition edition, PairSettings.Made made) {
        audit(edition, made.auditFile());
        mount();
        authMethod();
        for (Intent intent : setup.intents()) {
            policy(setup.policy(intent));
            role(VaultSetup.role(intent));
        }
        autopilot(VaultSetup.autopilot(made.nodes()));
    }

    /** What isn't as it should be; changes nothing. */
    List<Drift> compare(VaultClient node, Secret token) {
        List<Drift> drifts = new ArrayList<>();
        for (Part part : parts) {
            String read = part.read().of(node, token).orElse("missing");
            if (!read.equals(part.expected())) {
                drifts.add(new Drift(part.name(), read, part.expected()));
            }
        }
        return List.copyOf(drifts);
    }

    /** Writes what isn't as it should be; the names of what was written. */
    List<String> apply(VaultClient node, Secret token) {
        List<String> written = new ArrayList<>();
        for (Part part : parts) {
            if (part.write().isPresent()
                    && !part.read().of(node, token).equals(Optional.of(part.expected()))) {
                part.write().get().to(node, token);
                written.add(part.name());
            }
        }
        return List.copyOf(written);
    }

    /** OpenBao takes audit devices from its own configuration only, which the node writes. */
    private void audit(Edition edition, String file) {
        parts.add(
                new Part(
                        "audit device",
                        "file " + file,
                        (node, token) -> audited(node.auditDevices(token), file),
                        edition == Edition.OPENBAO
                                ? Optional.empty()
                                : Optional.of(
                                        (node, token) ->
                                                node.write(
                                                        token,
                                                        "sys/audit/file",
                                                        Map.of(
                                                                "type",
                                                                "file",
                                                                "options",
                                                                Map.of("file_path", file))))));
    }

    private static Optional<String> audited(Map<String, AuditDevice> devices, String file) {
        List<String> files =
                devices.values().stream()
                        .filter(it -> it.type().equals("file"))
                        .flatMap(it -> it.filePath().stream())
                        .sorted()
                        .toList();
        return files.contains(file)
                ? Optional.of("file " + file)
                : files.isEmpty()
                        ? Optional.empty()
                        : Optional.of("file " + String.join(", ", files));
    }

    private void mount() {
        parts.add(
                new Part(
                        "mount " + VaultSetup.MOUNT,
                        "kv version 2",
                        (node, token) ->
                                Optional.of(
                                                node.read(token, "sys/mounts")
                                                        .path(VaultSetup.MOUNT + "/"))
                                        .filter(JsonNode::isObject)
                                        .map(
                                                it ->
                                                        it.path("type").asText()
                                                                + " version "
                                                                + it.path("options")
                                                                        .path("version")
                                                                        .asText()),
                        Optional.of(
                                (node, token) ->
                                        node.write(
                                                token,
                                                "sys/mounts/" + VaultSetup.MOUNT,
                                                Map.of(
                                                        "type",
                                                        "kv",
                                                        "options",
                                                        Map.of("version", "2"))))));
    }

    private void authMethod() {
        parts.add(
                new Part(
                        "auth method " + VaultSetup.AUTH_METHOD,
                        VaultSetup.AUTH_METHOD,
                        (node, token) ->
                                Optional.of(
                                                node.read(token, "sys/auth")
                                                        .path(VaultSetup.AUTH_METHOD + "/"))
                                        .filter(JsonNode::isObject)
                                        .map(it -> it.path("type").asText()),
                        Optional.of(
                                (node, token) ->
                                        node.write(
                                                token,
                                                "sys/auth/" + VaultSetup.AUTH_METHOD,
                                                Map.of("type", VaultSetup.AUTH_METHOD)))));
    }

    private void policy(VaultSetup.Policy policy) {
        String path = "sys/policies/acl/" + policy.name();
        String same = "the rules that ./vault-dr setup prints";
        parts.add(
                new Part(
                        "policy " + policy.name(),
                        same,
                        (node, token) ->
                                node.find(token, path)
                                        .map(it -> it.path("policy").asText())
                                        .map(
                                                it ->
                                                        it.equals(policy.rules())
                                                                ? same
                                                                : "other rules"),
                        Optional.of(
                                (node, token) ->
                                        node.write(
                                                token, path, Map.of("policy", policy.rules())))));
    }

    private void role(VaultSetup.Role role) {
        parts.add(values("role " + role.path(), role.path(), role.values()));
    }

    private void autopilot(Map<String, Object> settings) {
        parts.add(values("autopilot", VaultSetup.AUTOPILOT, settings));
    }

    /** Of what is read, only what is set counts. */
    private static Part values(String name, String path, Map<String, Object> values) {
        return new Part(
                name,
                words(values),
                (node, token) ->
                        node.find(token, path)
                                .map(
                                        it ->
                                                values.keySet().stream()
                                                        .map(key -> key + "=" + word(it.path(key)))
                                                        .collect(Collectors.joining(", "))),
                Optional.of((node, token) -> node.write(token, path, values)));
    }

    private static String words(Map<String, Object> values) {
        return values.entrySet().stream()
                .map(it -> it.getKey() + "=" + it.getValue())
                .collect(Collectors.joining(", "));
    }

    /** A list of one is read where a text was written. */
    private static String word(JsonNode value) {
        if (!value.isArray()) {
            return value.asText();
        }
        List<String> texts = new ArrayList<>();
        value.forEach(it -> texts.add(it.asText()));
        return String.join(",", texts);
    }
}
