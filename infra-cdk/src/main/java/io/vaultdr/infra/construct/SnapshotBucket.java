package io.vaultdr.infra.construct;

import io.github.cdklabs.cdknag.NagPackSuppression;
import io.github.cdklabs.cdknag.NagSuppressions;
import io.vaultdr.infra.config.Config.Snapshots;
import io.vaultdr.infra.config.Names;

import software.amazon.awscdk.Duration;
import software.amazon.awscdk.RemovalPolicy;
import software.amazon.awscdk.services.kms.Key;
import software.amazon.awscdk.services.s3.BlockPublicAccess;
import software.amazon.awscdk.services.s3.Bucket;
import software.amazon.awscdk.services.s3.BucketEncryption;
import software.amazon.awscdk.services.s3.LifecycleRule;
import software.amazon.awscdk.services.s3.ObjectLockRetention;
import software.amazon.awscdk.services.s3.ObjectOwnership;
import software.constructs.Construct;

import java.util.List;

/** The bucket of one region, and the key that encrypts it; both outlive the stack. */
public final class SnapshotBucket extends Construct {
    public SnapshotBucket(
            Construct scope, String id, Names names, String region, Snapshots snapshots) {
        super(scope, id);
        Key key =
                Key.Builder.create(this, "Key")
                        .alias(names.snapshotKeyAlias())
                        .description("Encrypts the snapshots of " + names.pair() + " in " + region)
                        .enableKeyRotation(true)
                        .removalPolicy(RemovalPolicy.RETAIN)
                        .build();
        Bucket.Builder builder =
                Bucket.Builder.create(this, "Bucket")
                        .bucketName(names.snapshots(region))
                        .encryption(BucketEncryption.KMS)
                        .encryptionKey(key)
                        .bucketKeyEnabled(true)
                        .blockPublicAccess(BlockPublicAccess.BLOCK_ALL)
                        .objectOwnership(ObjectOwnership.BUCKET_OWNER_ENFORCED)
                        .enforceSsl(true)
                        .minimumTlsVersion(1.2)
                        .versioned(true)
                        .removalPolicy(RemovalPolicy.RETAIN)
                        .lifecycleRules(
                                List.of(
                                        LifecycleRule.builder()
                                                .id("unfinished")
                                                .abortIncompleteMultipartUploadAfter(
                                                        Duration.days(1))
                                                .build(),
                                        LifecycleRule.builder()
                                                .id("expired")
                                                .expiration(Duration.days(snapshots.keepDays()))
                                                .noncurrentVersionExpiration(
                                                        Duration.days(
                                                                Math.max(1, snapshots.lockDays())))
                                                .build()));
        if (snapshots.lockDays() > 0) {
            builder.objectLockEnabled(true)
                    .objectLockDefaultRetention(
                            ObjectLockRetention.governance(Duration.days(snapshots.lockDays())));
        }
        NagSuppressions.addResourceSuppressions(
                builder.build(),
                List.of(
                        NagPackSuppression.builder()
                                .id("AwsSolutions-S1")
                                .reason(
                                        "Who touched which object is a matter of CloudTrail's data"
                                                + " events, which an organisation sets up once; a"
                                                + " log bucket per snapshot bucket would be another"
                                                + " thing to keep safe")
                                .build()));
    }
}
