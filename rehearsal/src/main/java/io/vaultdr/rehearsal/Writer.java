package io.vaultdr.rehearsal;

import com.fasterxml.jackson.databind.JsonNode;

import io.vaultdr.model.Side;
import io.vaultdr.runtime.Json;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.Supplier;

import javax.net.ssl.SSLContext;

/**
 * Clients of the pair: each looks the record up, writes a new numbered key on the side that it is
 * told, reads it back and goes on, with a token from AppRole. What was acknowledged is remembered,
 * and at the end every acknowledged key is looked for on the serving side.
 *
 * <p>Readers beside them read one acknowledged key all the time.
 *
 * <p>A client tries the nodes of a side in turn, as a load balancer that takes a node out would
 * have it; it never asks the other side by itself.
 */
public final class Writer implements AutoCloseable {
    private static final String MOUNT = "clients";

    /** When a client gives an attempt up; a model, as every client has a time-out of its own. */
    static final Duration PATIENCE = Duration.ofSeconds(1);

    private static final int READERS = 4;

    /**
     * What a write came to.
     *
     * @param took until the answer, or until it was given up
     */
    public record Attempt(Instant at, Side side, String key, boolean acknowledged, Duration took) {}

    /**
     * The end of the tale.
     *
     * @param acknowledged writes that a server confirmed
     * @param lost acknowledged writes that the serving side doesn't have; empty when nobody could
     *     look, because no side serves
     * @param oldestLost when the oldest of the lost ones was confirmed
     */
    public record Account(
            int attempted, int acknowledged, OptionalInt lost, Optional<Instant> oldestLost) {}

    /** A reader's attempt, when it ended. */
    private record Reading(Instant at, boolean answered) {}

    /**
     * What clients of a kind saw.
     *
     * @param longestGap the longest time in which none of them succeeded
     */
    public record Seen(int clients, int attempts, int errors, Duration longestGap) {}

    private final HttpClient http;
    private final Supplier<Side> resolver;
    private final Function<Side, List<URI>> nodes;
    private final Duration pause;
    private final ConcurrentLinkedQueue<Attempt> attempts = new ConcurrentLinkedQueue<>();
    private final ConcurrentLinkedQueue<Reading> readings = new ConcurrentLinkedQueue<>();
    private final AtomicInteger readErrors = new AtomicInteger();
    private int writers;
    private int readers;
    private final List<Thread> clients = new ArrayList<>();
    private volatile boolean writing = true;

    /**
     * Clients that don't write yet.
     *
     * @param trust the servers' certificate authority
     * @param resolver what the record answers now
     * @param nodes the addresses of a side's nodes, as clients reach them
     * @param pause between two writes of one client
     */
    public Writer(
            SSLContext trust,
            Supplier<Side> resolver,
            Function<Side, List<URI>> nodes,
            Duration pause) {
        this.http =
                HttpClient.newBuilder()
                        .version(HttpClient.Version.HTTP_1_1)
                        .sslContext(trust)
                        .connectTimeout(PATIENCE)
                        .build();
        this.resolver = resolver;
        this.nodes = nodes;
        this.pause = pause;
    }

    /**
     * Sets the clients' engine, policy and role up at home, as their operator would.
     *
     * @param rootToken home's
     * @return the role's id and secret id
     */
    public static Login setUp(SSLContext trust, URI leader, String rootToken) {
        try (var http = HttpClient.newBuilder().sslContext(trust).build()) {
            var operator = new Api(http, leader, rootToken);
            operator.call("POST", "sys/mounts/" + MOUNT, Map.of("type", "kv"));
            operator.call(
                    "POST",
                    "sys/policies/acl/" + MOUNT,
                    Map.of(
                            "policy",
                            "path \"clients/*\" { capabilities = [\"create\", \"read\","
                                    + " \"update\"] }"));
            if (!operator.call("GET", "sys/auth", Map.of()).path("data").has("approle/")) {
                operator.call("POST", "sys/auth/approle", Map.of("type", "approle"));
            }
            operator.call(
                    "POST",
                    "auth/approle/role/" + MOUNT,
                    Map.of("token_policies", MOUNT, "token_ttl", "1h", "token_max_ttl", "4h"));
            String roleId =
                    operator.call("GET", "auth/approle/role/" + MOUNT + "/role-id", Map.of())
                            .at("/data/role_id")
                            .asText();
            String secretId =
                    operator.call("POST", "auth/approle/role/" + MOUNT + "/secret-id", Map.of())
                            .at("/data/secret_id")
                            .asText();
            return new Login(roleId, secretId);
        }
    }

    /** The clients' AppRole credentials. */
    public record Login(String roleId, String secretId) {
        @Override
        public String toString() {
            return "Login[roleId=" + roleId + ", secretId=[secret]]";
        }
    }

