package io.vaultdr.vault;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vaultdr.model.Failure;
import io.vaultdr.model.Secret;
import io.vaultdr.testing.BaoCluster;
import io.vaultdr.testing.BaoServer;
import io.vaultdr.testing.Clusters;
import io.vaultdr.testing.Eventually;
import io.vaultdr.testing.GarbageServer;
import io.vaultdr.testing.GarbageServer.Manner;
import io.vaultdr.testing.Ports;
import io.vaultdr.testing.Relay;
import io.vaultdr.vault.HttpVaultClients.Limits;
import io.vaultdr.vault.LeaderFinder.Finding;
import io.vaultdr.vault.VaultClient.NodeStatus;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;

/** The adapter and the finder against servers that are sealed, leaderless, broken or mad. */
class UnwellServersIT {
    private static final Limits SHORT = new Limits(Duration.ofMillis(500), Duration.ofSeconds(1));
    private static final Duration LIMIT = Duration.ofSeconds(3);
    private static final Secret TOKEN = Secret.of("hvs.quiet");
    private static final HttpVaultClients CLIENTS =
            new HttpVaultClients(any -> Optional.empty(), SHORT);

    private static VaultClient client(URI node) {
        return CLIENTS.at(Clusters.of(List.of(node)), node);
    }

    private static Finding find(List<URI> nodes) {
        return new LeaderFinder(CLIENTS).find(Clusters.of(nodes), LIMIT);
    }

    private static void fill(BaoCluster cluster, int megabytes) {
        cluster.call("POST", "sys/mounts/vault-dr", Map.of("type", "kv-v2")).expect();
        byte[] noise = new byte[600_000];
        for (int n = 0; n < megabytes; n++) {
            new Random(n).nextBytes(noise);
            String text = Base64.getEncoder().encodeToString(noise);
            BaoServer leader = cluster.leader();
            Eventually.await(
                    "write " + n,
                    Duration.ofSeconds(20),
                    () ->
                            leader.call(
                                                    "POST",
                                                    "vault-dr/data/bulk" + System.nanoTime(),
                                                    cluster.rootToken(),
                                                    Map.of("data", Map.of("noise", text)))
                                            .status()
                                    == 200);
        }
    }

    @Test
    void findsTheLeaderThenTellsALostQuorumFromASealFromSilence() {
        try (BaoCluster cluster = BaoCluster.running(3)) {
            List<URI> nodes = cluster.addresses();
            fill(cluster, 1);
            BaoServer leader = cluster.leader();
            List<BaoServer> standbys = cluster.standbys();
            Finding.Active active = assertInstanceOf(Finding.Active.class, find(nodes));
            assertEquals(leader.address(), active.node().address());

            // A standby alone is configured: it is followed to the leader that it names.
            Finding.Active followed =
                    assertInstanceOf(
                            Finding.Active.class, find(List.of(standbys.getFirst().address())));
            assertEquals(leader.address(), followed.node().address());

            leader.kill();
            standbys.getFirst().kill();
            BaoServer survivor = standbys.getLast();
            Finding.NoneActive leaderless =
                    Eventually.get(
                            "nobody leads",
                            Duration.ofSeconds(20),
                            () ->
                                    find(nodes) instanceof Finding.NoneActive none
                                            ? Optional.of(none)
                                            : Optional.empty());
            assertFalse(leaderless.silent());
            assertFalse(leaderless.sealed());
            assertTrue(leaderless.toString().contains(survivor.address() + " STANDBY"));
            Failure write =
                    assertThrows(
                            Failure.class,
                            () ->
                                    client(survivor.address())
                                            .writeKv(
                                                    Secret.of(cluster.rootToken()),
                                                    "vault-dr",
                                                    "a",
                                                    Map.of("a", "b")));
            // 400, 500 or no answer, as far as the election has come: never a reason to give up.
            assertFalse(write instanceof Failure.Terminal, write.toString());

            survivor.kill();
            Finding.NoneActive silent = assertInstanceOf(Finding.NoneActive.class, find(nodes));
            assertTrue(silent.silent());
            assertFalse(silent.sealed());
            assertThrows(
                    Failure.Retryable.class,
                    () -> new LeaderFinder(CLIENTS).require(Clusters.of(nodes), LIMIT));
        }
    }

    @Test
    void whoNeedsALeaderAsksAgainWhileNobodySaysAnything() {
        try (BaoCluster cluster = BaoCluster.running(1)) {
            var asked = new AtomicInteger();
            URI nobody = URI.create("http://127.0.0.1:" + Ports.free());
            VaultClients slow =
                    (of, node) -> CLIENTS.at(of, asked.incrementAndGet() < 3 ? nobody : node);

            VaultClient leader =
                    new LeaderFinder(slow)
                            .require(Clusters.of(cluster.addresses()), Duration.ofSeconds(20));

            assertEquals(cluster.leader().address(), leader.address());
            assertEquals(3, asked.get());
        }
    }

    @Test
    void aSealedNodeAndABlankOneAreNoFailures() {
        try (BaoCluster cluster = BaoCluster.running(1);
                BaoCluster blank = BaoCluster.blank(1)) {
            BaoServer node = cluster.leader();
            node.seal(cluster.rootToken());
            node.awaitHealth(503, Duration.ofSeconds(10));

            assertEquals(NodeStatus.SEALED, client(node.address()).health().meaning());
            assertTrue(client(node.address()).sealStatus().sealed());
            assertTrue(
                    assertInstanceOf(Finding.NoneActive.class, find(cluster.addresses())).sealed());
            assertThrows(
                    Failure.Retryable.class,
                    () -> client(node.address()).raftConfiguration(Secret.of(cluster.rootToken())));
            assertTrue(assertInstanceOf(Finding.NoneActive.class, find(blank.addresses())).blank());
        }
    }

