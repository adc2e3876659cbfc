package io.vaultdr.rehearsal;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Why a rehearsal couldn't be played, in words that say what to do. */
final class Mishap {
    private Mishap() {}

    /** What the machine lacked, in a line; else what was thrown, and why, cause by cause. */
    static List<String> lines(Throwable thrown, Path scratch) {
        List<String> all = new ArrayList<>();
        for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
            String text = String.valueOf(cause.getMessage());
            if (text.contains("No space left on device")) {
                return List.of(
                        "the disk of %s is full: %d MB free, about 1,000 MB needed. Free some, or set TMPDIR to a larger disk"
                                .formatted(
                                        scratch.getParent(),
                                        scratch.toFile().getUsableSpace() >> 20));
            }
            if (text.toLowerCase(Locale.ROOT).contains("address already in use")) {
                return List.of(
                        "a port was taken before its server could use it ("
                                + address(text)
                                + "). Play again: free ports are chosen anew");
            }
            all.add((all.isEmpty() ? "could not be played: " : "  because of ") + cause);
        }
        return all;
    }

    /** The line that tells which. */
    private static String address(String text) {
        return text.lines()
                .filter(line -> line.toLowerCase(Locale.ROOT).contains("address already"))
                .findFirst()
                .orElse(text)
                .strip();
    }
}
