package io.vaultdr.rehearsal;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;

import io.vaultdr.aws.DynamoDbLedger;
import io.vaultdr.failover.Assessment;
import io.vaultdr.failover.Incident;
import io.vaultdr.model.Slots;
import io.vaultdr.rehearsal.world.World;
import io.vaultdr.runtime.Json;
import io.vaultdr.snapshot.Manifest;
import io.vaultdr.snapshot.Proof;

import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/** What every play notes on its way, and how it waits. Every wait is bounded. */
class Scene {
    /** What a scenario may take beyond what is counted in slots. */
    private static final Duration PATIENCE = Duration.ofMinutes(5);

    static final Duration POLL = Duration.ofMillis(200);

    final Console console;
    final World world;
    final DynamoDbLedger ledger;
    final Slots slots;
    final Buckets buckets;
    final Supplier<List<Story.Page>> pages;
    private final List<Story.Mark> marks = new ArrayList<>();
    private final Set<String> facts = new LinkedHashSet<>();
    private volatile Optional<Instant> struck = Optional.empty();
    private Instant lastScheduled = Instant.EPOCH;

    Scene(
            Console console,
            World world,
            DynamoDbLedger ledger,
            Slots slots,
            Supplier<List<Story.Page>> pages) {
        this.console = console;
        this.world = world;
        this.ledger = ledger;
        this.slots = slots;
        this.buckets = new Buckets(world);
        this.pages = pages;
    }

    World world() {
        return world;
    }

    Buckets buckets() {
        return buckets;
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

    /** A function's full name. */
    static String function(String purpose) {
        return Configuration.PREFIX + "-" + Configuration.PAIR + "-" + purpose;
    }

    /**
     * Takes a snapshot at home as the schedule does, and waits for it. Where the schedule itself
     * was faster it is the next minute's, so that it holds all that was written until now.
     */
    Manifest takeSnapshot() {
        JsonNode taken;
        do {
            taken = taken();
        } while (taken.path("outcome").asText().equals("ALREADY"));
        String id = taken.path("id").asText();
        Manifest manifest =
                buckets.listed(Configuration.DR).stream()
                        .filter(it -> it.id().equals(id))
                        .findFirst()
                        .orElseThrow(
                                () ->
                                        new IllegalStateException(
                                                "TakeSnapshot committed nothing that "
                                                        + Configuration.DR
                                                        + " lists"));
        console.say(
                Console.Tone.GOOD,
                "snapshot "
                        + id
                        + ": "
                        + manifest.bytes() / 1024
                        + " KiB, index "
                        + manifest.index());
        return manifest;
    }

    private JsonNode taken() {
        return scheduled(Configuration.HOME, "take-snapshot");
    }

    /** Invokes a function as its schedule does; its answer. */
    JsonNode scheduled(String region, String purpose) {
        var answer = world.invoke(region, function(purpose), "live", scheduledEvent());
        if (answer.error().isPresent()) {
            throw new IllegalStateException(
                    purpose + " failed: " + answer.error().get() + " " + answer.payload());
        }
        try {
            return Json.MAPPER.readTree(answer.payload());
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(purpose + " answered no JSON", e);
        }
    }

    /** Waits for a proof that isn't {@code before}; what it came to. */
    Proof awaitProof(String snapshot, Optional<Proof> before) throws Exception {
        await(
                "a proof of " + snapshot,
                () ->
                        buckets.proof(snapshot)
                                .filter(it -> !before.equals(Optional.of(it)))
                                .map(Scene::told));
        return buckets.proof(snapshot).orElseThrow();
    }

    private static String told(Proof proof) {
        return "proof of "
                + proof.id()
                + ": "
                + proof.verdict()
                + proof.reason().map(reason -> ", " + reason).orElse("")
                + " after "
                + proof.stages().stream()
                        .map(it -> it.name() + " " + Report.seconds(it.took()))
                        .collect(Collectors.joining(", "));
    }

    /**
     * What a schedule sends in this minute, or in the one after the last: what is taken by it is
     * newer than all that the real schedules took.
     */
    String scheduledEvent() {
        Instant minute = Instant.now().truncatedTo(ChronoUnit.MINUTES);
        Instant next = lastScheduled.plusSeconds(60);
        lastScheduled = next.isAfter(minute) ? next : minute;
        var event = Json.MAPPER.createObjectNode();
        event.put("version", "0")
                .put(
                        "id",
                        "00000000-0000-0000-0000-00000000000" + lastScheduled.getEpochSecond() % 10)
                .put("detail-type", "Scheduled Event")
                .put("source", "aws.events")
                .put("account", Configuration.ACCOUNT)
                .put("time", lastScheduled.toString())
                .put("region", Configuration.HOME);
        event.putArray("resources");
        event.putObject("detail");
        return event.toString();
    }

    /** How the page of an alarm begins; {@code alarm} without prefix and pair. */
    static String page(String alarm) {
        return "ALARM: \"" + function(alarm) + "\"";
    }

    /** Waits until an alarm has paged somebody. */
    void awaitAlarm(String alarm) throws Exception {
        await(
                "a page of the alarm " + alarm,
                () ->
                        pages.get().stream()
                                .filter(it -> it.subject().startsWith(page(alarm)))
                                .findFirst()
                                .map(it -> "somebody is paged: " + it.subject()));
    }
}
