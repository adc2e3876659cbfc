package io.vaultdr.failover;

class InMemoryLedgerTest extends LedgerContract {
    private Ledger ledger = new InMemoryLedger(PAIR);

    @Override
    Ledger empty() {
        ledger = new InMemoryLedger(PAIR);
        return ledger;
    }

    @Override
    Ledger again() {
        return ledger;
    }
}
