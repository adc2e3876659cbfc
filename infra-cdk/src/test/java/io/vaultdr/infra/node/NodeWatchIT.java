package io.vaultdr.infra.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

import io.vaultdr.testing.Eventually;
import io.vaultdr.testing.Moto;
import io.vaultdr.testing.Relay;
import io.vaultdr.testing.ServerProcess;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** What stops a server whose side may not serve any more, with shorter slots. */
class NodeWatchIT {
    private static final String DR = "eu-central-1";
    private static final String WITNESS = "eu-north-1";
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final Duration SLOT = Duration.ofSeconds(2);

    /** In slots: what the others wait before they may promote, and what this side waits. */
    private static final int WINDOW = 12;

    private static final int PATIENCE = 8;
    private static Moto moto;
    @TempDir private Path directory;

    @BeforeAll
    static void startMoto() {
        moto = Moto.start();
        Marks.buckets(moto, DR, WITNESS);
    }

    @AfterAll
    static void endMoto() {
        moto.close();
    }

    /** A machine whose server runs, and which knows its marks as boot leaves them. */
    private Machine running(String id, boolean selfFence) throws IOException {
        Machine machine = new Machine(moto, directory.resolve(id), id, "127.0.0.1");
        ObjectNode settings = machine.settings(8200, directory.resolve("seal.key"));
        Marks.in(settings).may(DR, Marks.bucket(DR)).may(WITNESS, Marks.bucket(WITNESS));
        Files.createDirectories(machine.etc());
        Files.writeString(
                machine.etc().resolve("node.json"),
                settings.put("selfFence", selfFence).toString());
        machine.activate();
        return machine;
    }

    private static Map<String, String> slots(String seconds) {
        return Map.of("VAULT_DR_SLOT_SECONDS", seconds);
    }

    private static long said(Path log, String event) {
        return Machine.lines(log).stream()
                .filter(line -> line.path("event").asText().equals(event))
                .count();
    }

    private static JsonNode line(Path log, String event) {
        return Machine.lines(log).stream()
                .filter(line -> line.path("event").asText().equals(event))
                .findFirst()
                .orElseThrow();
    }

    private static void awaitSaid(Path log, String event, long times) {
        Eventually.await(
                times + " times " + event + " in " + log, LIMIT, () -> said(log, event) >= times);
    }

    @Test
    void aMarkStopsTheServerWithinTwoSlotsAndForGood() throws Exception {
        Duration slot = Duration.ofSeconds(4);
        Path log = directory.resolve("log");
        try (Machine machine = running("i-0a", false);
                ServerProcess watch = machine.watch(log, slots("4"))) {
            awaitSaid(log, "no-mark", 1);
            assertTrue(machine.active());

            long before = System.nanoTime();
            Marks.put(moto, WITNESS, 7);
            Eventually.await("the unit is stopped", LIMIT, () -> !machine.active());
            long took = System.nanoTime() - before;

            assertTrue(took < slot.multipliedBy(2).toNanos(), () -> took / 1_000_000 + " ms");
            awaitSaid(log, "stopped", 1);
            JsonNode line = line(log, "quarantined");
            assertTrue(line.path("message").asText().contains("payments-7"), line::toString);
            assertTrue(line.path("message").asText().contains(WITNESS), line::toString);

            // Whoever starts it while the mark stands doesn't keep it.
            machine.activate();
            awaitSaid(log, "stopped", 2);
            assertFalse(machine.active());

            Marks.remove(moto, WITNESS);
            awaitSaid(log, "no-mark", 2);
            assertFalse(machine.calls().stream().anyMatch(call -> call.startsWith("start")));
            assertTrue(watch.alive());
        }
    }

    @Test
    void whereNothingCanBeReadOnlySelfFenceStopsTheServerBeforeTheWindowEnds() throws Exception {
        Path fencedLog = directory.resolve("fenced");
        Path openLog = directory.resolve("open");
        // A link that swallows everything, as a cut network does, not one that refuses.
        try (Relay link = Relay.to(moto.endpoint());
                Machine fenced = running("i-0b", true);
                Machine open = running("i-0c", false)) {
            Map<String, String> more =
                    Map.of(
                            "AWS_ENDPOINT_URL",
                            link.address().toString(),
                            "VAULT_DR_SLOT_SECONDS",
                            Long.toString(SLOT.toSeconds()));
            try (ServerProcess one = fenced.watch(fencedLog, more);
                    ServerProcess other = open.watch(openLog, more)) {
                awaitSaid(fencedLog, "no-mark", 1);
                awaitSaid(openLog, "no-mark", 1);

                long cut = System.nanoTime();
                link.stall();
                Eventually.await("the unit is stopped", LIMIT, () -> !fenced.active());
                Duration took = Duration.ofNanos(System.nanoTime() - cut);

                assertTrue(took.compareTo(SLOT.multipliedBy(WINDOW)) < 0, took::toString);
                awaitSaid(fencedLog, "isolated", 1);
                double blind = line(fencedLog, "isolated").path("seconds").asDouble();
                assertTrue(blind >= SLOT.multipliedBy(PATIENCE).toSeconds(), () -> blind + " s");
                assertTrue(open.active());
                awaitSaid(openLog, "blind", 2);
                assertTrue(open.active());

                link.resume();
                awaitSaid(fencedLog, "no-mark", 2);
                awaitSaid(openLog, "no-mark", 2);
                assertFalse(fenced.active());
                assertTrue(open.active());
                assertTrue(one.alive() && other.alive());
            }
        }
    }

    @Test
    void itWaitsForBootAndTakesWhatBootWritesLater() throws Exception {
        Path log = directory.resolve("log");
        try (Machine machine = running("i-0d", false)) {
            Path told = machine.etc().resolve("node.json");
            String settings = Files.readString(told);
            Files.delete(told);
            try (ServerProcess watch = machine.watch(log, slots("1"))) {
                awaitSaid(log, "unknown-node", 1);
                Files.writeString(told, "{}");
                awaitSaid(log, "wrong-settings", 1);
                Files.writeString(told, settings);
                awaitSaid(log, "watching", 1);
                assertTrue(watch.alive());
                assertTrue(machine.active());
            }
        }
    }

    @Test
    void aSlotThatIsNoneIsRefused() throws IOException {
        Path log = directory.resolve("log");
        try (Machine machine = running("i-0e", false);
                ServerProcess watch = machine.watch(log, slots("soon"))) {
            Eventually.await("watch ends", LIMIT, () -> !watch.alive());
            assertEquals(
                    List.of("wrong-settings"),
                    Machine.lines(log).stream().map(it -> it.path("event").asText()).toList());
        }
    }
}
