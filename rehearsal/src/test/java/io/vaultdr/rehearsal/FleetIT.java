package io.vaultdr.rehearsal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vaultdr.model.Side;
import io.vaultdr.testing.Eventually;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.OptionalInt;

class FleetIT {
    @Test
    void clientsWriteThroughTheirLinksAndSurviveTheLossOfALeader(@TempDir Path directory)
            throws Exception {
        try (var links = new Links(List.of("eu-west-1", "clients"), directory);
                var fleet = Fleet.layOut(directory, links, 3)) {
            fleet.initialiseHome();
            fleet.completeHome();
            assertEquals(200, fleet.leader().server().health());
            var trust = fleet.trust();
            Writer.Login login =
                    Writer.setUp(trust, fleet.local(fleet.leader()), fleet.rootToken());
            try (var writer =
                    new Writer(
                            trust,
                            () -> Side.HOME,
                            side -> fleet.addresses(side, links, "clients"),
                            Duration.ofMillis(20))) {
                writer.start(2, login);
                Eventually.await(
                        "some writes before the leader goes",
                        Duration.ofSeconds(20),
                        () ->
                                writer.attempts().stream()
                                                .filter(Writer.Attempt::acknowledged)
                                                .count()
                                        > 20);
                Instant killed = Instant.now();
                fleet.leader().server().kill();
                var after =
                        Eventually.get(
                                "a write after the election",
                                Duration.ofSeconds(20),
                                () -> writer.firstAcknowledged(Side.HOME, killed.plusSeconds(1)));
                writer.stop();

                assertTrue(after.acknowledged());
                var account = writer.readBack(Side.HOME, login);
                assertEquals(
                        OptionalInt.of(0),
                        account.lost(),
                        "Raft loses nothing that it acknowledged");
                assertTrue(account.acknowledged() > 20, account.toString());
                assertTrue(writer.unavailable().compareTo(Duration.ofMillis(500)) > 0);
            }
            URI cut = fleet.addresses(Side.HOME, links, "clients").getFirst();
            assertTrue(cut.getHost().startsWith("127.0."), cut.toString());
        }
    }
}
