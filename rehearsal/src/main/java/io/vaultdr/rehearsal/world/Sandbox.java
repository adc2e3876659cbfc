package io.vaultdr.rehearsal.world;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;

import io.vaultdr.runtime.Json;

import org.jspecify.annotations.Nullable;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;

/**
 * One function's JVM under AWS' runtime interface client, and the Lambda Runtime API that it polls.
 * Each JVM has a server of its own: the long poll of a killed one would swallow the next event.
 */
final class Sandbox implements AutoCloseable {
    /** How an invocation ended; {@code error} is the error's type. */
    record Answer(String payload, Optional<String> error) {}

    private record Work(
            String id,
            String arn,
            String payload,
            CompletableFuture<Void> taken,
            CompletableFuture<Answer> answer) {}

    private static final String API = "/2018-06-01/runtime/";

    /** A start is slower here than on AWS when a dozen JVMs share two cores. */
    private static final Duration START = Duration.ofSeconds(60);

    private final FunctionSpec function;
    private final Process process;
    private final HttpServer server;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final BlockingQueue<Work> queue = new LinkedBlockingQueue<>();
    private final CompletableFuture<Duration> ready = new CompletableFuture<>();
    private final long startedAt = System.nanoTime();
    private final CompletableFuture<Void> exit;
    private volatile @Nullable Work current;
    private volatile @Nullable Answer failedStart;
    private volatile boolean killed;

