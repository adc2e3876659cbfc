package io.vaultdr.infra.iam;

import io.vaultdr.infra.config.Config.Pair;
import io.vaultdr.infra.config.Names;
import io.vaultdr.runtime.PairSettings.Cluster;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Boots a drill's own instances, restores a snapshot into them and ends them: of the pair's real
 * servers it can reach none.
 *
 * @param cluster the drill's own
 */
public record DrillClusterPolicy(Names names, Pair pair, Cluster cluster) implements Policy {
    @Override
    public List<Allowance> allowances() {
        return Stream.of(
                        tables(),
                        objects(),
                        List.of(Allowances.key(names, cluster.region(), "kms:Decrypt")),
                        certificates(),
                        secrets(),
                        groups(),
                        commands())
                .flatMap(List::stream)
                .toList();
    }

    /** Whether something real began. */
    public List<Allowance> tables() {
        return List.of(Allowances.ledger(names, cluster.region(), "dynamodb:GetItem"));
    }

    /** The snapshots. */
    public List<Allowance> objects() {
        String bucket = "arn:aws:s3:::" + names.snapshots(cluster.region());
        return List.of(
                Allowance.on(bucket, "s3:ListBucket"),
                Allowances.objects(bucket + "/*", "s3:GetObject"));
    }

    /** The logins that a restored cluster knows. */
    public List<Allowance> secrets() {
        return Stream.of("verify", "grow")
                .map(intent -> Allowances.login(names, cluster.region(), cluster.login(), intent))
                .toList();
    }

    /** Whom to trust at the servers. */
    public List<Allowance> certificates() {
        return List.of(Allowances.certificates(names, cluster.region()));
    }

    /** The drill's group. */
    public List<Allowance> groups() {
        return List.of(
                Allowances.unscoped("autoscaling:DescribeAutoScalingGroups"),
                Allowances.group(
                        names,
                        cluster.region(),
                        cluster.autoScalingGroup().orElseThrow(),
                        "autoscaling:SetDesiredCapacity"));
    }

    /** Documents on the drill's instances, and where those stand. */
    public List<Allowance> commands() {
        List<Allowance> all = new ArrayList<>();
        all.add(Allowances.unscoped("ssm:DescribeInstanceInformation"));
        all.addAll(
                Allowances.run(
                        names,
                        cluster.region(),
                        cluster.instanceTag().orElseThrow(),
                        "restart",
                        "wipe"));
        return all;
    }
}
