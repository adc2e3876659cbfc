package io.vaultdr.infra;

import io.vaultdr.infra.config.Config;
import io.vaultdr.infra.config.ConfigFile;
import io.vaultdr.infra.config.ConfigFile.Loaded;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/** The examples that are shipped, and a zip that stands for the functions' one. */
public final class Examples {
    /** Where the examples are. */
    public static final Path DIRECTORY =
            Path.of(System.getProperty("vaultdr.root", ".."), "infra-cdk", "examples");

    private Examples() {}

    /** The examples' names. */
    public static Stream<String> names() {
        try (Stream<Path> files = Files.list(DIRECTORY)) {
            return files
                    .map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(".yaml"))
                    .map(name -> name.substring(0, name.length() - ".yaml".length()))
                    .sorted()
                    .toList()
                    .stream();
        } catch (IOException e) {
            throw new UncheckedIOException(DIRECTORY.toString(), e);
        }
    }

    /** The example of that name, in an account of its own unless it names one. */
    public static Config load(String name) {
        return load(DIRECTORY.resolve(name + ".yaml"));
    }

    /** The last rung, with the copy in another account. */
    public static Config apart() {
        try {
            Path file = Files.createTempFile(Path.of("target"), "apart", ".yaml");
            String automatic = Files.readString(DIRECTORY.resolve("automatic.yaml"));
            return load(
                    Files.writeString(
                            file,
                            automatic
                                    .replaceAll("ca: .*", "")
                                    .replace(
                                            "stage: automatic",
                                            "stage: automatic\n    copyAccount: '444455556666'")));
        } catch (IOException e) {
            throw new UncheckedIOException("automatic.yaml", e);
        }
    }

    /** A file that has to be right. */
    public static Config load(Path file) {
        try {
            return switch (ConfigFile.load(file)) {
                case Loaded.Good(Config config) -> config.inAccount("111122223333");
                case Loaded.Bad bad -> throw new AssertionError(bad.mistakes().toString());
            };
        } catch (IOException e) {
            throw new UncheckedIOException(file.toString(), e);
        }
    }

    /** A zip of a few bytes, always the same. */
    public static Path zip(Path directory) {
        Path zip = directory.resolve("functions.zip");
        try (ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(zip))) {
            ZipEntry entry = new ZipEntry("placeholder");
            entry.setTime(0);
            out.putNextEntry(entry);
            out.closeEntry();
        } catch (IOException e) {
            throw new UncheckedIOException(zip.toString(), e);
        }
        return zip;
    }
}
