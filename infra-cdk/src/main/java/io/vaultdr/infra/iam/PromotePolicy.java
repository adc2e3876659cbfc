package io.vaultdr.infra.iam;

import io.vaultdr.infra.config.Config.Pair;
import io.vaultdr.infra.config.Names;

import java.util.ArrayList;
import java.util.List;

/** Restores the newest good snapshot into the blank node of the DR side. */
public record PromotePolicy(Names names, Pair pair, String region) implements Policy {
    @Override
    public List<Allowance> allowances() {
        List<Allowance> all = new ArrayList<>();

        all.add(Allowances.changeLedger(names, region));
        all.addAll(Allowances.readSnapshots(names, region));
        all.add(Allowances.certificates(names, region));
        all.addAll(
                Allowances.run(
                        names,
                        region,
                        pair.drCluster().instances().orElseThrow(),
                        "restart",
                        "wipe"));
        return all;
    }
}
