package io.vaultdr.infra.iam;

import software.amazon.awscdk.services.iam.AnyPrincipal;
import software.amazon.awscdk.services.iam.Effect;
import software.amazon.awscdk.services.iam.PolicyDocument;
import software.amazon.awscdk.services.iam.PolicyStatement;

import java.util.List;
import java.util.Map;

/**
 * The policy of a secret that hardly anybody has to do with, whatever their own policies say.
 *
 * @param readers ARNs of the roles that may read it
 * @param writers ARNs of the roles that may give it a value
 * @param breakGlass the role that may delete it
 */
public record KeptSecretPolicy(List<String> readers, List<String> writers, String breakGlass) {
    /** The document; it only denies. */
    public PolicyDocument document() {
        PolicyDocument policy = PolicyDocument.Builder.create().minimize(false).build();
        policy.addStatements(
                deny("Read", readers, "secretsmanager:GetSecretValue"),
                deny("Write", writers, "secretsmanager:PutSecretValue"),
                deny("Delete", List.of(breakGlass), "secretsmanager:DeleteSecret"));
        return policy;
    }

    private static PolicyStatement deny(String sid, List<String> butFor, String action) {
        return PolicyStatement.Builder.create()
                .sid(sid)
                .effect(Effect.DENY)
                .principals(List.of(new AnyPrincipal()))
                .actions(List.of(action))
                .resources(List.of("*"))
                .conditions(Map.of("ArnNotEquals", Map.of("aws:PrincipalArn", butFor)))
                .build();
    }
}
