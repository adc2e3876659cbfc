package io.vaultdr.rehearsal.world;

import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import java.util.zip.Deflater;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/** A functions zip made of the tests' class path: jars as they are, directories packed. */
final class FunctionZip {
    private static final List<String> NOT_OF_FUNCTIONS =
            List.of("awscdk", "jsii", "cdknag", "constructs", "junit", "infra-cdk", "interface");

    private FunctionZip() {}

    static Path in(Path directory) throws IOException {
        Path zip = directory.resolve("functions.zip");
        try (OutputStream file = Files.newOutputStream(zip);
                ZipOutputStream out = new ZipOutputStream(file)) {
            out.setLevel(Deflater.NO_COMPRESSION);
            int number = 0;
            for (String entry :
                    System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
                Path path = Path.of(entry);
                if (!Files.exists(path) || NOT_OF_FUNCTIONS.stream().anyMatch(entry::contains)) {
                    continue;
                }
                out.putNextEntry(new ZipEntry("lib/" + number + ".jar"));
                number++;
                if (Files.isDirectory(path)) {
                    pack(path, out);
                } else {
                    Files.copy(path, out);
                }
            }
        }
        return zip;
    }

    private static void pack(Path directory, OutputStream to) throws IOException {
        Path jar = Files.createTempFile("classes", ".jar");
        try (OutputStream file = Files.newOutputStream(jar);
                JarOutputStream out = new JarOutputStream(file);
                Stream<Path> files = Files.walk(directory)) {
            for (Path path : files.filter(Files::isRegularFile).toList()) {
                out.putNextEntry(new JarEntry(directory.relativize(path).toString()));
                Files.copy(path, out);
            }
        }
        Files.copy(jar, to);
        Files.delete(jar);
    }
}
