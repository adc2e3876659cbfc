package io.vaultdr.rehearsal;

import io.vaultdr.aws.DynamoDbLedger;
import io.vaultdr.failover.Assessment;
import io.vaultdr.failover.Incident;
import io.vaultdr.model.Slots;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

/** What every play notes on its way, and how it waits. Every wait is bounded. */
class Scene {
    /** What a scenario may take beyond what is counted in slots. */
    private static final Duration PATIENCE = Duration.ofMinutes(5);

    static final Duration POLL = Duration.ofMillis(200);

    final Console console;
    final DynamoDbLedger ledger;
    final Slots slots;
    private final List<Story.Mark> marks = new ArrayList<>();
    private final Set<String> facts = new LinkedHashSet<>();
    private volatile Optional<Instant> struck = Optional.empty();

    Scene(Console console, DynamoDbLedger ledger, Slots slots) {
        this.console = console;
        this.ledger = ledger;
        this.slots = slots;
    }

    DynamoDbLedger ledger() {
        return ledger;
    }

    /** When the first harm was done. */
    Optional<Instant> struck() {
        return struck;
    }

    synchronized List<Story.Mark> marks() {
        return List.copyOf(marks);
    }

    synchronized Set<String> facts() {
        return Set.copyOf(facts);
    }

    synchronized void mark(String what) {
        marks.add(new Story.Mark(Instant.now(), what));
    }

    /** Says what harm is done; the first one is where times are counted from. */
    void strike(String what) {
        if (struck.isEmpty()) {
            struck = Optional.of(Instant.now());
        }
        tell(Console.Tone.BAD, what);
    }

    /** Says what is done, good or bad, where no failover is timed. */
    void tell(Console.Tone tone, String what) {
        mark(what);
        console.say(tone, "── " + what);
    }

    /** Notes something as true at this moment, for the expectation at the end. */
    synchronized void check(String fact, boolean holds) {
        if (holds) {
            facts.add(fact);
        }
    }

    /** Lets {@code count} slots pass. */
    void waitSlots(int count) throws InterruptedException {
        console.say(
                Console.Tone.SOFT,
                "waiting " + count + " slots, " + Report.seconds(slots.span(count)));
        Thread.sleep(slots.span(count));
    }

    /** Waits for something that tells itself; fails with what was waited for. */
    void await(String what, Supplier<Optional<String>> found) throws Exception {
        await(what, slots.span(2 * Slots.WINDOW).plus(PATIENCE), found);
    }

    /** The same, with its own limit. */
    void await(String what, Duration limit, Supplier<Optional<String>> found) throws Exception {
        Instant end = Instant.now().plus(limit);
        while (true) {
            Optional<String> it = found.get();
            if (it.isPresent()) {
                console.say(Console.Tone.ACT, it.get());
                return;
            }
            if (Instant.now().isAfter(end)) {
                throw new TimeoutException(
                        what
                                + " did not come within "
                                + limit.toSeconds()
                                + " s; the newest evaluation was: "
                                + ledger.assessment().map(Scene::told).orElse("none")
                                + newest().map(i -> "; incident " + i.id() + " " + i.steps())
                                        .orElse("; no incident"));
            }
            Thread.sleep(POLL);
        }
    }

    static String told(Assessment assessment) {
        return assessment.diagnosis()
                + ", "
                + assessment.verdict()
                + (assessment.missing().isEmpty() ? "" : ", missing " + assessment.missing())
                + ", "
                + assessment.evidence();
    }

    Optional<Incident> newest() {
        return ledger.incidents(1).stream().findFirst();
    }
}
