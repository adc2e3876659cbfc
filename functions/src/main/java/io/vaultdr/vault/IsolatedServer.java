package io.vaultdr.vault;

import io.vaultdr.model.Secret;
import io.vaultdr.runtime.Directories;
import io.vaultdr.runtime.Json;
import io.vaultdr.runtime.PairSettings;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A real server of its own, for one restore: one node with Raft storage, listening on loopback
 * only, all of whose files lie in one directory. It is killed and its directory wiped when it is
 * closed; {@link #wipe} does the same for one that an earlier run left behind.
 *
 * <p>What it writes is looked through for the few lines that say why it can't go on, and thrown
 * away: nothing of a restored cluster gets into a log. A watch ends it before it takes more memory
 * or scratch space than it was given, because the kernel would end whatever it finds first.
 */
public final class IsolatedServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(IsolatedServer.class);
    private static final Duration WATCH = Duration.ofMillis(100);
    private static final Duration KILL = Duration.ofSeconds(10);

    /** Longer than any restore; the default of thirty seconds covers a request's whole body. */
    private static final String READ_TIMEOUT = "900s";

    private final Spec spec;
    private final Process process;
    private final VaultClient client;
    private final List<Thread> threads = new ArrayList<>();
    private volatile Optional<Trouble> said = Optional.empty();
    private volatile Optional<Trouble> ended = Optional.empty();
    private volatile boolean closed;
    private volatile long peakMemory;
    private volatile long peakScratch;

    /**
     * What a server is made of.
     *
     * @param directory for everything that it writes; its own, made and wiped
     * @param binary the server's program
     * @param seal its block's type and options
     * @param plugin the seal's plugin, where the server has it not built in
     * @param licence of Vault Enterprise
     * @param environment all that the process gets beside the few variables it can't do without
     * @param memoryBytes the anonymous memory at which it is ended
     * @param scratchBytes the size of its files at which it is ended
     */
    public record Spec(
            Path directory,
            Path binary,
            String seal,
            Map<String, String> sealOptions,
            Optional<Plugin> plugin,
            Optional<Secret> licence,
            Map<String, String> environment,
            long memoryBytes,
            long scratchBytes) {}

    /** A plugin's program and its hash, lower-case hex. */
    public record Plugin(Path file, String sha256) {}

    /** Why a server can't go on. */
    public enum Trouble {
        AUDIT_PATH,
        LICENCE,
        PLUGIN,
        SEAL_KEY_WRONG,
        SEAL_KEY_DISABLED,
        SEAL_KEY_PENDING_DELETION,
        SEAL_KEY_UNREACHABLE,
        MEMORY,
        SCRATCH;

        /** What a line that the server wrote says, as far as it is known. */
        static Optional<Trouble> in(String line) {
            return Stream.of(values()).filter(it -> it.known(line)).findFirst();
        }

        private boolean known(String line) {
            return switch (this) {
                // Not "failed to create audit entry": one of several devices may be missing.
                case AUDIT_PATH -> line.contains("failed to setup audit");
                case LICENCE ->
                        line.contains("license")
                                && any(line, "invalid", "expired", "missing", "no autoloaded")
                                && line.contains("rror");
                case PLUGIN ->
                        line.contains("plugin")
                                && any(line, "KMS plugin", "configuring seal", "parsing Seal")
                                && line.contains("rror");
                case SEAL_KEY_DISABLED -> line.contains("DisabledException");
                case SEAL_KEY_PENDING_DELETION ->
                        any(line, "pending deletion", "PendingDeletion", "KMSInvalidState");
                case SEAL_KEY_WRONG ->
                        any(line, "IncorrectKeyException", "InvalidCiphertextException");
                case SEAL_KEY_UNREACHABLE ->
                        any(line, "kms", "KMS")
                                && any(line, "i/o timeout", "no such host", "deadline exceeded");
                case MEMORY -> any(line, "runtime: out of memory", "cannot allocate memory");
                case SCRATCH -> any(line, "no space left on device", "file too large");
            };
        }

        private static boolean any(String line, String... words) {
            return Stream.of(words).anyMatch(line::contains);
        }
    }

    private IsolatedServer(Spec spec, Process process, VaultClient client) {
        this.spec = spec;
        this.process = process;
        this.client = client;
        threads.add(Thread.ofVirtual().name("isolated server's output").start(this::listen));
        threads.add(
                Thread.ofPlatform().daemon().name("isolated server's watch").start(this::watch));
    }

    /**
     * Starts a blank one; it may not answer yet.
     *
     * @throws UncheckedIOException where its files can't be written or the program not be run
     */
    public static IsolatedServer start(Spec spec) {
        wipe(spec.directory(), spec.binary());
        try {
            Path root =
                    Files.createDirectories(
                            spec.directory(),
                            PosixFilePermissions.asFileAttribute(
                                    PosixFilePermissions.fromString("rwx------")));
            Files.createDirectories(root.resolve("data"));
            Files.createDirectories(root.resolve("tmp"));
            int port = free();
            URI address = URI.create("http://127.0.0.1:" + port);
            Path file = root.resolve("server.json");
            secretly(
                    file,
                    Json.MAPPER.writeValueAsString(configuration(spec, address, port, free())));
            ProcessBuilder builder =
                    new ProcessBuilder(spec.binary().toString(), "server", "-config=" + file)
                            .directory(root.toFile())
                            .redirectErrorStream(true);
            builder.environment().clear();
            builder.environment().putAll(spec.environment());
            builder.environment().put("HOME", root.toString());
            builder.environment().put("TMPDIR", root.resolve("tmp").toString());
            // Far from the limit Go's collector is left alone: it would cost half the time again.
            builder.environment().put("GOMEMLIMIT", Long.toString(spec.memoryBytes() / 10 * 9));
            Process process = builder.start();
            process.getOutputStream().close();
            PairSettings.Cluster cluster =
                    new PairSettings.Cluster(
                            "isolated",
                            address,
                            List.of(address),
                            Optional.empty(),
                            "",
                            Optional.empty(),
                            Optional.empty(),
                            1,
                            Optional.empty(),
                            Optional.empty());
            return new IsolatedServer(
                    spec,
                    process,
                    new HttpVaultClients(any -> Optional.empty(), HttpVaultClients.Limits.DEFAULT)
                            .at(cluster, address));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Map<String, Object> configuration(
            Spec spec, URI address, int port, int clusterPort) throws IOException {
        Map<String, Object> all = new LinkedHashMap<>();
        all.put(
                "storage",
                Map.of(
                        "raft",
                        Map.of(
                                "path",
                                spec.directory().resolve("data").toString(),
                                "node_id",
                                "isolated",
                                "performance_multiplier",
                                "1")));
        all.put(
                "listener",
                List.of(
                        Map.of(
                                "tcp",
                                Map.of(
                                        "address",
                                        "127.0.0.1:" + port,
                                        "cluster_address",
                                        "127.0.0.1:" + clusterPort,
                                        "tls_disable",
                                        true,
                                        "http_read_timeout",
                                        READ_TIMEOUT))));
        all.put("seal", List.of(Map.of(spec.seal(), spec.sealOptions())));
        all.put("api_addr", address.toString());
        all.put("cluster_addr", "https://127.0.0.1:" + clusterPort);
        all.put("disable_mlock", true);
        all.put("log_level", "warn");
        if (spec.plugin().isPresent()) {
            Plugin plugin = spec.plugin().get();
            all.put("plugin_directory", plugin.file().resolveSibling("").toString());
            all.put(
                    "plugin",
                    List.of(
                            Map.of(
                                    "kms",
                                    Map.of(
                                            spec.seal(),
                                            Map.of(
                                                    "command",
                                                    plugin.file().getFileName().toString(),
                                                    "sha256sum",
                                                    plugin.sha256())))));
        }
        if (spec.licence().isPresent()) {
            Path licence = spec.directory().resolve("licence");
            secretly(licence, spec.licence().get().reveal());
            all.put("license_path", licence.toString());
        }
        return all;
    }

    /** Writes a file that nobody else may read, not even for a moment. */
    public static void secretly(Path file, String content) throws IOException {
        Files.createFile(
                file,
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(file, content, StandardOpenOption.WRITE);
    }

    private static int free() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    /** Asks it. */
    public VaultClient client() {
        return client;
    }

    /** Whether its process runs. */
    public boolean alive() {
        return process.isAlive();
    }

    /**
     * Why it can't go on, as far as it is known: what it was ended for, otherwise what it said
     * last. A line alone may be harmless, so ask once something else is wrong.
     */
    public Optional<Trouble> trouble() {
        return ended.or(() -> said);
    }

    /** The most anonymous memory it had, its plugin's included; 0 where the system doesn't tell. */
    public long peakMemoryBytes() {
        return peakMemory;
    }

    /** The most that its files took. */
    public long peakScratchBytes() {
        return peakScratch;
    }

    /** Kills it and wipes its files, whatever state it is in. */
    @Override
    public void close() {
        closed = true;
        kill(process.toHandle());
        for (Thread thread : threads) {
            join(thread);
        }
        wipe(spec.directory(), spec.binary());
    }

    /**
     * Ends the server that {@code binary} runs on {@code directory}, with its plugins, and deletes
     * the directory. Harmless where there is nothing.
     *
     * @throws UncheckedIOException where a file can't be deleted
     */
    public static void wipe(Path directory, Path binary) {
        String program = binary.toAbsolutePath().toString();
        String files = directory.toAbsolutePath() + "/";
        ProcessHandle.allProcesses()
                .filter(it -> it.info().command().filter(program::equals).isPresent())
                .filter(it -> commandLine(it).contains(files))
                .forEach(
                        left -> {
                            LOG.warn("A server that an earlier run left is ended");
                            kill(left);
                        });
        Directories.delete(directory);
    }

    /** Of a stopped process too; empty once it is gone. */
    private static String commandLine(ProcessHandle process) {
        try {
            return Files.readString(
                    Path.of("/proc", Long.toString(process.pid()), "cmdline"),
                    StandardCharsets.UTF_8);
        } catch (IOException e) {
            return process.info().commandLine().orElse("");
        }
    }

    private static void kill(ProcessHandle process) {
        List<ProcessHandle> all = new ArrayList<>(process.descendants().toList());
        all.add(process);
        all.forEach(ProcessHandle::destroyForcibly);
        for (ProcessHandle one : all) {
            try {
                one.onExit().get(KILL.toMillis(), TimeUnit.MILLISECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            } catch (java.util.concurrent.ExecutionException
                    | java.util.concurrent.TimeoutException e) {
                LOG.error("A server can't be ended: process {}", one.pid());
            }
        }
    }

    private static void join(Thread thread) {
        try {
            thread.join(KILL);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void listen() {
        try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                Trouble.in(line).ifPresent(it -> said = Optional.of(it));
            }
        } catch (IOException e) {
            // The pipe closes with the process; what it wanted to say is lost with it.
            if (process.isAlive()) {
                LOG.warn("The isolated server's output can't be read");
            }
        }
    }

    private void watch() {
        while (!closed && process.isAlive()) {
            long memory =
                    anonymous(process.toHandle())
                            + process.descendants().mapToLong(IsolatedServer::anonymous).sum();
            long scratch = size(spec.directory());
            peakMemory = Math.max(peakMemory, memory);
            peakScratch = Math.max(peakScratch, scratch);
            if (memory > spec.memoryBytes()) {
                end(Trouble.MEMORY);
            } else if (scratch > spec.scratchBytes()) {
                end(Trouble.SCRATCH);
            }
            try {
                Thread.sleep(WATCH);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }

    private void end(Trouble trouble) {
        ended = Optional.of(trouble);
        kill(process.toHandle());
    }

    private static long anonymous(ProcessHandle process) {
        try (Stream<String> lines =
                Files.lines(Path.of("/proc", Long.toString(process.pid()), "status"))) {
            return lines.filter(line -> line.startsWith("RssAnon:"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024)
                    .sum();
        } catch (IOException | UncheckedIOException e) {
            // No such process any more, or no such file system.
            return 0;
        }
    }

    private static long size(Path directory) {
        long[] bytes = {0};
        try {
            Files.walkFileTree(
                    directory,
                    new SimpleFileVisitor<>() {
                        @Override
                        public FileVisitResult visitFile(Path file, BasicFileAttributes is) {
                            bytes[0] += is.size();
                            return FileVisitResult.CONTINUE;
                        }

                        @Override
                        public FileVisitResult visitFileFailed(Path file, IOException e) {
                            return FileVisitResult.CONTINUE;
                        }
                    });
        } catch (NoSuchFileException e) {
            return 0;
        } catch (IOException e) {
            LOG.warn("The isolated server's files can't be counted");
        }
        return bytes[0];
    }
}
