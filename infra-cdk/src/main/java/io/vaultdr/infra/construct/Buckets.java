package io.vaultdr.infra.construct;

import io.github.cdklabs.cdknag.NagPackSuppression;
import io.github.cdklabs.cdknag.NagSuppressions;
import io.vaultdr.infra.config.Config.Lock;

import software.amazon.awscdk.Duration;
import software.amazon.awscdk.RemovalPolicy;
import software.amazon.awscdk.services.s3.BlockPublicAccess;
import software.amazon.awscdk.services.s3.Bucket;
import software.amazon.awscdk.services.s3.LifecycleRule;
import software.amazon.awscdk.services.s3.ObjectLockRetention;
import software.amazon.awscdk.services.s3.ObjectOwnership;
import software.constructs.Construct;

import java.util.List;

/** What all buckets have in common but the flag's, which health checkers read. */
public final class Buckets {
    private Buckets() {}

    /** A bucket that outlives its stack and that nobody else sees. */
    public static Bucket.Builder builder(Construct scope, String id, String name) {
        return Bucket.Builder.create(scope, id)
                .bucketName(name)
                .blockPublicAccess(BlockPublicAccess.BLOCK_ALL)
                .objectOwnership(ObjectOwnership.BUCKET_OWNER_ENFORCED)
                .enforceSsl(true)
                .minimumTlsVersion(1.2)
                .versioned(true)
                .removalPolicy(RemovalPolicy.RETAIN);
    }

    /** Makes it, without a log of who touched what. */
    public static Bucket build(Bucket.Builder builder) {
        Bucket bucket = builder.build();
        NagSuppressions.addResourceSuppressions(
                bucket,
                List.of(
                        NagPackSuppression.builder()
                                .id("AwsSolutions-S1")
                                .reason(
                                        "Who touched which object is a matter of CloudTrail's data"
                                                + " events, which an organisation sets up once; a"
                                                + " log bucket per snapshot bucket would be another"
                                                + " thing to keep safe")
                                .build()));
        return bucket;
    }

    /** Sweeps uploads that were never finished. */
    static LifecycleRule unfinished() {
        return LifecycleRule.builder()
                .id("unfinished")
                .abortIncompleteMultipartUploadAfter(Duration.days(1))
                .build();
    }

    /** How long nobody deletes a version. */
    public static ObjectLockRetention retention(Lock lock) {
        Duration days = Duration.days(lock.days());
        return switch (lock.mode()) {
            case GOVERNANCE -> ObjectLockRetention.governance(days);
            case COMPLIANCE -> ObjectLockRetention.compliance(days);
        };
    }
}
