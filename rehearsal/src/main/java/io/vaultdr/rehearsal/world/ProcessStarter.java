package io.vaultdr.rehearsal.world;

import java.io.IOException;

/** Starts a process that ends with this JVM at the latest, however that ends. */
@FunctionalInterface
public interface ProcessStarter {
    /**
     * Starts {@code builder}'s process.
     *
     * @throws IOException as {@link ProcessBuilder#start}
     */
    Process start(ProcessBuilder builder) throws IOException;
}
