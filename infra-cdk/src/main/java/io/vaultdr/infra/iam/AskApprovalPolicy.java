package io.vaultdr.infra.iam;

import io.vaultdr.infra.config.Config.Pair;
import io.vaultdr.infra.config.Names;

import java.util.ArrayList;
import java.util.List;

/** Keeps the task token and asks people. */
public record AskApprovalPolicy(Names names, Pair pair, String region) implements Policy {
    @Override
    public List<Allowance> allowances() {
        List<Allowance> all = new ArrayList<>();

        all.add(Allowances.changeLedger(names, region));
        all.add(Allowance.on(names.stateMachineArn(region), "states:SendTaskSuccess"));
        all.add(Allowances.page(names, region));
        return all;
    }
}
