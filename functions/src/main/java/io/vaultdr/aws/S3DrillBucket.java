package io.vaultdr.aws;

import io.vaultdr.drill.DrillBucket;
import io.vaultdr.model.Failure;
import io.vaultdr.runtime.PairSettings;

import software.amazon.awssdk.core.exception.SdkServiceException;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.ChecksumAlgorithm;
import software.amazon.awssdk.services.s3.model.NoSuchKeyException;

import java.util.Optional;

/** The drills' bucket, whose default retention locks what is written into it. */
public final class S3DrillBucket implements DrillBucket {
    private static final int PRECONDITION_FAILED = 412;

    private final S3Client s3;
    private final PairSettings.Bucket bucket;

    /** Reports in {@code bucket}. */
    public S3DrillBucket(S3Client s3, PairSettings.Bucket bucket) {
        this.s3 = s3;
        this.bucket = bucket;
    }

    @Override
    public Optional<byte[]> read(String key) {
        return AwsCalls.read(
                "read " + place(key),
                () -> {
                    try {
                        return Optional.of(
                                s3.getObjectAsBytes(r -> r.bucket(bucket.name()).key(key))
                                        .asByteArray());
                    } catch (NoSuchKeyException e) {
                        return Optional.empty();
                    }
                });
    }

    @Override
    public byte[] writeOnce(String key, byte[] bytes, String contentType) {
        boolean written =
                AwsCalls.write(
                        "write " + place(key),
                        () -> {
                            try {
                                s3.putObject(
                                        r ->
                                                r.bucket(bucket.name())
                                                        .key(key)
                                                        .ifNoneMatch("*")
                                                        .contentType(contentType)
                                                        .checksumAlgorithm(ChecksumAlgorithm.CRC32),
                                        RequestBody.fromBytes(bytes));
                                return true;
                            } catch (SdkServiceException e) {
                                if (e.statusCode() == PRECONDITION_FAILED) {
                                    return false;
                                }
                                throw e;
                            }
                        });
        return written
                ? bytes
                : read(key)
                        .orElseThrow(
                                () ->
                                        new Failure.Retryable(
                                                "write " + place(key),
                                                "another attempt's was there and is gone",
                                                "It is written again"));
    }

    @Override
    public String place(String key) {
        return "s3://" + bucket.name() + "/" + key;
    }
}
