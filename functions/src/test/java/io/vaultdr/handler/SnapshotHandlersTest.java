package io.vaultdr.handler;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.amazonaws.services.lambda.runtime.Context;
import com.fasterxml.jackson.core.type.TypeReference;

import io.vaultdr.doctor.Looks;
import io.vaultdr.model.Check;
import io.vaultdr.model.Epoch;
import io.vaultdr.model.Failure;
import io.vaultdr.model.Side;
import io.vaultdr.runtime.Json;
import io.vaultdr.runtime.PairMetrics.Measure;
import io.vaultdr.snapshot.Freshness;
import io.vaultdr.snapshot.MissingCopies;
import io.vaultdr.snapshot.Serving;
import io.vaultdr.snapshot.SnapshotDryRun;
import io.vaultdr.snapshot.SnapshotRun;
import io.vaultdr.snapshot.SnapshotTaker;

import org.junit.jupiter.api.Test;
import org.mockito.Mockito;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

class SnapshotHandlersTest {
    private final Context context = Mockito.mock(Context.class);
    private final SnapshotDryRun dryRun = Mockito.mock(SnapshotDryRun.class);

    @Test
    void takesNothingWhereTheOtherSideServes() throws IOException {
        TakeSnapshotHandler handler =
                new TakeSnapshotHandler(
                        new SnapshotRun(
                                Side.HOME,
                                () -> new Serving(Side.DR, new Epoch(1)),
                                Mockito.mock(SnapshotTaker.class),
                                new MissingCopies(
                                        List.of(),
                                        List.of(),
                                        MissingCopies.Owed.ALL,
                                        Path.of("/nowhere")),
                                measures -> {}),
                        dryRun,
                        Looks::none,
                        measures -> {});

        assertEquals(
                "NOT_SERVING",
                handler.handleRequest(json("take-snapshot"), context).get("outcome"));
    }

    @Test
    void countDryRunsThatFail() {
        List<Measure> published = new ArrayList<>();
        TakeSnapshotHandler handler =
                new TakeSnapshotHandler(
                        Mockito.mock(SnapshotRun.class),
                        dryRun,
                        () ->
                                Looks.none()
                                        .leaving("document", "stop", "it stops servers")
                                        .seeing(
                                                Check.LEDGER,
                                                "table",
                                                () -> {
                                                    throw new Failure.Terminal(
                                                            "read it", "403", "Allow it");
                                                }),
                        published::addAll);
        Mockito.when(dryRun.run()).thenReturn(Map.of("node", "n1 leads"));
        assertEquals(
                Map.of("node", "n1 leads"), handler.handleRequest(Map.of("dryRun", true), context));

        Failure gone = new Failure.Retryable("reach the nodes", "silence", "Look.");
        Mockito.when(dryRun.run()).thenThrow(gone);
        Failure failure =
                assertThrows(
                        Failure.Retryable.class,
                        () -> handler.handleRequest(Map.of("dryRun", true), context));
        assertEquals(
                "reach the nodes: silence: found ledger table: read it: 403 (Allow it). Look.",
                failure.getMessage());

        assertEquals(
                List.of(Measure.count("DryRunFailed", 0), Measure.count("DryRunFailed", 1)),
                published);
    }

    /** Whoever asks for a report sees all of it, and nobody is paged. */
    @Test
    void reportAllThatWasLookedAtWhateverCameOfIt() {
        List<Measure> published = new ArrayList<>();
        Mockito.when(context.getRemainingTimeInMillis()).thenReturn(30_000);
        Mockito.when(context.getFunctionName()).thenReturn("take-snapshot");
        Mockito.when(dryRun.run())
                .thenThrow(new Failure.Retryable("reach the nodes", "silence", "Look."));
        TakeSnapshotHandler handler =
                new TakeSnapshotHandler(
                        Mockito.mock(SnapshotRun.class),
                        dryRun,
                        () -> Looks.none().seeing(Check.LEDGER, "table", () -> "home serves"),
                        published::addAll);

        assertEquals(
                Map.of(
                        "checks",
                        List.of(
                                Map.of(
                                        "name", "ledger",
                                        "target", "table",
                                        "result", "OK",
                                        "saw", "home serves",
                                        "fix", ""),
                                Map.of(
                                        "name", "dry run",
                                        "target", "take-snapshot",
                                        "result", "FAILED",
                                        "saw", "reach the nodes: silence",
                                        "fix", "Look."))),
                handler.handleRequest(Map.of("dryRun", true, "report", true), context));
        assertEquals(List.of(), published);
    }

    @Test
    void checksFreshnessOfNothing() throws IOException {
        FreshnessCheckHandler handler =
                new FreshnessCheckHandler(
                        new Freshness(
                                "eu-west-1",
                                new Freshness.Watched(
                                        List.of(),
                                        List.of(),
                                        Optional.empty(),
                                        Duration.ofMinutes(15),
                                        MissingCopies.Owed.ALL),
                                () -> Serving.ALWAYS_HOME,
                                Clock.systemUTC(),
                                measures -> {}),
                        Looks::none);

        assertEquals(
                0, handler.handleRequest(json("freshness-check"), context).get("copiesMissing"));
    }

    @Test
    void readTheMinuteOfTheirEvents() throws IOException {
        assertEquals(Instant.parse("2026-11-23T17:00:00Z"), Scheduled.time(json("take-snapshot")));
    }

    @Test
    void sayWhatAnEventWithoutATimeLacks() {
        Failure.Terminal failure =
                assertThrows(Failure.Terminal.class, () -> Scheduled.time(Map.of()));

        assertEquals(
                "read the scheduled event: its time is null. Send an EventBridge event such as"
                        + " events/take-snapshot.json",
                failure.getMessage());
    }

    private static Map<String, Object> json(String name) throws IOException {
        return Json.MAPPER.readValue(Files.readString(file(name)), new TypeReference<>() {});
    }

    private static Path file(String name) {
        return Path.of(
                Objects.requireNonNull(System.getProperty("vaultdr.root")),
                "events",
                name + ".json");
    }
}
