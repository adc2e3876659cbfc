package io.vaultdr.infra.construct;

import io.github.cdklabs.cdknag.NagPackSuppression;
import io.github.cdklabs.cdknag.NagSuppressions;
import io.vaultdr.infra.config.Names;
import io.vaultdr.infra.iam.KeptSecretPolicy;

import software.amazon.awscdk.RemovalPolicy;
import software.amazon.awscdk.services.secretsmanager.CfnResourcePolicy;
import software.amazon.awscdk.services.secretsmanager.CfnSecret;
import software.constructs.Construct;

import java.util.List;

/**
 * Secrets that are made empty, so that who fills them may put values and nothing else. They outlive
 * their stack.
 */
public final class ClusterSecrets extends Construct {
    private static final String ROTATED =
            "RotateLogins replaces its value, by a schedule of its own";
    private static final String KEPT =
            "Its value is made once, by the server at its initialisation, and can't be made anew";

    public ClusterSecrets(Construct scope, String id) {
        super(scope, id);
    }

    /**
     * The recovery keys of a cluster, in this region.
     *
     * @param initializer the role that puts them
     */
    public void recoveryKeys(Names names, String initializer, String breakGlass) {
        kept(
                "RecoveryKeys",
                names.recoveryKeys(),
                "Recovery keys of " + names.pair(),
                new KeptSecretPolicy(List.of(breakGlass), List.of(initializer), breakGlass));
    }

    /** How far the initialisation came, in home's region. */
    public void initialisation(Names names, String initializer, String breakGlass) {
        kept(
                "Initialisation",
                names.initialisation(),
                "How far the initialisation of " + names.pair() + " came",
                new KeptSecretPolicy(
                        List.of(initializer, breakGlass), List.of(initializer), breakGlass));
    }

    /** One login of functions. */
    public void login(String login, String intent) {
        secret(
                "Login-" + intent,
                login + "/" + intent,
                "Login of functions to Vault: " + intent,
                ROTATED);
    }

    private void kept(String id, String name, String description, KeptSecretPolicy policy) {
        CfnSecret secret = secret(id, name, description, KEPT);
        CfnResourcePolicy.Builder.create(this, id + "Policy")
                .secretId(secret.getRef())
                .resourcePolicy(policy.document())
                .blockPublicPolicy(true)
                .build();
    }

    private CfnSecret secret(String id, String name, String description, String reason) {
        CfnSecret secret =
                CfnSecret.Builder.create(this, id).name(name).description(description).build();
        secret.applyRemovalPolicy(RemovalPolicy.RETAIN);
        NagSuppressions.addResourceSuppressions(
                secret,
                List.of(
                        NagPackSuppression.builder()
                                .id("AwsSolutions-SMG4")
                                .reason(reason)
                                .build()));
        return secret;
    }
}
