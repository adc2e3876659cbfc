package io.vaultdr.infra.iam;

import io.vaultdr.infra.config.Config.Pair;
import io.vaultdr.infra.config.Names;
import io.vaultdr.runtime.PairSettings.Failover.Strategy;

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
        if (pair.strategy() == Strategy.PILOT_LIGHT) {
            all.add(Allowances.unscoped("autoscaling:DescribeAutoScalingGroups"));
            all.add(
                    Allowances.group(
                            names,
                            region,
                            pair.drCluster().autoScalingGroup().orElseThrow(),
                            "autoscaling:SetDesiredCapacity",
                            "autoscaling:SuspendProcesses"));
        }
        return all;
    }
}
