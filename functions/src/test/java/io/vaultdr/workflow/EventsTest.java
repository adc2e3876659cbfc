package io.vaultdr.workflow;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.type.TypeReference;

import io.vaultdr.model.Failure;
import io.vaultdr.runtime.Json;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The events in {@code events/} are what the functions of the steps read. */
class EventsTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "judge",
                "ask-approval",
                "fence",
                "promote",
                "verify",
                "redirect-traffic",
                "grow",
                "close-incident"
            })
    void everyStepReadsItsEvent(String function) throws IOException {
        Map<String, Object> event = event(function);

        StepInput input = StepInput.of(event, Fixture.PAIR);

        assertEquals(Fixture.EPOCH, input.epoch());
        assertEquals(function.equals("ask-approval"), input.taskToken().isPresent());
        assertEquals(
                function.equals("close-incident")
                        ? Optional.of("io.vaultdr.model.Failure$Terminal")
                        : Optional.empty(),
                StepInput.failure(event));
    }

    @Test
    void controlReadsItsEvent() throws IOException {
        ControlInput input = ControlInput.of(event("control"), "arn:x:read", "r-1");

        assertEquals(List.of(), input.mistakes());
        assertEquals(Control.Action.STATUS, input.request().action());
    }

    @Test
    void aStepSaysWhatIsWrongWithItsInput() {
        Failure failure =
                assertThrows(
                        Failure.Terminal.class,
                        () -> StepInput.of(Map.of("pair", "orders", "epoch", "one"), Fixture.PAIR));

        assertTrue(
                failure.toString()
                        .contains(
                                "pair: read orders, expected payments; epoch: read one, expected a"
                                        + " number from 1"),
                failure::toString);
    }

    private static Map<String, Object> event(String function) throws IOException {
        return Json.MAPPER.readValue(
                Files.readString(
                        Path.of(
                                System.getProperty("vaultdr.root", ".."),
                                "events",
                                function + ".json")),
                new TypeReference<>() {});
    }
}
