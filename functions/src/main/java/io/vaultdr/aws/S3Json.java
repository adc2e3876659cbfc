package io.vaultdr.aws;

import io.vaultdr.model.Failure;
import io.vaultdr.runtime.Json;
import io.vaultdr.runtime.PairSettings;

import software.amazon.awssdk.awscore.AwsRequestOverrideConfiguration;
import software.amazon.awssdk.core.exception.SdkServiceException;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.ChecksumAlgorithm;
import software.amazon.awssdk.services.s3.model.NoSuchKeyException;
import software.amazon.awssdk.services.s3.model.PutObjectRequest;

import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/**
 * Records as JSON objects of one bucket. Each call is given up after eight seconds.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html">Conditional
 *     writes</a>
 */
record S3Json(S3Client s3, PairSettings.Bucket bucket) {
    private static final Duration CALL = Duration.ofSeconds(8);

    /** Gives a small call up in time. */
    static final Consumer<AwsRequestOverrideConfiguration.Builder> LIMIT =
            it -> it.apiCallTimeout(CALL);

    private static final int PRECONDITION_FAILED = 412;

    /** Another conditional write of the same key was under way; S3 asks to try again. */
    private static final int CONFLICT = 409;

    /** A record, and the ETag of the object that it was read from. */
    record Stored<T>(T value, String tag) {}

    /** Reads {@code key}; empty if there is no such object. */
    <T> Optional<Stored<T>> read(String key, Class<T> type) {
        return AwsCalls.read(
                "read " + name(key),
                () -> {
                    try {
                        var object =
                                s3.getObjectAsBytes(
                                        get ->
                                                get.bucket(bucket.name())
                                                        .key(key)
                                                        .overrideConfiguration(LIMIT));
                        return Optional.of(
                                new Stored<>(
                                        Json.MAPPER.readValue(object.asByteArray(), type),
                                        object.response().eTag()));
                    } catch (NoSuchKeyException e) {
                        return Optional.empty();
                    } catch (IOException e) {
                        throw new Failure.Terminal(
                                "read " + name(key),
                                "it is no " + type.getSimpleName() + " of this version",
                                "Look at the object and its earlier versions",
                                e);
                    }
                });
    }

    /** Writes {@code key}, whatever is there. */
    void write(String key, Object value) {
        AwsCalls.write("write " + name(key), () -> put(key, value, put -> put));
    }

    /**
     * Writes over the version with {@code tag}, or if there is none; the new ETag, or empty if
     * another was faster.
     */
    Optional<String> replace(String key, Optional<String> tag, Object value) {
        return AwsCalls.write(
                "write " + name(key),
                () -> {
                    try {
                        return Optional.of(
                                put(
                                        key,
                                        value,
                                        put ->
                                                tag.isPresent()
                                                        ? put.ifMatch(tag.get())
                                                        : put.ifNoneMatch("*")));
                    } catch (SdkServiceException e) {
                        if (e.statusCode() == PRECONDITION_FAILED || e.statusCode() == CONFLICT) {
                            return Optional.empty();
                        }
                        throw e;
                    }
                });
    }

    private String put(String key, Object value, UnaryOperator<PutObjectRequest.Builder> more) {
        byte[] json;
        try {
            json = Json.MAPPER.writeValueAsBytes(value);
        } catch (IOException e) {
            throw new IllegalStateException("a record always becomes JSON", e);
        }
        return s3.putObject(
                        more.apply(
                                        PutObjectRequest.builder()
                                                .bucket(bucket.name())
                                                .key(key)
                                                .contentType("application/json")
                                                .checksumAlgorithm(ChecksumAlgorithm.CRC32)
                                                .overrideConfiguration(LIMIT))
                                .build(),
                        RequestBody.fromBytes(json))
                .eTag();
    }

    String name(String key) {
        return "s3://" + bucket.name() + "/" + key;
    }
}
