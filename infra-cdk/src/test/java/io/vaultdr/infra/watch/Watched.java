package io.vaultdr.infra.watch;

import io.vaultdr.infra.config.Names;
import io.vaultdr.model.PairId;
import io.vaultdr.model.Side;
import io.vaultdr.runtime.PairSettings.Edition;

import java.util.List;
import java.util.Map;

/** Clusters to watch. */
final class Watched {
    static final Names NAMES =
            new Names("vault-dr", new PairId("payments"), "111122223333", Map.of(), Map.of());

    private Watched() {}

    static WatchedCluster cluster(Side side) {
        return cluster(side, Edition.OPENBAO, "m7g.large");
    }

    static WatchedCluster cluster(Side side, Edition edition, String instanceType) {
        return new WatchedCluster(
                NAMES,
                side,
                side == Side.HOME ? "eu-west-1" : "eu-central-1",
                edition,
                "vault-dr-payments-" + side,
                "/var/log/openbao/audit.log",
                List.of("/", "/opt/openbao/data"),
                instanceType);
    }
}
