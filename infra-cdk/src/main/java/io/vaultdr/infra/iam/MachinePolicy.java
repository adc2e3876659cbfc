package io.vaultdr.infra.iam;

import io.vaultdr.infra.config.Names;

import java.util.ArrayList;
import java.util.List;

/** Runs the steps of a failover. */
public record MachinePolicy(Names names, String region, List<String> steps) implements Policy {
    @Override
    public List<Allowance> allowances() {
        List<Allowance> all = new ArrayList<>();
        for (String step : steps) {
            all.add(
                    Allowance.onPattern(
                            names.functionArn(region, step) + ":*",
                            "An execution keeps the versions that it began with, also after a"
                                    + " deployment",
                            "lambda:InvokeFunction"));
        }
        all.addAll(observed());
        return all;
    }

    /** What every machine needs to write its log and its traces. */
    static List<Allowance> observed() {
        return List.of(
                Allowances.unscoped(
                        "logs:CreateLogDelivery",
                        "logs:GetLogDelivery",
                        "logs:UpdateLogDelivery",
                        "logs:DeleteLogDelivery",
                        "logs:ListLogDeliveries",
                        "logs:PutResourcePolicy",
                        "logs:DescribeResourcePolicies",
                        "logs:DescribeLogGroups"),
                Allowances.unscoped(
                        "xray:PutTraceSegments",
                        "xray:PutTelemetryRecords",
                        "xray:GetSamplingRules",
                        "xray:GetSamplingTargets"));
    }
}
