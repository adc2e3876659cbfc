package io.vaultdr.rehearsal.world;

import com.amazonaws.services.lambda.runtime.api.client.AWSLambda;

import io.vaultdr.rehearsal.world.Sandbox.Answer;
import io.vaultdr.rehearsal.world.WorldEvent.FunctionEnded;
import io.vaultdr.rehearsal.world.WorldEvent.FunctionStarted;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Runs functions as Lambda does: each in JVMs of its own under the runtime interface client, one
 * invocation at a time in each, a warm one used again, heap and time-out from the template. Heap is
 * 85 % of the memory, one core's collector and only the first compiler, as in Lambda's Java
 * runtime.
 */
final class LambdaHost implements AutoCloseable {
    /** Too many at once, or a region or function that isn't there. */
    static final class Refused extends RuntimeException {
        private final int status;
        private final String code;

        Refused(int status, String code, String message) {
            super(message);
            this.status = status;
            this.code = code;
        }

        int status() {
            return status;
        }

        String code() {
            return code;
        }
    }

    /** Who hears what functions write. */
    @FunctionalInterface
    interface Output {
        void line(FunctionSpec function, String line);
    }

    /** Where the host finds what it needs, and whom it tells. */
    record Setup(
            Path scratch,
            FunctionCode code,
            URI gateway,
            Function<String, Path> hostsFile,
            ProcessStarter processes,
            Output output,
            Consumer<WorldEvent> events,
            Consumer<Failed> failed,
            double pace) {}

    /** An asynchronous invocation that failed for good. */
    record Failed(FunctionSpec function, String payload, Answer answer, int attempts) {}

    /** Otherwise each JVM unpacks it to the same file, and crashes another that just loads it. */
    private static final String NATIVE_CLIENT =
            "com.amazonaws.services.lambda.runtime.api.client.runtimeapi.NativeClient.JNI";

    private static final List<Duration> RETRY_AFTER =
            List.of(Duration.ofMinutes(1), Duration.ofMinutes(2));

    private final Setup setup;
    private final Map<String, ConcurrentLinkedDeque<Sandbox>> idle = new ConcurrentHashMap<>();
    private final Map<String, Sandbox> running = new ConcurrentHashMap<>();
    private final Map<String, AtomicInteger> concurrent = new ConcurrentHashMap<>();
    private final Set<String> lost = ConcurrentHashMap.newKeySet();
    private final AtomicInteger number = new AtomicInteger();
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final Semaphore starts =
            new Semaphore(Math.max(2, Runtime.getRuntime().availableProcessors()), true);
    private final Path nativeClient;
    private volatile boolean closed;