    /** Starts {@code count} clients that write, and as many that read. */
    public void start(int count, Login login) {
        for (int i = 1; i <= count; i++) {
            String client = "client-" + i;
            clients.add(
                    Thread.ofVirtual().name(client).start(() -> new Client(client, login).write()));
            String reader = "reader-" + i;
            clients.add(
                    Thread.ofVirtual().name(reader).start(() -> new Client(reader, login).read()));
        }
        writers += count;
        readers += count;
    }

    /** What those saw that write. */
    public Seen written() {
        return new Seen(
                writers,
                attempts.size(),
                (int) attempts.stream().filter(it -> !it.acknowledged()).count(),
                unavailable());
    }

    /** What those saw that read. */
    public Seen read() {
        return new Seen(
                readers,
                readings.size(),
                (int) readings.stream().filter(it -> !it.answered()).count(),
                longestGap(readings.stream().filter(Reading::answered).map(Reading::at).toList()));
    }

    /** All attempts until now, in the order in which they ended. */
    public List<Attempt> attempts() {
        return List.copyOf(attempts);
    }

    /** How many acknowledged writes of before couldn't be read while clients went on. */
    public int readErrors() {
        return readErrors.get();
    }

    /** The first write that {@code side} acknowledged after {@code time}. */
    public Optional<Attempt> firstAcknowledged(Side side, Instant time) {
        return attempts.stream()
                .filter(Attempt::acknowledged)
                .filter(attempt -> attempt.side() == side && attempt.at().isAfter(time))
                .min(Comparator.comparing(attempt -> attempt.at().plus(attempt.took())));
    }

    /** The first attempt on {@code side} that began after {@code time}, whatever came of it. */
    public Optional<Attempt> first(Side side, Instant time) {
        return attempts.stream()
                .filter(attempt -> attempt.side() == side && attempt.at().isAfter(time))
                .min(Comparator.comparing(Attempt::at));
    }

    /** The longest time without any acknowledged write. */
    public Duration unavailable() {
        return longestGap(
                attempts.stream()
                        .filter(Attempt::acknowledged)
                        .map(attempt -> attempt.at().plus(attempt.took()))
                        .toList());
    }

    private static Duration longestGap(List<Instant> successes) {
        List<Instant> sorted = successes.stream().sorted().toList();
        Duration longest = Duration.ZERO;
        for (int i = 1; i < sorted.size(); i++) {
            Duration gap = Duration.between(sorted.get(i - 1), sorted.get(i));
            longest = gap.compareTo(longest) > 0 ? gap : longest;
        }
        return longest;
    }

