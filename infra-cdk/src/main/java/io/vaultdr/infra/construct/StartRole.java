package io.vaultdr.infra.construct;

import io.vaultdr.infra.config.Names;
import io.vaultdr.infra.iam.Allowance;

import software.amazon.awscdk.services.iam.IRole;
import software.constructs.Construct;

import java.util.List;

/** The role by which the daily schedule starts a dry run. */
public final class StartRole {
    private StartRole() {}

    /** Makes it. */
    public static IRole create(Construct scope, Names names, String region) {
        return Roles.role(
                        scope,
                        "DryRunRole",
                        names.of("dry-run-" + region),
                        "events.amazonaws.com",
                        List.of(
                                Allowance.on(
                                        names.stateMachineArn(region), "states:StartExecution")))
                .withoutPolicyUpdates();
    }
}
