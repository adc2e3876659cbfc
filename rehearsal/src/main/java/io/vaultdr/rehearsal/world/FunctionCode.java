package io.vaultdr.rehearsal.world;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.api.client.AWSLambda;
import com.amazonaws.services.lambda.runtime.serialization.PojoSerializer;

import io.vaultdr.handler.JudgeHandler;
import io.vaultdr.rehearsal.world.child.ClassTraining;
import io.vaultdr.rehearsal.world.child.GrantInterceptor;
import io.vaultdr.runtime.Directories;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;

/**
 * What the JVMs of functions run: the jars of a function's zip, before them the runtime interface
 * client, which is Lambda's own, behind them what runs here beside each function.
 *
 * <p>Where code is kept from one rehearsal to the next, its classes are loaded and linked once and
 * archived: on two cores a dozen JVMs that start are what everything else waits for.
 *
 * @see <a href="https://openjdk.org/jeps/514">JEP 514, Ahead-of-Time Command-Line Ergonomics</a>
 */
final class FunctionCode {
    /** Where the jars are, and the archive of their classes, if there is one. */
    record Unpacked(List<Path> classPath, Optional<Path> archive) {
        /** The JVM's arguments for them. */
        List<String> arguments() {
            List<String> arguments = new ArrayList<>();
            archive.ifPresent(
                    file -> arguments.addAll(List.of("-XX:AOTCache=" + file, "-Xlog:aot*=off")));
            arguments.add("-cp");
            arguments.add(
                    String.join(
                            File.pathSeparator, classPath.stream().map(Path::toString).toList()));
            return arguments;
        }
    }

    /**
     * The JVM's arguments that an archive depends on; all of its readers have the same: one core's
     * collector, and natives without a warning for each.
     */
    static final List<String> ARGUMENTS =
            List.of("-XX:+UseSerialGC", "--enable-native-access=ALL-UNNAMED");

    /** Archives of functions that aren't built any more go after a day without use. */
    private static final Duration KEPT = Duration.ofDays(1);

    private static final Duration TRAINING = Duration.ofMinutes(2);

    /** Nobody listens at it, and nothing calls. */
    private static final int NO_LAMBDA = 9;

    private final Path directory;
    private final Optional<Training> training;
    private final Map<Path, Unpacked> unpacked = new ConcurrentHashMap<>();

    /**
     * By what classes are loaded once.
     *
     * @param venv the Python environment of the AWS that they are tried on
     */
    record Training(Path venv, ProcessStarter processes) {}

    private FunctionCode(Path directory, Optional<Training> training) {
        this.directory = directory;
        this.training = training;
    }

    /** Code that is unpacked into {@code scratch} and runs as it is. */
    static FunctionCode in(Path scratch) {
        return new FunctionCode(scratch, Optional.empty());
    }

    /** Code that is kept in {@code directory} with an archive of its classes. */
    static FunctionCode keptIn(Path directory, Training training) {
        return new FunctionCode(directory, Optional.of(training));
    }

    /**
     * Unpacks what {@code functions} run, so that their first start doesn't wait for that.
     *
     * @param templates makes what the templates describe: where classes are loaded once, the
     *     functions look for it
     */
    void prepare(Collection<FunctionSpec> functions, Consumer<SdkClients> templates) {
        functions.stream()
                .collect(Collectors.groupingBy(FunctionSpec::code))
                .forEach(
                        (zip, all) ->
                                unpacked.computeIfAbsent(
                                        zip, it -> unpack(it, trained(all), templates)));
    }

    /** One that judges, since all that a failover needs stands in its pair. */
    private static Optional<FunctionSpec> trained(List<FunctionSpec> functions) {
        return functions.stream()
                .filter(it -> it.handler().startsWith(JudgeHandler.class.getName()))
                .findFirst();
    }

    /**
     * The jars of {@code zip}, unpacked, with their archive where it is kept.
     *
     * @throws UncheckedIOException if it isn't a zip with {@code lib/*.jar}, or the disk is full
     */
    Unpacked of(Path zip) {
        return unpacked.computeIfAbsent(zip, it -> unpack(it, Optional.empty(), aws -> {}));
    }

    private Unpacked unpack(
            Path zip, Optional<FunctionSpec> trained, Consumer<SdkClients> templates) {
        try {
            Files.createDirectories(directory);
            // Two rehearsals at once make it once.
            try (FileChannel file =
                            FileChannel.open(
                                    directory.resolve("lock"),
                                    StandardOpenOption.CREATE,
                                    StandardOpenOption.WRITE);
                    var _ = file.lock()) {
                Path code = directory.resolve("code-" + key(zip));
                if (!Files.exists(code)) {
                    sweep();
                    Path half = Files.createTempDirectory(directory, "half-");
                    unzip(zip, half);
                    besides(half.resolve("beside.jar"));
                    Files.move(half, code, StandardCopyOption.ATOMIC_MOVE);
                }
                Files.setLastModifiedTime(code, FileTime.from(Instant.now()));
                List<Path> classPath = classPath(code);
                return new Unpacked(
                        classPath,
                        training.isPresent()
                                ? archive(code, classPath, training.get(), trained, templates)
                                : Optional.empty());
            }
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "can't unpack " + zip + ", expected a zip with lib/*.jar", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while classes were archived", e);
        }
    }

