package io.vaultdr.infra.iam;

import io.vaultdr.infra.config.Config.Pair;
import io.vaultdr.infra.config.Names;

import java.util.ArrayList;
import java.util.List;

/** Raises the DR group to its size and waits until its nodes vote. */
public record GrowPolicy(Names names, Pair pair, String region) implements Policy {
    @Override
    public List<Allowance> allowances() {
        List<Allowance> all = new ArrayList<>();

        all.add(Allowances.changeLedger(names, region));
        all.add(Allowances.login(names, region, pair.drCluster().login(), "grow"));
        all.add(Allowances.certificates(names, region));
        String group = pair.drCluster().autoScalingGroup().orElseThrow();
        all.add(Allowances.unscoped("autoscaling:DescribeAutoScalingGroups"));
        all.add(
                Allowances.group(
                        names,
                        region,
                        group,
                        "autoscaling:SetDesiredCapacity",
                        "autoscaling:SuspendProcesses",
                        "autoscaling:ResumeProcesses"));
        return all;
    }
}
