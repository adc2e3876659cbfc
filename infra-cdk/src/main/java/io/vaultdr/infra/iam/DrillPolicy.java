package io.vaultdr.infra.iam;

import io.vaultdr.infra.config.Config.Pair;
import io.vaultdr.infra.config.Names;
import io.vaultdr.runtime.DrillSettings;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Lets a snapshot be taken, waits for its proof, lets the failover run dry, signs what it saw and
 * writes it where it is locked.
 */
public record DrillPolicy(Names names, Pair pair, DrillSettings drill) implements Policy {
    @Override
    public List<Allowance> allowances() {
        String region = drill.bucket().region();
        List<Allowance> all = new ArrayList<>();
        Stream.concat(Stream.of(drill.takeSnapshot()), drill.takeSnapshotDr().stream())
                .forEach(it -> all.add(Allowance.on(it, "lambda:InvokeFunction")));
        all.addAll(Allowances.readSnapshots(names, pair.proofRegion()));
        String bucket = "arn:aws:s3:::" + drill.bucket().name();
        all.add(Allowance.on(bucket, "s3:ListBucket"));
        all.add(Allowances.objects(bucket + "/*", "s3:GetObject", "s3:PutObject"));
        all.add(
                Allowances.aliased(
                        names, region, names.drillKeyAlias(), "kms:Sign", "kms:GetPublicKey"));
        if (pair.probed()) {
            String dr = pair.drCluster().region();
            all.add(Allowances.ledger(names, dr, "dynamodb:GetItem"));
            all.add(Allowance.on(names.stateMachineArn(dr), "states:StartExecution"));
            all.add(
                    Allowances.executions(
                            names, dr, "states:DescribeExecution", "states:GetExecutionHistory"));
        }
        return all;
    }
}
