package io.vaultdr.workflow;

import io.vaultdr.model.Failure;
import io.vaultdr.model.StepName;
import io.vaultdr.promotion.Capacity;
import io.vaultdr.promotion.Voters;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.vault.LeaderFinder;
import io.vaultdr.vault.Login;

import java.util.Map;

/**
 * Lets the one restored node grow to a cluster: the group gets as many instances as the cluster has
 * voters, each joins by itself, and it is done when so many <em>vote</em>. (Autopilot calls a
 * cluster healthy before its followers vote.) Until then the group ends no instance by itself.
 */
public final class Grow implements Step {
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
            login.check(cluster, Login.Intent.GROW);
            return Map.of("desired", "" + size.desired(), "max", "" + size.max());
        }
        capacity.suspendTermination();
        if (size.desired() < cluster.voters()) {
            capacity.want(cluster.voters());
        }
        long voters =
                new Voters(cluster, leaders, login)
                        .await(Promote.login(work, Login.Intent.GROW), work.deadline(), _ -> {});
        capacity.resumeTermination();
        return Map.of("voters", Long.toString(voters));
    }
}
