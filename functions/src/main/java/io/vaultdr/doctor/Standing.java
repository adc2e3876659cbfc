package io.vaultdr.doctor;

import io.vaultdr.model.Side;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.runtime.PairSettings.Failover;
import io.vaultdr.runtime.PairSettings.Failover.Strategy;
import io.vaultdr.vault.ServerChecks.Expected;

import java.util.Optional;

/** What a side's servers are to be, as the pair stands. */
public final class Standing {
    private Standing() {}

    /**
     * What the servers of {@code side} are to be.
     *
     * @param serves which side does; empty where the ledger doesn't tell, and home is taken to
     */
    public static Expected of(PairSettings pair, Side side, Optional<Side> serves) {
        if (side == serves.orElse(Side.HOME)) {
            return Expected.SERVING;
        }
        boolean blank =
                side == Side.DR
                        && pair.failover()
                                .map(Failover::strategy)
                                .filter(Strategy.WARM_STANDBY::equals)
                                .isPresent();
        return blank ? Expected.BLANK : Expected.ANYTHING;
    }
}
