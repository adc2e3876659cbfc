package io.vaultdr.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;

import io.vaultdr.model.Failure;
import io.vaultdr.model.Secret;
import io.vaultdr.runtime.Json;
import io.vaultdr.vault.VaultClient;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;

/**
 * What is done with a secret that was brought back out of a snapshot: into a file that only its
 * owner reads, or back to where it was in the live cluster, after a look at what differs.
 */
final class RestoreOnly {
    private final PrintWriter out;

    RestoreOnly(PrintWriter out) {
        this.out = out;
    }

    /**
     * A secret out of a snapshot, as the function leaves it. Holds secrets.
     *
     * @param mount the KV engine
     * @param path below it
     * @param takenAt when the snapshot was taken
     * @param versions oldest first, each with {@code data} and {@code metadata} as the engine gave
     *     them
     */
    record Recovered(
            String mount, String path, String takenAt, List<JsonNode> versions, JsonNode all) {
        /** The secret's whole path. */
        String name() {
            return mount + "/" + path;
        }

        @Override
        public String toString() {
            return "Recovered[" + name() + ", [secret]]";
        }
    }

    /** Reads what the function left. */
    static Recovered parse(byte[] object) {
        JsonNode all;
        try {
            all = Json.MAPPER.readTree(object);
        } catch (IOException e) {
            // Not kept as the cause: the parser quotes what it read.
            throw unreadable();
        }
        String mount = all.path("mount").asText();
        String name = all.path("path").asText();
        if (mount.isEmpty() || !name.startsWith(mount + "/") || !all.path("versions").isArray()) {
            throw unreadable();
        }
        List<JsonNode> versions = new ArrayList<>();
        all.path("versions").forEach(versions::add);
        return new Recovered(
                mount,
                name.substring(mount.length() + 1),
                all.path("takenAt").asText(),
                List.copyOf(versions),
                all);
    }

    private static Failure unreadable() {
        return new Failure.Terminal(
                "read what was recovered",
                "it isn't what this version's function leaves",
                "Use the command line of the version that is deployed");
    }

    /** Writes all versions to a new file of mode 600. */
    int toFile(Recovered secret, Path file) {
        try {
            Files.createFile(
                    file,
                    PosixFilePermissions.asFileAttribute(
                            PosixFilePermissions.fromString("rw-------")));
            Files.write(file, json(secret));
        } catch (FileAlreadyExistsException e) {
            throw new Unusable(file + ": is there already, expected a new file with --to");
        } catch (IOException e) {
            throw new Unusable(file + ": can't be written: " + e.getClass().getSimpleName());
        }
        say(
                secret.versions().size()
                        + " versions of "
                        + secret.name()
                        + " as of "
                        + secret.takenAt()
                        + " are in "
                        + file
                        + ", mode 600");
        return Exit.EXPECTED;
    }

    /** Writes them to standard output, because that was asked for. */
    int toOutput(Recovered secret) {
        out.print(new String(json(secret), StandardCharsets.UTF_8));
        out.flush();
        return Exit.EXPECTED;
    }

    private static byte[] json(Recovered secret) {
        try {
            return Json.MAPPER.writerWithDefaultPrettyPrinter().writeValueAsBytes(secret.all());
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a record always becomes JSON", e);
        }
    }

    /**
     * Writes the newest version back, unless somebody wrote in between.
     *
     * @param showValues whether the difference shows values, or only which keys differ
     * @param confirmed is given the path and asks a person
     */
    int writeBack(
            Recovered secret,
            VaultClient node,
            Secret token,
            boolean showValues,
            Predicate<String> confirmed) {
        JsonNode then =
                secret.versions().stream()
                        .filter(version -> version.path("data").isObject())
                        .max(Comparator.comparingLong(RestoreOnly::number))
                        .orElseThrow(
                                () ->
                                        new Unusable(
                                                secret.name()
                                                        + ": every version was deleted or destroyed"
                                                        + " when the snapshot was taken; choose an"
                                                        + " older one"));
        JsonNode live =
                node.newestKv(token, secret.mount(), secret.path())
                        .orElseGet(Json.MAPPER::createObjectNode);
        long current = live.path("metadata").path("version").asLong();
        JsonNode now =
                live.path("data").isObject() ? live.path("data") : Json.MAPPER.createObjectNode();
        JsonNode old = then.path("data");
        say(
                secret.name()
                        + ": version "
                        + number(then)
                        + " of the snapshot ("
                        + then.path("metadata").path("created_time").asText()
                        + ") against "
                        + (current == 0
                                ? "nothing"
                                : "version "
                                        + current
                                        + (live.path("data").isObject() ? "" : " (deleted)"))
                        + " on "
                        + node.address());
        if (old.equals(now)) {
            say("  the same; nothing to write");
            return Exit.EXPECTED;
        }
        difference(old, now, showValues);
        if (!confirmed.test(secret.name())) {
            say("Not confirmed; nothing was written.");
            return Exit.NEGATIVE;
        }
        long written = node.writeKv(token, secret.mount(), secret.path(), old, current);
        say("Written as version " + written + "; the version before stays readable.");
        return Exit.EXPECTED;
    }

    private void difference(JsonNode old, JsonNode now, boolean showValues) {
        Set<String> keys = new TreeSet<>();
        old.fieldNames().forEachRemaining(keys::add);
        now.fieldNames().forEachRemaining(keys::add);
        for (String key : keys) {
            if (!Objects.equals(old.get(key), now.get(key))) {
                say(
                        (now.get(key) == null ? "  + " : old.get(key) == null ? "  - " : "  ~ ")
                                + key
                                + (showValues
                                        ? ": " + shown(now.get(key)) + " → " + shown(old.get(key))
                                        : ""));
            }
        }
        say(
                "  (+ comes back, - goes, ~ changes"
                        + (showValues ? ")" : "; --show-values shows to what)"));
    }

    private static String shown(@Nullable JsonNode value) {
        return value == null ? "nothing" : value.toString();
    }

    private static long number(JsonNode version) {
        return version.path("metadata").path("version").asLong();
    }

    private void say(String line) {
        out.println(line);
        out.flush();
    }
}
