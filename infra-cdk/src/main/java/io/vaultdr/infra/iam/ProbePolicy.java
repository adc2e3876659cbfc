package io.vaultdr.infra.iam;

import io.vaultdr.aws.DynamoDbEvidence;
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
        String path = "arn:aws:ssm:" + region + ":" + account + ":parameter" + settingsPath;
        all.add(Allowance.on(path, "ssm:GetParametersByPath"));
        all.add(
                Allowance.onPattern(
                        path + "/*",
                        "The settings of all pairs lie under this path",
                        "ssm:GetParametersByPath"));
        all.add(Allowances.putMetrics("VaultDr"));
        for (Pair pair : config.probedPairs()) {
            Names names = PairSettingsMaker.names(config, pair);
            String dr = pair.drCluster().region();
            all.add(Allowances.ledger(names, dr, "dynamodb:GetItem", "dynamodb:Query"));
            // Whoever holds a vantage, home's too, mustn't be able to say who serves.
            all.add(
                    Allowances.ledger(names, dr, "dynamodb:PutItem")
                            .when(
                                    "ForAllValues:StringEquals",
                                    "dynamodb:LeadingKeys",
                                    DynamoDbEvidence.partitions(region)));
            if (region.equals(dr)) {
                readiness(pair, names, all);
            }
        }
        return all;
    }

    /** The vantage beside the DR cluster looks whether that is ready, too. */
    private void readiness(Pair pair, Names names, List<Allowance> all) {
        all.add(Allowances.unscoped("autoscaling:DescribeAutoScalingGroups"));
        all.addAll(Allowances.readSnapshots(names, region));
        for (String intent : List.of("snapshot", "verify", "grow")) {
            all.add(Allowances.seeLogin(names, region, pair.drCluster().login(), intent));
        }
    }
}
