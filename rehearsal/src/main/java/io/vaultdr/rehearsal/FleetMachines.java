package io.vaultdr.rehearsal;

import io.vaultdr.model.Side;
import io.vaultdr.rehearsal.Fleet.Node;
import io.vaultdr.rehearsal.world.Machines;
import io.vaultdr.rehearsal.world.ProcessStarter;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
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
        Systemctl.install(directory.resolve("bin"));
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
                Systemctl.answer(machine, unit, new Server(node));
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

    /** A node's server as its machine's unit. */
    private record Server(Node node) implements Systemctl.Unit {
        @Override
        public void start() {
            node.server().start();
        }

        @Override
        public void stop() {
            node.server().stop();
        }

        @Override
        public void reload() {
            throw new IllegalStateException("nothing asks this server to reload");
        }

        @Override
        public boolean active() {
            return node.server().running();
        }
    }
}
