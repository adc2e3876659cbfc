package io.vaultdr.aws;

import com.fasterxml.jackson.core.JsonProcessingException;

import io.vaultdr.model.Failure;
import io.vaultdr.model.PairId;
import io.vaultdr.runtime.Json;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.snapshot.Manifest;
import io.vaultdr.snapshot.SnapshotStore;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import software.amazon.awssdk.awscore.AwsRequestOverrideConfiguration;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.core.exception.SdkServiceException;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.http.ContentStreamProvider;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.ChecksumAlgorithm;
import software.amazon.awssdk.services.s3.model.CompletedPart;
import software.amazon.awssdk.services.s3.model.InvalidObjectStateException;
import software.amazon.awssdk.services.s3.model.ListObjectsV2Request;
import software.amazon.awssdk.services.s3.model.NoSuchKeyException;
import software.amazon.awssdk.services.s3.model.S3Object;
import software.amazon.awssdk.services.s3.model.UploadPartResponse;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * A pair's snapshots in one S3 bucket: archives under {@code archives/}, the manifests that commit
 * them under {@code manifests/}. Both are only ever added, never overwritten: a bucket of another
 * account allows nothing else. Parts carry a CRC-32 that S3 verifies. Calls that move no archive
 * are given up after eight seconds, so that a dead region holds nobody up for long.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html">Conditional
 *     writes</a>
 */
public final class S3Bucket implements SnapshotStore {
    private static final Logger LOG = LoggerFactory.getLogger(S3Bucket.class);
    private static final Duration SMALL_CALL = Duration.ofSeconds(8);
    private static final Duration LARGE_CALL = Duration.ofMinutes(2);

    /** How far back the newest manifests are looked for before all are listed. */
    private static final Duration RECENT = Duration.ofDays(2);

    private static final int PRECONDITION_FAILED = 412;
    private static final String AGAIN = "It is looked for, and tried again";

    private final S3Client s3;
    private final PairSettings.Bucket bucket;
    private final PairId pair;
    private final Clock clock;

    /** The snapshots of {@code pair} in {@code bucket}; nothing is asked yet. */
    public S3Bucket(AwsClients clients, PairSettings.Bucket bucket, PairId pair, Clock clock) {
        this.s3 = clients.s3(bucket);
        this.bucket = bucket;
        this.pair = pair;
        this.clock = clock;
    }

    @Override
    public String region() {
        return bucket.region();
    }

    @Override
    public List<Manifest> newest(int limit) {
        return newestIds(limit).stream()
                .map(
                        id ->
                                committed(id)
                                        .orElseThrow(
                                                () ->
                                                        new Failure.Retryable(
                                                                "read " + name(Manifest.key(id)),
                                                                "it was listed and is gone",
                                                                "List again")))
                .toList();
    }

    @Override
    public List<String> newestIds(int limit) {
        List<String> keys =
                keys(Manifest.key(Manifest.id(pair, clock.instant().minus(RECENT), RECENT)));
        if (keys.size() < limit) {
            keys = keys("");
        }
        return keys.reversed().stream()
                .limit(limit)
                .map(key -> key.substring("manifests/".length(), key.length() - ".json".length()))
                .toList();
    }

    private List<String> keys(String after) {
        return AwsCalls.read(
                "list manifests in " + bucket.name(),
                () ->
                        s3
                                .listObjectsV2Paginator(
                                        ListObjectsV2Request.builder()
                                                .bucket(bucket.name())
                                                .prefix("manifests/" + pair + "-")
                                                .startAfter(after)
                                                .overrideConfiguration(limit(SMALL_CALL))
                                                .build())
                                .contents()
                                .stream()
                                .map(S3Object::key)
                                .filter(key -> key.endsWith(".json"))
                                .toList());
    }

