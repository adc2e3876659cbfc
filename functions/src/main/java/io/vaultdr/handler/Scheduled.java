package io.vaultdr.handler;

import com.amazonaws.services.lambda.runtime.Context;
import com.fasterxml.jackson.core.type.TypeReference;

import io.vaultdr.model.Failure;
import io.vaultdr.runtime.Deadline;
import io.vaultdr.runtime.Json;

import java.time.Clock;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;

/** What handlers of scheduled events have in common: reading the event, answering as JSON. */
final class Scheduled {
    /** Kept back for giving uploads up and saying so. */
    private static final Duration RESERVE = Duration.ofSeconds(8);

    private Scheduled() {}

    /** The minute that the schedule meant, the same when the event is delivered again. */
    static Instant time(Map<String, ?> event) {
        try {
            return Instant.parse(String.valueOf(event.get("time")));
        } catch (DateTimeException e) {
            throw new Failure.Terminal(
                    "read the scheduled event",
                    "its time is " + event.get("time"),
                    "Send an EventBridge event such as events/take-snapshot.json",
                    e);
        }
    }

    static Deadline deadline(Context context) {
        return Deadline.of(Clock.systemUTC(), context::getRemainingTimeInMillis, RESERVE);
    }

    static Map<String, ?> answer(Record report) {
        return Json.MAPPER.convertValue(report, new TypeReference<Map<String, Object>>() {});
    }
}
