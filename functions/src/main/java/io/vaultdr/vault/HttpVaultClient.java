package io.vaultdr.vault;

import static com.fasterxml.jackson.databind.node.MissingNode.getInstance;

import com.fasterxml.jackson.databind.JsonNode;

import io.vaultdr.model.Failure;
import io.vaultdr.model.Secret;
import io.vaultdr.runtime.Json;

import org.jspecify.annotations.Nullable;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.UnknownHostException;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.cert.CertificateException;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;

import javax.net.ssl.SSLException;

/**
 * {@link VaultClient} by {@code java.net.http}. What a server sends never gets into a message: it
 * may hold tokens, and a proxy's page explains nothing.
 */
final class HttpVaultClient implements VaultClient {
    /** No answer to a JSON call comes near it. */
    private static final long LARGEST_ANSWER = 1 << 20;

    /** Half a million keys. */
    private static final long LARGEST_LIST = 32 << 20;

    /** An answer that is lost holds keys that nobody else has, so it is waited for. */
    private static final Duration INIT = Duration.ofSeconds(60);

    private static final String SNAPSHOT = "sys/storage/raft/snapshot";

    private final URI address;
    private final HttpClient http;
    private final LongAnswers longAnswers;
    private final boolean byLiteral;
    private final HttpVaultClients.Limits limits;

    /**
     * @param http for all but snapshots
     * @param byLiteral whether the connection is made by IP address, because the JDK lets a host's
     *     name overrule the server name that the handshake is to indicate
     */
    HttpVaultClient(
            URI address,
            HttpClient http,
            LongAnswers longAnswers,
            boolean byLiteral,
            HttpVaultClients.Limits limits) {
        this.address = address;
        this.http = http;
        this.longAnswers = longAnswers;
        this.byLiteral = byLiteral;
        this.limits = limits;
    }

    @Override
    public URI address() {
        return address;
    }

    @Override
    public Health health() {
        Call call = Call.read("sys/health", null);
        HttpResponse<byte[]> response = exchange(call, bounded(), limits.answer());
        JsonNode body = json(call, response);
        if (!body.path("initialized").isBoolean()) {
            throw noJson(call, response.statusCode());
        }
        boolean serves = body.path("initialized").asBoolean() && !body.path("sealed").asBoolean();
        return new Health(
                response.statusCode(),
                meaning(response.statusCode(), serves),
                text(body, "version"),
                text(body, "cluster_id"),
                body.path("server_time_utc").isNumber()
                        ? Optional.of(Instant.ofEpochSecond(body.get("server_time_utc").asLong()))
                        : Optional.empty());
    }

    /**
     * What a status of {@code sys/health} means.
     *
     * @param serves whether the body agrees that the node is initialised and unsealed; a 200 that
     *     doesn't comes from something in between and means nothing
     */
    static NodeStatus meaning(int status, boolean serves) {
        return switch (status) {
            case 200 -> serves ? NodeStatus.ACTIVE : NodeStatus.UNKNOWN;
            case 429 -> NodeStatus.STANDBY;
            case 472 -> NodeStatus.DR_SECONDARY;
            case 473 -> NodeStatus.PERFORMANCE_STANDBY;
            case 474 -> NodeStatus.UNHEALTHY_STANDBY;
            case 501 -> NodeStatus.NOT_INITIALISED;
            case 503 -> NodeStatus.SEALED;
            case 530 -> NodeStatus.REMOVED;
            default -> NodeStatus.UNKNOWN;
        };
    }

    @Override
    public SealStatus sealStatus() {
        JsonNode body = ask(Call.read("sys/seal-status", null));
        return new SealStatus(
                body.path("type").asText(),
                body.path("initialized").asBoolean(),
                body.path("sealed").asBoolean(),
                text(body, "version"),
                text(body, "cluster_id"));
    }

    @Override
    public Leader leader() {
        Call call = Call.read("sys/leader", null);
        JsonNode body = ask(call);
        return new Leader(
                body.path("is_self").asBoolean(),
                text(body, "leader_address").map(it -> uri(call, it)),
                text(body, "active_time").flatMap(HttpVaultClient::time),
                number(body, "raft_committed_index"),
                number(body, "raft_applied_index"));
    }