    @Override
    public Found find(Manifest snapshot) {
        String key = snapshot.archiveKey();
        return AwsCalls.read(
                "read " + name(key),
                () -> {
                    try {
                        return new Found.Here(s3.getObject(r -> r.bucket(bucket.name()).key(key)));
                    } catch (NoSuchKeyException e) {
                        return new Found.Missing();
                    } catch (InvalidObjectStateException e) {
                        return new Found.Frozen(e.storageClassAsString());
                    }
                });
    }

    @Override
    public Optional<Manifest> committed(String id) {
        return manifest(Manifest.key(id));
    }

    private Optional<Manifest> manifest(String key) {
        byte[] json =
                AwsCalls.read(
                        "read " + name(key),
                        () -> {
                            try {
                                return s3.getObjectAsBytes(
                                                r ->
                                                        r.bucket(bucket.name())
                                                                .key(key)
                                                                .overrideConfiguration(
                                                                        limit(SMALL_CALL)))
                                        .asByteArray();
                            } catch (NoSuchKeyException e) {
                                return new byte[0];
                            }
                        });
        if (json.length == 0) {
            return Optional.empty();
        }
        try {
            return Optional.of(Json.MAPPER.readValue(json, Manifest.class));
        } catch (IOException e) {
            throw new Failure.Terminal(
                    "read " + name(key),
                    "it is no manifest of this version",
                    "Look at the object and its earlier versions",
                    e);
        }
    }

    @Override
    public boolean commit(Manifest manifest) {
        String key = Manifest.key(manifest.id());
        byte[] json;
        try {
            json = Json.MAPPER.writeValueAsBytes(manifest);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a manifest always becomes JSON", e);
        }
        Optional<Failure> refused = Optional.empty();
        try {
            s3.putObject(
                    r ->
                            r.bucket(bucket.name())
                                    .key(key)
                                    .ifNoneMatch("*")
                                    .contentType("application/json")
                                    .checksumAlgorithm(ChecksumAlgorithm.CRC32)
                                    .overrideConfiguration(limit(SMALL_CALL)),
                    RequestBody.fromBytes(json));
            return true;
        } catch (SdkServiceException e) {
            if (e.statusCode() != PRECONDITION_FAILED) {
                refused = Optional.of(AwsFailures.of("write " + name(key), e, true, AGAIN));
            }
        } catch (SdkException e) {
            refused = Optional.of(AwsFailures.of("write " + name(key), e, true, AGAIN));
        }
        // Refused because it is there, or no answer: whose it is tells whether it was written.
        Optional<Manifest> there = committed(manifest.id());
        if (there.isEmpty() && refused.isPresent()) {
            throw refused.get();
        }
        return there.map(found -> found.nonce().equals(manifest.nonce())).orElse(false);
    }

    @Override
    public int sweep(Instant before) {
        String youngest = Manifest.archiveKey(Manifest.id(pair, before, Duration.ofMinutes(1)), "");
        return AwsCalls.read(
                "list uploads in " + bucket.name(),
                () -> {
                    int swept = 0;
                    for (var upload :
                            s3.listMultipartUploadsPaginator(
                                            r ->
                                                    r.bucket(bucket.name())
                                                            .prefix("archives/" + pair + "-")
                                                            .overrideConfiguration(
                                                                    limit(SMALL_CALL)))
                                    .uploads()) {
                        // Both: a copy of an old snapshot may have begun just now.
                        if (upload.initiated().isBefore(before)
                                && upload.key().compareTo(youngest) < 0) {
                            abort(upload.key(), upload.uploadId());
                            swept++;
                        }
                    }
                    return swept;
                });
    }

    private void abort(String key, String uploadId) {
        s3.abortMultipartUpload(
                r ->
                        r.bucket(bucket.name())
                                .key(key)
                                .uploadId(uploadId)
                                .overrideConfiguration(limit(SMALL_CALL)));
    }

