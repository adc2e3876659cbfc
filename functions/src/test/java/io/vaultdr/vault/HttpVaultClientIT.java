package io.vaultdr.vault;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vaultdr.model.Failure;
import io.vaultdr.model.Secret;
import io.vaultdr.testing.BaoCluster;
import io.vaultdr.testing.BaoServer;
import io.vaultdr.testing.Clusters;
import io.vaultdr.testing.Eventually;
import io.vaultdr.testing.Ports;
import io.vaultdr.testing.Relay;
import io.vaultdr.vault.HttpVaultClients.Limits;
import io.vaultdr.vault.VaultClient.Health;
import io.vaultdr.vault.VaultClient.NodeStatus;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The adapter against servers that work. */
class HttpVaultClientIT {
    private static final Duration STALL = Duration.ofSeconds(5);
    private static BaoCluster cluster;
    private static Secret token;

    @BeforeAll
    static void startThreeNodes() {
        cluster = BaoCluster.running(3);
        token = Secret.of(cluster.rootToken());
        cluster.call("POST", "sys/mounts/vault-dr", Map.of("type", "kv-v2"));
        cluster.call("POST", "sys/auth/approle", Map.of("type", "approle"));
        cluster.call(
                "POST", "auth/approle/role/tester", Map.of("token_policies", List.of("default")));
    }

    @AfterAll
    static void endThem() {
        cluster.close();
    }

    static VaultClient client(URI node, Limits limits) {
        return new HttpVaultClients(any -> Optional.empty(), limits)
                .at(Clusters.of(List.of(node)), node);
    }

    private static VaultClient client(BaoServer node) {
        return client(node.address(), Limits.DEFAULT);
    }

    private static VaultClient active() {
        return client(cluster.leader());
    }

    @Test
    void theActiveNodeSaysSo() {
        Health health = active().health();
        assertEquals(200, health.status());
        assertEquals(NodeStatus.ACTIVE, health.meaning());
        assertTrue(health.version().orElseThrow().startsWith("2."));
        assertTrue(health.clusterId().isPresent());
        assertTrue(health.serverTime().isPresent());
    }

    @Test
    void aStandbyIsNoFailureAndNamesItsLeader() {
        VaultClient standby = client(cluster.standbys().getFirst());
        assertEquals(NodeStatus.STANDBY, standby.health().meaning());
        assertFalse(standby.leader().self());
        assertEquals(cluster.leader().address(), standby.leader().address().orElseThrow());
    }

    @Test
    void theLeaderTellsSinceWhenAndHowFar() {
        VaultClient.Leader leader = active().leader();
        assertTrue(leader.self());
        assertTrue(leader.activeTime().isPresent());
        assertTrue(leader.committedIndex().orElseThrow() > 0);
        assertTrue(leader.appliedIndex().orElseThrow() > 0);
    }

    @Test
    void theSealIsNamed() {
        assertEquals("static", active().sealStatus().type());
        assertTrue(active().sealStatus().initialised());
        assertFalse(active().sealStatus().sealed());
    }

    @Test
    void threeServersVote() {
        List<VaultClient.RaftServer> servers = active().raftConfiguration(token);
        assertEquals(3, servers.stream().filter(VaultClient.RaftServer::voter).count());
        assertEquals(1, servers.stream().filter(VaultClient.RaftServer::leader).count());
        // Autopilot looks every few seconds and may be five behind.
        Eventually.await(
                "autopilot counts three voters",
                Duration.ofSeconds(15),
                () -> active().autopilotState(token).voters().size() == 3);
        assertEquals(List.of(), active().autopilotState(token).nonVoters());
    }

    @Test
    void aSecretIsReadBackInItsNewestVersion() {
        VaultClient node = active();
        assertEquals(Optional.empty(), node.readKv(token, "vault-dr", "absent"));
        long first = node.writeKv(token, "vault-dr", "canary", Map.of("nonce", "a"));
        long second = node.writeKv(token, "vault-dr", "canary", Map.of("nonce", "b"));
        assertEquals(first + 1, second);
        VaultClient.KvVersion read = node.readKv(token, "vault-dr", "canary").orElseThrow();
        assertEquals(new VaultClient.KvVersion(second, Map.of("nonce", "b")), read);
        assertFalse(read.toString().contains("nonce"));
    }

    @Test
    void auditDevicesAreListedWithTheirFiles(@TempDir Path directory) {
        Path file = directory.resolve("audit.log");
        BaoServer.Spec spec =
                new BaoServer.Spec(
                        "audited",
                        directory.resolve("audited"),
                        "127.0.0.1",
                        Ports.free(),
                        Ports.free(),
                        cluster.sealKey(),
                        List.of(),
                        Optional.empty(),
                        "audit \"file\" \"to-file\" { options { file_path = \"" + file + "\" } }");
        try (BaoServer server = BaoServer.of(spec).start()) {
            Secret root = Secret.of(server.initialize());
            assertEquals(
                    Map.of("to-file/", new VaultClient.AuditDevice("file", Optional.of("" + file))),
                    client(server).auditDevices(root));
        }
    }

