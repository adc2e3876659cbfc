package io.vaultdr.infra.iam;

import io.vaultdr.infra.config.Config.Pair;
import io.vaultdr.infra.config.Names;

import java.util.ArrayList;
import java.util.List;

/**
 * Deletes versions of snapshots that nothing wants any more, unless they are locked, and tags what
 * goes to a colder class, all in its own account. It can't bypass a lock.
 */
public record RetentionPolicy(Names names, Pair pair) implements Policy {
    @Override
    public List<Allowance> allowances() {
        List<Allowance> all = new ArrayList<>();
        for (String bucketRegion : pair.bucketRegions().stream().filter(names::owns).toList()) {
            String bucket = "arn:aws:s3:::" + names.snapshots(bucketRegion);
            all.add(
                    Allowance.on(
                            bucket,
                            "s3:ListBucket",
                            "s3:ListBucketVersions",
                            "s3:GetBucketObjectLockConfiguration"));
            all.add(
                    Allowances.objects(
                            bucket + "/*",
                            "s3:GetObject",
                            "s3:GetObjectVersion",
                            // A lock is only told to who may read it.
                            "s3:GetObjectRetention",
                            "s3:GetObjectLegalHold",
                            "s3:PutObjectTagging",
                            "s3:DeleteObject",
                            "s3:DeleteObjectVersion"));
            all.add(Allowances.objects(bucket + "/retention/*", "s3:PutObject"));
            all.add(Allowances.key(names, bucketRegion, "kms:Decrypt", "kms:GenerateDataKey"));
        }
        if (pair.probed()) {
            all.add(Allowances.ledger(names, pair.drCluster().region(), "dynamodb:GetItem"));
        }
        return all;
    }
}