    LambdaHost(Setup setup) {
        this.setup = setup;
        try {
            Files.createDirectories(setup.scratch.resolve("logs"));
            nativeClient = nativeClient(setup.scratch.resolve("runtime-client.so"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Invokes and waits.
     *
     * @throws Refused as Lambda's API refuses: region lost, no such version or alias, throttled
     */
    Answer invoke(FunctionSpec function, String qualifier, String payload, String trigger)
            throws InterruptedException {
        if (function.resolve(qualifier).isEmpty()) {
            throw new Refused(
                    404,
                    "ResourceNotFoundException",
                    "Function not found: " + function.arn() + ":" + qualifier);
        }
        AtomicInteger count =
                concurrent.computeIfAbsent(function.arn(), arn -> new AtomicInteger());
        try {
            if (count.incrementAndGet() > function.reserved().orElse(100)) {
                throw new Refused(429, "TooManyRequestsException", "Rate Exceeded.");
            }
            return run(function, qualifier, payload, trigger);
        } finally {
            count.decrementAndGet();
        }
    }

    private Answer run(FunctionSpec function, String qualifier, String payload, String trigger)
            throws InterruptedException {
        String id = UUID.randomUUID().toString();
        Taken taken = take(function);
        Sandbox sandbox = taken.sandbox();
        if (lost.contains(function.region()) || closed) {
            sandbox.close();
            throw new Refused(503, "ServiceUnavailable", function.region() + " is lost");
        }
        setup.events.accept(
                new FunctionStarted(
                        Instant.now(),
                        function.region(),
                        function.name(),
                        id,
                        trigger,
                        taken.cold()));
        long start = System.nanoTime();
        String arn = function.arn() + (qualifier.isEmpty() ? "" : ":" + qualifier);
        Answer answer = sandbox.invoke(id, arn, payload);
        Duration took = Duration.ofNanos(System.nanoTime() - start);
        Optional<Duration> cold = taken.cold() ? sandbox.coldStart() : Optional.empty();
        if (sandbox.isAlive() && !lost.contains(function.region())) {
            idle.computeIfAbsent(function.arn(), key -> new ConcurrentLinkedDeque<>())
                    .push(sandbox);
        } else {
            sandbox.close();
        }
        setup.events.accept(
                new FunctionEnded(
                        Instant.now(),
                        function.region(),
                        function.name(),
                        id,
                        took,
                        cold,
                        answer.error()));
        return answer;
    }

    /** Invokes as events do: at once back, repeated when it fails, then given to who is to know. */
    void invokeLater(FunctionSpec function, String qualifier, String payload, String trigger) {
        threads.execute(
                () -> {
                    try {
                        attempts(function, qualifier, payload, trigger);
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                });
    }

    private void attempts(FunctionSpec function, String qualifier, String payload, String trigger)
            throws InterruptedException {
        for (int attempt = 0; !closed; ) {
            try {
                Answer answer = invoke(function, qualifier, payload, trigger);
                if (answer.error().isEmpty()) {
                    return;
                }
                if (attempt >= function.retries()) {
                    setup.failed.accept(new Failed(function, payload, answer, attempt + 1));
                    return;
                }
                pause(RETRY_AFTER.get(attempt));
                attempt++;
            } catch (Refused e) {
                if (e.status() != 429) {
                    return;
                }
                // Throttled events wait in Lambda's queue; that isn't counted as an attempt.
                pause(Duration.ofSeconds(1));
            }
        }
    }

    private void pause(Duration duration) throws InterruptedException {
        Thread.sleep((long) (duration.toMillis() * setup.pace));
    }

    private Optional<Sandbox> warm(FunctionSpec function) {
        ConcurrentLinkedDeque<Sandbox> waiting = idle.get(function.arn());
        Sandbox sandbox;
        while (waiting != null && (sandbox = waiting.poll()) != null) {
            if (sandbox.isAlive()) {
                return Optional.of(sandbox);
            }
            sandbox.close();
        }
        return Optional.empty();
    }

    private record Taken(Sandbox sandbox, boolean cold) {}

    /**
     * A JVM for one invocation. Starts take turns: a dozen JVMs that start at once on two cores all
     * come late. One that became free meanwhile is taken instead, or events that come faster than
     * JVMs start would each start one, and make all starts slower.
     */
    private Taken take(FunctionSpec function) throws InterruptedException {
        Optional<Sandbox> warm = warm(function);
        if (warm.isPresent()) {
            return new Taken(warm.get(), false);
        }
        starts.acquire();
        try {
            Optional<Sandbox> free = warm(function);
            if (free.isPresent()) {
                return new Taken(free.get(), false);
            }
            Sandbox sandbox = start(function);
            sandbox.awaitStart();
            return new Taken(sandbox, true);
        } finally {
            starts.release();
        }
    }

    private Sandbox start(FunctionSpec function) {
        int n = number.incrementAndGet();
        String caller = function.caller() + "#" + n;
        Path directory = setup.scratch.resolve("functions").resolve(n + "-" + function.name());
        Path log =
                setup.scratch
                        .resolve("logs")
                        .resolve(function.name() + "-" + function.region() + "-" + n + ".log");
        try {
            Files.createDirectories(directory.resolve("tmp"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        ProcessBuilder builder = new ProcessBuilder(command(function, directory.resolve("tmp")));
        builder.directory(directory.toFile());
        Map<String, String> environment = builder.environment();
        environment.clear();
        environment.putAll(function.environment());
        environment.putAll(Sandbox.lambdaEnvironment(function, caller, setup.gateway));
        Sandbox sandbox =
                new Sandbox(
                        function,
                        builder,
                        log,
                        setup.processes,
                        line -> setup.output.line(function, line));
        running.values().removeIf(other -> !other.isAlive());
        running.put(caller, sandbox);
        return sandbox;
    }

    private List<String> command(FunctionSpec function, Path temporary) {
        List<String> command = new ArrayList<>();
        command.add(FunctionCode.java());
        command.add("-XX:MaxHeapSize=" + function.memoryMegabytes() * 1024L * 85 / 100 + "k");
        command.addAll(FunctionCode.ARGUMENTS);
        if (!function.environment().containsKey("JAVA_TOOL_OPTIONS")) {
            command.add("-XX:TieredStopAtLevel=1");
        }
        command.add("-D" + NATIVE_CLIENT + "=" + nativeClient);
        command.add("-Djdk.net.hosts.file=" + setup.hostsFile.apply(function.region()));
        command.add("-Djava.io.tmpdir=" + temporary);
        command.add("-Duser.timezone=UTC");
        command.addAll(setup.code.of(function.code()).arguments());
        command.add(AWSLambda.class.getName());
        command.add(function.handler());
        return command;
    }

    /** Unpacks the functions' code, so that their first start doesn't wait for that. */
    void prepare(Collection<FunctionSpec> functions, Consumer<SdkClients> templates) {
        setup.code.prepare(functions, templates);
    }

    /** Unpacks the runtime interface client's native part for this machine. */
    private static Path nativeClient(Path file) throws IOException {
        boolean arm = System.getProperty("os.arch").equals("aarch64");
        boolean musl =
                Files.exists(Path.of("/lib/ld-musl-" + (arm ? "aarch64" : "x86_64") + ".so.1"));
        String name =
                "/jni/libaws-lambda-jni.linux"
                        + (musl ? "_musl" : "")
                        + (arm ? "-aarch_64.so" : "-x86_64.so");
        try (InputStream library = AWSLambda.class.getResourceAsStream(name)) {
            if (library == null) {
                throw new IOException("no " + name + " in the runtime interface client");
            }
            Files.copy(library, file);
        }
        return file;
    }

    /** Kills the JVM whose calls carry this access key id. */
    void killCaller(String caller) {
        Sandbox sandbox = running.get(caller);
        if (sandbox != null) {
            sandbox.kill();
        }
    }

    /** Kills every JVM of a function; says how many there were. */
    int kill(FunctionSpec function) {
        return killAll(function.caller() + "#");
    }

    private int killAll(String prefix) {
        int killed = 0;
        for (var entry : running.entrySet()) {
            if (entry.getKey().startsWith(prefix) && entry.getValue().isAlive()) {
                entry.getValue().kill();
                killed++;
            }
        }
        return killed;
    }

    /** Kills all that runs in a region and starts nothing there any more. */
    void lose(String region) {
        lost.add(region);
        for (var entry : running.entrySet()) {
            if (entry.getKey().contains("@" + region + "#")) {
                entry.getValue().kill();
            }
        }
    }

    void restore(String region) {
        lost.remove(region);
    }

    @Override
    public void close() {
        closed = true;
        threads.shutdownNow();
        running.values().forEach(Sandbox::close);
    }
}
