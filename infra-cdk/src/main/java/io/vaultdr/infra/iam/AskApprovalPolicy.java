package io.vaultdr.infra.iam;

import io.vaultdr.infra.config.Names;

import java.util.List;

/** Keeps the task token, asks people, and answers what was decided meanwhile. */
public record AskApprovalPolicy(Names names, String region) implements Policy {
    @Override
    public List<Allowance> allowances() {
        return List.of(
                Allowances.changeLedger(names, region),
                Allowance.on(names.stateMachineArn(region), "states:SendTaskSuccess"),
                Allowances.pageOrLook(names, region));
    }
}
