package io.vaultdr.handler;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.events.ScheduledEvent;
import com.amazonaws.services.lambda.runtime.serialization.events.LambdaEventSerializers;

import io.vaultdr.model.Epoch;
import io.vaultdr.model.Failure;
import io.vaultdr.model.Side;
import io.vaultdr.snapshot.Freshness;
import io.vaultdr.snapshot.MissingCopies;
import io.vaultdr.snapshot.Serving;
import io.vaultdr.snapshot.SnapshotRun;
import io.vaultdr.snapshot.SnapshotTaker;

import org.junit.jupiter.api.Test;
import org.mockito.Mockito;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Objects;

class SnapshotHandlersTest {
    private final Context context = Mockito.mock(Context.class);

    @Test
    void takesNothingWhereTheOtherSideServes() throws IOException {
        TakeSnapshotHandler handler =
                new TakeSnapshotHandler(
                        new SnapshotRun(
                                Side.HOME,
                                () -> new Serving(Side.DR, new Epoch(1)),
                                Mockito.mock(SnapshotTaker.class),
                                new MissingCopies(List.of(), Path.of("/nowhere")),
                                measures -> {}));

        assertEquals(
                "NOT_SERVING",
                handler.handleRequest(event("take-snapshot"), context).get("outcome"));
    }

    @Test
    void checksFreshnessOfNothing() throws IOException {
        FreshnessCheckHandler handler =
                new FreshnessCheckHandler(
                        new Freshness(
                                "eu-west-1",
                                List.of(),
                                () -> Serving.ALWAYS_HOME,
                                Clock.systemUTC(),
                                measures -> {}));

        assertEquals(
                0, handler.handleRequest(event("freshness-check"), context).get("copiesMissing"));
    }

    @Test
    void readTheMinuteOfTheirEvents() throws IOException {
        assertEquals(Instant.parse("2026-11-23T17:00:00Z"), Scheduled.time(event("take-snapshot")));
    }

    @Test
    void sayWhatAnEventWithoutATimeLacks() {
        Failure.Terminal failure =
                assertThrows(Failure.Terminal.class, () -> Scheduled.time(new ScheduledEvent()));

        assertEquals(
                "read the scheduled event: it has no time. Send an EventBridge event such as"
                        + " events/take-snapshot.json",
                failure.getMessage());
    }

    private static ScheduledEvent event(String name) throws IOException {
        Path file =
                Path.of(
                        Objects.requireNonNull(System.getProperty("vaultdr.root")),
                        "events",
                        name + ".json");
        try (InputStream json = Files.newInputStream(file)) {
            return LambdaEventSerializers.serializerFor(
                            ScheduledEvent.class, ScheduledEvent.class.getClassLoader())
                    .fromJson(json);
        }
    }
}
