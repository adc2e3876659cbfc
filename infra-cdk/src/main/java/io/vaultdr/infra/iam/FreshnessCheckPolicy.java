package io.vaultdr.infra.iam;

import io.vaultdr.infra.config.Config.Pair;
import io.vaultdr.infra.config.Config.Prove;
import io.vaultdr.infra.config.Names;

import java.util.ArrayList;
import java.util.List;

/** Reads manifests and says how old the newest snapshot is. */
public record FreshnessCheckPolicy(Names names, Pair pair, String region) implements Policy {
    @Override
    public List<Allowance> allowances() {
        List<Allowance> all = new ArrayList<>();

        pair.bucketRegions().stream()
                .filter(bucket -> !pair.inCopyAccount() || names.owns(bucket))
                .forEach(bucket -> all.addAll(Allowances.readSnapshots(names, bucket)));
        pair.proving()
                .map(Prove::seal)
                .filter(seal -> seal.keyId().isEmpty())
                .ifPresent(seal -> all.add(Allowance.on(seal.key(), "kms:DescribeKey")));
        if (pair.probed()) {
            all.add(Allowances.ledger(names, pair.drCluster().region(), "dynamodb:GetItem"));
        }
        return all;
    }
}
