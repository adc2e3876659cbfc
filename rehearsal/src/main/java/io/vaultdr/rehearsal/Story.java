package io.vaultdr.rehearsal;

import io.vaultdr.failover.Observation;
import io.vaultdr.model.Loss;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What happened in a rehearsal, as the report tells it.
 *
 * @param server name and version of the servers
 * @param struck when the scenario did its first harm
 * @param expected how it was to end, in words
 * @param outcome how it ended: {@code COMPLETED} and so on, {@code NONE} without an incident
 * @param differences what was not as expected, a sentence each; empty is success
 * @param gates all that applied, the deciding one first
 * @param detection from the harm to the opened incident
 * @param recovery from the harm to the first write that the DR side acknowledged
 * @param overhead {@code recovery} less the window, the modelled delays and the server's own
 *     restore and start
 * @param writers what clients saw that wrote all the time
 * @param readers what clients saw that read all the time
 * @param evidence per vantage what it saw, by slot
 * @param marks moments worth a line in the timeline
 * @param spans alarms, weights, flags and what clients are told, by lane
 * @param models what was modelled, with its source
 * @param lines all that the console said
 */
public record Story(
        String scenario,
        String what,
        String strategy,
        String server,
        boolean compressed,
        Duration slot,
        Instant start,
        Instant end,
        Optional<Instant> struck,
        String expected,
        String outcome,
        List<String> differences,
        String diagnosis,
        List<String> gates,
        String verdict,
        Optional<Duration> detection,
        List<StageTime> stages,
        Optional<Duration> recovery,
        Optional<Duration> overhead,
        Writer.Account account,
        Optional<Loss> predictedLoss,
        Writer.Seen writers,
        Writer.Seen readers,
        Map<String, List<Observation>> evidence,
        List<Mark> marks,
        List<Span> spans,
        List<Writer.Attempt> attempts,
        List<Model> models,
        List<String> changedByFast,
        List<String> notApplied,
        List<String> callsNotGranted,
        List<String> findings,
        List<Page> pages,
        List<String> lines) {

    /** Where a time comes from. */
    public enum Basis {
        MEASURED,
        MODELLED
    }

    /** A stage of the failover. */
    public record StageTime(
            String name, Instant startedAt, Duration took, Basis basis, String note) {}

    /** A moment. */
    public record Mark(Instant at, String text) {}

    /** Something that held for a time, in the lane of that name. */
    public record Span(String lane, String text, Instant from, Instant to, String kind) {}

    /** What isn't real here. */
    public record Model(String name, String value, String source) {}

    /** What people would have been told. */
    public record Page(Instant at, String subject, String message) {}

    /** Whether it went as the scenario expects. */
    public boolean asExpected() {
        return differences.isEmpty();
    }
}