    @Test
    void aLeaderKilledInTheMiddleOfASnapshotIsNeverACleanEnd() throws IOException {
        try (BaoCluster cluster = BaoCluster.running(1)) {
            fill(cluster, 30);
            BaoServer leader = cluster.leader();
            try (Relay relay = Relay.to(leader.address())) {
                relay.throttle(2 << 20);
                try (InputStream in =
                        client(relay.address()).snapshot(Secret.of(cluster.rootToken()), LIMIT)) {
                    in.readNBytes(1 << 20);
                    leader.kill();
                    relay.throttle(1 << 30);
                    assertThrows(
                            IOException.class,
                            () -> in.transferTo(java.io.OutputStream.nullOutputStream()));
                }
            }
        }
    }

    @Test
    void aStalledSnapshotIsCutAndItsConnectionClosed() throws IOException {
        try (BaoCluster cluster = BaoCluster.running(1)) {
            fill(cluster, 30);
            Secret root = Secret.of(cluster.rootToken());
            try (Relay relay = Relay.to(cluster.leader().address());
                    InputStream in =
                            client(relay.address()).snapshot(root, Duration.ofSeconds(1))) {
                in.readNBytes(1 << 20);
                relay.stall();
                long start = System.nanoTime();
                IOException cut =
                        assertThrows(
                                IOException.class,
                                () -> in.transferTo(java.io.OutputStream.nullOutputStream()));
                Duration took = Duration.ofNanos(System.nanoTime() - start);
                assertTrue(cut.toString().contains("stalled for PT1S"), cut.toString());
                assertTrue(took.compareTo(Duration.ofSeconds(3)) < 0, "took " + took);
            }
            // The reader stalls: the server is freed all the same.
            try (Relay relay = Relay.to(cluster.leader().address());
                    InputStream in =
                            client(relay.address()).snapshot(root, Duration.ofSeconds(1))) {
                in.readNBytes(1 << 20);
                Eventually.await(
                        "the connection is closed",
                        Duration.ofSeconds(4),
                        () -> relay.connections() == 0);
                assertThrows(IOException.class, in::read);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Manner.class)
    void whateverAServerAnswersIsRetryableForAReadAndUnknownForAChange(Manner manner)
            throws IOException {
        try (GarbageServer server = GarbageServer.start(manner)) {
            VaultClient node = client(server.address());
            long start = System.nanoTime();
            Failure read = assertThrows(Failure.Retryable.class, node::health);
            assertThrows(Failure.Retryable.class, () -> node.raftConfiguration(TOKEN));
            Failure change =
                    assertThrows(
                            Failure.OutcomeUnknown.class,
                            () -> node.writeKv(TOKEN, "vault-dr", "a", Map.of("a", "b")));
            Duration took = Duration.ofNanos(System.nanoTime() - start);

            assertTrue(took.compareTo(Duration.ofSeconds(5)) < 0, "took " + took);
            assertTrue(server.bytesSent() < 100L << 20, "read " + server.bytesSent());
            for (Failure failure : List.of(read, change)) {
                assertTrue(failure.toString().contains(server.address().toString()));
                for (Throwable at = failure; at != null; at = at.getCause()) {
                    String message = String.valueOf(at.getMessage());
                    assertFalse(message.contains("hvs.quiet"), message);
                    assertFalse(message.contains("Welcome"), message);
                    assertFalse(message.contains("protocol that anybody"), message);
                }
            }
            assertTrue(
                    assertInstanceOf(Finding.NoneActive.class, find(List.of(server.address())))
                            .silent());
        }
    }

    /** A whole page and an endless one look like a snapshot as long as nobody looks inside. */
    @ParameterizedTest
    @EnumSource(
            value = Manner.class,
            mode = EnumSource.Mode.EXCLUDE,
            names = {"PAGE", "TEN_GIGABYTES"})
    void aSnapshotThatIsNoWholeAnswerNeverEndsCleanly(Manner manner) throws IOException {
        try (GarbageServer server = GarbageServer.start(manner)) {
            VaultClient node = client(server.address());
            Exception broken =
                    assertThrows(
                            Exception.class,
                            () -> {
                                try (InputStream in = node.snapshot(TOKEN, Duration.ofSeconds(1))) {
                                    in.readAllBytes();
                                }
                            });
            assertTrue(
                    broken instanceof Failure.Retryable || broken instanceof IOException,
                    broken::toString);
            assertFalse(broken.toString().contains("Welcome"), broken::toString);
        }
    }

    @Test
    void aRestoreWhoseConnectionClosesIsOfUnknownOutcome() throws IOException {
        java.nio.file.Path archive = java.nio.file.Files.createTempFile("archive", "");
        java.nio.file.Files.write(archive, new byte[1 << 20]);
        try (GarbageServer server = GarbageServer.start(Manner.HANG_UP)) {
            assertThrows(
                    Failure.OutcomeUnknown.class,
                    () -> client(server.address()).restore(TOKEN, archive, Duration.ofSeconds(5)));
        } finally {
            java.nio.file.Files.delete(archive);
        }
    }
}