    @Override
    public Upload begin(String key) {
        String uploadId =
                AwsCalls.write(
                        "begin to upload " + name(key),
                        () ->
                                s3.createMultipartUpload(
                                                r ->
                                                        r.bucket(bucket.name())
                                                                .key(key)
                                                                .contentType("application/gzip")
                                                                .checksumAlgorithm(
                                                                        ChecksumAlgorithm.CRC32)
                                                                .overrideConfiguration(
                                                                        limit(SMALL_CALL)))
                                        .uploadId());
        return new S3Upload(key, uploadId);
    }

    private final class S3Upload implements Upload {
        private final String key;
        private final String uploadId;

        private S3Upload(String key, String uploadId) {
            this.key = key;
            this.uploadId = uploadId;
        }

        @Override
        public Part put(int number, Content content) {
            ContentStreamProvider stream =
                    ContentStreamProvider.fromInputStreamSupplier(content::open);
            // Sent before the part: computed on the way, the SDK would send it behind the part, in
            // a coding of its own that costs as much again as the sending.
            String checksum =
                    Base64.getEncoder()
                            .encodeToString(
                                    ByteBuffer.allocate(Integer.BYTES)
                                            .putInt(content.crc32())
                                            .array());
            UploadPartResponse part =
                    AwsCalls.write(
                            "upload part " + number + " of " + name(key),
                            () ->
                                    s3.uploadPart(
                                            r ->
                                                    r.bucket(bucket.name())
                                                            .key(key)
                                                            .uploadId(uploadId)
                                                            .partNumber(number)
                                                            .checksumCRC32(checksum)
                                                            .overrideConfiguration(
                                                                    limit(LARGE_CALL)),
                                            RequestBody.fromContentProvider(
                                                    stream,
                                                    content.length(),
                                                    "application/octet-stream")));
            return new Part(number, part.eTag(), checksum);
        }

        @Override
        public void complete(List<Part> parts) {
            List<CompletedPart> completed =
                    parts.stream()
                            .map(
                                    part ->
                                            CompletedPart.builder()
                                                    .partNumber(part.number())
                                                    .eTag(part.tag())
                                                    .checksumCRC32(part.checksum())
                                                    .build())
                            .toList();
            try {
                s3.completeMultipartUpload(
                        r ->
                                r.bucket(bucket.name())
                                        .key(key)
                                        .uploadId(uploadId)
                                        .multipartUpload(m -> m.parts(completed))
                                        .ifNoneMatch("*")
                                        .overrideConfiguration(limit(LARGE_CALL)));
            } catch (SdkException e) {
                // A repetition of a call whose answer was lost finds no upload but the object.
                if (!exists()) {
                    throw AwsFailures.of("complete " + name(key), e, true, AGAIN);
                }
                if (e instanceof SdkServiceException refused
                        && refused.statusCode() == PRECONDITION_FAILED) {
                    // An earlier one had got so far; this one's parts are in nobody's way but paid.
                    abort();
                }
            }
        }

        /** By the bucket's list: whoever may only put doesn't read what he put. */
        private boolean exists() {
            return AwsCalls.read(
                    "look for " + name(key),
                    () ->
                            s3
                                    .listObjectsV2(
                                            r ->
                                                    r.bucket(bucket.name())
                                                            .prefix(key)
                                                            .overrideConfiguration(
                                                                    limit(SMALL_CALL)))
                                    .contents()
                                    .stream()
                                    .anyMatch(object -> object.key().equals(key)));
        }

        @Override
        public void abort() {
            try {
                S3Bucket.this.abort(key, uploadId);
            } catch (SdkException e) {
                LOG.warn(
                        "An upload could not be given up; a later run sweeps it (bucket {}, {})",
                        bucket.name(),
                        e.getMessage());
            }
        }
    }

    private String name(String key) {
        return "s3://" + bucket.name() + "/" + key;
    }

    private static Consumer<AwsRequestOverrideConfiguration.Builder> limit(Duration call) {
        return override -> override.apiCallTimeout(call);
    }
}
