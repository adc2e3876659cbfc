package io.vaultdr.infra.iam;

import io.vaultdr.infra.config.Config.Cluster;
import io.vaultdr.infra.config.Config.Pair;
import io.vaultdr.infra.config.Names;
import io.vaultdr.vault.Login.Intent;

import java.util.ArrayList;
import java.util.List;

/** Reads a snapshot from the pair's own cluster of this region and writes it to every bucket. */
public record TakeSnapshotPolicy(Names names, Pair pair, String region) implements Policy {
    @Override
    public List<Allowance> allowances() {
        List<Allowance> all = new ArrayList<>();

        pair.bucketRegions()
                .forEach(bucket -> all.addAll(Allowances.writeSnapshots(names, bucket)));
        Cluster cluster = region.equals(pair.home().region()) ? pair.home() : pair.drCluster();
        String login = cluster.login();
        if (cluster.awsLogin().isEmpty()) {
            all.add(Allowances.login(names, region, login, "snapshot"));
        }
        // Which version of each login the snapshot knows, without reading one.
        for (Intent intent : Intent.of(pair.made())) {
            all.add(Allowances.seeLogin(names, region, login, intent.toString()));
        }
        all.add(Allowances.certificates(names, region));
        if (pair.probed()) {
            all.add(Allowances.ledger(names, pair.drCluster().region(), "dynamodb:GetItem"));
        }
        return all;
    }
}
