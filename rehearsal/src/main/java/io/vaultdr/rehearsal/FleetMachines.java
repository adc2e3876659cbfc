package io.vaultdr.rehearsal;

import io.vaultdr.model.Side;
import io.vaultdr.rehearsal.Fleet.Node;
import io.vaultdr.rehearsal.world.Machines;
import io.vaultdr.rehearsal.world.ProcessStarter;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The servers as instances: a document's own shell commands are run for one of them, with a {@code
 * systemctl} first on PATH that starts and stops that server, and with the path of the server's
 * data directory, which is the same on every real machine, put in place of the machine's own here.
 */
final class FleetMachines implements Machines {
    /** Asks us by a file and waits for the answer: exit code, then what is to be printed. */
    private static final String SYSTEMCTL =
            """
            #!/bin/sh
            ask=$(mktemp "$MACHINE/ask.XXXXXX") || exit 1
            echo "$*" > "$ask" && mv "$ask" "$ask.asked"
            until [ -e "$ask.answer" ]; do sleep 0.02; done
            { read -r code; cat; } < "$ask.answer"
            exit "$code"
            """;

    private static final Duration POLL = Duration.ofMillis(10);

    private final Fleet fleet;
    private final Map<Side, Place> places;
    private final String unit;
    private final String dataDirectory;
    private final Path directory;
    private final ProcessStarter processes;
    private final Console console;
    private int inGroup = 1;

    /** Where a side's machines are and how AWS finds them. */
    record Place(String region, String tagKey, String tagValue, String group) {}

    FleetMachines(
            Fleet fleet,
            Map<Side, Place> places,
            String unit,
            String dataDirectory,
            Path directory,
            ProcessStarter processes,
            Console console)
            throws IOException {
        this.fleet = fleet;
        this.places = places;
        this.unit = unit;
        this.dataDirectory = dataDirectory;
        this.directory = directory;
        this.processes = processes;
        this.console = console;
        Path bin = Files.createDirectories(directory.resolve("bin"));
        Path systemctl = Files.writeString(bin.resolve("systemctl"), SYSTEMCTL);
        Files.setPosixFilePermissions(systemctl, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    @Override
    public List<String> instances(String region, String tagKey, String tagValue) {
        return places.entrySet().stream()
                .filter(
                        it ->
                                it.getValue().region().equals(region)
                                        && it.getValue().tagKey().equals(tagKey)
                                        && it.getValue().tagValue().equals(tagValue))
                .flatMap(it -> running(it.getKey()).map(Node::instance))
                .toList();
    }

    @Override
    public synchronized void capacity(String region, String group, int desired) {
        Side side =
                places.entrySet().stream()
                        .filter(it -> it.getValue().group().equals(group))
                        .findFirst()
                        .orElseThrow(() -> new IllegalArgumentException("no group " + group))
                        .getKey();
        List<Node> nodes = fleet.nodes(side);
        inGroup = Math.min(desired, nodes.size());
        for (Node node : nodes) {
            if (node.number() <= inGroup && !node.server().running()) {
                Thread.ofPlatform().daemon().start(() -> begin(node));
            } else if (node.number() > inGroup && node.server().running()) {
                node.server().kill();
            }
        }
    }

    private void begin(Node node) {
        try {
            node.server().start();
        } catch (RuntimeException | AssertionError e) {
            console.say(Console.Tone.BAD, node.name() + " does not start: " + e.getMessage());
        }
    }

    @Override
    public synchronized List<String> groupInstances(String region, String group) {
        return places.entrySet().stream()
                .filter(it -> it.getValue().group().equals(group))
                .flatMap(it -> running(it.getKey()).map(Node::instance))
                .toList();
    }

    /** Home's machines all run, with or without a server; of DR's those that the group wants. */
    private synchronized Stream<Node> running(Side side) {
        return fleet.nodes(side).stream()
                .filter(node -> side == Side.HOME || node.number() <= inGroup);
    }

    @Override
    public CommandResult run(String instanceId, List<String> commands, Duration limit) {
        Node node =
                fleet.ofInstance(instanceId)
                        .orElseThrow(
                                () -> new IllegalArgumentException("no instance " + instanceId));
        try {
            Path machine = Files.createTempDirectory(directory, node.name());
            Path script =
                    Files.writeString(
                            machine.resolve("document.sh"),
                            String.join("\n", commands)
                                            .replace(dataDirectory, node.server().data().toString())
                                    + "\n");
            var shell =
                    new ProcessBuilder("/bin/sh", script.toString())
                            .directory(machine.toFile())
                            .redirectInput(
                                    ProcessBuilder.Redirect.from(new java.io.File("/dev/null")))
                            .redirectOutput(machine.resolve("stdout").toFile())
                            .redirectError(machine.resolve("stderr").toFile());
            shell.environment().put("MACHINE", machine.toString());
            shell.environment().put("PATH", directory.resolve("bin") + ":" + System.getenv("PATH"));
            Process process = processes.start(shell);
            Instant end = Instant.now().plus(limit);
            while (process.isAlive()) {
                if (Instant.now().isAfter(end)) {
                    process.destroyForcibly();
                    return new CommandResult(124, "", "not within " + limit);
                }
                answer(machine, node);
                Thread.sleep(POLL);
            }
            return new CommandResult(
                    process.exitValue(),
                    Files.readString(machine.resolve("stdout")),
                    Files.readString(machine.resolve("stderr")));
        } catch (IOException e) {
            throw new UncheckedIOException("run a document on " + node.name(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return new CommandResult(130, "", "interrupted");
        }
    }

    private void answer(Path machine, Node node) throws IOException {
        try (Stream<Path> files = Files.list(machine)) {
            for (Path asked : files.filter(it -> it.toString().endsWith(".asked")).toList()) {
                String request = Files.readString(asked).strip();
                Files.delete(asked);
                String name = asked.toString().replaceAll("\\.asked$", "");
                Path fresh = Files.writeString(Path.of(name + ".new"), systemctl(node, request));
                Files.move(fresh, Path.of(name + ".answer"), StandardCopyOption.ATOMIC_MOVE);
            }
        }
    }

    /** What {@code systemctl} does here, with its own exit codes. */
    private String systemctl(Node node, String request) {
        List<String> words =
                Stream.of(request.split(" ")).filter(word -> !word.equals("--quiet")).toList();
        if (words.size() != 2 || !words.getLast().equals(unit)) {
            return "5\nUnit " + words.getLast() + " not found: " + request + "\n";
        }
        boolean quiet = request.contains("--quiet");
        try {
            switch (words.getFirst()) {
                case "start" -> node.server().start();
                case "stop" -> node.server().stop();
                case "restart" -> node.server().restart();
                case "is-active" -> {
                    boolean active = node.server().running();
                    String word = quiet ? "" : active ? "active\n" : "inactive\n";
                    return (active ? "0\n" : "3\n") + word;
                }
                default -> {
                    return "1\nUnknown command: " + request + "\n";
                }
            }
            return "0\n";
        } catch (RuntimeException | AssertionError e) {
            return "1\nJob for " + unit + " failed: " + e.getMessage() + "\n";
        }
    }
}
