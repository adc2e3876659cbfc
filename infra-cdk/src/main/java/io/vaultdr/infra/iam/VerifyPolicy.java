package io.vaultdr.infra.iam;

import io.vaultdr.infra.config.Config.Pair;
import io.vaultdr.infra.config.Names;

import java.util.ArrayList;
import java.util.List;

/** Logs in to the DR cluster, reads the canary and writes. */
public record VerifyPolicy(Names names, Pair pair, String region) implements Policy {
    @Override
    public List<Allowance> allowances() {
        List<Allowance> all = new ArrayList<>();

        all.add(Allowances.changeLedger(names, region));
        all.add(Allowances.login(names, region, pair.drCluster().login(), "verify"));
        all.add(Allowances.certificates(names, region));
        return all;
    }
}
