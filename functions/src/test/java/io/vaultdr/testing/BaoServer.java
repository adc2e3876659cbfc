package io.vaultdr.testing;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;

import io.vaultdr.runtime.Directories;
import io.vaultdr.runtime.Json;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/**
 * One OpenBao server: a real process with Raft storage and a static seal, that can be killed,
 * started again on the same data and port, and wiped. It ends with this JVM.
 */
public final class BaoServer implements AutoCloseable {
    private static final Duration CALL = Duration.ofSeconds(30);

    /** What the server says when it couldn't unseal itself, and when it finds that it needn't. */
    private static final String TRIES_AGAIN = "failed to unseal core";

    private static final String TRIES_NO_MORE =
            "attempted unseal with stored keys, but vault is already unsealed";

    /**
     * What a server is made of.
     *
     * @param id its Raft node id
     * @param directory for its data, configuration and log; made if it doesn't exist
     * @param host the name or address that it announces to others
     * @param port of its API, on 127.0.0.1
     * @param clusterPort of Raft
     * @param sealKey a file of 32 bytes
     * @param join the API addresses that it tries to join, its own may be among them
     * @param tls its certificate; empty means plain HTTP
     * @param more configuration lines appended as they are
     */
    public record Spec(
            String id,
            Path directory,
            String host,
            int port,
            int clusterPort,
            Path sealKey,
            List<URI> join,
            Optional<TestTls> tls,
            String more) {
        /** The API address that it announces. */
        public URI address() {
            return URI.create((tls.isPresent() ? "https" : "http") + "://" + host + ":" + port);
        }
    }

    /** An answer of the API. */
    public record Answer(int status, JsonNode body) {
        /** The body's {@code data}. */
        public JsonNode data() {
            return body.path("data");
        }

        /** Itself, if the status is a 2xx. */
        public Answer expect() {
            if (status / 100 != 2) {
                throw new AssertionError("status " + status + ": " + body);
            }
            return this;
        }
    }

    private final Spec spec;
    private final HttpClient http;
    private @Nullable ServerProcess process;
    private boolean startedBlank;

    private BaoServer(Spec spec) {
        this.spec = spec;
        this.http = client(spec.tls());
    }

    /** A server that isn't started yet. */
    public static BaoServer of(Spec spec) {
        return new BaoServer(spec);
    }

    /** What it is made of. */
    public Spec spec() {
        return spec;
    }

    /** The API address that it announces. */
    public URI address() {
        return spec.address();
    }

    /** Its log. */
    public Path log() {
        return spec.directory().resolve("server.log");
    }

    /** Its data. */
    public Path data() {
        return spec.directory().resolve("data");
    }

    /** Whether its process runs. */
    public boolean running() {
        return process != null && process.alive();
    }

