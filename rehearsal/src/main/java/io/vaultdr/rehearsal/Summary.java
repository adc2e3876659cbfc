package io.vaultdr.rehearsal;

import io.vaultdr.rehearsal.Console.Tone;

import java.time.Duration;
import java.time.Instant;
import java.util.Locale;

/** The end of the console's output. */
final class Summary {
    private Summary() {}

    static void print(Story story, Console console) {
        console.print(Tone.PLAIN, "");
        Instant zero = story.struck().orElse(story.start());
        for (Story.StageTime stage : story.stages()) {
            console.print(
                    Tone.PLAIN,
                    String.format(
                            Locale.ROOT,
                            "  %+8.1f s  %-16s %9s  %-8s  %s",
                            Duration.between(zero, stage.startedAt()).toMillis() / 1000.0,
                            stage.name(),
                            Report.seconds(stage.took()),
                            stage.basis().name().toLowerCase(Locale.ROOT),
                            stage.note()));
        }
        line(console, "outcome", story.outcome() + ", diagnosis " + story.diagnosis());
        line(console, "gates", story.gates().isEmpty() ? "none" : String.join(", ", story.gates()));
        story.detection().ifPresent(it -> line(console, "detection", Report.seconds(it)));
        story.recovery()
                .ifPresent(
                        it ->
                                line(
                                        console,
                                        "RTO",
                                        Report.seconds(it)
                                                + " to the first write on the DR side"
                                                + story.overhead()
                                                        .map(
                                                                ours ->
                                                                        ", "
                                                                                + Report.seconds(
                                                                                        ours)
                                                                                + " of it ours")
                                                        .orElse("")));
        var lost = story.account().lost();
        line(
                console,
                "writes",
                story.account().acknowledged()
                        + " acknowledged, "
                        + (lost.isPresent() ? lost.getAsInt() + " lost" : "nobody could look")
                        + story.predictedLoss()
                                .map(
                                        it ->
                                                "; predicted "
                                                        + Report.seconds(it.time())
                                                        + (it.entries().isPresent()
                                                                ? ", about "
                                                                        + it.entries().getAsLong()
                                                                        + " entries"
                                                                : ""))
                                .orElse("")
                        + "; "
                        + saw(story.writers()));
        line(console, "reads", story.readers().attempts() + "; " + saw(story.readers()));
        for (String finding : story.findings()) {
            line(console, "finding", finding);
        }
        if (story.compressed()) {
            line(console, "compressed", "--fast: slots of 1 s; a real window is 2 min");
        }
        if (story.asExpected()) {
            console.print(Tone.GOOD, "AS EXPECTED: " + story.expected());
        } else {
            console.print(Tone.BAD, "NOT AS EXPECTED: " + story.expected());
            story.differences().forEach(it -> console.print(Tone.BAD, "  - " + it));
        }
    }

    private static String saw(Writer.Seen seen) {
        return seen.errors() + " failed, longest pause " + Report.seconds(seen.longestGap());
    }

    private static void line(Console console, String name, String text) {
        console.print(Tone.PLAIN, String.format(Locale.ROOT, "%-11s%s", name + ":", text));
    }
}
