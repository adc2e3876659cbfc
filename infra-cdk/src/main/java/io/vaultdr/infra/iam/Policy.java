package io.vaultdr.infra.iam;

import java.util.List;

/** What one function may do, and nothing beyond: one class per intent. */
public interface Policy {
    /** The allowances, beside those that every function has. */
    List<Allowance> allowances();
}