    @Test
    void aLoginGivesATokenThatCanBeRevoked() {
        String role =
                cluster.call("GET", "auth/approle/role/tester/role-id", null)
                        .data()
                        .path("role_id")
                        .asText();
        String id =
                cluster.call("POST", "auth/approle/role/tester/secret-id", null)
                        .data()
                        .path("secret_id")
                        .asText();
        VaultClient node = active();

        VaultClient.Token given = node.login(Secret.of(role), Secret.of(id));
        assertTrue(given.timeToLive().isPositive());
        assertFalse(given.toString().contains(given.value().reveal()));
        node.revokeSelf(given.value());

        Failure revoked =
                assertThrows(Failure.Terminal.class, () -> node.revokeSelf(given.value()));
        assertFalse(revoked.toString().contains(given.value().reveal()));
    }

    @Test
    void aLoginThatTheServerDoesntKnowIsTerminalAndNotQuoted() {
        Failure failure =
                assertThrows(
                        Failure.Terminal.class,
                        () -> active().login(Secret.of("who-is-it"), Secret.of("what-is-it")));
        assertFalse(failure.toString().contains("it-is"));
        assertTrue(failure.toString().contains("auth/approle/login on http://127.0.0.1"));
        assertTrue(failure.toString().contains("400"));
    }

    @Test
    void aTokenWithoutPermissionIsTerminal() {
        Failure failure =
                assertThrows(
                        Failure.Terminal.class,
                        () -> active().raftConfiguration(Secret.of("hvs.nonsense")));
        assertTrue(failure.toString().contains("403"));
        assertFalse(failure.toString().contains("nonsense"));
    }

    @Test
    void aBlankNodeIsInitialisedOnceAndTakesASnapshot(@TempDir Path directory) throws IOException {
        VaultClient source = active();
        source.writeKv(token, "vault-dr", "canary", Map.of("nonce", "restored"));
        Path archive = directory.resolve("snapshot");
        try (InputStream in = source.snapshot(token, STALL)) {
            Files.copy(in, archive);
        }
        try (BaoCluster blank =
                BaoCluster.blank(1, Optional.empty(), Optional.of(cluster.sealKey()))) {
            BaoServer server = blank.nodes().getFirst();
            VaultClient node = client(server);
            assertEquals(NodeStatus.NOT_INITIALISED, node.health().meaning());

            VaultClient.Initialized given = node.initialize(1, 1);
            assertEquals(1, given.recoveryKeys().size());
            server.awaitHealth(200, Duration.ofSeconds(20));
            assertThrows(Failure.Terminal.class, () -> node.initialize(1, 1));

            node.restore(given.rootToken(), archive, Duration.ofSeconds(30));
            io.vaultdr.testing.Eventually.await(
                    "the canary reads back",
                    Duration.ofSeconds(30),
                    () -> restored(node).equals(Optional.of("restored")));
            assertEquals(source.health().clusterId(), node.health().clusterId());
        }
    }

    /** What the canary holds; empty as long as the server is busy restoring. */
    private static Optional<String> restored(VaultClient node) {
        try {
            return node.readKv(token, "vault-dr", "canary").map(it -> it.data().get("nonce"));
        } catch (Failure e) {
            return Optional.empty();
        }
    }

    @Test
    void anArchiveForAnotherSealKeyOrADamagedOneIsTerminal(@TempDir Path directory)
            throws IOException {
        Path archive = directory.resolve("snapshot");
        try (InputStream in = active().snapshot(token, STALL)) {
            Files.copy(in, archive);
        }
        byte[] bytes = Files.readAllBytes(archive);
        bytes[bytes.length / 2] ^= 1;
        Path damaged = Files.write(directory.resolve("damaged"), bytes);
        try (BaoCluster other = BaoCluster.running(1)) {
            VaultClient node = client(other.leader());
            Secret root = Secret.of(other.rootToken());
            Failure wrongKey =
                    assertThrows(
                            Failure.Terminal.class,
                            () -> node.restore(root, archive, Duration.ofSeconds(30)));
            assertTrue(wrongKey.toString().contains("400"), wrongKey.toString());
            assertThrows(
                    Failure.Terminal.class,
                    () -> node.restore(root, damaged, Duration.ofSeconds(30)));
            assertEquals(NodeStatus.ACTIVE, node.health().meaning());
        }
    }

    @Test
    void aSlowLinkIsWaitedForUpToTheLimit() {
        try (Relay relay = Relay.to(cluster.leader().address())) {
            relay.delay(Duration.ofMillis(300));
            Limits patient = new Limits(Duration.ofSeconds(1), Duration.ofSeconds(5));
            assertEquals(NodeStatus.ACTIVE, client(relay.address(), patient).health().meaning());

            Limits impatient = new Limits(Duration.ofSeconds(1), Duration.ofMillis(200));
            VaultClient node = client(relay.address(), impatient);
            assertThrows(Failure.Retryable.class, node::health);
            assertThrows(
                    Failure.OutcomeUnknown.class,
                    () -> node.writeKv(token, "vault-dr", "slow", Map.of("a", "b")));
        }
    }

    @Test
    void nothingListeningIsRetryableEvenForAChange() {
        VaultClient nobody = client(URI.create("http://127.0.0.1:1"), Limits.DEFAULT);
        Failure failure = assertThrows(Failure.Retryable.class, nobody::health);
        assertTrue(failure.toString().contains("GET sys/health on http://127.0.0.1:1"));
        assertThrows(
                Failure.Retryable.class,
                () -> nobody.writeKv(token, "vault-dr", "a", Map.of("a", "b")));
        VaultClient nameless = client(URI.create("http://vault.invalid:8200"), Limits.DEFAULT);
        assertThrows(Failure.Retryable.class, nameless::health);
    }
}
