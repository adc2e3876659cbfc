package io.vaultdr.rehearsal.world;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;

import io.vaultdr.rehearsal.world.Call.Need;
import io.vaultdr.rehearsal.world.EventRules.ObjectEvent;
import io.vaultdr.rehearsal.world.child.GrantInterceptor;
import io.vaultdr.runtime.Json;

import org.jspecify.annotations.Nullable;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Stands in front of moto and decides what becomes of each call. Region and service come from the
 * signature's credential scope, the calling function from its access key id. In this order: a lost
 * region gives no answer at all; a fault meets the call; the function's role must grant it;
 * somebody here answers it (functions, machines); the rest goes to moto, S3's bodies as a stream.
 */
final class Gateway implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(Gateway.class.getName());
    private static final Pattern SCOPE =
            Pattern.compile("Credential=([^/,\\s]+)/\\d+/([^/]+)/([^/]+)/aws4_request");
    private static final Pattern INVOCATION =
            Pattern.compile("/2015-03-31/functions/([^/]+)/invocations/?");

    /** The client makes these itself, or they concern only one connection. */
    private static final Set<String> OF_ONE_HOP =
            Set.of(
                    "connection",
                    "content-length",
                    "expect",
                    "host",
                    "keep-alive",
                    "transfer-encoding",
                    "upgrade",
                    "http2-settings",
                    GrantInterceptor.CALL,
                    GrantInterceptor.NEEDS);

    /** In the place of an operation: all of a service's that have no bridge of their own. */
    static final String ANY = "*";

    /** Longer than any client waits; then a hanging call's thread is given up. */
    private static final Duration HANG = Duration.ofMinutes(10);

    /** A whole request or answer that isn't streamed: S3's bodies only are larger. */
    static final class Message {
        private final int status;
        private final Map<String, String> headers;
        private final byte[] body;

        Message(int status, Map<String, String> headers, byte[] body) {
            this.status = status;
            this.headers = headers;
            this.body = body;
        }

        int status() {
            return status;
        }

        String text() {
            return new String(body, StandardCharsets.UTF_8);
        }
    }

    /** Answers a call in moto's place. */
    @FunctionalInterface
    interface Bridge {
        Message answer(Call call, byte[] body) throws InterruptedException;
    }

    /** Answers Lambda's Invoke. */
    @FunctionalInterface
    interface Invoker {
        Message invoke(Call call, String function, String qualifier, boolean event, byte[] payload);
    }

    /** Looks at a call that went through. */
    @FunctionalInterface
    interface Observer {
        void saw(Call call, byte[] request, Message answer);
    }

    /** Says whether the caller's role grants a need; reports it where not. */
    @FunctionalInterface
    interface Grants {
        boolean grants(Call call, Need need);
    }

    private final HttpServer server;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final HttpClient client =
            HttpClient.newBuilder()
                    .version(HttpClient.Version.HTTP_1_1)
                    .connectTimeout(Duration.ofSeconds(5))
                    .executor(threads)
                    .build();
    private final Set<String> lost = ConcurrentHashMap.newKeySet();
    private final Map<String, String> bucketRegions = new ConcurrentHashMap<>();
    private final Map<String, Bridge> bridges = new ConcurrentHashMap<>();
    private final Map<String, Observer> observers = new ConcurrentHashMap<>();
    private final Faults faults = new Faults();
    private final Object change = new Object();
    private final ReadWriteLock transactions = new ReentrantReadWriteLock(true);
    private volatile @Nullable URI moto;
    private volatile Invoker invoker =
            (call, function, qualifier, event, payload) ->
                    failure(call, 404, "ResourceNotFoundException", "no function " + function);
    private volatile Grants grants = (call, need) -> true;
    private volatile java.util.function.Consumer<String> killer = caller -> {};
    private volatile ObjectListener objects = (path, what) -> {};
    private volatile java.util.function.BiConsumer<Faults.Fault, Call> met = (fault, call) -> {};
    private volatile boolean closed;

    Gateway() {
        try {
            server =
                    HttpServer.create(
                            new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0), 256);
        } catch (IOException e) {
            throw new IllegalStateException("can't listen on 127.0.0.1", e);
        }
        server.createContext("/", this::handle);
        server.setExecutor(threads);
        server.start();
    }

    /** Where functions send their AWS calls; an address, so that S3 uses paths for buckets. */
    URI endpoint() {
        return URI.create("http://127.0.0.1:" + port());
    }

    int port() {
        return server.getAddress().getPort();
    }

    Faults faults() {
        return faults;
    }

    void moto(URI endpoint) {
        moto = endpoint;
    }

    void invoker(Invoker newInvoker) {
        invoker = newInvoker;
    }

    void grants(Grants newGrants) {
        grants = newGrants;
    }

    /** What kills a caller's JVM, and who is told that a fault met a call. */
    void onFault(
            java.util.function.Consumer<String> kill,
            java.util.function.BiConsumer<Faults.Fault, Call> tell) {
        killer = kill;
        met = tell;
    }

    /** Where a bucket stands: calls signed for another region are redirected, as S3 does. */
    void bucket(String name, String region) {
        bucketRegions.put(name, region);
    }

    /** Answers {@code service}'s {@code operation}, or {@link #ANY}, by {@code bridge}. */
    void bridge(String service, String operation, Bridge bridge) {
        bridges.put(service + ":" + operation, bridge);
    }

    /** Shows {@code observer} each call of this operation that moto has answered. */
    void observe(String service, String operation, Observer observer) {
        observers.put(service + ":" + operation, observer);
    }

    void lose(String region) {
        lost.add(region);
    }

    void restore(String region) {
        lost.remove(region);
        wake();
    }

    boolean isLost(String region) {
        return lost.contains(region);
    }

    /** Hears what happens to objects. */
    @FunctionalInterface
    interface ObjectListener {
        /**
         * Something happened to an object.
         *
         * @param path {@code /bucket/key}
         */
        void object(String path, ObjectEvent what);
    }

    /** Tells {@code listener} what happens to each object. */
    void onObject(ObjectListener listener) {
        this.objects = listener;
    }

    /** Lets hanging calls look again whether they still have to hang. */
    void wake() {
        synchronized (change) {
            change.notifyAll();
        }
    }

    private void handle(HttpExchange exchange) {
        try (exchange) {
            answer(exchange);
        } catch (IOException e) {
            // The caller has gone: killed, or its time-out was over. Its end is seen elsewhere.
            exchange.close();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException e) {
            // A mistake of the rehearsal's own: it must not look like a function's or AWS'.
            LOG.log(
                    System.Logger.Level.ERROR,
                    "the gateway failed at " + exchange.getRequestURI(),
                    e);
        }
    }

    private void answer(HttpExchange exchange) throws IOException, InterruptedException {
        Headers headers = exchange.getRequestHeaders();
        String path = exchange.getRequestURI().getRawPath();
        Matcher invocation = INVOCATION.matcher(path);
        boolean isInvocation = invocation.matches();
        String authorization = Optional.ofNullable(headers.getFirst("Authorization")).orElse("");
        Matcher scope = SCOPE.matcher(authorization);
        boolean signed = scope.find();
        String caller = signed ? scope.group(1) : "";
        String service = signed ? scope.group(3) : "s3";
        boolean streamed = service.equals("s3");
        byte[] body = streamed ? new byte[0] : exchange.getRequestBody().readAllBytes();
        Call call =
                new Call(
                        signed ? scope.group(2) : bucketRegion(path).orElse(""),
                        service,
                        operation(headers, body),
                        function(caller),
                        caller);
        if (hangs(exchange, call)) {
            return;
        }
        Faults.Fault fault = faults.meeting(call);
        if (fault != null) {
            met.accept(fault, call);
            switch (fault.effect()) {
                case HANG -> {
                    park(() -> !faults.stands(fault));
                    return;
                }
                case REFUSE -> {
                    send(
                            exchange,
                            failure(call, 503, "ServiceUnavailable", "a fault: " + fault.name()));
                    return;
                }
                case KILL_BEFORE -> {
                    killer.accept(caller);
                    return;
                }
                case KILL_AFTER -> {}
            }
        }
        List<Need> needs =
                isInvocation
                        ? invoking(invocation.group(1))
                        : headers.containsKey(GrantInterceptor.CALL)
                                ? needs(headers)
                                : MachineNeeds.of(call, exchange.getRequestURI(), body);
        for (Need need : needs) {
            if (!call.function().isEmpty() && !grants.grants(call, need)) {
                send(exchange, denied(call, need));
                return;
            }
        }
        if (isInvocation) {
            send(exchange, invoke(exchange, call, invocation.group(1), body));
            return;
        }
        Optional<String> bucketRegion = streamed ? bucketRegion(path) : Optional.empty();
        if (signed && bucketRegion.isPresent() && !bucketRegion.get().equals(call.region())) {
            send(exchange, redirect(call, bucketRegion.get()));
            return;
        }
        Bridge bridge =
                bridges.getOrDefault(
                        call.service() + ":" + call.operation(),
                        bridges.get(call.service() + ":" + ANY));
        if (bridge != null) {
            Message answer = bridge.answer(call, body);
            if (!hangs(exchange, call)) {
                send(exchange, answer);
            }
            return;
        }
        forward(exchange, call, streamed, body, fault != null);
    }

    /** Waits without an answer while the call's region is lost; true when it has waited. */
    private boolean hangs(HttpExchange exchange, Call call) throws InterruptedException {
        if (!isLost(call.region())) {
            return false;
        }
        park(() -> !isLost(call.region()));
        exchange.close();
        return true;
    }

    private void park(java.util.function.BooleanSupplier over) throws InterruptedException {
        long end = System.nanoTime() + HANG.toNanos();
        synchronized (change) {
            while (!closed && !over.getAsBoolean() && System.nanoTime() < end) {
                change.wait(1000);
            }
        }
    }

    private Message invoke(HttpExchange exchange, Call call, String encoded, byte[] payload) {
        Map<String, String> query = query(exchange.getRequestURI().getRawQuery());
        String function = URLDecoder.decode(encoded, StandardCharsets.UTF_8);
        String type = exchange.getRequestHeaders().getFirst("X-Amz-Invocation-Type");
        if ("DryRun".equals(type)) {
            // Whether the caller may has been looked at; nothing runs.
            return new Message(204, Map.of(), new byte[0]);
        }
        return invoker.invoke(
                call, function, query.getOrDefault("Qualifier", ""), "Event".equals(type), payload);
    }

    private void forward(
            HttpExchange exchange, Call call, boolean streamed, byte[] body, boolean killAfter)
            throws IOException, InterruptedException {
        URI target = moto;
        if (target == null) {
            send(exchange, failure(call, 503, "ServiceUnavailable", "moto isn't there yet"));
            return;
        }
        HttpRequest.Builder request =
                HttpRequest.newBuilder(
                                URI.create(target + exchange.getRequestURI().toASCIIString()))
                        .timeout(Duration.ofMinutes(5));
        Headers headers = exchange.getRequestHeaders();
        headers.forEach(
                (name, values) -> {
                    if (!OF_ONE_HOP.contains(name.toLowerCase(Locale.ROOT))) {
                        values.forEach(value -> request.header(name, value));
                    }
                });
        request.method(
                exchange.getRequestMethod(),
                streamed ? stream(exchange) : HttpRequest.BodyPublishers.ofByteArray(body));
        HttpResponse<InputStream> response = send(call, request.build());
        try (InputStream answer = response.body()) {
            if (killAfter) {
                answer.transferTo(OutputStream.nullOutputStream());
                killer.accept(call.caller());
                return;
            }
            if (streamed) {
                if (!hangs(exchange, call)) {
                    relay(exchange, response, answer);
                }
                if (response.statusCode() < 300) {
                    happening(exchange)
                            .ifPresent(
                                    what ->
                                            objects.object(
                                                    exchange.getRequestURI().getPath(), what));
                }
                return;
            }
            Map<String, String> kept = new HashMap<>();
            response.headers().map().forEach((name, values) -> kept.put(name, values.getFirst()));
            Message message = new Message(response.statusCode(), kept, answer.readAllBytes());
            Observer observer = observers.get(call.service() + ":" + call.operation());
            if (observer != null && message.status < 300) {
                observer.saw(call, body, message);
            }
            if (!hangs(exchange, call)) {
                send(exchange, message);
            }
        }
    }

    /** What this call does to an object that S3 would tell of; empty where it is nothing. */
    private static Optional<ObjectEvent> happening(HttpExchange exchange) {
        String query = Optional.ofNullable(exchange.getRequestURI().getRawQuery()).orElse("");
        return switch (exchange.getRequestMethod()) {
            case "PUT" -> query.isEmpty() ? Optional.of(ObjectEvent.PUT) : Optional.empty();
            case "POST" ->
                    query.startsWith("uploadId=")
                            ? Optional.of(ObjectEvent.UPLOADED)
                            // moto brings it back before it answers; S3 takes hours.
                            : query.startsWith("restore")
                                    ? Optional.of(ObjectEvent.RESTORED)
                                    : Optional.empty();
            default -> Optional.empty();
        };
    }

    /**
     * Asks moto; nothing beside a DynamoDB transaction, since moto puts back the whole table when
     * one fails and so loses what was written meanwhile. DynamoDB isolates transactions.
     */
    private HttpResponse<InputStream> send(Call call, HttpRequest request)
            throws IOException, InterruptedException {
        if (!call.service().equals("dynamodb")) {
            return client.send(request, HttpResponse.BodyHandlers.ofInputStream());
        }
        Lock lock =
                call.operation().equals("TransactWriteItems")
                        ? transactions.writeLock()
                        : transactions.readLock();
        lock.lockInterruptibly();
        try {
            return client.send(request, HttpResponse.BodyHandlers.ofInputStream());
        } finally {
            lock.unlock();
        }
    }

    private static HttpRequest.BodyPublisher stream(HttpExchange exchange) {
        String length = exchange.getRequestHeaders().getFirst("Content-Length");
        boolean chunked = exchange.getRequestHeaders().containsKey("Transfer-Encoding");
        if ("0".equals(length) || (length == null && !chunked)) {
            return HttpRequest.BodyPublishers.noBody();
        }
        HttpRequest.BodyPublisher body =
                HttpRequest.BodyPublishers.ofInputStream(exchange::getRequestBody);
        return length == null
                ? body
                : HttpRequest.BodyPublishers.fromPublisher(body, Long.parseLong(length));
    }

    private static void relay(
            HttpExchange exchange, HttpResponse<InputStream> response, InputStream answer)
            throws IOException {
        response.headers()
                .map()
                .forEach(
                        (name, values) -> {
                            if (!OF_ONE_HOP.contains(name.toLowerCase(Locale.ROOT))) {
                                exchange.getResponseHeaders().put(name, List.copyOf(values));
                            }
                        });
        long length = response.headers().firstValueAsLong("content-length").orElse(0);
        boolean head = exchange.getRequestMethod().equals("HEAD");
        if (head) {
            exchange.getResponseHeaders().set("Content-Length", String.valueOf(length));
        }
        boolean known = response.headers().firstValue("content-length").isPresent();
        boolean empty = head || response.statusCode() == 204 || (known && length == 0);
        exchange.sendResponseHeaders(response.statusCode(), empty ? -1 : length);
        if (!head) {
            answer.transferTo(exchange.getResponseBody());
        }
    }

    private static void send(HttpExchange exchange, Message message) throws IOException {
        exchange.getRequestBody().transferTo(OutputStream.nullOutputStream());
        message.headers.forEach(
                (name, value) -> {
                    if (!OF_ONE_HOP.contains(name.toLowerCase(Locale.ROOT))) {
                        exchange.getResponseHeaders().set(name, value);
                    }
                });
        boolean empty = message.body.length == 0 || exchange.getRequestMethod().equals("HEAD");
        exchange.sendResponseHeaders(message.status, empty ? -1 : message.body.length);
        if (!empty) {
            new ByteArrayInputStream(message.body).transferTo(exchange.getResponseBody());
        }
    }

    /**
     * A function's JVM signs as {@code <function>@<region>#<number>}; nobody else has such a name.
     */
    private static String function(String caller) {
        int end = caller.indexOf('#') < 0 ? -1 : caller.indexOf('@');
        return end < 0 ? "" : caller.substring(0, end);
    }

    private static String operation(Headers headers, byte[] body) {
        String said = headers.getFirst(GrantInterceptor.CALL);
        if (said != null) {
            return said.substring(said.indexOf('.') + 1);
        }
        String target = headers.getFirst("X-Amz-Target");
        if (target != null) {
            return target.substring(target.lastIndexOf('.') + 1);
        }
        String type = headers.getFirst("Content-Type");
        return type != null && type.startsWith("application/x-www-form-urlencoded")
                ? query(new String(body, StandardCharsets.UTF_8)).getOrDefault("Action", "")
                : "";
    }

    /** A function signs this call itself, without the SDK's client. */
    private static List<Need> invoking(String encoded) {
        return List.of(
                new Need(
                        "lambda:InvokeFunction",
                        URLDecoder.decode(encoded, StandardCharsets.UTF_8),
                        Map.of()));
    }

    private static List<Need> needs(Headers headers) {
        List<Need> needs = new ArrayList<>();
        String said = Optional.ofNullable(headers.getFirst(GrantInterceptor.NEEDS)).orElse("");
        for (String need : said.isEmpty() ? new String[0] : said.split(",", -1)) {
            String[] parts = need.split("\\|", -1);
            needs.add(
                    new Need(
                            URLDecoder.decode(parts[0], StandardCharsets.UTF_8),
                            URLDecoder.decode(parts[1], StandardCharsets.UTF_8),
                            context(URLDecoder.decode(parts[2], StandardCharsets.UTF_8))));
        }
        return needs;
    }

    private static Map<String, List<String>> context(String text) {
        Map<String, List<String>> context = new HashMap<>();
        for (String pair : text.split("&", -1)) {
            int equals = pair.indexOf('=');
            if (equals > 0) {
                context.computeIfAbsent(pair.substring(0, equals), key -> new ArrayList<>())
                        .add(pair.substring(equals + 1));
            }
        }
        return context;
    }

    /** Decodes a form or a query string. */
    static Map<String, String> query(@Nullable String text) {
        Map<String, String> query = new HashMap<>();
        for (String pair : text == null || text.isEmpty() ? new String[0] : text.split("&", -1)) {
            int equals = pair.indexOf('=');
            query.put(
                    URLDecoder.decode(
                            equals < 0 ? pair : pair.substring(0, equals), StandardCharsets.UTF_8),
                    equals < 0
                            ? ""
                            : URLDecoder.decode(
                                    pair.substring(equals + 1), StandardCharsets.UTF_8));
        }
        return query;
    }

    private Optional<String> bucketRegion(String path) {
        int slash = path.indexOf('/', 1);
        return Optional.ofNullable(
                bucketRegions.get(slash < 0 ? path.substring(1) : path.substring(1, slash)));
    }

    private static Message denied(Call call, Need need) {
        String code =
                switch (call.service()) {
                    case "s3", "route53", "autoscaling", "monitoring" -> "AccessDenied";
                    case "sns" -> "AuthorizationError";
                    default -> "AccessDeniedException";
                };
        String message =
                "User: "
                        + call.function()
                        + " is not authorized to perform: "
                        + need.action()
                        + " on resource: "
                        + need.resource();
        boolean json = isJson(call.service());
        return failure(call, json ? 400 : 403, code, message);
    }

    private static Message redirect(Call call, String region) {
        Message message =
                failure(
                        call,
                        301,
                        "PermanentRedirect",
                        "The bucket you are attempting to access is in " + region);
        Map<String, String> headers = new HashMap<>(message.headers);
        headers.put("x-amz-bucket-region", region);
        return new Message(301, headers, message.body);
    }

    private static boolean isJson(String service) {
        return switch (service) {
            case "s3", "route53", "autoscaling", "sns", "monitoring", "sts" -> false;
            default -> true;
        };
    }

    /** An error in the form of the service's own protocol. */
    static Message failure(Call call, int status, String code, String text) {
        String id = UUID.randomUUID().toString();
        if (isJson(call.service())) {
            ObjectNode json = Json.MAPPER.createObjectNode();
            json.put("__type", code).put("message", text).put("Message", text);
            return json(status, json, id, code);
        }
        String error = "<Code>" + code + "</Code><Message>" + escape(text) + "</Message>";
        String xml =
                call.service().equals("s3")
                        ? "<Error>" + error + "<RequestId>" + id + "</RequestId></Error>"
                        : "<ErrorResponse><Error>"
                                + error
                                + "</Error><RequestId>"
                                + id
                                + "</RequestId></ErrorResponse>";
        return xml(status, xml, id);
    }

    static Message json(int status, JsonNode body, String requestId, String errorType) {
        Map<String, String> headers = new HashMap<>();
        headers.put("Content-Type", "application/x-amz-json-1.1");
        headers.put("x-amzn-RequestId", requestId);
        if (!errorType.isEmpty()) {
            headers.put("x-amzn-ErrorType", errorType);
        }
        return new Message(status, headers, body.toString().getBytes(StandardCharsets.UTF_8));
    }

    static Message xml(int status, String body, String requestId) {
        return new Message(
                status,
                Map.of("Content-Type", "text/xml", "x-amzn-RequestId", requestId),
                body.getBytes(StandardCharsets.UTF_8));
    }

    static String escape(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }

    @Override
    public void close() {
        closed = true;
        wake();
        server.stop(0);
        client.shutdownNow();
        threads.shutdownNow();
    }
}
