package io.vaultdr.cli;

import io.vaultdr.infra.config.Config;
import io.vaultdr.infra.config.ConfigFile;
import io.vaultdr.infra.config.ConfigFile.Loaded;
import io.vaultdr.infra.config.Mistake;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;

/** Reads the configuration for commands that need one. */
final class Configuration {
    private Configuration() {}

    /**
     * Reads {@code file}, good or bad.
     *
     * @throws Unusable when there is no such file
     */
    static Loaded read(Path file) {
        if (!Files.isRegularFile(file)) {
            throw new Unusable(
                    file
                            + ": no such file, expected a configuration; infra-cdk/examples holds"
                            + " one for each rung of the ladder");
        }
        try {
            return ConfigFile.load(file);
        } catch (IOException e) {
            throw new Unusable(file + ": can't be read: " + e.getMessage());
        }
    }

    /**
     * The pair called {@code name} in {@code file}, with what it stands in.
     *
     * @throws Unusable when the file has mistakes or no such pair
     */
    static Found pair(Path file, String name) {
        return switch (read(file)) {
            case Loaded.Bad(List<Mistake> mistakes) ->
                    throw new Unusable(
                            mistakes.stream()
                                    .map(mistake -> "\n  " + mistake)
                                    .collect(Collectors.joining("", file + ":", "")));
            case Loaded.Good(Config config) ->
                    new Found(
                            config,
                            config.pair(name)
                                    .orElseThrow(() -> new Unusable(unknown(file, name, config))));
        };
    }

    /** A pair and the configuration that it is part of. */
    record Found(Config config, Config.Pair pair) {}

    private static String unknown(Path file, String name, Config config) {
        return file
                + ": no pair '"
                + name
                + "', expected "
                + config.pairs().stream()
                        .map(pair -> pair.id().value())
                        .collect(Collectors.joining(", "));
    }
}