    /** Starts it and waits until its API answers anything. */
    public BaoServer start() {
        if (running()) {
            return this;
        }
        try {
            Files.createDirectories(data());
            Path configuration =
                    Files.writeString(spec.directory().resolve("server.hcl"), configuration());
            ServerProcess started =
                    ServerProcess.start(
                            List.of(
                                    Environment.bao().toString(),
                                    "server",
                                    "-config=" + configuration),
                            Map.of(),
                            log());
            process = started;
            startedBlank = false;
            Eventually.await(
                    "server " + spec.id() + " answers",
                    Duration.ofSeconds(30),
                    () -> {
                        if (!started.alive()) {
                            throw new AssertionError(
                                    "server " + spec.id() + " ended:\n" + started.tail());
                        }
                        return health() > 0;
                    });
            return this;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Kills it as {@code kill -9} does; the data stay. */
    public void kill() {
        if (process != null) {
            process.kill();
        }
    }

    /** Holds it: it keeps its connections and answers nobody, until {@link #thaw()}. */
    public void freeze() {
        Objects.requireNonNull(process, "it doesn't run").signal("STOP");
    }

    /** Lets it go on. */
    public void thaw() {
        Objects.requireNonNull(process, "it doesn't run").signal("CONT");
    }

    /** Stops it as its unit would. */
    public void stop() {
        if (process != null) {
            process.stop(Duration.ofSeconds(20));
        }
    }

    /** Stops it and starts it again on its data. */
    public void restart() {
        stop();
        start();
    }

    /** Kills it and forgets its data. */
    public void wipe() {
        kill();
        Directories.delete(data());
    }

    /** The status of {@code sys/health}, 0 when it doesn't answer. */
    public int health() {
        try {
            return send("GET", "sys/health", null, null, Duration.ofSeconds(2)).status();
        } catch (IOException e) {
            return 0;
        }
    }

    /** Waits for a status of {@code sys/health}. */
    public void awaitHealth(int status, Duration limit) {
        Eventually.await("health " + status + " of " + spec.id(), limit, () -> health() == status);
    }

    /** Initialises it with one recovery key and waits until it is active; the root token. */
    public String initialize() {
        JsonNode body =
                call("PUT", "sys/init", null, Map.of("recovery_shares", 1, "recovery_threshold", 1))
                        .expect()
                        .body();
        startedBlank = true;
        awaitHealth(200, Duration.ofSeconds(30));
        return body.path("root_token").asText();
    }

    /** Seals it; it comes back unsealed by a restart, and by nothing else. */
    public void seal(String token) {
        if (startedBlank) {
            awaitStarted(log());
        }
        call("PUT", "sys/seal", token, null).expect();
    }

    /**
     * Waits until a server that was started blank no longer unseals itself. It tries to every five
     * seconds from its start until it once finds that it is unsealed, and the try waits for the
     * state lock, which a restore holds for seconds. Sealed before that, it answers 204, is sealed,
     * and then is unsealed again, or is left between both and answers 500 from then on.
     */
    public static void awaitStarted(Path log) {
        Eventually.await(
                "the server ends the loop that unseals it at its start",
                Duration.ofSeconds(30),
                () -> {
                    try {
                        String said = Files.readString(log);
                        return said.lastIndexOf(TRIES_NO_MORE) > said.lastIndexOf(TRIES_AGAIN);
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                });
    }

    /**
     * Calls the API.
     *
     * @param path below {@code /v1/}
     * @param body sent as JSON
     */
    public Answer call(String method, String path, @Nullable String token, @Nullable Object body) {
        try {
            return send(method, path, token, body, CALL);
        } catch (IOException e) {
            throw new UncheckedIOException(method + " " + path + " of " + spec.id(), e);
        }
    }

    @Override
    public void close() {
        kill();
        http.shutdownNow();
    }

    private Answer send(
            String method,
            String path,
            @Nullable String token,
            @Nullable Object body,
            Duration limit)
            throws IOException {
        HttpRequest.Builder request =
                HttpRequest.newBuilder(local().resolve("/v1/" + path))
                        .timeout(limit)
                        .method(
                                method,
                                body == null
                                        ? BodyPublishers.noBody()
                                        : BodyPublishers.ofByteArray(
                                                Json.MAPPER.writeValueAsBytes(body)));
        if (token != null) {
            request.header("X-Vault-Token", token);
        }
        try {
            HttpResponse<byte[]> response = http.send(request.build(), BodyHandlers.ofByteArray());
            boolean json =
                    response.headers()
                            .firstValue("Content-Type")
                            .filter(type -> type.startsWith("application/json"))
                            .isPresent();
            return new Answer(
                    response.statusCode(),
                    json ? Json.MAPPER.readTree(response.body()) : MissingNode.getInstance());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    /** By address, so that the fixture needs none of the names that it announces. */
    private URI local() {
        return URI.create(
                (spec.tls().isPresent() ? "https" : "http") + "://127.0.0.1:" + spec.port());
    }

    private String configuration() {
        List<String> lines = new ArrayList<>();
        lines.add("storage \"raft\" {");
        lines.add("  path = \"" + data() + "\"");
        lines.add("  node_id = \"" + spec.id() + "\"");
        lines.add("  performance_multiplier = 1");
        for (URI other : spec.join()) {
            lines.add("  retry_join {");
            lines.add("    leader_api_addr = \"" + other + "\"");
            spec.tls()
                    .ifPresent(tls -> lines.add("    leader_ca_cert_file = \"" + tls.ca() + "\""));
            lines.add("  }");
        }
        lines.add("}");
        lines.add("listener \"tcp\" {");
        lines.add("  address = \"127.0.0.1:" + spec.port() + "\"");
        lines.add("  cluster_address = \"127.0.0.1:" + spec.clusterPort() + "\"");
        spec.tls()
                .ifPresentOrElse(
                        tls -> {
                            lines.add("  tls_cert_file = \"" + tls.certificate() + "\"");
                            lines.add("  tls_key_file = \"" + tls.key() + "\"");
                        },
                        () -> lines.add("  tls_disable = true"));
        lines.add("}");
        lines.add("seal \"static\" {");
        lines.add("  current_key_id = \"k1\"");
        lines.add("  current_key = \"file://" + spec.sealKey() + "\"");
        lines.add("}");
        lines.add("api_addr = \"" + spec.address() + "\"");
        lines.add("cluster_addr = \"https://127.0.0.1:" + spec.clusterPort() + "\"");
        lines.add("disable_mlock = true");
        lines.add(spec.more());
        return String.join("\n", lines) + "\n";
    }

    /** The fixture trusts the authority and looks at no name: names are what tests are about. */
    private static HttpClient client(Optional<TestTls> tls) {
        HttpClient.Builder builder =
                HttpClient.newBuilder()
                        .version(HttpClient.Version.HTTP_1_1)
                        .connectTimeout(Duration.ofSeconds(2));
        tls.ifPresent(it -> builder.sslContext(trusting(it)));
        return builder.build();
    }

    private static SSLContext trusting(TestTls tls) {
        try (var in = Files.newInputStream(tls.ca())) {
            KeyStore trusted = KeyStore.getInstance("PKCS12");
            trusted.load(null, null);
            trusted.setCertificateEntry(
                    "ca", CertificateFactory.getInstance("X.509").generateCertificate(in));
            TrustManagerFactory factory =
                    TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            factory.init(trusted);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, factory.getTrustManagers(), null);
            return context;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("trust " + tls.ca(), e);
        }
    }
}
