package io.vaultdr.infra.construct;

import io.vaultdr.infra.config.Names;
import io.vaultdr.infra.iam.Allowance;

import software.amazon.awscdk.services.iam.IRole;
import software.constructs.Construct;

import java.util.List;

/** The role by which a schedule starts executions of a state machine. */
public final class StartRole {
    private StartRole() {}

    /** Makes it, for the schedule called {@code purpose}. */
    public static IRole create(
            Construct scope, Names names, String purpose, String machineArn, String region) {
        return Roles.role(
                        scope,
                        "DryRunRole",
                        names.of(purpose + "-" + region),
                        "events.amazonaws.com",
                        List.of(Allowance.on(machineArn, "states:StartExecution")))
                .withoutPolicyUpdates();
    }
}