    Sandbox(
            FunctionSpec function,
            ProcessBuilder builder,
            Path log,
            ProcessStarter processes,
            Consumer<String> lines) {
        this.function = function;
        try {
            server =
                    HttpServer.create(
                            new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0), 16);
            server.createContext(API, this::handle);
            server.setExecutor(threads);
            server.start();
            builder.environment()
                    .put("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:" + server.getAddress().getPort());
            process = processes.start(builder.redirectErrorStream(true));
        } catch (IOException e) {
            throw new UncheckedIOException("can't start a JVM for " + function.name(), e);
        }
        Thread.ofVirtual().start(() -> read(log, lines));
        exit = process.onExit().thenRun(this::ended);
    }

    /** Whether it can take another invocation: a killed process lives on for a moment. */
    boolean isAlive() {
        return !killed && process.isAlive();
    }

    /** From the process' start to its first call for work; empty while it starts. */
    Optional<Duration> coldStart() {
        return ready.isDone() && !ready.isCompletedExceptionally()
                ? Optional.of(ready.join())
                : Optional.empty();
    }

    /** Waits until it calls for work, or has ended, or a minute is over. */
    void awaitStart() throws InterruptedException {
        try {
            CompletableFuture.anyOf(ready, exit).get(START.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException | ExecutionException e) {
            // Its invocation finds out and says what is wrong.
            kill();
        }
    }

    /**
     * Runs one invocation; the time-out counts from when the function's code has it. A JVM whose
     * time was over, or that died, isn't to be used again.
     */
    Answer invoke(String id, String arn, String payload) throws InterruptedException {
        Work work =
                new Work(id, arn, payload, new CompletableFuture<>(), new CompletableFuture<>());
        current = work;
        queue.add(work);
        if (exit.isDone()) {
            ended();
        }
        try {
            CompletableFuture.anyOf(work.taken, work.answer)
                    .get(START.toMillis(), TimeUnit.MILLISECONDS);
            return work.answer.get(function.timeout().toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            kill();
            String seconds = String.valueOf(function.timeout().toSeconds());
            return failed(
                    "Sandbox.Timedout",
                    "RequestId: " + id + " Error: Task timed out after " + seconds + ".00 seconds");
        } catch (ExecutionException e) {
            throw new IllegalStateException(e);
        } finally {
            current = null;
        }
    }

    /** Ends the JVM as kill -9 does. */
    void kill() {
        killed = true;
        List<ProcessHandle> started = process.descendants().toList();
        process.destroyForcibly();
        // A function may run a server of its own; a sandbox ends with all that is in it.
        started.forEach(ProcessHandle::destroyForcibly);
    }

    private void ended() {
        Work work = current;
        Answer start = failedStart;
        if (work != null && start != null) {
            work.answer.complete(start);
        } else if (work != null) {
            work.answer.complete(
                    failed(
                            "Runtime.ExitError",
                            "RequestId: " + work.id + " Error: Runtime exited"));
        }
    }

    private static Answer failed(String type, String message) {
        return new Answer(
                Json.MAPPER
                        .createObjectNode()
                        .put("errorType", type)
                        .put("errorMessage", message)
                        .toString(),
                Optional.of(type));
    }

    private void handle(HttpExchange exchange) {
        try (exchange) {
            String path = exchange.getRequestURI().getPath().substring(API.length());
            String body =
                    new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            if (path.equals("invocation/next")) {
                next(exchange);
                return;
            }
            Work work = current;
            if (path.equals("init/error")) {
                Answer answer = new Answer(body, Optional.of(errorType(body)));
                failedStart = answer;
                if (work != null) {
                    work.answer.complete(answer);
                }
            } else if (work != null && path.startsWith("invocation/" + work.id + "/")) {
                work.answer.complete(
                        new Answer(
                                body,
                                path.endsWith("/error")
                                        ? Optional.of(errorType(body))
                                        : Optional.empty()));
            }
            exchange.sendResponseHeaders(202, -1);
        } catch (IOException e) {
            // The JVM has gone in the middle; its end is seen by its exit.
            exchange.close();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void next(HttpExchange exchange) throws IOException, InterruptedException {
        ready.complete(Duration.ofNanos(System.nanoTime() - startedAt));
        Work work = queue.take();
        long deadline = System.currentTimeMillis() + function.timeout().toMillis();
        var headers = exchange.getResponseHeaders();
        headers.set("Content-Type", "application/json");
        headers.set("Lambda-Runtime-Aws-Request-Id", work.id);
        headers.set("Lambda-Runtime-Deadline-Ms", String.valueOf(deadline));
        headers.set("Lambda-Runtime-Invoked-Function-Arn", work.arn);
        headers.set(
                "Lambda-Runtime-Trace-Id",
                "Root=1-00000000-" + work.id.replace("-", "").substring(0, 24) + ";Sampled=0");
        byte[] payload = work.payload.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(200, payload.length);
        try (OutputStream out = exchange.getResponseBody()) {
            out.write(payload);
        }
        work.taken.complete(null);
    }

    private static String errorType(String body) {
        try {
            return Json.MAPPER.readTree(body).path("errorType").asText("Unknown");
        } catch (IOException e) {
            return "Unknown";
        }
    }

    private void read(Path log, Consumer<String> lines) {
        try (BufferedReader output = process.inputReader(StandardCharsets.UTF_8);
                Writer file = Files.newBufferedWriter(log)) {
            String line;
            while ((line = output.readLine()) != null) {
                file.write(line);
                file.write('\n');
                file.flush();
                lines.accept(line);
            }
        } catch (IOException e) {
            // A killed process' pipe breaks in the middle of a line, and scratch may be gone.
            kill();
        }
    }

    @Override
    public void close() {
        kill();
        server.stop(0);
        threads.shutdownNow();
    }

    /** What Lambda gives every function; its calls go to {@code aws}, signed by {@code caller}. */
    static Map<String, String> lambdaEnvironment(FunctionSpec function, String caller, URI aws) {
        return Map.ofEntries(
                Map.entry("AWS_REGION", function.region()),
                Map.entry("AWS_DEFAULT_REGION", function.region()),
                Map.entry("AWS_EXECUTION_ENV", "AWS_Lambda_java25"),
                Map.entry("AWS_LAMBDA_FUNCTION_NAME", function.name()),
                Map.entry("AWS_LAMBDA_FUNCTION_VERSION", function.version()),
                Map.entry(
                        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
                        String.valueOf(function.memoryMegabytes())),
                Map.entry("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
                Map.entry("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/" + function.name()),
                Map.entry("AWS_LAMBDA_LOG_STREAM_NAME", "rehearsal"),
                Map.entry("_HANDLER", function.handler()),
                Map.entry("AWS_ACCESS_KEY_ID", caller),
                Map.entry("AWS_SECRET_ACCESS_KEY", "unchecked"),
                Map.entry("AWS_ENDPOINT_URL", aws.toString()),
                Map.entry("AWS_EC2_METADATA_DISABLED", "true"),
                Map.entry("REHEARSAL_ACCOUNT", MotoServer.ACCOUNT),
                Map.entry("LANG", "en_US.UTF-8"),
                Map.entry("TZ", ":UTC"));
    }
}
