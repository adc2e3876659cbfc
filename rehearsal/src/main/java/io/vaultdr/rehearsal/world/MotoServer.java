package io.vaultdr.rehearsal.world;

import io.vaultdr.testing.Moto;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * AWS' state on this machine: moto's server on a free port of the loopback interface. Its state
 * machines are really executed; their Lambda tasks call the port that it is given.
 */
public final class MotoServer implements AutoCloseable {
    /** The account that moto answers for. */
    public static final String ACCOUNT = "123456789012";

    private static final Duration START = Duration.ofSeconds(60);

    private final Process process;
    private final URI endpoint;

    private MotoServer(Process process, URI endpoint) {
        this.process = process;
        this.endpoint = endpoint;
    }

    /**
     * Starts a server and waits until it answers.
     *
     * @param venv the Python environment that moto is installed in
     * @param scratch where its log and its temporary files go
     * @param lambdaPort the port that answers Lambda's Invoke, on the loopback interface
     */
    public static MotoServer start(
            Path venv, Path scratch, int lambdaPort, ProcessStarter processes) {
        try {
            Path python = venv.resolve("bin/python").toAbsolutePath();
            if (!Files.isExecutable(python)) {
                throw new IllegalStateException(
                        "no " + python + ": run ./vault-dr once, it installs the Python tools");
            }
            Path temporary = Files.createDirectories(scratch.resolve("moto"));
            Path program = Moto.program(temporary);
            Path log = temporary.resolve("moto.log");
            int port = freePort();
            ProcessBuilder builder =
                    new ProcessBuilder(
                                    python.toString(),
                                    program.toString(),
                                    "-H",
                                    "127.0.0.1",
                                    "-p",
                                    String.valueOf(port))
                            .redirectErrorStream(true)
                            .redirectOutput(log.toFile());
            builder.environment().put("MOTO_PORT", String.valueOf(lambdaPort));
            builder.environment().put("TMPDIR", temporary.toString());
            builder.environment().put("AWS_EC2_METADATA_DISABLED", "true");
            MotoServer server =
                    new MotoServer(
                            processes.start(builder), URI.create("http://127.0.0.1:" + port));
            server.awaitStart(log);
            return server;
        } catch (IOException e) {
            throw new IllegalStateException("can't start moto_server", e);
        }
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private void awaitStart(Path log) throws IOException {
        HttpRequest configure =
                HttpRequest.newBuilder(endpoint.resolve("/moto-api/config"))
                        .timeout(Duration.ofSeconds(5))
                        .POST(
                                HttpRequest.BodyPublishers.ofString(
                                        "{\"stepfunctions\":{\"execute_state_machine\":true}}"))
                        .build();
        long end = System.nanoTime() + START.toNanos();
        try (HttpClient http =
                HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(1)).build()) {
            while (true) {
                try {
                    int status =
                            http.send(configure, HttpResponse.BodyHandlers.discarding())
                                    .statusCode();
                    if (status < 300) {
                        return;
                    }
                    throw new IllegalStateException("moto_server answered " + status);
                } catch (IOException e) {
                    if (!process.isAlive() || System.nanoTime() > end) {
                        close();
                        throw new IllegalStateException(
                                "moto_server doesn't answer: " + Files.readString(log), e);
                    }
                }
                Thread.sleep(100);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            close();
            throw new IllegalStateException("interrupted while moto_server started", e);
        }
    }

    /** Where it answers. */
    public URI endpoint() {
        return endpoint;
    }

    @Override
    public void close() {
        process.destroyForcibly();
        try {
            process.waitFor(5, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
