package io.vaultdr.rehearsal;

import java.io.PrintStream;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** What a rehearsal says while it runs: one line per event, from many threads. */
public final class Console {
    /** What a line is about; only its colour. */
    public enum Tone {
        PLAIN("0"),
        SOFT("2"),
        GOOD("32"),
        BAD("31"),
        ACT("36");

        private final String code;

        Tone(String code) {
            this.code = code;
        }
    }

    private final PrintStream out;
    private final boolean colour;
    private final Clock clock;
    private final Instant start;
    private final List<String> lines = new ArrayList<>();
    private boolean ended;

    /** Writes to {@code out}, in colour only where a terminal is. */
    public Console(PrintStream out, boolean colour, Clock clock) {
        this.out = out;
        this.colour = colour;
        this.clock = clock;
        this.start = clock.instant();
    }

    /** A line with the time since the start. */
    public void say(Tone tone, String text) {
        double seconds = Duration.between(start, clock.instant()).toMillis() / 1000.0;
        print(tone, String.format(Locale.ROOT, "%6.1f s  %s", seconds, text));
    }

    /** A line without a time, for headings and the summary. */
    public void print(Tone tone, String line) {
        synchronized (lines) {
            if (ended) {
                return;
            }
            lines.add(line);
            out.println(
                    colour && tone != Tone.PLAIN
                            ? "\u001b[" + tone.code + "m" + line + "\u001b[0m"
                            : line);
            out.flush();
        }
    }

    /** A last line: what is said after it only comes from things being ended. */
    public void end(String line) {
        synchronized (lines) {
            print(Tone.PLAIN, line);
            ended = true;
        }
    }

    /** All that was said. */
    public List<String> lines() {
        synchronized (lines) {
            return List.copyOf(lines);
        }
    }
}
