package io.vaultdr.handler;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.amazonaws.services.lambda.runtime.Context;
import com.fasterxml.jackson.core.type.TypeReference;

import io.vaultdr.cluster.RotateLogins;
import io.vaultdr.cluster.RotateLogins.Report;
import io.vaultdr.cluster.RotateLogins.Result;
import io.vaultdr.cluster.Rotation.Rule;
import io.vaultdr.doctor.Looks;
import io.vaultdr.model.Failure;
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

class RotateLoginsHandlerTest {
    private final Context context = Mockito.mock(Context.class);
    private final RotateLogins rotation = Mockito.mock(RotateLogins.class);
    private final List<Measure> published = new ArrayList<>();
    private final RotateLoginsHandler handler =
            new RotateLoginsHandler(rotation, Looks::none, published::addAll);

    @Test
    void rotatesByItsScheduledEvent() throws IOException {
        Mockito.when(rotation.run(false))
                .thenReturn(
                        new Report(
                                Result.DONE,
                                Map.of("grow", Rule.OLD),
                                List.of(),
                                Map.of("grow", 1),
                                List.of()));

        assertEquals(
                Map.of(
                        "result",
                        "DONE",
                        "logins",
                        Map.of("grow", "OLD"),
                        "brought",
                        List.of(),
                        "destroyed",
                        Map.of("grow", 1),
                        "problems",
                        List.of()),
                handler.handleRequest(
                        Json.MAPPER.readValue(
                                Files.readString(
                                        Path.of(
                                                Objects.requireNonNull(
                                                        System.getProperty("vaultdr.root")),
                                                "events/rotate-logins.json")),
                                new TypeReference<Map<String, Object>>() {}),
                        context));
        assertEquals(List.of(), published);
    }

    @Test
    void countsDryRunsThatFail() {
        Mockito.when(rotation.run(true))
                .thenThrow(new Failure.Retryable("read the ledger", "silence", "Look."));

        assertThrows(
                Failure.Retryable.class,
                () -> handler.handleRequest(Map.of("dryRun", true), context));

        assertEquals(List.of(Measure.count("DryRunFailed", 1)), published);
    }
}
