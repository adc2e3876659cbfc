package io.vaultdr.infra.iam;

import io.vaultdr.infra.config.Names;

import java.util.List;

/** Does what people ask: looks, pauses, answers, opens incidents. */
public record ControlPolicy(Names names, String region) implements Policy {
    @Override
    public List<Allowance> allowances() {
        return List.of(
                Allowances.changeLedger(names, region),
                Allowance.on(names.stateMachineArn(region), "states:StartExecution"),
                Allowance.on(names.stateMachineArn(region), "states:SendTaskSuccess"),
                Allowances.seeExecutions(names, region));
    }
}