    @Override
    public List<RaftServer> raftConfiguration(Secret token) {
        Call call = Call.read("sys/storage/raft/configuration", token);
        JsonNode servers = ask(call).path("data").path("config").path("servers");
        if (!servers.isArray()) {
            throw noJson(call, 200);
        }
        List<RaftServer> all = new ArrayList<>();
        for (JsonNode server : servers) {
            all.add(
                    new RaftServer(
                            server.path("node_id").asText(),
                            server.path("address").asText(),
                            server.path("leader").asBoolean(),
                            server.path("voter").asBoolean()));
        }
        return List.copyOf(all);
    }

    @Override
    public Autopilot autopilotState(Secret token) {
        Call call = Call.read("sys/storage/raft/autopilot/state", token);
        JsonNode data = ask(call).path("data");
        if (!data.path("healthy").isBoolean()) {
            throw noJson(call, 200);
        }
        return new Autopilot(
                data.path("healthy").asBoolean(),
                data.path("failure_tolerance").asInt(),
                strings(data.path("voters")),
                strings(data.path("non_voters")),
                data.path("servers").properties().stream()
                        .filter(server -> server.getValue().path("healthy").asBoolean())
                        .map(Map.Entry::getKey)
                        .collect(Collectors.toUnmodifiableSet()));
    }

    @Override
    public void removePeer(Secret token, String nodeId) {
        ask(
                Call.change(
                        "POST",
                        "sys/storage/raft/remove-peer",
                        token,
                        Map.of("server_id", nodeId)));
    }

    @Override
    public void stepDown(Secret token) {
        ask(Call.change("PUT", "sys/step-down", token, Map.of()));
    }

    @Override
    public Initialized initialize(int recoveryShares, int recoveryThreshold) {
        Call call =
                Call.change(
                        "PUT",
                        "sys/init",
                        null,
                        Map.of(
                                "recovery_shares",
                                recoveryShares,
                                "recovery_threshold",
                                recoveryThreshold));
        JsonNode body = accepted(call, exchange(call, bounded(), INIT));
        Optional<String> root = text(body, "root_token");
        if (root.isEmpty()) {
            throw noJson(call, 200);
        }
        return new Initialized(
                Secret.of(root.get()),
                strings(body.path("recovery_keys")).stream().map(Secret::of).toList());
    }

    @Override
    public InputStream snapshot(Secret token, Duration stall) {
        Duration first = stall.compareTo(limits.answer()) > 0 ? stall : limits.answer();
        Call call = Call.read(SNAPSHOT, token);
        LongAnswers.Answer answer = begin(call, token, first, stall);
        if (answer.status() == 307) {
            close(answer.body());
            HttpVaultClient active =
                    new HttpVaultClient(
                            redirected(call, answer.location()),
                            http,
                            longAnswers,
                            byLiteral,
                            limits);
            answer = active.begin(call, token, first, stall);
        }
        if (answer.status() != 200) {
            close(answer.body());
            throw refused(call, answer.status());
        }
        return new StallGuard(answer.body(), stall);
    }

    private LongAnswers.Answer begin(Call call, Secret token, Duration first, Duration stall) {
        return within(
                call,
                first,
                () -> longAnswers.get(target(call.path(), call.query()), token, stall));
    }

    @Override
    public void restore(Secret token, Path archive, Duration limit) {
        BodyPublisher body;
        try {
            body = BodyPublishers.ofFile(archive);
        } catch (FileNotFoundException e) {
            throw new Failure.Terminal(
                    "restore " + archive,
                    "the file can't be read",
                    "Load the snapshot into that file first",
                    e);
        }
        Call call = new Call("POST", SNAPSHOT, Effect.RESTORES, token, body);
        HttpResponse<byte[]> response = exchange(call, bounded(), limit);
        if (response.statusCode() / 100 != 2) {
            throw refused(call, response.statusCode());
        }
    }

    @Override
    public RestoreAnswer restore(Secret token, InputStream archive, long bytes, Duration limit) {
        BodyPublisher body =
                BodyPublishers.fromPublisher(BodyPublishers.ofInputStream(() -> archive), bytes);
        Call call = new Call("POST", SNAPSHOT, Effect.RESTORES, token, body);
        int status = exchange(call, bounded(), limit).statusCode();
        return switch (status / 100) {
            case 2 -> RestoreAnswer.VERIFIED;
            default -> status == 400 ? RestoreAnswer.KEY_REFUSED : RestoreAnswer.REFUSED;
        };
    }

