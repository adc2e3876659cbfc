package io.vaultdr.handler;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.amazonaws.services.lambda.runtime.events.ScheduledEvent;
import com.amazonaws.services.lambda.runtime.serialization.events.LambdaEventSerializers;

import io.vaultdr.model.Failure;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Objects;

class SnapshotHandlersTest {
    @Test
    void readTheMinuteOfTheirScheduledEvents() throws IOException {
        assertEquals(Instant.parse("2026-11-23T17:00:00Z"), Scheduled.time(event("take-snapshot")));
        assertEquals(
                Instant.parse("2026-11-23T17:01:00Z"), Scheduled.time(event("freshness-check")));
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
