package io.vaultdr.failover;

import io.vaultdr.model.Failure;
import io.vaultdr.model.Side;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.vault.LeaderFinder;
import io.vaultdr.vault.VaultClient;

import java.time.Duration;
import java.util.OptionalLong;

/**
 * Probes a side by looking for its active node. Only that node's own 200 is {@code REACHED}: after
 * a lost quorum standbys go on naming a leader that is dead.
 */
public final class LeaderProbe implements Probing.Probe {
    private final PairSettings pair;
    private final LeaderFinder finder;

    /** Probes the clusters of {@code pair}. */
    public LeaderProbe(PairSettings pair, LeaderFinder finder) {
        this.pair = pair;
        this.finder = finder;
    }

    @Override
    public Probing.Finding look(Side side, Duration limit) {
        return switch (finder.find(pair.cluster(side), limit)) {
            case LeaderFinder.Finding.Active(VaultClient node, _) ->
                    new Probing.Finding(Observation.Evidence.REACHED, committedIndex(node));
            case LeaderFinder.Finding.NoneActive none ->
                    new Probing.Finding(evidence(none), OptionalLong.empty());
        };
    }

    private static Observation.Evidence evidence(LeaderFinder.Finding.NoneActive none) {
        if (none.silent()) {
            return Observation.Evidence.SILENT;
        }
        return none.sealed() ? Observation.Evidence.SEALED : Observation.Evidence.NO_ACTIVE;
    }

    /** For the estimate of the loss only: a leader that doesn't say it is reached all the same. */
    private static OptionalLong committedIndex(VaultClient node) {
        try {
            return node.leader().committedIndex();
        } catch (Failure e) {
            return OptionalLong.empty();
        }
    }
}
