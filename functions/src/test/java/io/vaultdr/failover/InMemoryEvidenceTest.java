package io.vaultdr.failover;

import java.util.List;

class InMemoryEvidenceTest extends EvidenceContract {
    @Override
    EvidenceLog empty() {
        return new InMemoryEvidence(List.of("a", "b"));
    }
}
