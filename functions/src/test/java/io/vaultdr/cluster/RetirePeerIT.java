package io.vaultdr.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vaultdr.aws.AwsClients;
import io.vaultdr.cluster.FaultTolerance.Instance;
import io.vaultdr.cluster.FaultTolerance.Lifecycle;
import io.vaultdr.cluster.FaultTolerance.Rule;
import io.vaultdr.cluster.RetirePeer.Report;
import io.vaultdr.failover.TestPair;
import io.vaultdr.model.Failure;
import io.vaultdr.model.Side;
import io.vaultdr.runtime.Deadline;
import io.vaultdr.runtime.PairMetrics.Measure;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.testing.BaoCluster;
import io.vaultdr.testing.BaoServer;
import io.vaultdr.testing.Clusters;
import io.vaultdr.testing.Eventually;
import io.vaultdr.testing.Moto;
import io.vaultdr.testing.Pages;
import io.vaultdr.testing.TestLogins;
import io.vaultdr.vault.HttpVaultClients;
import io.vaultdr.vault.LeaderFinder;
import io.vaultdr.vault.Login;
import io.vaultdr.vault.Login.Intent;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

import java.net.URI;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.BooleanSupplier;

/** Four real voters, with the policy that deployments have, and a group that does as it is told. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class RetirePeerIT {
    private static final Clock CLOCK = Clock.systemUTC();

    private final Moto moto = Moto.start();
    private final AwsClients aws = moto.clients();
    private final BaoCluster servers = BaoCluster.running(4);
    private final BaoCluster blank = BaoCluster.blank(1);
    private final List<Measure> published = new ArrayList<>();
    private Group group = new Group();
    private Pages pages = new Pages();

    /** Instances by their id, and what was said to their hooks. */
    private static final class Group implements NodeGroup {
        private final Map<String, Lifecycle> instances = new LinkedHashMap<>();
        private final Map<String, Instant> since = new HashMap<>();
        private final List<String> told = new ArrayList<>();

        @Override
        public Seen look() {
            return new Seen(
                    3,
                    instances.entrySet().stream()
                            .map(
                                    it ->
                                            new Instance(
                                                    it.getKey(),
                                                    "eu-west-1a",
                                                    it.getValue(),
                                                    true,
                                                    Optional.empty()))
                            .toList());
        }

        @Override
        public Map<String, Instant> heldSince() {
            return since;
        }

        @Override
        public void heartbeat(String hook, String instance) {
            told.add(hook + " holds " + instance);
        }

        @Override
        public void complete(String hook, String instance, boolean goOn) {
            told.add(hook + (goOn ? " lets " : " gives up ") + instance);
            instances.put(instance, goOn ? Lifecycle.LEAVING : Lifecycle.TERMINATING);
        }
    }

    @BeforeAll
    void makeTheLogin() {
        new TestLogins(
                        servers,
                        aws.secretsManager(TestPair.HOME),
                        "payments-vault-dr",
                        new VaultSetup(List.of(), true))
                .make(Intent.RETIRE);
    }

    @AfterAll
    void end() {
        servers.close();
        blank.close();
        moto.close();
    }

    /** Four voters, all in service. */
    @BeforeEach
    void whole() {
        published.clear();
        pages = new Pages();
        group = new Group();
        for (BaoServer node : servers.nodes()) {
            String id = node.spec().id();
            group.instances.put(id, Lifecycle.IN_SERVICE);
            boolean peer = peers().contains(id);
            if (peer && !node.running()) {
                servers.call("POST", "sys/storage/raft/remove-peer", Map.of("server_id", id))
                        .expect();
            }
            if (!peer || !node.running()) {
                node.wipe();
                node.start();
            }
        }
        servers.awaitVoters(4);
        healthy(4);
    }

    /** Autopilot's view is up to five seconds old. */
    private void healthy(int count) {
        Eventually.await(
                count + " healthy peers",
                Duration.ofSeconds(60),
                () -> {
                    int seen = 0;
                    for (var server :
                            servers.call("GET", "sys/storage/raft/autopilot/state", null)
                                    .data()
                                    .path("servers")) {
                        seen += server.path("healthy").asBoolean() ? 1 : 0;
                    }
                    return seen == count;
                });
    }

    private List<String> peers() {
        List<String> peers = new ArrayList<>();
        servers.call("GET", "sys/storage/raft/configuration", null)
                .data()
                .path("config")
                .path("servers")
                .forEach(it -> peers.add(it.path("node_id").asText()));
        return peers;
    }

    private int voters() {
        return peers().size();
    }

    @Test
    void aLeaderStandsDownThenItsPeerGoesThenItsInstance() {
        String leader = servers.leader().spec().id();
        group.instances.put(leader, Lifecycle.TERMINATING);

        Report report = run(Optional.of(leader), () -> false, false);

        assertEquals(
                List.of(
                        leader + " led and stands down (TOLERABLE)",
                        "peer " + leader + " is removed (TOLERABLE)",
                        "instance " + leader + " may go (NO_PEER)"),
                report.done());
        assertEquals(List.of("terminate lets " + leader), group.told);
        assertEquals(3, voters());
        assertEquals(OptionalInt.of(1), report.tolerance());
        assertEquals(List.of(), pages.subjects());
        assertTrue(published.contains(Measure.count("FaultTolerance", 1)), published::toString);

        Report again = run(Optional.empty(), () -> false, false);

        assertEquals(List.of(), again.done());
        assertEquals(1, group.told.size(), "nothing is done twice");
    }

    @Test
    void tooManyAreHeldAndPeopleAreTold() {
        List<String> standbys = servers.standbys().stream().map(it -> it.spec().id()).toList();
        group.instances.put(standbys.get(0), Lifecycle.TERMINATING);
        group.instances.put(standbys.get(1), Lifecycle.TERMINATING);

        Report first = run(Optional.of(standbys.get(0)), () -> false, false);

        // The first cost nothing; the second one would leave two, who may lose nobody.
        assertEquals(3, voters());
        assertEquals(Rule.INTOLERABLE, first.decided().get(standbys.get(1)));
        assertTrue(group.told.contains("terminate lets " + standbys.get(0)), group.told::toString);
        assertTrue(group.told.contains("terminate holds " + standbys.get(1)), group.told::toString);

        run(Optional.of(standbys.get(1)), () -> false, false);

        assertEquals(3, voters());
        assertEquals(
                List.of("payments: home node " + standbys.get(1) + ": intolerable"),
                pages.subjects());
        assertTrue(published.contains(Measure.count("PeersHeld", 1)), published::toString);

        // The limit is reached, and two are a quorum of two.
        group.since.put(standbys.get(1), CLOCK.instant().minus(Duration.ofHours(2)));
        Report forced = run(Optional.empty(), () -> false, false);

        assertEquals(2, voters());
        assertEquals(
                List.of(
                        "peer " + standbys.get(1) + " is removed (LIMIT_REACHED)",
                        "instance " + standbys.get(1) + " may go (NO_PEER)"),
                forced.done());
        assertEquals(2, pages.all().size());
    }

    @Test
    void aPeerWhoseInstanceIsGoneIsRemovedSinceItsReplacementVotes() {
        BaoServer gone = servers.standbys().getFirst();
        group.instances.remove(gone.spec().id());
        assertEquals(
                Rule.STRANGER,
                run(Optional.empty(), () -> false, false).decided().get(gone.spec().id()));
        gone.kill();
        healthy(3);

        // Three of the four are what the group wants.
        Report report = run(Optional.empty(), () -> false, false);

        assertEquals(List.of("peer " + gone.spec().id() + " is removed (REPLACED)"), report.done());
        assertEquals(3, voters());
        assertEquals(List.of(), group.told);
    }

    @Test
    void aNewNodeGoesIntoServiceWhenItVotes() {
        String id = servers.standbys().getFirst().spec().id();
        group.instances.put(id, Lifecycle.LAUNCHING);
        group.instances.put("i-boots", Lifecycle.LAUNCHING);

        Report report = run(Optional.empty(), () -> false, false);

        assertEquals(Map.of(id, Rule.VOTES, "i-boots", Rule.JOINING), report.decided());
        assertEquals(List.of("launch lets " + id, "launch holds i-boots"), group.told);
    }

    @Test
    void duringAFailoverNothingIsRemoved() {
        String id = servers.standbys().getFirst().spec().id();
        group.instances.put(id, Lifecycle.TERMINATING);

        assertEquals(Map.of(id, Rule.INCIDENT), run(Optional.empty(), () -> true, false).decided());
        assertEquals(4, voters());
    }

    @Test
    void homeIsTendedToWhileTheLedgerIsAway() {
        String id = servers.standbys().getFirst().spec().id();
        group.instances.put(id, Lifecycle.TERMINATING);

        Report report =
                run(
                        Optional.empty(),
                        () -> {
                            throw new Failure.Retryable("read the ledger", "silence", "Look.");
                        },
                        false);

        assertEquals(3, voters());
        assertTrue(report.problems().getFirst().contains("read the ledger"), report::toString);
    }

    @Test
    void aDryRunChangesNothing() {
        String leader = servers.leader().spec().id();
        group.instances.put(leader, Lifecycle.TERMINATING);

        Report report = run(Optional.of(leader), () -> false, true);

        assertEquals(Map.of(leader, Rule.TOLERABLE), report.decided());
        assertEquals(List.of(), report.done());
        assertEquals(List.of(), group.told);
        assertEquals(4, voters());
        assertEquals(leader, servers.leader().spec().id());
        assertEquals(List.of(), published);
    }

    @Test
    void aClusterThatDoesntAnswerHoldsEverythingAndSaysSo() {
        group.instances.clear();
        group.instances.put("i-1", Lifecycle.TERMINATING);
        group.instances.put("i-2", Lifecycle.IN_SERVICE);
        PairSettings silent = pair(List.of(URI.create("http://127.0.0.1:9")));

        Report report =
                retire(silent, () -> false)
                        .run(
                                Optional.of("i-1"),
                                false,
                                Deadline.of(CLOCK, () -> 60_000, Duration.ZERO));

        assertEquals(Map.of("i-1", Rule.UNSEEN), report.decided());
        assertEquals(List.of("terminate holds i-1"), group.told);
        assertEquals(OptionalInt.of(0), report.tolerance());
        assertTrue(
                report.problems().getFirst().contains("GET sys/health on http://127.0.0.1:9: "),
                report::toString);
        assertEquals(1, pages.all().size());
    }

    @Test
    void aBlankClusterHoldsNothing() {
        group.instances.clear();
        group.instances.put("i-1", Lifecycle.TERMINATING);
        group.instances.put("i-2", Lifecycle.LAUNCHING);

        Report report =
                retire(pair(blank.addresses()), () -> false)
                        .run(
                                Optional.of("i-1"),
                                false,
                                Deadline.of(CLOCK, () -> 60_000, Duration.ZERO));

        assertEquals(Map.of("i-1", Rule.BLANK, "i-2", Rule.BLANK), report.decided());
        assertFalse(report.tolerance().isPresent());
        assertEquals(List.of("launch lets i-2", "terminate lets i-1"), group.told);
    }

    @Test
    void aLoginThatIsRefusedHoldsAndFails() {
        group.instances.put("n1", Lifecycle.TERMINATING);
        PairSettings pair = pair(servers.addresses());
        RetirePeer peers =
                new RetirePeer(
                        pair,
                        Side.HOME,
                        new RetirePeer.Ports(
                                finder(),
                                // No secret there.
                                Login.by(aws.secretsManager("eu-north-1")),
                                group,
                                () -> false,
                                pages),
                        published::addAll,
                        CLOCK);

        assertThrows(
                Failure.Terminal.class,
                () ->
                        peers.run(
                                Optional.empty(),
                                false,
                                Deadline.of(CLOCK, () -> 60_000, Duration.ZERO)));

        assertEquals(List.of("terminate holds n1"), group.told);
        assertEquals(4, voters());
    }

    private Report run(Optional<String> announced, BooleanSupplier incident, boolean dryRun) {
        return retire(pair(servers.addresses()), incident)
                .run(announced, dryRun, Deadline.of(CLOCK, () -> 60_000, Duration.ZERO));
    }

    private RetirePeer retire(PairSettings pair, BooleanSupplier incident) {
        return new RetirePeer(
                pair,
                Side.HOME,
                new RetirePeer.Ports(
                        finder(),
                        Login.by(aws.secretsManager(TestPair.HOME)),
                        group,
                        incident,
                        pages),
                published::addAll,
                CLOCK);
    }

    private static LeaderFinder finder() {
        return new LeaderFinder(
                new HttpVaultClients(_ -> Optional.empty(), HttpVaultClients.Limits.DEFAULT));
    }

    private static PairSettings pair(List<URI> nodes) {
        return Clusters.pair(Clusters.made(nodes));
    }
}
