package io.vaultdr.cli;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vaultdr.runtime.Json;
import io.vaultdr.testing.BaoCluster;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;

class SnapshotCommandIT {
    @Test
    void aServersArchiveIsGoodAndLessOfItIsBad(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("a.snap");
        try (BaoCluster cluster = BaoCluster.running(1);
                HttpClient http = HttpClient.newHttpClient()) {
            http.send(
                    HttpRequest.newBuilder(
                                    cluster.leader()
                                            .address()
                                            .resolve("/v1/sys/storage/raft/snapshot"))
                            .header("X-Vault-Token", cluster.rootToken())
                            .timeout(Duration.ofSeconds(30))
                            .build(),
                    HttpResponse.BodyHandlers.ofFile(file));
        }
        Run good = Run.of("snapshot", "check", file.toString());
        Run json = Run.of("snapshot", "check", "--json", file.toString());
        byte[] bytes = Files.readAllBytes(file);
        Files.write(file, Arrays.copyOf(bytes, bytes.length - 1));
        Run bad = Run.of("snapshot", "check", file.toString());
        assertAll(
                () -> assertEquals(Exit.EXPECTED, good.exit(), good.out()),
                () -> assertTrue(good.out().contains("voter"), good.out()),
                () ->
                        assertEquals(
                                bytes.length,
                                Json.MAPPER.readTree(json.out()).at("/good/bytes").asInt()),
                () -> assertEquals(Exit.NEGATIVE, bad.exit()),
                () -> assertTrue(bad.out().contains("truncated"), bad.out()));
    }
}
