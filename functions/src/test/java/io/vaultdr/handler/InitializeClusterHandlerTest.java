package io.vaultdr.handler;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.mockito.ArgumentMatchers.any;
import static org.mockito.ArgumentMatchers.eq;

import com.amazonaws.services.lambda.runtime.Context;
import com.fasterxml.jackson.core.type.TypeReference;

import io.vaultdr.cluster.Initialisation.Next;
import io.vaultdr.cluster.Initialisation.Phase;
import io.vaultdr.cluster.InitializeCluster;
import io.vaultdr.cluster.InitializeCluster.Report;
import io.vaultdr.doctor.Looks;
import io.vaultdr.runtime.Json;
import io.vaultdr.runtime.PairMetrics.Measure;

import org.junit.jupiter.api.Test;
import org.mockito.Mockito;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;

class InitializeClusterHandlerTest {
    private static final Report REPORT =
            new Report(
                    Next.COMPARE,
                    Phase.DONE,
                    List.of(),
                    List.of(
                            Map.of(
                                    "name",
                                    "policy vault-dr-grow",
                                    "read",
                                    "missing",
                                    "expected",
                                    "the rules that ./vault-dr setup prints")),
                    List.of());

    private final Context context = Mockito.mock(Context.class);
    private final InitializeCluster cluster = Mockito.mock(InitializeCluster.class);
    private final List<Measure> published = new ArrayList<>();
    private final InitializeClusterHandler handler =
            new InitializeClusterHandler(cluster, Looks::none, published::addAll);

    @Test
    void runsByItsScheduledEventAndAnswersWhatDrifted() throws IOException {
        Mockito.when(cluster.run(eq(false), any())).thenReturn(REPORT);

        assertEquals(
                Map.of(
                        "found",
                        "COMPARE",
                        "phase",
                        "DONE",
                        "done",
                        List.of(),
                        "drift",
                        REPORT.drift(),
                        "problems",
                        List.of()),
                handler.handleRequest(
                        Json.MAPPER.readValue(
                                Files.readString(
                                        Path.of(
                                                Objects.requireNonNull(
                                                        System.getProperty("vaultdr.root")),
                                                "events/initialize-cluster.json")),
                                new TypeReference<Map<String, Object>>() {}),
                        context));
        assertEquals(List.of(), published);
    }

    @Test
    void aDryRunIsCounted() {
        Mockito.when(cluster.run(eq(true), any())).thenReturn(REPORT);

        handler.handleRequest(Map.of("dryRun", true), context);

        assertEquals(List.of(Measure.count("DryRunFailed", 0)), published);
    }
}
