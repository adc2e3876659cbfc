package io.vaultdr.infra.iam;

import io.vaultdr.infra.config.Config;
import io.vaultdr.infra.config.Config.Pair;
import io.vaultdr.infra.config.Names;
import io.vaultdr.infra.config.PairSettingsMaker;

import java.util.ArrayList;
import java.util.List;

/** Looks at every pair from a vantage, and writes down in its DR region what it saw. */
public record ProbePolicy(Config config, String region, String settingsPath) implements Policy {
    @Override
    public List<Allowance> allowances() {
        List<Allowance> all = new ArrayList<>();
        String account = config.account().orElseThrow();
        all.add(
                Allowance.onPattern(
                        "arn:aws:ssm:" + region + ":" + account + ":parameter" + settingsPath + "*",
                        "The settings of all pairs lie under this path",
                        "ssm:GetParameter",
                        "ssm:GetParametersByPath"));
        all.add(
                Allowance.onPattern(
                                "*",
                                "Metrics have no ARN; the condition names the namespace",
                                "cloudwatch:PutMetricData")
                        .when("StringEquals", "cloudwatch:namespace", "VaultDr"));
        all.add(Allowances.unscoped("autoscaling:DescribeAutoScalingGroups"));
        for (Pair pair : config.probedPairs()) {
            Names names = PairSettingsMaker.names(config, pair);
            String dr = pair.drCluster().region();
            all.add(
                    Allowances.ledger(
                            names, dr, "dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem"));
            all.addAll(Allowances.readSnapshots(names, dr));
            for (String intent : List.of("snapshot", "verify", "grow")) {
                all.add(Allowances.seeLogin(names, dr, pair.drCluster().login(), intent));
            }
        }
        return all;
    }
}
