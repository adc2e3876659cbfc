package io.vaultdr.infra.construct;

import io.vaultdr.infra.config.Config.Servers;
import io.vaultdr.infra.config.Names;
import io.vaultdr.infra.iam.BreakGlassPolicy;

import software.amazon.awscdk.services.iam.AccountPrincipal;
import software.amazon.awscdk.services.iam.PrincipalWithConditions;
import software.constructs.Construct;

import java.util.Map;

/**
 * The role of the last resort: it alone reads recovery keys, and disables or deletes the seal's
 * key. Whoever takes it on is paged about.
 */
public final class BreakGlass {
    private BreakGlass() {}

    /**
     * The ARN of the role that the configuration names; otherwise of one that is made here, for
     * people of this account who signed in with a second factor.
     */
    public static String role(Construct scope, Names names, Servers servers, String region) {
        return servers.breakGlass()
                .orElseGet(
                        () -> {
                            Roles.role(
                                    scope,
                                    "BreakGlass",
                                    names.breakGlassRole(region),
                                    new PrincipalWithConditions(
                                            new AccountPrincipal(names.account()),
                                            Map.of(
                                                    "Bool",
                                                    Map.of("aws:MultiFactorAuthPresent", "true"))),
                                    new BreakGlassPolicy(names, region).allowances());
                            return "arn:aws:iam::"
                                    + names.account()
                                    + ":role/"
                                    + names.breakGlassRole(region);
                        });
    }
}
