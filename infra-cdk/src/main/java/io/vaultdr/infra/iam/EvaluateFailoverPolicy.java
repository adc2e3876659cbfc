package io.vaultdr.infra.iam;

import io.vaultdr.infra.config.Names;

import java.util.List;

/** Judges evidence, opens incidents, starts and releases executions, pages. */
public record EvaluateFailoverPolicy(Names names, String region) implements Policy {
    @Override
    public List<Allowance> allowances() {
        return List.of(
                Allowances.changeLedger(names, region),
                Allowance.on(names.stateMachineArn(region), "states:StartExecution"),
                Allowance.on(names.stateMachineArn(region), "states:SendTaskSuccess"),
                Allowances.seeExecutions(names, region),
                Allowances.page(names, region));
    }
}
