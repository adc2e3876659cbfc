package io.vaultdr.handler;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.amazonaws.services.lambda.runtime.Context;
import com.fasterxml.jackson.core.type.TypeReference;

import io.vaultdr.runtime.Json;
import io.vaultdr.snapshot.Manifest;
import io.vaultdr.snapshot.Proof;
import io.vaultdr.snapshot.Proof.Verdict;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.mockito.Mockito;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/** The real handler, a real snapshot of a real server, and a real server that restores it. */
class ProveSnapshotIT {
    private static final String HUSH = "hush-hush-1c7a";
    private static Proving proving;
    private static Manifest snapshot;

    @BeforeAll
    static void takeASnapshot() {
        proving = Proving.byTheProgramItself();
        for (int i = 0; i < 5; i++) {
            proving.cluster
                    .call(
                            "POST",
                            "secret/data/team/app" + i,
                            Map.of("data", Map.of("password", HUSH)))
                    .expect();
        }
        snapshot = proving.take();
    }

    @AfterAll
    static void stop() {
        proving.close();
    }

    private static Context context() {
        Context context = Mockito.mock(Context.class);
        Mockito.when(context.getRemainingTimeInMillis()).thenReturn(120_000);
        Mockito.when(context.getAwsRequestId()).thenReturn("request-1");
        return context;
    }

    private static Map<String, Object> event(String name) throws IOException {
        return Json.MAPPER.readValue(
                Path.of(
                                Objects.requireNonNull(System.getProperty("vaultdr.root")),
                                "events",
                                name + ".json")
                        .toFile(),
                new TypeReference<>() {});
    }

    @Test
    void provesTheSnapshotWhoseManifestArrivedOnce() throws IOException {
        // The event is of the minute that was taken first.
        ProveSnapshotHandler handler = new ProveSnapshotHandler(proving.wiring());
        Map<String, ?> report = handler.handleRequest(event("prove-snapshot"), context());

        assertEquals("PROVEN", report.get("outcome"), report.toString());
        proving.leavesNothing();
        Proof proof = proving.proof(snapshot.id()).orElseThrow();
        assertEquals(Verdict.PROVEN, proof.verdict());
        assertEquals(Optional.of(snapshot.sha256()), proof.sha256());
        assertEquals(Optional.of(snapshot.clusterId()), proof.clusterId());
        assertTrue(proof.index().orElseThrow() >= snapshot.index());
        assertEquals(
                List.of(
                        "prepare",
                        "start",
                        "initialise",
                        "restore",
                        "settle",
                        "read back",
                        "count"),
                proof.stages().stream().map(Proof.StageTime::name).toList());
        Proof.Counts counts = proof.counts().orElseThrow();
        // vault-dr, secret, and the server's own three; five secrets and the readiness check's.
        assertEquals(5, counts.secretEngines());
        assertEquals(2, counts.authMethods());
        assertEquals(6, counts.keys());
        assertTrue(counts.keysComplete());
        assertTrue(proof.peakMemoryBytes().orElseThrow() > 10 << 20);
        assertTrue(proof.versions().get("server") != null, proof.versions().toString());
        assertFalse(Json.MAPPER.writeValueAsString(proof).contains(HUSH));

        assertEquals(
                "ALREADY",
                handler.handleRequest(event("prove-snapshot"), context()).get("outcome"));
        assertEquals(
                "NOTHING",
                handler.handleRequest(Map.of("detail-type", "Scheduled Event"), context())
                        .get("outcome"));
    }

    @Test
    void aDryRunGoesAllTheWayButTheRestore() {
        assertEquals(
                "REHEARSED",
                new ProveSnapshotHandler(proving.wiring())
                        .handleRequest(Map.of("dryRun", true), context())
                        .get("outcome"));
        proving.leavesNothing();
    }
}
