package io.vaultdr.aws;

import io.vaultdr.runtime.PairSettings;
import io.vaultdr.snapshot.Proof;
import io.vaultdr.snapshot.ProofClaims;
import io.vaultdr.snapshot.Proofs;

import java.time.Clock;
import java.time.Instant;
import java.util.Optional;

/**
 * Proofs and claims beside the manifests of one bucket. A claim is an object that is written only
 * if there is none, or only over the version that was read.
 */
public final class S3Proofs implements Proofs, ProofClaims {
    private final S3Json objects;
    private final PairSettings.Bucket bucket;
    private final Clock clock;

    /** The proofs in {@code bucket}; nothing is asked yet. */
    public S3Proofs(AwsClients clients, PairSettings.Bucket bucket, Clock clock) {
        this.objects = new S3Json(clients.s3(bucket), bucket);
        this.bucket = bucket;
        this.clock = clock;
    }

    @Override
    public String region() {
        return bucket.region();
    }

    @Override
    public Optional<Proof> of(String id) {
        return objects.read(Proof.key(id), Proof.class).map(S3Json.Stored::value);
    }

    @Override
    public void write(Proof proof) {
        // Written again it says the same, so an answer that was lost does no harm.
        objects.write(Proof.key(proof.id()), proof);
    }

    /**
     * What the claim's object holds.
     *
     * @param until when it ends; in the past once it was released
     */
    private record Held(String by, Instant until, boolean released, int attempts, int abandoned) {}

    @Override
    public Optional<Claim> claim(String id, String by, Instant until) {
        String key = key(id);
        Optional<S3Json.Stored<Held>> before = objects.read(key, Held.class);
        if (before.isPresent() && before.get().value().until().isAfter(clock.instant())) {
            return Optional.empty();
        }
        Optional<Held> last = before.map(S3Json.Stored::value);
        Held held =
                new Held(
                        by,
                        until,
                        false,
                        last.map(Held::attempts).orElse(0) + 1,
                        last.filter(it -> !it.released()).map(it -> it.abandoned() + 1).orElse(0));
        return objects.replace(key, before.map(S3Json.Stored::tag), held)
                .map(tag -> new Claim(id, by, held.attempts(), held.abandoned(), tag));
    }

    @Override
    public void release(Claim claim) {
        objects.replace(
                key(claim.id()),
                Optional.of(claim.tag()),
                new Held(claim.by(), clock.instant(), true, claim.attempts(), claim.abandoned()));
    }

    private static String key(String id) {
        return "proofs/" + id + ".claim";
    }
}
