package io.vaultdr.rehearsal;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;

import io.vaultdr.infra.config.Config;
import io.vaultdr.rehearsal.world.ProcessStarter;
import io.vaultdr.runtime.Json;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * The person who runs the pair, at a shell beside {@code vault-dr.yaml}: types the project's own
 * commands, each in a process of its own, signed in to the rehearsal's account and to home.
 */
final class Operator {
    /** Longer than any command takes here; a drill, with its waits, is the longest. */
    private static final Duration LONGEST = Duration.ofMinutes(5);

    /** A line of JSON is shown to here. */
    private static final int SHOWN = 150;

    private final Class<?> commands;
    private final Path folder;
    private final URI aws;
    private final Path hosts;
    private final Fleet fleet;
    private final ProcessStarter processes;
    private final Console console;

    /**
     * @param commands the main class of the command line
     * @param config {@code vault-dr.yaml}, in whose folder commands run
     * @param aws where AWS calls go
     * @param hosts tells the servers' addresses from where the operator sits
     */
    Operator(
            Class<?> commands,
            Config config,
            URI aws,
            Path hosts,
            Fleet fleet,
            ProcessStarter processes,
            Console console) {
        this.commands = commands;
        this.folder = config.file().toAbsolutePath().resolveSibling(".").normalize();
        this.aws = aws;
        this.hosts = hosts;
        this.fleet = fleet;
        this.processes = processes;
        this.console = console;
    }

    /** How a command ended, and what it said. */
    record Ran(int exit, List<String> lines) {
        /** Whether a line holds {@code text}. */
        boolean says(String text) {
            return lines.stream().anyMatch(line -> line.contains(text));
        }

        /** Its only line, from a command with {@code --json}. */
        JsonNode json() {
            try {
                return Json.MAPPER.readTree(lines.getLast());
            } catch (JsonProcessingException e) {
                throw new IllegalStateException("expected a line of JSON, found " + lines, e);
            }
        }
    }

    /** Where commands run, and what files they name are relative to. */
    Path folder() {
        return folder;
    }

    /** Types {@code vault-dr} with these arguments and waits for its end. */
    Ran run(String... arguments) throws IOException, InterruptedException, TimeoutException {
        String typed = "vault-dr " + String.join(" ", arguments);
        console.say(Console.Tone.ACT, "operator: $ " + typed);
        List<String> command =
                new ArrayList<>(
                        List.of(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "-XX:+UseSerialGC",
                                "-XX:TieredStopAtLevel=1",
                                "--enable-native-access=ALL-UNNAMED",
                                "-Djdk.net.hosts.file=" + hosts,
                                "-cp",
                                System.getProperty("java.class.path"),
                                commands.getName()));
        command.addAll(Arrays.asList(arguments));
        ProcessBuilder shell =
                signedIn(new ProcessBuilder(command), aws)
                        .directory(folder.toFile())
                        .redirectErrorStream(true);
        shell.environment().put("BAO_TOKEN", fleet.rootToken());
        Process process = processes.start(shell);
        var said = CompletableFuture.supplyAsync(() -> lines(process));
        if (!process.waitFor(LONGEST.toSeconds(), TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new TimeoutException(typed + " did not end within " + LONGEST);
        }
        return new Ran(process.exitValue(), said.join());
    }

    private List<String> lines(Process process) {
        List<String> lines = new ArrayList<>();
        try (BufferedReader reader = process.inputReader()) {
            reader.lines()
                    .forEach(
                            line -> {
                                lines.add(line);
                                console.say(
                                        Console.Tone.PLAIN,
                                        "    "
                                                + (line.length() > SHOWN
                                                        ? line.substring(0, SHOWN) + "…"
                                                        : line));
                            });
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
        return lines;
    }

    /**
     * Signs a process in to the rehearsal's account, and out of whatever account or server whoever
     * rehearses is signed in to.
     */
    static ProcessBuilder signedIn(ProcessBuilder shell, URI aws) {
        Map<String, String> environment = shell.environment();
        environment.keySet().removeIf(name -> name.matches("(AWS|BAO|VAULT)_.*"));
        environment.putAll(
                Map.of(
                        "AWS_ENDPOINT_URL",
                        aws.toString(),
                        "AWS_ACCESS_KEY_ID",
                        "operator",
                        "AWS_SECRET_ACCESS_KEY",
                        "unchecked",
                        "AWS_DEFAULT_REGION",
                        Configuration.HOME));
        return shell;
    }
}
