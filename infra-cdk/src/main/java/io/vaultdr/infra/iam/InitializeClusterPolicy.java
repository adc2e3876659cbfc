package io.vaultdr.infra.iam;

import io.vaultdr.cluster.VaultSetup;
import io.vaultdr.infra.config.Config.Pair;
import io.vaultdr.infra.config.Names;

import java.util.ArrayList;
import java.util.List;

/**
 * Brings home's cluster to service: may put recovery keys and never read them, remembers how far it
 * came, fills the logins, and wipes nodes whose keys nobody has.
 *
 * @param places where the logins lie
 */
public record InitializeClusterPolicy(Names names, Pair pair, List<VaultSetup.Place> places)
        implements Policy {
    @Override
    public List<Allowance> allowances() {
        String home = pair.home().region();
        List<Allowance> all = new ArrayList<>();
        for (String region : pair.clusterRegions()) {
            all.add(
                    Allowances.onSecret(
                            names, region, names.recoveryKeys(), "secretsmanager:PutSecretValue"));
        }
        all.add(
                Allowances.onSecret(
                        names,
                        home,
                        names.initialisation(),
                        "secretsmanager:GetSecretValue",
                        "secretsmanager:PutSecretValue"));
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
        all.add(Allowances.login(names, home, pair.home().login(), "configure"));
        all.addAll(Allowances.run(names, home, pair.home().instances().orElseThrow(), "wipe"));
        all.add(Allowances.certificates(names, home));
        all.add(Allowances.pageOrLook(names, home));
        return all;
    }
}
