package io.vaultdr.infra.iam;

import io.vaultdr.infra.config.Config.Pair;
import io.vaultdr.infra.config.Names;

import java.util.ArrayList;
import java.util.List;

/** Does what people ask: looks, pauses, answers, opens incidents. */
public record ControlPolicy(Names names, Pair pair, String region) implements Policy {
    @Override
    public List<Allowance> allowances() {
        List<Allowance> all = new ArrayList<>();

        all.add(Allowances.changeLedger(names, region));
        all.addAll(Allowances.readSnapshots(names, region));
        all.add(Allowance.on(names.stateMachineArn(region), "states:StartExecution"));
        all.add(Allowance.on(names.stateMachineArn(region), "states:SendTaskSuccess"));
        all.add(
                Allowance.onPattern(
                        names.arn("states", region, "execution:" + names.stateMachine() + ":*"),
                        "Each incident has an execution of its own",
                        "states:DescribeExecution"));
        all.add(Allowances.page(names, region));
        return all;
    }
}
