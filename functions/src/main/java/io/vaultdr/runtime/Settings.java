package io.vaultdr.runtime;

import com.fasterxml.jackson.core.JsonProcessingException;

import io.vaultdr.model.Failure;
import io.vaultdr.model.Slots;

import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A function's environment, read once into a record; all mistakes are told together. */
public sealed interface Settings {
    /** The region that the function runs in. */
    String region();

    /**
     * The settings of a function that belongs to one pair.
     *
     * @param caPath the SSM path under which {@code home} and {@code dr} hold PEM certificates;
     *     empty: the runtime's own trust store
     */
    record OfPair(String region, PairSettings pair, Optional<String> caPath) implements Settings {}

    /**
     * The settings of a vantage, which probes every pair.
     *
     * @param settingsPath the SSM path under which {@code <pair>/settings} holds a pair's settings
     *     and {@code <pair>/ca/home}, {@code <pair>/ca/dr} its certificates
     */
    record OfVantage(String region, String settingsPath, Slots slots) implements Settings {}

    /**
     * Reads {@code AWS_REGION}, {@code PAIR} and {@code CA_PATH}.
     *
     * @throws Failure.Terminal naming every variable that is missing or can't be read
     */
    static OfPair ofPair(Map<String, String> environment) {
        Reader reader = new Reader(environment);
        String region = reader.required("AWS_REGION");
        Optional<PairSettings> pair = reader.json("PAIR", PairSettings.class);
        reader.finish();
        return new OfPair(
                region, pair.orElseThrow(), Optional.ofNullable(environment.get("CA_PATH")));
    }

    /**
     * Reads {@code AWS_REGION}, {@code SETTINGS_PATH} and {@code SLOT} (ISO 8601 duration).
     *
     * @throws Failure.Terminal naming every variable that is missing or can't be read
     */
    static OfVantage ofVantage(Map<String, String> environment) {
        Reader reader = new Reader(environment);
        String region = reader.required("AWS_REGION");
        String path = reader.required("SETTINGS_PATH");
        String length = reader.required("SLOT");
        Slots slots = new Slots(Slots.DEFAULT_LENGTH);
        try {
            if (!length.isEmpty()) {
                slots = new Slots(Duration.parse(length));
            }
        } catch (DateTimeParseException | IllegalArgumentException e) {
            reader.mistakes.add("SLOT: read '" + length + "', expected a duration such as PT10S");
        }
        reader.finish();
        return new OfVantage(region, path, slots);
    }

    /**
     * Reads what one kind of function is told beside {@code PAIR}.
     *
     * @param name the variable: {@code PROOF}, {@code RETENTION}, {@code DRILL}
     * @throws Failure.Terminal if it is missing or can't be read
     */
    static <T> T part(Map<String, String> environment, String name, Class<T> type) {
        Reader reader = new Reader(environment);
        Optional<T> part = reader.json(name, type);
        reader.finish();
        return part.orElseThrow();
    }

    /** The same of a variable that the function may do without. */
    static <T> Optional<T> optionalPart(
            Map<String, String> environment, String name, Class<T> type) {
        return environment.getOrDefault(name, "").isBlank()
                ? Optional.empty()
                : Optional.of(part(environment, name, type));
    }

    /** Reads variables and remembers what is wrong with them. */
    final class Reader {
        private final Map<String, String> environment;
        private final List<String> mistakes = new ArrayList<>();

        private Reader(Map<String, String> environment) {
            this.environment = environment;
        }

        private String required(String name) {
            String value = environment.getOrDefault(name, "");
            if (value.isBlank()) {
                mistakes.add(name + ": missing");
            }
            return value;
        }

        private <T> Optional<T> json(String name, Class<T> type) {
            String json = required(name);
            if (json.isBlank()) {
                return Optional.empty();
            }
            try {
                return Optional.of(Json.MAPPER.readValue(json, type));
            } catch (JsonProcessingException e) {
                mistakes.add(
                        name
                                + ": "
                                + e.getOriginalMessage()
                                + ", expected the JSON of "
                                + type.getSimpleName());
                return Optional.empty();
            }
        }

        private void finish() {
            if (!mistakes.isEmpty()) {
                throw new Failure.Terminal(
                        "read the function's environment",
                        String.join("; ", mistakes),
                        "Deploy the function with the CDK app, which sets these variables");
            }
        }
    }
}
