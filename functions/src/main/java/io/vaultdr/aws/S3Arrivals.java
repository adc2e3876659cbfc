package io.vaultdr.aws;

import io.vaultdr.drill.Arrivals;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.snapshot.Manifest;

import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.NoSuchKeyException;

import java.time.Instant;
import java.util.Optional;

/** When manifests were written into a bucket, as S3 says. */
public final class S3Arrivals implements Arrivals {
    private final S3Client s3;
    private final PairSettings.Bucket bucket;

    /** The arrivals in {@code bucket}. */
    public S3Arrivals(S3Client s3, PairSettings.Bucket bucket) {
        this.s3 = s3;
        this.bucket = bucket;
    }

    @Override
    public Optional<Instant> committedAt(String id) {
        String key = Manifest.key(id);
        return AwsCalls.read(
                "look for s3://" + bucket.name() + "/" + key,
                () -> {
                    try {
                        return Optional.of(
                                s3.headObject(r -> r.bucket(bucket.name()).key(key))
                                        .lastModified());
                    } catch (NoSuchKeyException e) {
                        return Optional.empty();
                    }
                });
    }
}
