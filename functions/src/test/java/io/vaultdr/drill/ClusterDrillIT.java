package io.vaultdr.drill;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;

import io.vaultdr.cluster.VaultSetup;
import io.vaultdr.drill.DrillState.Outcome;
import io.vaultdr.failover.InMemoryLedger;
import io.vaultdr.failover.PairState.Phase;
import io.vaultdr.failover.TestPair;
import io.vaultdr.model.Epoch;
import io.vaultdr.model.Failure;
import io.vaultdr.model.PairId;
import io.vaultdr.model.Secret;
import io.vaultdr.model.Side;
import io.vaultdr.model.StepName;
import io.vaultdr.promotion.NodeCommands;
import io.vaultdr.runtime.ClusterDrillSettings;
import io.vaultdr.runtime.Deadline;
import io.vaultdr.runtime.Json;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.snapshot.Archive;
import io.vaultdr.snapshot.Catalog;
import io.vaultdr.snapshot.Manifest;
import io.vaultdr.testing.BaoCluster;
import io.vaultdr.testing.BaoServer;
import io.vaultdr.testing.Moto;
import io.vaultdr.testing.TestLogins;
import io.vaultdr.vault.HttpVaultClients;
import io.vaultdr.vault.Login;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.net.URI;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A drill's own cluster, on real servers: what its group launches are local processes. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ClusterDrillIT {
    private static final PairId PAIR = new PairId("payments");
    private static final String REGION = "eu-central-1";
    private static final Duration STALL = Duration.ofSeconds(10);
    private static final Drill.Run RUN =
            new Drill.Run(
                    "arn:aws:states:eu-central-1:123456789012:execution:vault-dr-payments-drill:d1",
                    Instant.parse("2026-03-01T03:00:00Z"));

    /** As a function that is killed in the middle ends. */
    private static final class Killed extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    @TempDir private Path scratch = Path.of("unset");
    private final HttpVaultClients clients =
            new HttpVaultClients(cluster -> Optional.empty(), HttpVaultClients.Limits.DEFAULT);
    private final Moto moto = Moto.start();
    private final BaoCluster source = BaoCluster.running(1);
    private final BaoCluster servers =
            BaoCluster.blank(3, Optional.empty(), Optional.of(source.sealKey()));
    private final ClusterDrillSettings settings =
            new ClusterDrillSettings(
                    new PairSettings.Cluster(
                            REGION,
                            URI.create("https://drill.invalid:8200"),
                            List.of(),
                            Optional.empty(),
                            "payments-vault-dr",
                            Optional.of("vault-dr-payments-drill"),
                            Optional.of(new PairSettings.Tag("vault-dr", "payments-drill")),
                            3,
                            Optional.empty(),
                            Optional.empty()),
                    "restart",
                    "wipe");
    private final List<String> commands = new ArrayList<>();
    private final Group group = new Group();
    private InMemoryLedger ledger = new InMemoryLedger(PAIR);
    private Manifest snapshot = manifest("none", "", 0, "", 0);
    private byte[] archive = new byte[0];

    /** The drill's group: its instances are the servers, in their order. */
    private final class Group implements DrillGroup {
        private int wanted;
        private boolean stuck;
        private Runnable whileLooking = () -> {};

        @Override
        public void want(int instances) {
            for (int n = 0; n < servers.nodes().size(); n++) {
                BaoServer server = servers.nodes().get(n);
                if (n < instances && !server.running()) {
                    server.start();
                } else if (n >= instances && !stuck) {
                    server.wipe();
                }
            }
            wanted = stuck ? Math.max(wanted, instances) : instances;
        }

        @Override
        public int instances() {
            return wanted;
        }

        @Override
        public List<URI> nodes() {
            whileLooking.run();
            return servers.addresses().subList(0, wanted);
        }
    }

    @BeforeAll
    void takeOne() throws Exception {
        source.call("POST", "sys/mounts/vault-dr", Map.of("type", "kv-v2")).expect();
        new TestLogins(
                        source,
                        moto.clients().secretsManager(REGION),
                        "payments-vault-dr",
                        new VaultSetup(List.of()))
                .make(Login.Intent.VERIFY, Login.Intent.GROW);
        source.call("POST", "vault-dr/data/canary", Map.of("data", Map.of("nonce", "n-1")))
                .expect();
        var node = clients.at(settings.cluster(), source.addresses().getFirst());
        try (InputStream in = node.snapshot(Secret.of(source.rootToken()), STALL)) {
            archive = in.readAllBytes();
        }
        Archive.Sound sound =
                assertInstanceOf(
                        Archive.Sound.class, Archive.check(new ByteArrayInputStream(archive)));
        snapshot =
                manifest(
                        sound.sha256(),
                        "n-1",
                        archive.length,
                        node.health().clusterId().orElseThrow(),
                        sound.index());
    }

    @AfterAll
    void end() {
        servers.close();
        source.close();
        moto.close();
    }

    @BeforeEach
    void emptyGroup() {
        group.stuck = false;
        group.whileLooking = () -> {};
        group.want(0);
        ledger = new InMemoryLedger(PAIR);
        commands.clear();
    }

    @Test
    void bootsPromotesVerifiesGrowsAndTearsDown() throws Exception {
        ClusterDrill drill = drill(this::command);
        DrillState state = kept(drill.boot(through(), limit()));
        assertEquals(Optional.of(servers.addresses().getFirst()), state.node());
        state = kept(drill.promote(state, limit()));
        state = kept(drill.verify(state, RUN, limit()));
        state = kept(drill.grow(state, limit()));
        state = kept(drill.tearDown(state, limit()));

        assertEquals(0, group.instances());
        assertEquals(List.of("restart"), commands);
        assertEquals(Optional.empty(), state.outcome());
        assertEquals(
                List.of(
                        "boot: first node",
                        "boot: restore",
                        "boot: verify",
                        "boot: grow to 3 voters",
                        "boot: tear down"),
                state.booted().stream().map(DrillReport.StageTime::name).toList());
        assertTrue(
                state.booted().stream().noneMatch(it -> it.took().isNegative()), state::toString);
    }

    /** A function that dies between the restore and the restart is called again. */
    @Test
    void isTakenUpAgainAfterAKill() {
        NodeCommands killing =
                (_, _, _) -> {
                    throw new Killed();
                };
        DrillState state = drill(this::command).boot(through(), limit());
        assertThrows(Killed.class, () -> drill(killing).promote(state, limit()));

        DrillState booted = drill(this::command).boot(state, limit());
        DrillState promoted = drill(this::command).promote(booted, limit());

        assertEquals(List.of("restart"), commands);
        assertEquals(
                List.of("boot: first node", "boot: restore"),
                promoted.booted().stream().map(DrillReport.StageTime::name).toList());
        drill(this::command).verify(promoted, RUN, limit());
    }

    @Test
    void anIncidentStopsAWaitAndAllThatFollows() {
        ClusterDrill drill = drill(this::command);
        group.whileLooking =
                () -> {
                    servers.nodes().getFirst().kill();
                    incident();
                };

        DrillState stopped = drill.boot(through(), limit());

        assertEquals(Optional.of(Outcome.STOPPED_BY_INCIDENT), stopped.outcome());
        assertEquals(stopped, drill.promote(stopped, limit()));
        assertEquals(stopped, drill.verify(stopped, RUN, limit()));
        assertEquals(stopped, drill.grow(stopped, limit()));
        assertEquals(1, group.instances());
        drill.tearDown(stopped, limit());
        assertEquals(0, group.instances());
    }

    @Test
    void beginsNothingBesideAnIncident() {
        incident();
        DrillState stopped = drill(this::command).boot(through(), limit());
        assertEquals(Optional.of(Outcome.STOPPED_BY_INCIDENT), stopped.outcome());
        assertEquals(0, group.instances());
    }

    @Test
    void saysWhatItWaitedForWhenNothingBoots() {
        group.stuck = true;
        group.whileLooking = () -> servers.nodes().getFirst().kill();

        Failure failure =
                assertThrows(
                        Failure.Terminal.class,
                        () -> drill(this::command).boot(through(), within(Duration.ofSeconds(1))));

        assertTrue(failure.toString().contains("none answered blank (501)"), failure::toString);
    }

    @Test
    void saysThatInstancesAreLeft() {
        ClusterDrill drill = drill(this::command);
        group.want(1);
        group.stuck = true;

        Failure failure =
                assertThrows(
                        Failure.Retryable.class,
                        () -> drill.tearDown(through(), within(Duration.ofSeconds(1))));

        assertTrue(
                failure.toString().contains("1 instances are left of vault-dr-payments-drill"),
                failure::toString);
    }

    @Test
    void aDryRunAsksAllAndChangesNothing() {
        Map<String, String> seen = drill(this::command).dryRun();
        assertEquals("0", seen.get("instances"));
        assertEquals(snapshot.id(), seen.get("newest"));
        assertEquals(0, group.instances());
    }

    private ClusterDrill drill(NodeCommands nodeCommands) {
        return new ClusterDrill(
                settings,
                new ClusterDrill.Ports(
                        ledger,
                        group,
                        new OneSnapshot(),
                        clients,
                        nodeCommands,
                        Login.by(moto.clients().secretsManager(REGION))),
                scratch,
                Duration.ofMillis(100));
    }

    private List<NodeCommands.Run> command(
            PairSettings.Cluster cluster, String document, Duration limit) {
        commands.add(document);
        BaoServer node = servers.nodes().getFirst();
        if (document.equals("restart")) {
            node.restart();
        } else {
            node.wipe();
            node.start();
        }
        return List.of(new NodeCommands.Run("i-1", NodeCommands.Result.SUCCEEDED, "Success"));
    }

    private void incident() {
        ledger.change(s -> s.withPhase(new Phase.Changing(new Epoch(1), StepName.FENCE)));
    }

    /** What the chain before leaves: a snapshot that is taken, proven and dry run. */
    private DrillState through() {
        return DrillState.asked("Ada")
                .invoked(snapshot.id(), RUN.startedAt(), Optional.empty())
                .through(true);
    }

    /** The state as it comes back from the state machine. */
    private static DrillState kept(DrillState state) throws JsonProcessingException {
        DrillState read =
                Json.MAPPER.readValue(Json.MAPPER.writeValueAsString(state), DrillState.class);
        assertEquals(state, read);
        return read;
    }

    private static Deadline limit() {
        return within(Duration.ofMinutes(2));
    }

    private static Deadline within(Duration limit) {
        Clock clock = Clock.systemUTC();
        return new Deadline(clock, clock.instant().plus(limit));
    }

    private static Manifest manifest(
            String sha256, String nonce, long bytes, String clusterId, long index) {
        return new Manifest(
                Manifest.id(
                        PAIR,
                        RUN.startedAt(),
                        TestPair.at(PairSettings.Stage.AUTOMATIC).snapshotEvery()),
                PAIR,
                Side.HOME,
                RUN.startedAt(),
                Optional.of(Epoch.ZERO),
                bytes,
                sha256,
                index,
                1,
                clusterId,
                nonce,
                new Manifest.RestoreNeeds(
                        "openbao", "2.7.2", "static", Optional.empty(), Map.of(), List.of()));
    }

    private final class OneSnapshot implements Catalog {
        @Override
        public String region() {
            return REGION;
        }

        @Override
        public List<Manifest> newest(int limit) {
            return List.of(snapshot);
        }

        @Override
        public Found find(Manifest wanted) {
            return new Found.Here(new ByteArrayInputStream(archive));
        }
    }
}