    /** Stops writing and waits for what is under way. */
    public void stop() {
        writing = false;
        for (Thread client : clients) {
            try {
                client.join(PATIENCE.multipliedBy(4));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /**
     * Looks for every acknowledged key on {@code side}; call it after {@link #stop}.
     *
     * @throws IOException when a key can't be looked for, which is not the same as lost
     */
    public Account readBack(Side side, Login login) throws IOException {
        List<Attempt> acknowledged = attempts.stream().filter(Attempt::acknowledged).toList();
        var reader = new Client("reader", login);
        var lost = new ConcurrentLinkedQueue<Instant>();
        var failed = new ConcurrentLinkedQueue<IOException>();
        var places = new Semaphore(READERS);
        try (var threads = java.util.concurrent.Executors.newVirtualThreadPerTaskExecutor()) {
            for (Attempt attempt : acknowledged) {
                places.acquireUninterruptibly();
                threads.execute(
                        () -> {
                            try {
                                if (!reader.has(side, attempt.key())) {
                                    lost.add(attempt.at().plus(attempt.took()));
                                }
                            } catch (IOException e) {
                                failed.add(e);
                            } finally {
                                places.release();
                            }
                        });
            }
        }
        IOException failure = failed.peek();
        if (failure != null) {
            throw new IOException(
                    failed.size()
                            + " of "
                            + acknowledged.size()
                            + " acknowledged writes can't be looked for on "
                            + side,
                    failure);
        }
        return new Account(
                attempts.size(),
                acknowledged.size(),
                OptionalInt.of(lost.size()),
                lost.stream().min(Comparator.naturalOrder()));
    }

    /** What there is to say when no side serves. */
    public Account unread() {
        return new Account(
                attempts.size(),
                (int) attempts.stream().filter(Attempt::acknowledged).count(),
                OptionalInt.empty(),
                Optional.empty());
    }

    @Override
    public void close() {
        stop();
        http.shutdownNow();
    }

    /** One client; the reader at the end is shared by threads and only reads. */
    private final class Client {
        private final String name;
        private final Login login;
        private volatile String token = "";
        private final AtomicInteger node = new AtomicInteger();

        Client(String name, Login login) {
            this.name = name;
            this.login = login;
        }

        void write() {
            String before = "";
            for (int n = 1; writing; n++) {
                String key = name + "/" + n;
                Side side = resolver.get();
                Instant start = Instant.now();
                boolean acknowledged = put(side, key, n);
                attempts.add(
                        new Attempt(
                                start,
                                side,
                                key,
                                acknowledged,
                                Duration.between(start, Instant.now())));
                if (acknowledged && n % 4 == 0 && !before.isEmpty()) {
                    try {
                        readErrors.addAndGet(has(side, before) ? 0 : 1);
                    } catch (IOException e) {
                        readErrors.incrementAndGet();
                    }
                }
                before = acknowledged ? key : "";
                try {
                    Thread.sleep(pause);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    return;
                }
            }
        }

        /** Reads the first key that was acknowledged. */
        void read() {
            while (writing) {
                Optional<String> key =
                        attempts.stream()
                                .filter(Attempt::acknowledged)
                                .map(Attempt::key)
                                .findFirst();
                key.ifPresent(it -> readings.add(new Reading(Instant.now(), answered(it))));
                try {
                    Thread.sleep(pause);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    return;
                }
            }
        }

        private boolean answered(String key) {
            try {
                if (send(resolver.get(), "GET", MOUNT + "/" + key, Map.of()).statusCode() == 200) {
                    return true;
                }
            } catch (IOException e) {
                node.incrementAndGet();
                return false;
            }
            node.incrementAndGet();
            return false;
        }

        private boolean put(Side side, String key, int value) {
            try {
                int status =
                        send(side, "POST", MOUNT + "/" + key, Map.of("value", value)).statusCode();
                if (status / 100 == 2) {
                    return true;
                }
                node.incrementAndGet();
                return false;
            } catch (IOException e) {
                node.incrementAndGet();
                return false;
            }
        }

        boolean has(Side side, String key) throws IOException {
            IOException last = new IOException("not tried");
            for (int attempt = 0; attempt < 5; attempt++) {
                try {
                    int status = send(side, "GET", MOUNT + "/" + key, Map.of()).statusCode();
                    if (status == 200 || status == 404) {
                        return status == 200;
                    }
                    last = new IOException("GET " + key + " on " + side + ": status " + status);
                } catch (IOException e) {
                    last = e;
                }
                node.incrementAndGet();
            }
            throw last;
        }

        /** With a token; logs in once where there is none or it isn't known any more. */
        private HttpResponse<byte[]> send(Side side, String method, String path, Map<?, ?> body)
                throws IOException {
            List<URI> all = nodes.apply(side);
            URI address = all.get(Math.floorMod(node.get(), all.size()));
            if (!token.isEmpty()) {
                HttpResponse<byte[]> response =
                        new Api(http, address, token).send(method, path, body);
                if (response.statusCode() != 403) {
                    return response;
                }
            }
            HttpResponse<byte[]> answer =
                    new Api(http, address, "")
                            .send(
                                    "POST",
                                    "auth/approle/login",
                                    Map.of(
                                            "role_id",
                                            login.roleId(),
                                            "secret_id",
                                            login.secretId()));
            if (answer.statusCode() != 200) {
                return answer;
            }
            token = Json.MAPPER.readTree(answer.body()).at("/auth/client_token").asText();
            return new Api(http, address, token).send(method, path, body);
        }
    }

    /** Calls one node's API. */
    private record Api(HttpClient http, URI address, String token) {
        HttpResponse<byte[]> send(String method, String path, Map<?, ?> body) throws IOException {
            var request =
                    HttpRequest.newBuilder(address.resolve("/v1/" + path))
                            .timeout(PATIENCE)
                            .method(
                                    method,
                                    body.isEmpty()
                                            ? BodyPublishers.noBody()
                                            : BodyPublishers.ofByteArray(
                                                    Json.MAPPER.writeValueAsBytes(body)));
            if (!token.isEmpty()) {
                request.header("X-Vault-Token", token);
            }
            try {
                return http.send(request.build(), BodyHandlers.ofByteArray());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException("interrupted", e);
            }
        }

        JsonNode call(String method, String path, Map<?, ?> body) {
            try {
                HttpResponse<byte[]> response = send(method, path, body);
                if (response.statusCode() / 100 != 2) {
                    throw new IllegalStateException(
                            method + " " + path + ": status " + response.statusCode());
                }
                return Json.MAPPER.readTree(response.body());
            } catch (IOException e) {
                throw new UncheckedIOException(method + " " + path, e);
            }
        }

        @Override
        public String toString() {
            return "Api[" + address + "]";
        }
    }
}
