package io.vaultdr.rehearsal.world;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

import io.vaultdr.model.Slots;
import io.vaultdr.runtime.Json;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Makes the slot shorter, over the templates, with all that is counted in slots: what a function is
 * told a slot is, alarms of one slot's period, schedules of a minute, waits of a machine in slots.
 * Each change is listed. With a slot of ten seconds it changes nothing.
 */
final class Compression {
    private final Duration slot;
    private final List<String> changes = new ArrayList<>();

    Compression(Duration slot) {
        this.slot = slot;
    }

    /** How much shorter than on AWS: 1 or less. */
    double pace() {
        return (double) slot.toMillis() / Slots.DEFAULT_LENGTH.toMillis();
    }

    /** What was changed, a sentence each. */
    List<String> changes() {
        return List.copyOf(changes);
    }

    /** A resource's resolved properties as they are applied. */
    ObjectNode apply(String name, String type, ObjectNode properties) {
        if (slot.equals(Slots.DEFAULT_LENGTH)) {
            return properties;
        }
        switch (type) {
            case "AWS::Lambda::Function" -> {
                if (properties.path("Environment").path("Variables")
                        instanceof ObjectNode variables) {
                    environment(name, variables);
                }
            }
            case "AWS::SSM::Parameter" -> {
                if (properties.path("Name").asText().endsWith("/settings")) {
                    properties.put("Value", settings(name, properties.path("Value").asText()));
                }
            }
            case "AWS::CloudWatch::Alarm" -> {
                long period = properties.path("Period").asLong();
                if (period == Slots.DEFAULT_LENGTH.toSeconds()) {
                    properties.put("Period", slot.toMillis() / 1000.0);
                    changed(name + ": period " + period + " s → " + seconds(slot));
                }
            }
            case "AWS::Events::Rule" -> {
                if (Schedule.of(properties.path("ScheduleExpression").asText("")).isEveryMinute()) {
                    changed(name + ": every minute → every " + seconds(slot.multipliedBy(6)));
                }
            }
            case "AWS::StepFunctions::StateMachine" ->
                    properties.put(
                            "DefinitionString",
                            machine(name, properties.path("DefinitionString").asText()));
            default -> {}
        }
        return properties;
    }

    private void environment(String name, ObjectNode variables) {
        if (variables.has("SLOT")) {
            changed(name + ": SLOT " + variables.path("SLOT").asText() + " → " + slot);
            variables.put("SLOT", slot.toString());
        }
        if (variables.has("PAIR")) {
            variables.put("PAIR", settings(name, variables.path("PAIR").asText()));
        }
    }

    private String settings(String name, String json) {
        ObjectNode settings = (ObjectNode) parse(json);
        changed(name + ": the pair's slot " + settings.path("slot").asText() + " → " + slot);
        return settings.put("slot", slot.toString()).toString();
    }

    private String machine(String name, String definition) {
        JsonNode machine = parse(definition);
        states(name, machine);
        return machine.toString();
    }

    private void states(String name, JsonNode machine) {
        for (Map.Entry<String, JsonNode> state : machine.path("States").properties()) {
            JsonNode value = state.getValue();
            value.path("Branches").forEach(branch -> states(name, branch));
            if (value.path("Type").asText().equals("Wait")
                    && state.getKey().endsWith("Slots")
                    && value instanceof ObjectNode wait) {
                long seconds = wait.path("Seconds").asLong();
                // States waits whole seconds.
                long shorter = Math.max(1, Math.round(seconds * pace()));
                wait.put("Seconds", shorter);
                changed(name + ": " + state.getKey() + " " + seconds + " s → " + shorter + " s");
            }
        }
    }

    private void changed(String change) {
        changes.add(change);
    }

    private static String seconds(Duration duration) {
        return duration.toMillis() / 1000.0 + " s";
    }

    private static JsonNode parse(String json) {
        try {
            return Json.MAPPER.readTree(json);
        } catch (IOException e) {
            throw new UncheckedIOException("expected JSON: " + json, e);
        }
    }
}