    @Override
    public Optional<JsonNode> readKv(
            Secret token, String mount, String path, OptionalLong version) {
        Call call =
                Call.read(
                        version.isPresent() ? mount + "/data/" + path : mount + "/metadata/" + path,
                        token);
        if (version.isPresent()) {
            call = call.asking("version=" + version.getAsLong());
        }
        HttpResponse<byte[]> response = exchange(call, bounded(), limits.answer());
        if (response.statusCode() == 404 && response.body().length == 0) {
            return Optional.empty();
        }
        JsonNode body = json(call, response);
        // A version that was deleted is answered with 404 and what is left of it.
        if (response.statusCode() != 404 && response.statusCode() != 200) {
            throw refused(call, response.statusCode());
        }
        return Optional.of(body.path("data")).filter(JsonNode::isObject);
    }

    @Override
    public JsonNode read(Secret token, String path) {
        return data(ask(Call.read(path, token)));
    }

    @Override
    public Optional<JsonNode> find(Secret token, String path) {
        Call call = Call.read(path, token);
        HttpResponse<byte[]> response = exchange(call, bounded(), limits.answer());
        return response.statusCode() == 404
                ? Optional.empty()
                : Optional.of(data(accepted(call, response)));
    }

    @Override
    public boolean knows(Secret token) {
        Call call = Call.read("auth/token/lookup-self", token);
        HttpResponse<byte[]> response = exchange(call, bounded(), limits.answer());
        if (response.statusCode() == 403) {
            return false;
        }
        accepted(call, response);
        return true;
    }

    @Override
    public JsonNode write(Secret token, String path, Map<String, ?> body) {
        return data(ask(Call.change("POST", path, token, body)));
    }

    private static JsonNode data(JsonNode body) {
        return body.path("data").isObject() ? body.path("data") : body;
    }

    @Override
    public List<String> list(Secret token, String path) {
        Call call = Call.read(path, token).asking("list=true");
        HttpResponse<byte[]> response =
                exchange(
                        call,
                        BodyHandlers.limiting(BodyHandlers.ofByteArray(), LARGEST_LIST),
                        limits.answer());
        return response.statusCode() == 404
                ? List.of()
                : strings(accepted(call, response).path("data").path("keys"));
    }

    @Override
    public Token login(Secret roleId, Secret secretId) {
        Call call =
                new Call(
                        "POST",
                        "auth/approle/login",
                        Effect.HARMLESS,
                        null,
                        json(Map.of("role_id", roleId.reveal(), "secret_id", secretId.reveal())));
        return token(call, ask(call));
    }

    @Override
    public Token loginByAws(String mount, Secret signed) {
        Call call =
                new Call(
                        "POST",
                        "auth/" + mount + "/login",
                        Effect.HARMLESS,
                        null,
                        BodyPublishers.ofString(signed.reveal()));
        HttpResponse<byte[]> response = exchange(call, bounded(), limits.answer());
        if (response.statusCode() == 400 || response.statusCode() == 403) {
            AwsRefusal why = AwsRefusal.of(new String(response.body(), StandardCharsets.UTF_8));
            String seen = "status " + response.statusCode() + ", " + why.seen();
            throw why == AwsRefusal.STS_UNREACHED
                    ? new Failure.Retryable(tried(call), seen, why.next())
                    : new Failure.Terminal(tried(call), seen, why.next());
        }
        return token(call, accepted(call, response));
    }

    private Token token(Call call, JsonNode body) {
        JsonNode auth = body.path("auth");
        Optional<String> token = text(auth, "client_token");
        if (token.isEmpty()) {
            throw noJson(call, 200);
        }
        return new Token(
                Secret.of(token.get()), Duration.ofSeconds(auth.path("lease_duration").asLong()));
    }

    @Override
    public void revokeSelf(Secret token) {
        ask(
                new Call(
                        "POST",
                        "auth/token/revoke-self",
                        Effect.HARMLESS,
                        token,
                        BodyPublishers.noBody()));
    }

