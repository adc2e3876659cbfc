package io.vaultdr.drill;

import io.vaultdr.drill.Drill.Run;
import io.vaultdr.model.Failure;
import io.vaultdr.runtime.Deadline;
import io.vaultdr.runtime.Json;

import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** What the state machine hands to a phase. */
public record DrillInput(Phase phase, Run run, DrillState state) {
    /** The phases of a drill. */
    public enum Phase {
        BEGIN,
        LOOK,
        CLOSE,
        BOOT,
        PROMOTE,
        VERIFY,
        GROW,
        TEAR_DOWN
    }

    /**
     * Reads {@code {"phase":…,"execution":…,"startedAt":…,"state":{…}}}.
     *
     * @throws Failure.Terminal naming what was read and what is expected
     */
    public static DrillInput of(Map<String, ?> event) {
        List<String> mistakes = new ArrayList<>();
        Optional<Phase> phase =
                Arrays.stream(Phase.values())
                        .filter(p -> p.name().toLowerCase(Locale.ROOT).equals(event.get("phase")))
                        .findFirst();
        if (phase.isEmpty()) {
            mistakes.add(
                    "phase: read "
                            + event.get("phase")
                            + ", expected one of "
                            + Arrays.toString(Phase.values()).toLowerCase(Locale.ROOT));
        }
        if (!(event.get("execution") instanceof String arn) || !arn.contains(":")) {
            mistakes.add(
                    "execution: read " + event.get("execution") + ", expected an execution's ARN");
        }
        Optional<Instant> startedAt = Optional.empty();
        try {
            startedAt = Optional.of(Instant.parse(String.valueOf(event.get("startedAt"))));
        } catch (DateTimeException e) {
            mistakes.add("startedAt: read " + event.get("startedAt") + ", expected an ISO time");
        }
        Optional<DrillState> state = Optional.empty();
        try {
            state =
                    Optional.ofNullable(
                            Json.MAPPER.convertValue(event.get("state"), DrillState.class));
        } catch (IllegalArgumentException e) {
            mistakes.add("state: expected what the phase before answered");
        }
        if (!mistakes.isEmpty()) {
            throw new Failure.Terminal(
                    "read a drill's input",
                    String.join("; ", mistakes),
                    "Expected what the drill's state machine sends, as in events/drill.json");
        }
        return new DrillInput(
                phase.orElseThrow(),
                new Run(String.valueOf(event.get("execution")), startedAt.orElseThrow()),
                state.orElseGet(() -> DrillState.asked("unknown")));
    }

    /** Lets {@code drill} do the phase: the next state, or what it came to. */
    public Record run(Drill drill, Map<String, String> versions) {
        return switch (phase) {
            case BEGIN -> drill.begin(state, run);
            case LOOK -> drill.look(state, run);
            case CLOSE -> drill.close(state, run, versions);
            case BOOT, PROMOTE, VERIFY, GROW, TEAR_DOWN -> throw elsewhere("drill-cluster");
        };
    }

    /** Lets {@code drill} do the phase; the next state. */
    public Record run(ClusterDrill drill, Deadline deadline) {
        return switch (phase) {
            case BOOT -> drill.boot(state, deadline);
            case PROMOTE -> drill.promote(state, deadline);
            case VERIFY -> drill.verify(state, run, deadline);
            case GROW -> drill.grow(state, deadline);
            case TEAR_DOWN -> drill.tearDown(state, deadline);
            case BEGIN, LOOK, CLOSE -> throw elsewhere("drill");
        };
    }

    private Failure elsewhere(String function) {
        return new Failure.Terminal(
                "run a drill's phase",
                "this function doesn't do " + phase.name().toLowerCase(Locale.ROOT),
                "Send it to the function " + function + ", as the drill's state machine does");
    }
}
