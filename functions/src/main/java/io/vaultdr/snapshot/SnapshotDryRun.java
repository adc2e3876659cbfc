package io.vaultdr.snapshot;

import io.vaultdr.model.Failure;
import io.vaultdr.model.Side;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.runtime.Parallel;
import io.vaultdr.vault.LeaderFinder;
import io.vaultdr.vault.LeaderFinder.Finding;
import io.vaultdr.vault.Login;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * All of taking a snapshot that leaves nothing behind: the ledger is read, the newest manifest of
 * each bucket, the login's secret; the serving side is logged in to and asked for what a manifest
 * holds, the other side's nodes are reached. No canary is written and no snapshot read, which would
 * hold up the server.
 */
public final class SnapshotDryRun {
    private static final Duration FINDING = Duration.ofSeconds(10);

    private final Side side;
    private final PairSettings.Cluster cluster;
    private final Supplier<Serving> serving;
    private final LeaderFinder finder;
    private final Login login;
    private final List<? extends SnapshotStore> stores;

    /**
     * A dry run on {@code side}.
     *
     * @param cluster of that side
     * @param serving asks the ledger
     * @param stores every bucket
     */
    public SnapshotDryRun(
            Side side,
            PairSettings.Cluster cluster,
            Supplier<Serving> serving,
            LeaderFinder finder,
            Login login,
            List<? extends SnapshotStore> stores) {
        this.side = side;
        this.cluster = cluster;
        this.serving = serving;
        this.finder = finder;
        this.login = login;
        this.stores = stores;
    }

    /**
     * Goes the way and says what was seen.
     *
     * @throws Failure naming what doesn't answer
     */
    public Map<String, String> run() {
        Serving now = serving.get();
        int snapshots =
                Parallel.each(
                                stores,
                                store ->
                                        store.newestIds(1).stream()
                                                .filter(id -> store.committed(id).isPresent())
                                                .count())
                        .stream()
                        .mapToInt(Long::intValue)
                        .sum();
        return Map.of(
                "serving",
                now.side().toString(),
                "node",
                now.side() == side ? asked() : reached(),
                "bucketsWithSnapshots",
                Integer.toString(snapshots));
    }

    private String asked() {
        var node = finder.require(cluster, FINDING);
        try (Login.Session session = login.to(cluster, node, Login.Intent.SNAPSHOT)) {
            node.leader();
            node.auditDevices(session.token());
            return node.address() + " leads";
        }
    }

    /** Blank or stopped on purpose, so it can't be logged in to. */
    private String reached() {
        login.check(cluster, Login.Intent.SNAPSHOT);
        return switch (finder.find(cluster, FINDING)) {
            case Finding.Active(var node, _) -> node.address() + " leads";
            // Home may well be silent while DR serves: its region is lost, or it was fenced.
            case Finding.NoneActive none when none.silent() && side == Side.DR ->
                    throw new Failure.Retryable(
                            "reach the nodes of " + cluster.address(),
                            none.toString(),
                            "Check that one runs, and the network from this function to it");
            case Finding.NoneActive none -> none.toString();
        };
    }
}
