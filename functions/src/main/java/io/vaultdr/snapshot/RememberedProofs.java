package io.vaultdr.snapshot;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** One look at the proofs of a bucket: each is read once, when it is first asked for. */
final class RememberedProofs implements Proofs {
    private final Proofs bucket;
    private final Map<String, Optional<Proof>> read = new HashMap<>();

    RememberedProofs(Proofs bucket) {
        this.bucket = bucket;
    }

    @Override
    public String region() {
        return bucket.region();
    }

    @Override
    public Optional<Proof> of(String id) {
        Optional<Proof> known = read.get(id);
        if (known == null) {
            known = bucket.of(id);
            read.put(id, known);
        }
        return known;
    }

    @Override
    public void write(Proof proof) {
        bucket.write(proof);
        read.put(proof.id(), Optional.of(proof));
    }
}