    @Override
    public Optional<KvVersion> readKv(Secret token, String mount, String path) {
        Call call = Call.read(mount + "/data/" + path, token);
        HttpResponse<byte[]> response = exchange(call, bounded(), limits.answer());
        if (response.statusCode() == 404) {
            return Optional.empty();
        }
        ready(call, response);
        JsonNode data = accepted(call, response).path("data");
        if (!data.path("data").isObject()) {
            throw noJson(call, response.statusCode());
        }
        Map<String, String> values = new LinkedHashMap<>();
        data.get("data")
                .properties()
                .forEach(field -> values.put(field.getKey(), field.getValue().asText()));
        return Optional.of(new KvVersion(data.path("metadata").path("version").asLong(), values));
    }

    @Override
    public Optional<JsonNode> newestKv(Secret token, String mount, String path) {
        Call call = Call.read(mount + "/data/" + path, token);
        HttpResponse<byte[]> response = exchange(call, bounded(), limits.answer());
        // What was deleted is answered with 404 and what is left of it.
        if (response.statusCode() == 404) {
            return Optional.of(json(call, response).path("data")).filter(JsonNode::isObject);
        }
        ready(call, response);
        return Optional.of(accepted(call, response).path("data"));
    }

    @Override
    public long writeKv(Secret token, String mount, String path, JsonNode data, long current) {
        Call call =
                Call.change(
                        "POST",
                        mount + "/data/" + path,
                        token,
                        Map.of("options", Map.of("cas", current), "data", data));
        HttpResponse<byte[]> response = exchange(call, bounded(), limits.answer());
        if (response.statusCode() == 400) {
            throw new Failure.Terminal(
                    tried(call),
                    "status 400",
                    "Somebody wrote there since version " + current + ": look again");
        }
        return version(call, response);
    }

    @Override
    public long writeKv(Secret token, String mount, String path, Map<String, String> data) {
        Call call = Call.change("POST", mount + "/data/" + path, token, Map.of("data", data));
        HttpResponse<byte[]> response = exchange(call, bounded(), limits.answer());
        ready(call, response);
        return version(call, response);
    }

    private long version(Call call, HttpResponse<byte[]> response) {
        JsonNode version = accepted(call, response).path("data").path("version");
        if (!version.isNumber()) {
            throw noJson(call, 200);
        }
        return version.asLong();
    }

    /** A KV engine that has just been mounted, or whose node has just started, answers 400. */
    private void ready(Call call, HttpResponse<byte[]> response) {
        if (response.statusCode() == 400) {
            throw new Failure.Retryable(
                    tried(call),
                    "status 400",
                    "The KV engine isn't ready yet or isn't of version 2: try again, then look at"
                            + " the mount's options");
        }
    }

    @Override
    public Map<String, AuditDevice> auditDevices(Secret token) {
        Map<String, AuditDevice> devices = new LinkedHashMap<>();
        ask(Call.read("sys/audit", token))
                .path("data")
                .properties()
                .forEach(
                        device ->
                                devices.put(
                                        device.getKey(),
                                        new AuditDevice(
                                                device.getValue().path("type").asText(),
                                                text(
                                                        device.getValue().path("options"),
                                                        "file_path"))));
        return devices;
    }

    @Override
    public String toString() {
        return address.toString();
    }

    /** What a call does to the server, which decides what a lost answer means. */
    private enum Effect {
        NONE,
        /** It may be done twice without harm. */
        HARMLESS,
        CHANGES,
        RESTORES
    }

    private record Call(
            String method,
            String path,
            Effect effect,
            @Nullable Secret token,
            BodyPublisher body,
            @Nullable String query) {
        Call(
                String method,
                String path,
                Effect effect,
                @Nullable Secret token,
                BodyPublisher body) {
            this(method, path, effect, token, body, null);
        }

        Call asking(String more) {
            return new Call(method, path, effect, token, body, more);
        }

        static Call read(String path, @Nullable Secret token) {
            return new Call("GET", path, Effect.NONE, token, BodyPublishers.noBody());
        }

        static Call change(
                String method, String path, @Nullable Secret token, Map<String, ?> body) {
            return new Call(method, path, Effect.CHANGES, token, json(body));
        }

        boolean repeatable() {
            return effect == Effect.NONE || effect == Effect.HARMLESS;
        }
    }

