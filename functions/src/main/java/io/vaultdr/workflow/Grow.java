package io.vaultdr.workflow;

import io.vaultdr.model.Failure;
import io.vaultdr.model.StepName;
import io.vaultdr.promotion.Capacity;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.vault.LeaderFinder;
import io.vaultdr.vault.Login;
import io.vaultdr.vault.VaultClient;
import io.vaultdr.vault.VaultClient.RaftServer;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/**
 * Lets the one restored node grow to a cluster: the group gets as many instances as the cluster has
 * voters, each joins by itself, and it is done when so many <em>vote</em>. (Autopilot calls a
 * cluster healthy before its followers vote.) Until then the group ends no instance by itself.
 */
public final class Grow implements Step {
    private static final Duration LOOK = Duration.ofSeconds(5);
    private static final Duration POLL = Duration.ofSeconds(1);

    private final PairSettings.Cluster cluster;
    private final Capacity capacity;
    private final LeaderFinder leaders;
    private final Login login;

    /** Grows {@code cluster} by {@code capacity}. */
    public Grow(
            PairSettings.Cluster cluster, Capacity capacity, LeaderFinder leaders, Login login) {
        this.cluster = cluster;
        this.capacity = capacity;
        this.leaders = leaders;
        this.login = login;
    }

    @Override
    public StepName name() {
        return StepName.GROW;
    }

    @Override
    public Map<String, String> perform(Work work) {
        Capacity.Size size = capacity.size();
        if (size.max() < cluster.voters()) {
            throw new Failure.Terminal(
                    "grow the DR side to " + cluster.voters() + " voters",
                    "its group may have at most " + size.max() + " instances",
                    "Raise the group's maximum and its desired capacity; nodes join by themselves");
        }
        if (work.dryRun()) {
            return Map.of("desired", "" + size.desired(), "max", "" + size.max());
        }
        capacity.suspendTermination();
        if (size.desired() < cluster.voters()) {
            capacity.want(cluster.voters());
        }
        long voters = awaitVoters(work);
        capacity.resumeTermination();
        return Map.of("voters", Long.toString(voters));
    }

    private long awaitVoters(Work work) {
        try (Login.Session session =
                login.to(cluster, leaders.require(cluster, LOOK), Login.Intent.GROW)) {
            long[] newest = {0};
            return work.deadline()
                    .poll(
                            POLL,
                            () -> {
                                newest[0] = voters(session, newest[0]);
                                return newest[0] >= cluster.voters()
                                        ? Optional.of(newest[0])
                                        : Optional.empty();
                            })
                    .orElseThrow(
                            () ->
                                    new Failure.Retryable(
                                            "grow the DR side to " + cluster.voters() + " voters",
                                            newest[0] + " vote when the time is over",
                                            "Look whether the group launches instances and why they"
                                                    + " don't join"));
        }
    }

    private long voters(Login.Session session, long before) {
        // While nodes join, a leader may be busy or change; what counts is the end.
        if (!(leaders.find(cluster, LOOK) instanceof LeaderFinder.Finding.Active active)) {
            return before;
        }
        VaultClient node = active.node();
        try {
            return node.raftConfiguration(session.token()).stream()
                    .filter(RaftServer::voter)
                    .count();
        } catch (Failure.Retryable e) {
            return before;
        }
    }
}
