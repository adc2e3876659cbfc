package io.vaultdr.infra.iam;

import io.vaultdr.infra.config.Names;

import java.util.ArrayList;
import java.util.List;

/**
 * Replaces the instances of one group, and asks the ledger first where that is in the same region.
 *
 * @param asksLedger whether the pair's ledger stands in {@code region}
 */
public record RefreshNodesPolicy(Names names, String region, String group, boolean asksLedger)
        implements Policy {
    @Override
    public List<Allowance> allowances() {
        List<Allowance> all = new ArrayList<>();
        all.add(Allowances.group(names, region, group, "autoscaling:StartInstanceRefresh"));
        // A refresh looks at the alarms that stop it by the right of who starts it.
        all.add(
                Allowances.unscoped(
                        "autoscaling:DescribeInstanceRefreshes", "cloudwatch:DescribeAlarms"));
        if (asksLedger) {
            all.add(Allowances.ledger(names, region, "dynamodb:GetItem"));
        }
        all.addAll(MachinePolicy.observed());
        return all;
    }
}
