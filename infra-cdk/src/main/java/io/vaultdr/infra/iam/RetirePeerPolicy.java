package io.vaultdr.infra.iam;

import io.vaultdr.infra.config.Config.Cluster;
import io.vaultdr.infra.config.Config.Pair;
import io.vaultdr.infra.config.Names;

import java.util.ArrayList;
import java.util.List;

/** Looks at a made cluster's group and lets its hooks go, or holds them on. */
public record RetirePeerPolicy(Names names, Pair pair, Cluster cluster) implements Policy {
    @Override
    public List<Allowance> allowances() {
        String region = cluster.region();
        List<Allowance> all = new ArrayList<>();
        all.add(
                Allowances.unscoped(
                        "autoscaling:DescribeAutoScalingGroups",
                        "autoscaling:DescribeScalingActivities"));
        all.add(
                Allowances.group(
                        names,
                        region,
                        cluster.autoScalingGroup().orElseThrow(),
                        "autoscaling:CompleteLifecycleAction",
                        "autoscaling:RecordLifecycleActionHeartbeat"));
        all.add(Allowances.login(names, region, cluster.login(), "retire"));
        all.add(Allowances.certificates(names, region));
        all.add(Allowances.pageOrLook(names, region));
        if (pair.probed()) {
            all.add(Allowances.ledger(names, pair.drCluster().region(), "dynamodb:GetItem"));
        }
        return all;
    }
}
