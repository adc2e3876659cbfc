package io.vaultdr.cli;

import com.fasterxml.jackson.core.type.TypeReference;

import io.vaultdr.promotion.Journal;
import io.vaultdr.runtime.Json;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;
import java.util.TreeMap;

/**
 * How far a restore came, in a file, so that the same command takes it up again after it was ended;
 * shown as it grows. Holds no secret.
 */
final class FileJournal implements Journal {
    private final Path file;
    private final PrintWriter out;
    private final Map<String, String> remembered;

    /** Goes on with {@code file}, or begins it. */
    FileJournal(Path file, PrintWriter out) {
        this.file = file;
        this.out = out;
        try {
            remembered =
                    Files.exists(file)
                            ? Json.MAPPER.readValue(
                                    Files.readString(file),
                                    new TypeReference<TreeMap<String, String>>() {})
                            : new TreeMap<>();
        } catch (IOException e) {
            throw new Unusable(
                    file
                            + ": can't be read, expected what an earlier restore left; move it away"
                            + " to begin anew");
        }
    }

    @Override
    public Map<String, String> remembered() {
        return Map.copyOf(remembered);
    }

    @Override
    public void remember(Map<String, String> facts) {
        remembered.putAll(facts);
        try {
            Path next = file.resolveSibling(file.getFileName() + ".next");
            Files.writeString(next, Json.MAPPER.writeValueAsString(remembered));
            Files.move(
                    next,
                    file,
                    StandardCopyOption.REPLACE_EXISTING,
                    StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        facts.forEach((key, value) -> say(key + ": " + value));
    }

    @Override
    public void find(String sentence) {
        say(sentence);
    }

    /** Forgets it: the restore is through. */
    void done() {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void say(String line) {
        out.println("  " + line);
        out.flush();
    }
}
