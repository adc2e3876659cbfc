package io.vaultdr.infra.iam;

import io.vaultdr.cluster.VaultSetup;
import io.vaultdr.infra.config.Config.Cluster;
import io.vaultdr.infra.config.Config.Pair;
import io.vaultdr.infra.config.Names;

import java.util.ArrayList;
import java.util.List;

/**
 * Replaces the logins of a pair wherever they lie, and reads which ones its snapshots name.
 *
 * @param places where the logins lie
 * @param cluster the one that this region's functions log in to
 */
public record RotateLoginsPolicy(
        Names names, Pair pair, List<VaultSetup.Place> places, Cluster cluster) implements Policy {
    @Override
    public List<Allowance> allowances() {
        List<Allowance> all = new ArrayList<>();
        places.stream()
                .filter(place -> !place.copy())
                .map(
                        place ->
                                Allowances.logins(
                                        names,
                                        pair,
                                        place.region(),
                                        place.login(),
                                        "secretsmanager:DescribeSecret",
                                        "secretsmanager:PutSecretValue"))
                .forEach(all::add);
        // Its own one, and each that another region lacks.
        all.add(
                Allowances.logins(
                        names,
                        pair,
                        cluster.region(),
                        cluster.login(),
                        "secretsmanager:GetSecretValue"));
        pair.bucketRegions().forEach(it -> all.addAll(Allowances.readSnapshots(names, it)));
        all.add(Allowances.certificates(names, cluster.region()));
        if (pair.probed()) {
            all.add(Allowances.ledger(names, pair.drCluster().region(), "dynamodb:GetItem"));
        }
        return all;
    }
}
