package io.vaultdr.infra.iam;

import io.vaultdr.infra.config.Config.Pair;
import io.vaultdr.infra.config.Names;

import java.util.ArrayList;
import java.util.List;

/** Closes an incident by what its steps did, and pages. */
public record CloseIncidentPolicy(Names names, Pair pair, String region) implements Policy {
    @Override
    public List<Allowance> allowances() {
        List<Allowance> all = new ArrayList<>();

        all.add(Allowances.changeLedger(names, region));
        all.add(Allowances.pageOrLook(names, region));
        all.add(
                Allowances.group(
                        names,
                        region,
                        pair.drCluster().autoScalingGroup().orElseThrow(),
                        "autoscaling:ResumeProcesses"));
        pair.home()
                .autoScalingGroup()
                .ifPresent(
                        group ->
                                all.add(
                                        Allowances.group(
                                                names,
                                                pair.home().region(),
                                                group,
                                                "autoscaling:ResumeProcesses")));
        return all;
    }
}
