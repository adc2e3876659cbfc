package io.vaultdr.promotion;

import io.vaultdr.model.Failure;
import io.vaultdr.runtime.Deadline;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.vault.LeaderFinder;
import io.vaultdr.vault.Login;
import io.vaultdr.vault.VaultClient;
import io.vaultdr.vault.VaultClient.RaftServer;

import java.time.Duration;
import java.util.Optional;
import java.util.function.LongConsumer;

/**
 * Waits until as many nodes <em>vote</em> as a cluster has when it is complete. (Autopilot calls a
 * cluster healthy before its followers vote.)
 */
public final class Voters {
    private static final Duration LOOK = Duration.ofSeconds(5);
    private static final Duration POLL = Duration.ofSeconds(1);

    private final PairSettings.Cluster cluster;
    private final LeaderFinder leaders;
    private final Login login;

    /** Waits for those of {@code cluster}. */
    public Voters(PairSettings.Cluster cluster, LeaderFinder leaders, Login login) {
        this.cluster = cluster;
        this.leaders = leaders;
        this.login = login;
    }

    /**
     * Waits.
     *
     * @param version of the login that the restored cluster knows
     * @param seen is told the number at each look; what it throws ends the wait
     * @return how many vote
     * @throws Failure.Retryable when the time is over before
     */
    public long await(Optional<String> version, Deadline deadline, LongConsumer seen) {
        VaultClient leader = leaders.require(cluster, LOOK);
        try (Login.Session session =
                login.to(cluster.login(), leader, Login.Intent.GROW, version)) {
            long[] newest = {0};
            return deadline.poll(
                            POLL,
                            () -> {
                                long now = count(session, newest[0]);
                                seen.accept(now);
                                newest[0] = now;
                                return now >= cluster.voters()
                                        ? Optional.of(now)
                                        : Optional.empty();
                            })
                    .orElseThrow(
                            () ->
                                    new Failure.Retryable(
                                            "let " + cluster.voters() + " nodes vote",
                                            newest[0] + " vote when the time is over",
                                            "Look whether the other nodes run, blank, and why they"
                                                    + " don't join"));
        }
    }

    private long count(Login.Session session, long before) {
        // While nodes join, a leader may be busy or change; what counts is the end.
        if (!(leaders.find(cluster, LOOK) instanceof LeaderFinder.Finding.Active active)) {
            return before;
        }
        try {
            return active.node().raftConfiguration(session.token()).stream()
                    .filter(RaftServer::voter)
                    .count();
        } catch (Failure.Retryable e) {
            return before;
        }
    }
}
