package io.vaultdr.rehearsal;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.stream.Stream;

/**
 * The {@code systemctl} of machines that have no systemd: a program that asks us by a file and
 * waits for the answer, exit code first. It looks for its machine in the variable {@code MACHINE}.
 */
final class Systemctl {
    private static final String PROGRAM =
            """
            #!/bin/sh
            ask=$(mktemp "$MACHINE/ask.XXXXXX") || exit 1
            echo "$*" > "$ask" && mv "$ask" "$ask.asked"
            until [ -e "$ask.answer" ]; do sleep 0.02; done
            { read -r code; cat; } < "$ask.answer"
            exit "$code"
            """;

    /** The only unit of a machine. */
    interface Unit {
        void start();

        void stop();

        void reload();

        boolean active();
    }

    private Systemctl() {}

    /** Puts the program into {@code bin}, which then goes first on PATH; where it is. */
    static Path install(Path bin) throws IOException {
        Path program =
                Files.writeString(Files.createDirectories(bin).resolve("systemctl"), PROGRAM);
        Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
        return program;
    }

    /** Answers what was asked on this machine until now. */
    static void answer(Path machine, String name, Unit unit) throws IOException {
        try (Stream<Path> files = Files.list(machine)) {
            for (Path asked : files.filter(it -> it.toString().endsWith(".asked")).toList()) {
                String request = Files.readString(asked).strip();
                Files.delete(asked);
                String ask = asked.toString().replaceAll("\\.asked$", "");
                Path fresh = Files.writeString(Path.of(ask + ".new"), answer(name, unit, request));
                Files.move(fresh, Path.of(ask + ".answer"), StandardCopyOption.ATOMIC_MOVE);
            }
        }
    }

    /** What {@code systemctl} does, with its own exit codes. */
    private static String answer(String name, Unit unit, String request) {
        List<String> words =
                Stream.of(request.split(" ")).filter(word -> !word.startsWith("--")).toList();
        if (words.size() != 2 || !words.getLast().equals(name)) {
            return "5\nUnit " + words.getLast() + " not found: " + request + "\n";
        }
        try {
            switch (words.getFirst()) {
                case "start" -> unit.start();
                case "stop" -> unit.stop();
                case "reload" -> unit.reload();
                case "restart" -> {
                    unit.stop();
                    unit.start();
                }
                case "is-active" -> {
                    boolean active = unit.active();
                    String word =
                            request.contains("--quiet") ? "" : active ? "active\n" : "inactive\n";
                    return (active ? "0\n" : "3\n") + word;
                }
                case "show" -> {
                    // It runs as whoever rehearses.
                    return "0\nUser=\nGroup=\n";
                }
                default -> {
                    return "1\nUnknown command: " + request + "\n";
                }
            }
            return "0\n";
        } catch (RuntimeException | AssertionError e) {
            return "1\nJob for " + name + " failed: " + e.getMessage() + "\n";
        }
    }
}
