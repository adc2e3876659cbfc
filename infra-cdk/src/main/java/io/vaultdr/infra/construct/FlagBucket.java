package io.vaultdr.infra.construct;

import io.github.cdklabs.cdknag.NagPackSuppression;
import io.github.cdklabs.cdknag.NagSuppressions;
import io.vaultdr.infra.config.Names;

import software.amazon.awscdk.Duration;
import software.amazon.awscdk.RemovalPolicy;
import software.amazon.awscdk.services.iam.AnyPrincipal;
import software.amazon.awscdk.services.iam.Effect;
import software.amazon.awscdk.services.iam.PolicyStatement;
import software.amazon.awscdk.services.s3.BlockPublicAccess;
import software.amazon.awscdk.services.s3.Bucket;
import software.amazon.awscdk.services.s3.BucketEncryption;
import software.amazon.awscdk.services.s3.LifecycleRule;
import software.amazon.awscdk.services.s3.ObjectOwnership;
import software.constructs.Construct;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * The bucket of a traffic flag. Route 53's health checkers, and nobody else without a signature,
 * may read the one object. A policy for everybody that is limited to fixed address ranges isn't
 * public in the sense of Block Public Access, so that stays on in full. Objects under a KMS key
 * can't be read without a signature, therefore SSE-S3.
 */
public final class FlagBucket extends Construct {
    private static final String RANGES = "/io/vaultdr/infra/route53-health-checkers.txt";

    public FlagBucket(Construct scope, String id, String bucketName) {
        super(scope, id);
        Bucket bucket =
                Bucket.Builder.create(this, "Bucket")
                        .bucketName(bucketName)
                        .encryption(BucketEncryption.S3_MANAGED)
                        .blockPublicAccess(BlockPublicAccess.BLOCK_ALL)
                        .objectOwnership(ObjectOwnership.BUCKET_OWNER_ENFORCED)
                        .enforceSsl(true)
                        .versioned(true)
                        .removalPolicy(RemovalPolicy.RETAIN)
                        .lifecycleRules(
                                List.of(
                                        LifecycleRule.builder()
                                                .id("history")
                                                .noncurrentVersionExpiration(Duration.days(365))
                                                .build()))
                        .build();
        bucket.addToResourcePolicy(
                PolicyStatement.Builder.create()
                        .sid("HealthCheckers")
                        .effect(Effect.ALLOW)
                        .principals(List.of(new AnyPrincipal()))
                        .actions(List.of("s3:GetObject"))
                        .resources(List.of(bucket.arnForObjects(Names.FLAG_KEY)))
                        .conditions(Map.of("IpAddress", Map.of("aws:SourceIp", healthCheckers())))
                        .build());
        NagSuppressions.addResourceSuppressions(
                bucket,
                List.of(
                        NagPackSuppression.builder()
                                .id("AwsSolutions-S1")
                                .reason(
                                        "It holds one object without content, read by health"
                                                + " checkers every few seconds: an access log would"
                                                + " be all it ever grows by")
                                .build()));
    }

    /** The published address ranges of Route 53's health checkers. */
    static List<String> healthCheckers() {
        try (InputStream ranges =
                Objects.requireNonNull(FlagBucket.class.getResourceAsStream(RANGES), RANGES)) {
            return new String(ranges.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .map(String::strip)
                    .filter(line -> !line.isEmpty() && !line.startsWith("#"))
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(RANGES, e);
        }
    }
}
