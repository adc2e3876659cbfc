package io.vaultdr.infra.iam;

import software.amazon.awscdk.services.iam.AccountPrincipal;
import software.amazon.awscdk.services.iam.AnyPrincipal;
import software.amazon.awscdk.services.iam.Effect;
import software.amazon.awscdk.services.iam.IPrincipal;
import software.amazon.awscdk.services.iam.PolicyDocument;
import software.amazon.awscdk.services.iam.PolicyStatement;

import java.util.List;
import java.util.Map;

/**
 * The policy of a seal's key. Who administers it can't use it, who uses it can only unseal, and
 * nobody but the break-glass role disables it or has it deleted: with it every snapshot is lost.
 *
 * <p>Roles are named by a condition and not as principals: those have to exist when a policy is
 * written, and most of these are made by stacks that come later.
 *
 * @param account whose the key is
 * @param unsealers account → ARNs of the roles there that unseal, or prove snapshots
 * @param breakGlass the role that may disable and delete
 * @see <a href="https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html">The
 *     default key policy</a>
 */
public record SealKeyPolicy(
        String account, Map<String, List<String>> unsealers, String breakGlass) {

    /** The document, the same in each region: replicas don't take over the primary's. */
    public PolicyDocument document() {
        PolicyDocument policy = PolicyDocument.Builder.create().minimize(false).build();
        policy.addStatements(
                statement("Administration", Effect.ALLOW, new AccountPrincipal(account))
                        .actions(
                                List.of(
                                        "kms:CancelKeyDeletion",
                                        "kms:CreateAlias",
                                        "kms:DeleteAlias",
                                        "kms:DescribeKey",
                                        "kms:DisableKey",
                                        "kms:DisableKeyRotation",
                                        "kms:EnableKey",
                                        "kms:EnableKeyRotation",
                                        "kms:GetKeyPolicy",
                                        "kms:GetKeyRotationStatus",
                                        "kms:ListGrants",
                                        "kms:ListKeyPolicies",
                                        "kms:ListKeyRotations",
                                        "kms:ListResourceTags",
                                        "kms:PutKeyPolicy",
                                        "kms:ReplicateKey",
                                        "kms:RevokeGrant",
                                        "kms:RotateKeyOnDemand",
                                        "kms:ScheduleKeyDeletion",
                                        "kms:SynchronizeMultiRegionKey",
                                        "kms:TagResource",
                                        "kms:UntagResource",
                                        "kms:UpdateAlias",
                                        "kms:UpdateKeyDescription",
                                        "kms:UpdatePrimaryRegion"))
                        .build());
        unsealers.forEach(
                (whose, roles) ->
                        policy.addStatements(
                                statement(
                                                "Unseal" + whose,
                                                Effect.ALLOW,
                                                new AccountPrincipal(whose))
                                        .actions(
                                                List.of(
                                                        "kms:Encrypt",
                                                        "kms:Decrypt",
                                                        "kms:DescribeKey"))
                                        .conditions(
                                                Map.of(
                                                        "ArnEquals",
                                                        Map.of("aws:PrincipalArn", roles)))
                                        .build()));
        policy.addStatements(
                statement("Keep", Effect.DENY, new AnyPrincipal())
                        .actions(List.of("kms:DisableKey", "kms:ScheduleKeyDeletion"))
                        .conditions(Map.of("ArnNotEquals", Map.of("aws:PrincipalArn", breakGlass)))
                        .build());
        return policy;
    }

    private static PolicyStatement.Builder statement(String sid, Effect effect, IPrincipal who) {
        return PolicyStatement.Builder.create()
                .sid(sid)
                .effect(effect)
                .principals(List.of(who))
                .resources(List.of("*"));
    }
}
