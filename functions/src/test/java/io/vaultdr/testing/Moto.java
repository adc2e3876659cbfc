package io.vaultdr.testing;

import io.vaultdr.aws.AwsClients;

import org.jspecify.annotations.Nullable;

import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * moto as AWS on a loopback port. Until {@link #close()}, SDK clients that this JVM makes talk to
 * it: the system property {@code aws.endpointUrl} says so. A closed one's process is kept for the
 * next, which finds nothing in it: loading moto's services takes longer than most tests.
 */
public final class Moto implements AutoCloseable {
    /** Whose everything is that is made with {@link #clients()}. */
    public static final String ACCOUNT = "123456789012";

    private static final String ENDPOINT_PROPERTY = "aws.endpointUrl";
    private static final Duration START = Duration.ofSeconds(60);
    private static final HttpClient HTTP = HttpClient.newHttpClient();
    private static final Queue<Server> KEPT = new ConcurrentLinkedQueue<>();

    private final Server server;
    private final @Nullable String previous;
    private boolean closed;

    /** A process, which ends with this JVM, and where it listens. */
    private record Server(ServerProcess process, URI endpoint) {}

    private Moto(Server server) {
        this.server = server;
        this.previous = System.setProperty(ENDPOINT_PROPERTY, server.endpoint().toString());
    }

    /** An empty one that answers. */
    public static Moto start() {
        for (Server kept = KEPT.poll(); kept != null; kept = KEPT.poll()) {
            if (kept.process().alive()) {
                Moto moto = new Moto(kept);
                moto.reset();
                return moto;
            }
        }
        return new Moto(started());
    }

    /**
     * The program that starts moto as the tests and the rehearsal need it, written into {@code
     * directory}; takes the arguments of {@code moto_server}.
     */
    public static Path program(Path directory) throws IOException {
        Path program = directory.resolve("moto_server.py");
        try (InputStream in = Moto.class.getResourceAsStream("moto.py")) {
            Files.copy(Objects.requireNonNull(in), program);
        }
        return program;
    }

    private static Server started() {
        int port = Ports.free();
        try {
            Path directory = Files.createTempDirectory("moto");
            Path log = directory.resolve("moto.log");
            Path program = program(directory);
            for (Path made : List.of(directory, program, log)) {
                made.toFile().deleteOnExit();
            }
            ServerProcess process =
                    ServerProcess.start(
                            List.of(
                                    Environment.program("python").toString(),
                                    program.toString(),
                                    "-H",
                                    "127.0.0.1",
                                    "-p",
                                    Integer.toString(port)),
                            Map.of(),
                            log);
            Server server = new Server(process, URI.create("http://127.0.0.1:" + port));
            Eventually.await(
                    "moto answers",
                    START,
                    () -> {
                        if (!process.alive()) {
                            throw new AssertionError("moto ended: " + process.tail());
                        }
                        return call(server, "GET", "/moto-api/data.json");
                    });
            return server;
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    /** Where it listens; for {@code AWS_ENDPOINT_URL} of other processes. */
    public URI endpoint() {
        return server.endpoint();
    }

    /** Clients that talk to it. */
    public AwsClients clients() {
        return new AwsClients(
                StaticCredentialsProvider.create(AwsBasicCredentials.create("test", "test")));
    }

    /** The environment of a process whose AWS is this one, the {@code aws} command's too. */
    public Map<String, String> environment(String region) {
        return Map.of(
                "AWS_ENDPOINT_URL",
                endpoint().toString(),
                "AWS_ACCESS_KEY_ID",
                "test",
                "AWS_SECRET_ACCESS_KEY",
                "test",
                "AWS_REGION",
                region,
                "AWS_DEFAULT_REGION",
                region);
    }

    /** Forgets all that was made in it. */
    public void reset() {
        if (!call(server, "POST", "/moto-api/reset")) {
            throw new AssertionError("moto can't be reset: " + server.process().tail());
        }
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        if (previous == null) {
            System.clearProperty(ENDPOINT_PROPERTY);
        } else {
            System.setProperty(ENDPOINT_PROPERTY, previous);
        }
        KEPT.add(server);
    }

    private static boolean call(Server server, String method, String path) {
        HttpRequest request =
                HttpRequest.newBuilder(server.endpoint().resolve(path))
                        .method(method, HttpRequest.BodyPublishers.noBody())
                        .timeout(Duration.ofSeconds(5))
                        .build();
        try {
            return HTTP.send(request, BodyHandlers.discarding()).statusCode() == 200;
        } catch (IOException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
