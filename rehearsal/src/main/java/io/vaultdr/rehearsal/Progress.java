package io.vaultdr.rehearsal;

import io.vaultdr.failover.EvidenceLog;
import io.vaultdr.model.Slots;

import java.time.Duration;
import java.time.Instant;
import java.util.stream.Collectors;

/** Shows after the first harm how the window fills: a line per slot, until it is full. */
final class Progress {
    private final Console console;
    private final Stage stage;
    private final EvidenceLog evidence;
    private final Slots slots;
    private long told = Long.MIN_VALUE;

    Progress(Console console, Stage stage, EvidenceLog evidence, Slots slots) {
        this.console = console;
        this.stage = stage;
        this.evidence = evidence;
        this.slots = slots;
    }

    /** Says what is new. */
    void tick() {
        if (stage.struck().isEmpty()) {
            return;
        }
        Instant struck = stage.struck().orElseThrow();
        long first = slots.at(struck) + 1;
        // A slot's evidence is there when the slot is over, or a moment later.
        long newest = slots.at(Instant.now().minusMillis(200)) - 1;
        if (newest < first || newest <= told || newest >= first + Slots.WINDOW) {
            return;
        }
        told = newest;
        long over = newest - first + 1;
        Duration left = Duration.between(Instant.now(), slots.end(first + Slots.WINDOW - 1));
        String seen =
                evidence.between(newest, newest).entrySet().stream()
                        .map(
                                it ->
                                        it.getKey()
                                                + " "
                                                + (it.getValue().isEmpty()
                                                        ? "–"
                                                        : it.getValue().getLast().evidence()))
                        .sorted()
                        .collect(Collectors.joining(", "));
        console.say(
                Console.Tone.SOFT,
                "window: %2d of %d slots, %s to go   %s"
                        .formatted(
                                over,
                                Slots.WINDOW,
                                left.isNegative() ? "nothing" : Report.seconds(left),
                                seen));
    }
}
