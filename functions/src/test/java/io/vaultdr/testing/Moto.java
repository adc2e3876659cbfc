package io.vaultdr.testing;

import io.vaultdr.aws.AwsClients;

import org.jspecify.annotations.Nullable;

import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * moto as AWS on a loopback port. While it runs, SDK clients that this JVM makes talk to it: the
 * system property {@code aws.endpointUrl} says so until {@link #close()}.
 */
public final class Moto implements AutoCloseable {
    /** Whose everything is that is made with {@link #clients()}. */
    public static final String ACCOUNT = "123456789012";

    private static final String ENDPOINT_PROPERTY = "aws.endpointUrl";
    private static final Duration START = Duration.ofSeconds(60);

    private final ServerProcess process;
    private final URI endpoint;
    private final HttpClient http = HttpClient.newHttpClient();
    private final @Nullable String previous;

    private Moto(ServerProcess process, URI endpoint) {
        this.process = process;
        this.endpoint = endpoint;
        this.previous = System.setProperty(ENDPOINT_PROPERTY, endpoint.toString());
    }

    /** Starts an empty one and waits until it answers. */
    public static Moto start() {
        int port = Ports.free();
        try {
            Path log = Files.createTempFile("moto", ".log");
            log.toFile().deleteOnExit();
            ServerProcess process =
                    ServerProcess.start(
                            List.of(
                                    Environment.program("moto_server").toString(),
                                    "-H",
                                    "127.0.0.1",
                                    "-p",
                                    Integer.toString(port)),
                            Map.of(),
                            log);
            Moto moto = new Moto(process, URI.create("http://127.0.0.1:" + port));
            Eventually.await(
                    "moto answers",
                    START,
                    () -> {
                        if (!process.alive()) {
                            throw new AssertionError("moto ended: " + process.tail());
                        }
                        return moto.call("GET", "/moto-api/data.json");
                    });
            return moto;
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    /** Where it listens; for {@code AWS_ENDPOINT_URL} of other processes. */
    public URI endpoint() {
        return endpoint;
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
                endpoint.toString(),
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
        if (!call("POST", "/moto-api/reset")) {
            throw new AssertionError("moto can't be reset: " + process.tail());
        }
    }

    @Override
    public void close() {
        if (previous == null) {
            System.clearProperty(ENDPOINT_PROPERTY);
        } else {
            System.setProperty(ENDPOINT_PROPERTY, previous);
        }
        http.shutdownNow();
        process.close();
    }

    private boolean call(String method, String path) {
        HttpRequest request =
                HttpRequest.newBuilder(endpoint.resolve(path))
                        .method(method, HttpRequest.BodyPublishers.noBody())
                        .timeout(Duration.ofSeconds(5))
                        .build();
        try {
            return http.send(request, BodyHandlers.discarding()).statusCode() == 200;
        } catch (IOException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
