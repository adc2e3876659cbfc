package io.vaultdr.handler;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.amazonaws.services.lambda.runtime.Context;
import com.fasterxml.jackson.core.type.TypeReference;

import io.vaultdr.doctor.Looks;
import io.vaultdr.model.Check;
import io.vaultdr.model.Epoch;
import io.vaultdr.model.Failure;
import io.vaultdr.model.Side;
import io.vaultdr.runtime.Json;
import io.vaultdr.runtime.PairMetrics.Measure;
import io.vaultdr.runtime.RetentionSettings;
import io.vaultdr.snapshot.RetentionRun;
import io.vaultdr.snapshot.Serving;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.mockito.Mockito;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Supplier;

class RetentionHandlerTest {
    private final List<Measure> published = new ArrayList<>();
    private final RetentionHandler handler = handler(() -> new Serving(Side.DR, new Epoch(1)));

    private RetentionHandler handler(Supplier<Serving> ledger) {
        return new RetentionHandler(
                new RetentionRun(
                        Side.HOME::equals,
                        ledger,
                        true,
                        new RetentionSettings(1, 0, 0, 0, 0, Optional.empty()),
                        List.of(),
                        measures -> {}),
                () -> Looks.none().seeing(Check.LEDGER, "table", () -> "home serves"),
                published::addAll);
    }

    @Test
    void runsByItsScheduledEvent() throws IOException {
        assertEquals("NOT_SERVING", answer(scheduled()).get("result"));
    }

    @Test
    void saysWhatWouldGo() {
        assertEquals("DRY_RUN", answer(Map.of("dryRun", true)).get("result"));
        assertEquals(List.of(Measure.count("DryRunFailed", 0)), published);
    }

    @Test
    void reportsWhatItLookedAt() {
        Context context = Mockito.mock(Context.class);
        Mockito.when(context.getRemainingTimeInMillis()).thenReturn(30_000);
        Mockito.when(context.getFunctionName()).thenReturn("retention");
        String checks =
                handler.handleRequest(Map.of("dryRun", true, "report", true), context).toString();

        assertTrue(checks.contains("home serves"), checks);
        assertTrue(checks.contains("DRY_RUN"), checks);
        assertEquals(List.of(), published);
    }

    @Test
    void failsItsDryRunWhereInEarnestItOnlyWaits() throws IOException {
        RetentionHandler away =
                handler(
                        () -> {
                            throw new Failure.Retryable("read the ledger", "silence", "Look.");
                        });
        Context context = Mockito.mock(Context.class);

        assertEquals("HELD", away.handleRequest(scheduled(), context).get("result"));
        assertEquals(List.of(), published);
        assertThrows(
                Failure.Retryable.class, () -> away.handleRequest(Map.of("dryRun", true), context));
        assertEquals(List.of(Measure.count("DryRunFailed", 1)), published);
    }

    @Test
    void acceptsNothingWhereNothingIsFrozen() {
        assertEquals(
                "NOT_FROZEN",
                answer(Map.of("accept", Map.of("by", "ada", "reason", "meant"))).get("result"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{}",
                "{\"dryrun\":true}",
                "{\"dryRun\":\"true\"}",
                "{\"dryRun\":true,\"accept\":{\"by\":\"a\",\"reason\":\"b\"}}",
                "{\"accept\":{\"by\":\"ada\"}}",
                "{\"accept\":{\"by\":\" \",\"reason\":\"b\"}}",
                "{\"time\":\"2026-11-23T17:00:00Z\"}"
            })
    void refusesWhatItDoesNotKnow(String event) throws IOException {
        Map<String, Object> read = read(event);

        Failure failure = assertThrows(Failure.Terminal.class, () -> answer(read));

        assertTrue(
                Objects.requireNonNull(failure.getMessage()).contains("events/retention.json"),
                failure.getMessage());
    }

    private Map<String, ?> answer(Map<String, Object> event) {
        return handler.handleRequest(event, Mockito.mock(Context.class));
    }

    private static Map<String, Object> scheduled() throws IOException {
        return read(
                Files.readString(
                        Path.of(
                                Objects.requireNonNull(System.getProperty("vaultdr.root")),
                                "events/retention.json")));
    }

    private static Map<String, Object> read(String json) throws IOException {
        return Json.MAPPER.readValue(json, new TypeReference<>() {});
    }
}
