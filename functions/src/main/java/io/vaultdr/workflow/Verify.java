package io.vaultdr.workflow;

import io.vaultdr.failover.Incident.StepRecord;
import io.vaultdr.model.Failure;
import io.vaultdr.model.Secret;
import io.vaultdr.model.StepName;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.vault.LeaderFinder;
import io.vaultdr.vault.Login;
import io.vaultdr.vault.VaultClient;

import org.jspecify.annotations.Nullable;

import java.time.Clock;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/**
 * Looks whether the promoted cluster is what it should be before any client is sent to it: the
 * snapshot's cluster id, the snapshot's canary, and a write that reads back.
 */
public final class Verify implements Step {
    private static final String MOUNT = "vault-dr";
    private static final String CANARY = "canary";
    private static final String WRITTEN = "verify";
    private static final Duration LOOK = Duration.ofSeconds(5);
    private static final Duration LEADER = Duration.ofSeconds(30);
    private static final Duration POLL = Duration.ofMillis(300);

    private final PairSettings.Cluster cluster;
    private final LeaderFinder leaders;
    private final Login login;
    private final Clock clock;

    /** Verifies {@code cluster}. */
    public Verify(PairSettings.Cluster cluster, LeaderFinder leaders, Login login, Clock clock) {
        this.cluster = cluster;
        this.leaders = leaders;
        this.login = login;
        this.clock = clock;
    }

    @Override
    public StepName name() {
        return StepName.VERIFY;
    }

    @Override
    public Map<String, String> perform(Work work) {
        if (work.dryRun()) {
            // There is nothing to log in to before the promotion; its secret can be missing
            // already.
            login.check(cluster, Login.Intent.VERIFY);
            return Map.of("nodes", leaders.find(cluster, LOOK).toString());
        }
        Map<String, String> promoted =
                work.record(StepName.PROMOTE)
                        .filter(record -> record.finishedAt().isPresent())
                        .map(StepRecord::result)
                        .orElseThrow(
                                () ->
                                        new Failure.Terminal(
                                                "verify the promotion",
                                                "Promote isn't finished",
                                                "Run the steps in their order"));
        VaultClient node =
                work.deadline().within(LEADER).poll(POLL, this::active).orElseThrow(this::nobody);
        expect(
                "cluster id",
                promoted.get(Promote.CLUSTER_ID),
                node.health().clusterId().orElse("none"));
        try (Login.Session session =
                login.to(
                        cluster.login(),
                        node,
                        Login.Intent.VERIFY,
                        Promote.login(work, Login.Intent.VERIFY))) {
            Secret token = session.token();
            expect(
                    "canary",
                    promoted.get(Promote.NONCE),
                    node.readKv(token, MOUNT, CANARY)
                            .map(read -> read.data().getOrDefault("nonce", "none"))
                            .orElse("none"));
            Map<String, String> sign =
                    Map.of("incident", work.incident().id(), "at", clock.instant().toString());
            long version = node.writeKv(token, MOUNT, WRITTEN, sign);
            expect(
                    "write",
                    sign,
                    node.readKv(token, MOUNT, WRITTEN)
                            .map(VaultClient.KvVersion::data)
                            .orElse(Map.of()));
            return Map.of("node", node.address().toString(), "written", Long.toString(version));
        }
    }

    private Optional<VaultClient> active() {
        return leaders.find(cluster, LOOK) instanceof LeaderFinder.Finding.Active active
                ? Optional.of(active.node())
                : Optional.empty();
    }

    private Failure nobody() {
        return new Failure.Retryable(
                "verify the promotion",
                "no node of the DR side is active: " + leaders.find(cluster, LOOK),
                "Look at the server's log");
    }

    private static void expect(String what, @Nullable Object expected, Object seen) {
        if (!seen.equals(expected)) {
            throw new Failure.Terminal(
                    "verify the promotion",
                    "its " + what + " is " + seen + ", expected " + expected,
                    "No client was sent to it. Look what was restored:"
                            + " docs/runbooks/failover-failed.md");
        }
    }
}
