package io.vaultdr.infra.construct;

import io.vaultdr.infra.config.Config.Snapshots;
import io.vaultdr.infra.config.Names;
import io.vaultdr.infra.iam.CopyGrants;
import io.vaultdr.runtime.RetentionSettings.Archive;

import software.amazon.awscdk.Duration;
import software.amazon.awscdk.RemovalPolicy;
import software.amazon.awscdk.services.kms.Key;
import software.amazon.awscdk.services.s3.Bucket;
import software.amazon.awscdk.services.s3.BucketEncryption;
import software.amazon.awscdk.services.s3.CfnBucket;
import software.amazon.awscdk.services.s3.LifecycleRule;
import software.amazon.awscdk.services.s3.StorageClass;
import software.amazon.awscdk.services.s3.Transition;
import software.constructs.Construct;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The bucket of one region, and the key that encrypts it; both outlive the stack. Nothing in it
 * expires by itself: Retention deletes, since only that knows what is proven.
 */
public final class SnapshotBucket extends Construct {
    /** What Retention tags an archive with that is to go to the colder class. */
    private static final Map<String, Object> ARCHIVE = Map.of("vault-dr-class", "archive");

    private final Key key;
    private final Bucket bucket;

    public SnapshotBucket(
            Construct scope, String id, Names names, String region, Snapshots snapshots) {
        super(scope, id);
        key =
                Key.Builder.create(this, "Key")
                        .alias(names.snapshotKeyAlias())
                        .description("Encrypts the snapshots of " + names.pair() + " in " + region)
                        .enableKeyRotation(true)
                        .removalPolicy(RemovalPolicy.RETAIN)
                        .build();
        List<LifecycleRule> rules = new ArrayList<>(List.of(Buckets.unfinished()));
        snapshots.keep().archive().map(SnapshotBucket::colder).ifPresent(rules::add);
        Bucket.Builder builder =
                Buckets.builder(this, "Bucket", names.snapshots(region))
                        .encryption(BucketEncryption.KMS)
                        .encryptionKey(key)
                        .bucketKeyEnabled(true)
                        .lifecycleRules(rules);
        snapshots
                .lock()
                .ifPresent(
                        lock ->
                                builder.objectLockEnabled(true)
                                        .objectLockDefaultRetention(Buckets.retention(lock)));
        bucket = Buckets.build(builder);
        // Bucket's own property for it would bring a helper function that sets it.
        if (bucket.getNode().getDefaultChild() instanceof CfnBucket plain) {
            plain.addPropertyOverride(
                    "NotificationConfiguration.EventBridgeConfiguration.EventBridgeEnabled", true);
        }
    }

    /** Lets roles of another account in. */
    public void grant(CopyGrants grants) {
        grants.ofBucket().forEach(bucket::addToResourcePolicy);
        grants.ofKey().forEach(key::addToResourcePolicy);
    }

    private static LifecycleRule colder(Archive archive) {
        return LifecycleRule.builder()
                .id("archive")
                .tagFilters(ARCHIVE)
                .transitions(
                        List.of(
                                Transition.builder()
                                        .storageClass(storageClass(archive.storageClass()))
                                        // Retention has waited already.
                                        .transitionAfter(Duration.days(0))
                                        .build()))
                .build();
    }

    private static StorageClass storageClass(String name) {
        return switch (name) {
            case "GLACIER_IR" -> StorageClass.GLACIER_INSTANT_RETRIEVAL;
            case "GLACIER" -> StorageClass.GLACIER;
            case "DEEP_ARCHIVE" -> StorageClass.DEEP_ARCHIVE;
            default -> throw new IllegalArgumentException(name + ": expected a Glacier class");
        };
    }
}