    /** Another zip, another JVM and another companion need another archive. */
    private static String key(Path zip) throws IOException {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update(Files.readAllBytes(zip));
            for (Class<?> type : List.of(GrantInterceptor.class, ClassTraining.class)) {
                digest.update(bytes(type));
            }
            digest.update(
                    (System.getProperty("java.home") + System.getProperty("java.vm.version"))
                            .getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest.digest(), 0, 8);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private static List<Path> classPath(Path code) throws IOException {
        List<Path> jars = new ArrayList<>();
        jars.add(jarOf(AWSLambda.class));
        jars.add(jarOf(PojoSerializer.class));
        jars.add(jarOf(Context.class));
        try (Stream<Path> lib = Files.list(code.resolve("lib"))) {
            lib.sorted().forEach(jars::add);
        }
        jars.add(code.resolve("beside.jar"));
        return List.copyOf(jars);
    }

    /**
     * Loads the classes once in a JVM that archives them as it ends. A JVM that can't archive runs
     * functions all the same, only they start more slowly; what it said stands beside the code.
     */
    private static Optional<Path> archive(
            Path code,
            List<Path> classPath,
            Training training,
            Optional<FunctionSpec> trained,
            Consumer<SdkClients> templates)
            throws IOException, InterruptedException {
        Path archive = code.resolve("classes.aot");
        if (Files.exists(archive)) {
            return Optional.of(archive);
        }
        if (trained.isEmpty()) {
            return Optional.empty();
        }
        Path scratch = Files.createTempDirectory(code, "training-");
        try (MotoServer aws =
                        MotoServer.start(training.venv, scratch, NO_LAMBDA, training.processes);
                SdkClients clients = new SdkClients(aws.endpoint(), "training")) {
            templates.accept(clients);
            return train(archive, classPath, training, trained.get(), aws.endpoint());
        } finally {
            Directories.delete(scratch);
        }
    }

    private static Optional<Path> train(
            Path archive, List<Path> classPath, Training training, FunctionSpec trained, URI aws)
            throws IOException, InterruptedException {
        Path code = archive.resolveSibling("");
        Path half = code.resolve("half.aot");
        List<String> command = new ArrayList<>();
        command.add(java());
        command.addAll(ARGUMENTS);
        command.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:AOTCacheOutput=" + half));
        // No server has a name there: each is looked for in vain, and at once.
        command.add("-Djdk.net.hosts.file=" + Files.writeString(code.resolve("hosts"), ""));
        command.addAll(new Unpacked(classPath, Optional.empty()).arguments());
        command.add(ClassTraining.class.getName());
        ProcessBuilder builder =
                new ProcessBuilder(command)
                        .directory(code.toFile())
                        .redirectErrorStream(true)
                        .redirectOutput(code.resolve("training.log").toFile());
        builder.environment().keySet().removeIf(name -> !name.equals("PATH"));
        builder.environment().putAll(trained.environment());
        builder.environment().putAll(Sandbox.lambdaEnvironment(trained, "training", aws));
        Process process = training.processes.start(builder);
        if (!process.waitFor(TRAINING.toMillis(), TimeUnit.MILLISECONDS)) {
            process.destroyForcibly();
            return Optional.empty();
        }
        if (process.exitValue() != 0 || !Files.exists(half)) {
            return Optional.empty();
        }
        Files.move(half, archive, StandardCopyOption.ATOMIC_MOVE);
        return Optional.of(archive);
    }

    /** The program that runs functions. */
    static String java() {
        return Path.of(System.getProperty("java.home"), "bin", "java").toString();
    }

    private void sweep() throws IOException {
        List<Path> old;
        try (Stream<Path> all = Files.list(directory)) {
            old =
                    all.filter(it -> it.getFileName().toString().matches("(code|half)-.*"))
                            .filter(FunctionCode::isOld)
                            .toList();
        }
        old.forEach(Directories::delete);
    }

    private static boolean isOld(Path code) {
        try {
            return Files.getLastModifiedTime(code).toInstant().isBefore(Instant.now().minus(KEPT));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void unzip(Path zip, Path directory) throws IOException {
        try (ZipInputStream in = new ZipInputStream(Files.newInputStream(zip))) {
            for (ZipEntry entry; (entry = in.getNextEntry()) != null; ) {
                Path file = directory.resolve(entry.getName()).normalize();
                if (!entry.isDirectory() && file.startsWith(directory)) {
                    Files.createDirectories(file.resolveSibling("."));
                    Files.copy(in, file);
                }
            }
        }
    }

    /** Packs what runs beside a function, with the file by which the SDK finds it. */
    private static void besides(Path jar) throws IOException {
        try (OutputStream file = Files.newOutputStream(jar);
                JarOutputStream out = new JarOutputStream(file)) {
            for (Class<?> type : List.of(GrantInterceptor.class, ClassTraining.class)) {
                out.putNextEntry(new JarEntry(type.getName().replace('.', '/') + ".class"));
                out.write(bytes(type));
            }
            out.putNextEntry(
                    new JarEntry("software/amazon/awssdk/global/handlers/execution.interceptors"));
            out.write(GrantInterceptor.class.getName().getBytes(StandardCharsets.UTF_8));
        }
    }

    private static byte[] bytes(Class<?> type) throws IOException {
        try (InputStream code = type.getResourceAsStream(type.getSimpleName() + ".class")) {
            if (code == null) {
                throw new IOException("no " + type.getName() + " on the class path");
            }
            return code.readAllBytes();
        }
    }

    private static Path jarOf(Class<?> type) {
        try {
            return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }
}
