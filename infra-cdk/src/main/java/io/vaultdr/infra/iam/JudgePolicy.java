package io.vaultdr.infra.iam;

import io.vaultdr.infra.config.Names;

import java.util.List;

/** Judges the evidence of an incident once more; it lies beside the ledger. */
public record JudgePolicy(Names names, String region) implements Policy {
    @Override
    public List<Allowance> allowances() {
        return List.of(Allowances.changeLedger(names, region));
    }
}
