package io.vaultdr.aws;

import io.vaultdr.model.Failure;
import io.vaultdr.runtime.Json;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.snapshot.Proof;
import io.vaultdr.snapshot.ProofClaims;
import io.vaultdr.snapshot.Proofs;

import software.amazon.awssdk.core.exception.SdkServiceException;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.ChecksumAlgorithm;
import software.amazon.awssdk.services.s3.model.NoSuchKeyException;
import software.amazon.awssdk.services.s3.model.PutObjectRequest;

import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * Proofs and claims beside the manifests of one bucket. A claim is an object that is written only
 * if there is none, or only over the version that was read.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html">Conditional
 *     writes</a>
 */
public final class S3Proofs implements Proofs, ProofClaims {
    private static final Duration CALL = Duration.ofSeconds(8);
    private static final int PRECONDITION_FAILED = 412;

    /** Another conditional write of the same key was under way; S3 asks to try again. */
    private static final int CONFLICT = 409;

    private final S3Client s3;
    private final PairSettings.Bucket bucket;
    private final Clock clock;

    /** The proofs in {@code bucket}; nothing is asked yet. */
    public S3Proofs(AwsClients clients, PairSettings.Bucket bucket, Clock clock) {
        this.s3 = clients.s3(bucket.region());
        this.bucket = bucket;
        this.clock = clock;
    }

    @Override
    public String region() {
        return bucket.region();
    }

    @Override
    public Optional<Proof> of(String id) {
        return read(Proof.key(id), Proof.class).map(Stored::value);
    }

    @Override
    public void write(Proof proof) {
        String key = Proof.key(proof.id());
        // Written again it says the same, so an answer that was lost does no harm.
        AwsCalls.write("write " + name(key), () -> put(key, proof, put -> put));
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
        Optional<Stored<Held>> before = read(key, Held.class);
        if (before.isPresent() && before.get().value().until().isAfter(clock.instant())) {
            return Optional.empty();
        }
        Optional<Held> last = before.map(Stored::value);
        Held held =
                new Held(
                        by,
                        until,
                        false,
                        last.map(Held::attempts).orElse(0) + 1,
                        last.filter(it -> !it.released()).map(it -> it.abandoned() + 1).orElse(0));
        return replace(key, before.map(Stored::tag), held)
                .map(tag -> new Claim(id, by, held.attempts(), held.abandoned(), tag));
    }

    @Override
    public void release(Claim claim) {
        replace(
                key(claim.id()),
                Optional.of(claim.tag()),
                new Held(claim.by(), clock.instant(), true, claim.attempts(), claim.abandoned()));
    }

    /**
     * Writes over the version with {@code tag}, or if there is none; empty if another was faster.
     */
    private Optional<String> replace(String key, Optional<String> tag, Held held) {
        return AwsCalls.write(
                "write " + name(key),
                () -> {
                    try {
                        return Optional.of(
                                put(
                                        key,
                                        held,
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
                                                .overrideConfiguration(
                                                        it -> it.apiCallTimeout(CALL)))
                                .build(),
                        RequestBody.fromBytes(json))
                .eTag();
    }

    private record Stored<T>(T value, String tag) {}

    private <T> Optional<Stored<T>> read(String key, Class<T> type) {
        return AwsCalls.read(
                "read " + name(key),
                () -> {
                    try {
                        var object =
                                s3.getObjectAsBytes(
                                        get ->
                                                get.bucket(bucket.name())
                                                        .key(key)
                                                        .overrideConfiguration(
                                                                it -> it.apiCallTimeout(CALL)));
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

    private static String key(String id) {
        return "proofs/" + id + ".claim";
    }

    private String name(String key) {
        return "s3://" + bucket.name() + "/" + key;
    }
}