    private JsonNode ask(Call call) {
        return accepted(call, exchange(call, bounded(), limits.answer()));
    }

    private JsonNode accepted(Call call, HttpResponse<byte[]> response) {
        if (response.statusCode() / 100 != 2) {
            throw refused(call, response.statusCode());
        }
        return response.body().length == 0 ? getInstance() : json(call, response);
    }

    private static BodyHandler<byte[]> bounded() {
        return BodyHandlers.limiting(BodyHandlers.ofByteArray(), LARGEST_ANSWER);
    }

    /** Sends the call and waits for what {@code handler} waits for. */
    private <T> HttpResponse<T> exchange(Call call, BodyHandler<T> handler, Duration limit) {
        return within(call, limit, () -> http.send(request(call), handler));
    }

    /** On a thread of its own, because looking up a name can't be given a time-out. */
    private <T> T within(Call call, Duration limit, Callable<T> ask) {
        FutureTask<T> answer = new FutureTask<>(ask);
        Thread.ofVirtual().name(call.method() + " " + call.path()).start(answer);
        try {
            return answer.get(limit.toNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            if (!answer.cancel(true) && answer.state() == Future.State.SUCCESS) {
                // It came in this very moment; its body would otherwise stay open.
                return answer.resultNow();
            }
            throw lost(call, "no whole answer within " + limit);
        } catch (InterruptedException e) {
            answer.cancel(true);
            Thread.currentThread().interrupt();
            throw lost(call, "interrupted");
        } catch (ExecutionException e) {
            throw failed(call, e.getCause());
        }
    }

    private HttpRequest request(Call call) throws IOException {
        HttpRequest.Builder request =
                HttpRequest.newBuilder(target(call.path(), call.query()))
                        .method(call.method(), call.body());
        if (call.token() != null) {
            request.header("X-Vault-Token", call.token().reveal());
        }
        return request.build();
    }

    private URI target(String path, @Nullable String query) throws IOException {
        String host =
                byLiteral
                        ? InetAddress.getByName(address.getHost()).getHostAddress()
                        : address.getHost();
        try {
            return new URI(
                    address.getScheme(), null, host, address.getPort(), "/v1/" + path, query, null);
        } catch (URISyntaxException e) {
            throw new UnknownHostException(address.toString());
        }
    }

    private URI redirected(Call call, Optional<String> location) {
        Optional<URI> target = location.map(it -> uri(call, it));
        if (target.isEmpty() || !address.getScheme().equals(target.get().getScheme())) {
            throw new Failure.Terminal(
                    tried(call),
                    "status 307 to another scheme or to nowhere",
                    "Set api_addr on every node to its own " + address.getScheme() + " address");
        }
        return target.get();
    }

    private Failure failed(Call call, @Nullable Throwable cause) {
        for (Throwable at = cause; at != null; at = at.getCause()) {
            if (at instanceof CertificateException) {
                return new Failure.Terminal(
                        tried(call),
                        "the server's certificate isn't trusted",
                        "Compare the CA under CA_PATH and serverName with the node's certificate",
                        cause);
            }
        }
        if (cause instanceof HttpConnectTimeoutException) {
            return new Failure.Retryable(
                    tried(call),
                    "no connection within " + limits.connect(),
                    "Check that the node runs and that the network lets this function reach it",
                    cause);
        }
        if (cause instanceof ConnectException || cause instanceof UnknownHostException) {
            return new Failure.Retryable(
                    tried(call),
                    cause instanceof ConnectException
                            ? "the connection was refused or the name isn't known"
                            : "the name isn't known",
                    "Check that the node runs, its address, and that the name can be looked up",
                    cause);
        }
        if (cause instanceof SSLException) {
            return new Failure.Retryable(
                    tried(call),
                    "no TLS connection",
                    "Check that the node speaks TLS on this port",
                    cause);
        }
        if (cause instanceof IOException) {
            // Its message may quote what the server sent, so only its kind is told.
            return lost(call, "the answer broke off or was none (" + kind(cause) + ")");
        }
        throw new IllegalStateException(tried(call), cause);
    }

    private Failure refused(Call call, int status) {
        String seen = "status " + status;
        return switch (status) {
            case 403 ->
                    new Failure.Terminal(
                            tried(call),
                            seen,
                            "The token is not valid there or its policy doesn't allow it: run"
                                    + " ./vault-dr setup and apply what it prints");
            case 307, 412, 429, 472, 473, 474, 503, 530 ->
                    new Failure.Retryable(
                            tried(call), seen, "Ask the active node, once there is one");
            case 500, 502, 504 ->
                    switch (call.effect()) {
                        case NONE, HARMLESS ->
                                new Failure.Retryable(
                                        tried(call), seen, "Read the server's log for the reason");
                        case CHANGES ->
                                new Failure.OutcomeUnknown(
                                        tried(call), seen, "Read back whether it was done");
                        case RESTORES ->
                                status == 500
                                        ? new Failure.Terminal(
                                                tried(call),
                                                seen,
                                                "The server refused the archive and is unharmed:"
                                                        + " its log says why; take the snapshot"
                                                        + " before this one")
                                        : lost(call, seen);
                    };
            case 400 ->
                    new Failure.Terminal(
                            tried(call),
                            seen,
                            switch (call.effect()) {
                                case RESTORES ->
                                        "The archive wants another seal key, or it is damaged:"
                                                + " compare the manifest's seal with the server's";
                                case HARMLESS ->
                                        "The login isn't known there: run ./vault-dr setup and"
                                                + " apply what it prints";
                                case NONE, CHANGES ->
                                        "The server doesn't take this call: check its edition,"
                                                + " version and state";
                            });
            default ->
                    new Failure.Terminal(
                            tried(call),
                            seen,
                            "Check that this is a node's own API address, and its edition and"
                                    + " version");
        };
    }

    private Failure lost(Call call, String seen) {
        return call.repeatable()
                ? new Failure.Retryable(
                        tried(call), seen, "Check the node, and the network on the way to it")
                : new Failure.OutcomeUnknown(
                        tried(call), seen, "Read back whether it was done before doing it again");
    }

    private Failure noJson(Call call, int status) {
        return lost(call, "status " + status + " with a body that isn't Vault's");
    }

    private String tried(Call call) {
        return call.method() + " " + call.path() + " on " + address;
    }

    private static String kind(Throwable cause) {
        return cause.getClass().getSimpleName();
    }

    private JsonNode json(Call call, HttpResponse<byte[]> response) {
        try {
            JsonNode body = Json.MAPPER.readTree(response.body());
            if (body.isObject()) {
                return body;
            }
        } catch (IOException e) {
            // Not kept as the cause: the parser quotes what it read.
            throw noJson(call, response.statusCode());
        }
        throw noJson(call, response.statusCode());
    }

    private static BodyPublisher json(Map<String, ?> body) {
        try {
            return BodyPublishers.ofByteArray(Json.MAPPER.writeValueAsBytes(body));
        } catch (IOException e) {
            throw new IllegalStateException("write JSON", e);
        }
    }

    private URI uri(Call call, String text) {
        try {
            return new URI(text);
        } catch (URISyntaxException e) {
            throw new Failure.Terminal(
                    tried(call),
                    "it names an address that isn't one",
                    "Set api_addr on every node to its own API address");
        }
    }

    private static Optional<String> text(JsonNode node, String field) {
        JsonNode value = node.path(field);
        return value.isTextual() && !value.asText().isEmpty()
                ? Optional.of(value.asText())
                : Optional.empty();
    }

    private static OptionalLong number(JsonNode node, String field) {
        JsonNode value = node.path(field);
        return value.isNumber() ? OptionalLong.of(value.asLong()) : OptionalLong.empty();
    }

    /** Go's zero time says that there is none. */
    private static Optional<Instant> time(String text) {
        try {
            Instant time = java.time.OffsetDateTime.parse(text).toInstant();
            return time.isAfter(Instant.EPOCH) ? Optional.of(time) : Optional.empty();
        } catch (DateTimeException e) {
            return Optional.empty();
        }
    }

    private static List<String> strings(JsonNode array) {
        List<String> all = new ArrayList<>();
        array.forEach(item -> all.add(item.asText()));
        return List.copyOf(all);
    }

    private void close(InputStream in) {
        try {
            in.close();
        } catch (IOException e) {
            throw new Failure.Retryable(
                    "GET " + SNAPSHOT + " on " + address, "the connection broke", "Try again", e);
        }
    }
}
