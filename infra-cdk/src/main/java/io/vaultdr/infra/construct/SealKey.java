package io.vaultdr.infra.construct;

import io.vaultdr.infra.config.Names;
import io.vaultdr.infra.iam.SealKeyPolicy;

import software.amazon.awscdk.CfnParameter;
import software.amazon.awscdk.CfnResource;
import software.amazon.awscdk.RemovalPolicy;
import software.amazon.awscdk.services.kms.CfnAlias;
import software.amazon.awscdk.services.kms.CfnKey;
import software.amazon.awscdk.services.kms.CfnReplicaKey;
import software.constructs.Construct;

/**
 * The key that seals a made cluster: multi-Region, made in home's region and replicated to the
 * other one, where snapshots are proven and promoted. It outlives its stack, and thirty days pass
 * before a deletion that somebody scheduled happens.
 *
 * <p>A replica is made of its primary's ARN, which nobody knows before that exists: the replica's
 * stack is told it once, by the parameter {@code SealKey}, and remembers it (docs/adr/0022).
 */
public final class SealKey extends Construct {
    private static final int PENDING_DAYS = 30;

    private final String arn;

    private SealKey(Construct scope, Names names, SealKeyPolicy policy, String primaryRegion) {
        super(scope, "Seal");
        CfnResource key;
        String id;
        String ofPrimary = "Seals the servers of " + names.pair() + "; snapshots open with it only";
        if (primaryRegion.isEmpty()) {
            CfnKey primary =
                    CfnKey.Builder.create(this, "Key")
                            .description(ofPrimary)
                            .multiRegion(true)
                            .enableKeyRotation(true)
                            .keyPolicy(policy.document())
                            .pendingWindowInDays(PENDING_DAYS)
                            .build();
            key = primary;
            id = primary.getRef();
            arn = primary.getAttrArn();
        } else {
            CfnParameter primary =
                    CfnParameter.Builder.create(scope, "SealKey")
                            .type("String")
                            .description(
                                    "ARN of the key that the pair's Cluster stack made in "
                                            + primaryRegion
                                            + ", once: aws kms describe-key --region "
                                            + primaryRegion
                                            + " --key-id "
                                            + names.sealKeyAlias()
                                            + " --query KeyMetadata.Arn")
                            .allowedPattern(names.arn("kms", primaryRegion, "key/mrk-[0-9a-f]{32}"))
                            .constraintDescription(
                                    "the ARN of the multi-Region key in " + primaryRegion)
                            .build();
            CfnReplicaKey replica =
                    CfnReplicaKey.Builder.create(this, "Replica")
                            .description(ofPrimary)
                            .primaryKeyArn(primary.getValueAsString())
                            .keyPolicy(policy.document())
                            .pendingWindowInDays(PENDING_DAYS)
                            .build();
            key = replica;
            id = replica.getRef();
            arn = replica.getAttrArn();
        }
        key.applyRemovalPolicy(RemovalPolicy.RETAIN);
        CfnAlias.Builder.create(this, "Alias")
                .aliasName(names.sealKeyAlias())
                .targetKeyId(id)
                .build()
                .applyRemovalPolicy(RemovalPolicy.RETAIN);
    }

    /** The key itself. */
    public static SealKey primary(Construct scope, Names names, SealKeyPolicy policy) {
        return new SealKey(scope, names, policy, "");
    }

    /** The replica of the key in {@code primaryRegion}. */
    public static SealKey replica(
            Construct scope, Names names, SealKeyPolicy policy, String primaryRegion) {
        return new SealKey(scope, names, policy, primaryRegion);
    }

    /** Its ARN in this region, known at deployment. */
    public String arn() {
        return arn;
    }
}
