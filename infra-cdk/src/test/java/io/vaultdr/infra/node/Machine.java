package io.vaultdr.infra.node;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

import io.vaultdr.runtime.Json;
import io.vaultdr.testing.Environment;
import io.vaultdr.testing.Eventually;
import io.vaultdr.testing.Moto;
import io.vaultdr.testing.Ports;
import io.vaultdr.testing.ServerProcess;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * A machine on which the node's program runs as it is: a directory, an address of its own on
 * loopback, metadata, and a systemctl that keeps one unit's state in a file. The server itself is
 * started by {@link #serve()} with the configuration that boot wrote.
 */
final class Machine implements AutoCloseable {
    static final String REGION = "eu-west-1";
    static final String UNIT = "openbao";
    private static final Duration LIMIT = Duration.ofSeconds(90);

    private static final String SYSTEMCTL =
            """
            #!/bin/sh
            cd '@DIRECTORY@'
            echo "$*" >> calls
            case "$1" in
              show) echo "User=$(id -un)"; echo "Group=$(id -gn)" ;;
              is-active) test -e active && echo active || { echo inactive; exit 3; } ;;
              start) test -e broken && { echo "Job failed"; exit 1; }; touch active ;;
              stop) rm -f active ;;
              reload) ;;
              *) exit 64 ;;
            esac
            """;

    private final Moto moto;
    private final Metadata metadata;
    private final Path directory;
    private final String parameter;
    private final String metrics;
    private @Nullable ServerProcess server;

    /** How boot ended, and its lines. */
    record Run(int status, List<JsonNode> lines, String output) {
        /** The line of {@code event}. */
        JsonNode line(String event) {
            return find(event).orElseThrow(() -> new AssertionError(event + " isn't in " + output));
        }

        /** Whether there is a line of {@code event}. */
        boolean said(String event) {
            return find(event).isPresent();
        }

        private Optional<JsonNode> find(String event) {
            return lines.stream().filter(it -> it.path("event").asText().equals(event)).findFirst();
        }
    }

    Machine(Moto moto, Path directory, String id, String address) {
        this.moto = moto;
        this.directory = directory;
        this.parameter = "/vault-dr/payments/node-" + id;
        this.metrics = "127.0.0.1:" + Ports.free();
        try {
            Files.createDirectories(directory);
            Path systemctl =
                    Files.writeString(
                            directory.resolve("systemctl"),
                            SYSTEMCTL.replace("@DIRECTORY@", directory.toString()));
            if (!systemctl.toFile().setExecutable(true)) {
                throw new AssertionError(systemctl + " can't be made executable");
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        this.metadata = Metadata.of(id, address, REGION).tagged("vault-dr:node", parameter);
    }

    /** A whole parameter, whose directories are this machine's. */
    ObjectNode settings(int port, Path sealKey) {
        ObjectNode settings = Json.MAPPER.createObjectNode();
        settings.put("pair", "payments").put("side", "home").put("region", REGION);
        settings.put("edition", "openbao").put("unit", UNIT).put("serverName", "vault.internal");
        settings.put("apiPort", port).put("clusterPort", port + 1);
        settings.put("dataDirectory", directory.resolve("data").toString());
        settings.put("auditFile", directory.resolve("audit/audit.log").toString());
        settings.put("tlsSecret", "payments/tls");
        settings.putObject("seal").put("type", "static").put("file", sealKey.toString());
        settings.putObject("join").putArray("addresses");
        settings.putArray("quarantine");
        settings.put("selfFence", false).put("readTimeoutSeconds", 900);
        return settings;
    }

    /** Writes the machine's parameter. */
    Machine told(Object settings) {
        try {
            String text =
                    settings instanceof String it ? it : Json.MAPPER.writeValueAsString(settings);
            moto.clients()
                    .ssm(REGION)
                    .putParameter(
                            it -> it.name(parameter).value(text).type("String").overwrite(true));
            return this;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Tags the instance with the name of another parameter. */
    void tagged(String value) {
        metadata.tagged("vault-dr:node", value);
    }

    /** Runs boot to its end. */
    Run boot(Map<String, String> more) throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(command("boot")).redirectErrorStream(true);
        builder.environment().putAll(environment());
        builder.environment().putAll(more);
        Path log = Files.createTempFile(directory, "boot", ".log");
        Process process = builder.redirectOutput(log.toFile()).start();
        process.getOutputStream().close();
        if (!process.waitFor(LIMIT.toMillis(), TimeUnit.MILLISECONDS)) {
            process.destroyForcibly();
            throw new AssertionError("boot had no end within " + LIMIT);
        }
        return new Run(process.exitValue(), lines(log), Files.readString(log));
    }

    Run boot() throws IOException, InterruptedException {
        return boot(Map.of());
    }

    /** Starts watch, which runs until the process is closed. */
    ServerProcess watch(Path log, Map<String, String> more) {
        Map<String, String> all = new HashMap<>(environment());
        all.putAll(more);
        return ServerProcess.start(command("watch"), all, log);
    }

    private static List<String> command(String name) {
        return List.of(Environment.program("python").toString(), program().toString(), name);
    }

    /** The program as the image gets it. */
    static Path program() {
        return Path.of(
                System.getProperty("vaultdr.root"),
                "infra-cdk/src/main/resources/io/vaultdr/infra/node/vault_dr_node.py");
    }

    private Map<String, String> environment() {
        return Map.of(
                "AWS_EC2_METADATA_SERVICE_ENDPOINT",
                metadata.endpoint(),
                "AWS_ENDPOINT_URL",
                moto.endpoint().toString(),
                "VAULT_DR_DIRECTORY",
                etc().toString(),
                "VAULT_DR_METRICS_ADDRESS",
                metrics,
                "VAULT_DR_SYSTEMCTL",
                directory.resolve("systemctl").toString(),
                // Nothing of whoever runs the tests.
                "AWS_CONFIG_FILE",
                directory.resolve("none").toString(),
                "AWS_SHARED_CREDENTIALS_FILE",
                directory.resolve("none").toString());
    }

    /** The events in a log, oldest first. */
    static List<JsonNode> lines(Path log) {
        try {
            List<JsonNode> all = new ArrayList<>();
            for (String line : Files.readAllLines(log)) {
                all.add(Json.MAPPER.readTree(line));
            }
            return all;
        } catch (com.fasterxml.jackson.core.JsonProcessingException e) {
            return List.of();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Where boot writes what the server and watch read. */
    Path etc() {
        return directory.resolve("etc");
    }

    Path directory() {
        return directory;
    }

    /** The listener that the agent on the machine reads. */
    String metrics() {
        return metrics;
    }

    /** Whether the unit runs, as systemctl says. */
    boolean active() {
        return Files.exists(directory.resolve("active"));
    }

    /** Has the unit run, as if somebody had started it. */
    void activate() throws IOException {
        Files.writeString(directory.resolve("active"), "");
    }

    /** All that systemctl was told. */
    List<String> calls() throws IOException {
        Path calls = directory.resolve("calls");
        return Files.exists(calls) ? Files.readAllLines(calls) : List.of();
    }

    /** The server's configuration. */
    JsonNode configuration() throws IOException {
        return Json.MAPPER.readTree(etc().resolve("server.json").toFile());
    }

    /** Starts the server as its unit does, and again after it was stopped. */
    void serve() {
        server =
                ServerProcess.start(
                        List.of(
                                Environment.bao().toString(),
                                "server",
                                "-config=" + etc().resolve("server.json")),
                        Map.of(),
                        directory.resolve("server.log"));
    }

    /** Stops the server as its unit does. */
    void stop() {
        if (server != null) {
            server.stop(Duration.ofSeconds(20));
        }
    }

    /** Waits for an answer of {@code ask}, as long as the server runs. */
    <T> T await(String what, java.util.function.Supplier<Optional<T>> ask) {
        return Eventually.get(
                what,
                LIMIT,
                () -> {
                    if (server == null || !server.alive()) {
                        throw new AssertionError(
                                what
                                        + ": the server ended:\n"
                                        + (server == null ? "" : server.tail()));
                    }
                    return ask.get();
                });
    }

    @Override
    public void close() {
        metadata.close();
        if (server != null) {
            server.close();
        }
    }
}
