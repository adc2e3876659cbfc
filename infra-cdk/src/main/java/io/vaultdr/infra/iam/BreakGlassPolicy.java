package io.vaultdr.infra.iam;

import io.vaultdr.infra.config.Names;

import java.util.List;

/** Reads what an initialisation left, and disables or deletes the seal's key. */
public record BreakGlassPolicy(Names names, String region) implements Policy {
    @Override
    public List<Allowance> allowances() {
        return List.of(
                Allowances.secret(names, region, names.recoveryKeys()),
                Allowances.secret(names, region, names.initialisation()),
                Allowances.aliased(
                        names,
                        region,
                        names.sealKeyAlias(),
                        "kms:DescribeKey",
                        "kms:DisableKey",
                        "kms:EnableKey",
                        "kms:ScheduleKeyDeletion",
                        "kms:CancelKeyDeletion"));
    }
}
