package io.vaultdr.aws;

import io.vaultdr.model.PairId;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.runtime.Parallel;
import io.vaultdr.snapshot.Manifest;
import io.vaultdr.snapshot.ObjectVersions;
import io.vaultdr.snapshot.PoisonGuard.Acceptance;
import io.vaultdr.snapshot.PoisonGuard.Freeze;
import io.vaultdr.snapshot.Proof;
import io.vaultdr.snapshot.Retention.Hold;

import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.DeleteObjectsResponse;
import software.amazon.awssdk.services.s3.model.HeadObjectResponse;
import software.amazon.awssdk.services.s3.model.ListObjectVersionsResponse;
import software.amazon.awssdk.services.s3.model.ObjectIdentifier;
import software.amazon.awssdk.services.s3.model.ObjectLockEnabled;
import software.amazon.awssdk.services.s3.model.ObjectLockLegalHoldStatus;
import software.amazon.awssdk.services.s3.model.S3Error;
import software.amazon.awssdk.services.s3.model.Tag;

import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** A pair's objects in one S3 bucket, with all their versions. */
public final class S3ObjectVersions implements ObjectVersions {
    private static final String FROZEN = "retention/frozen.json";
    private static final String ACCEPTED = "retention/accepted.json";

    /** S3 takes no more in one call. */
    private static final int BATCH = 1000;

    private static final Duration LARGE = Duration.ofSeconds(30);

    private final S3Client s3;
    private final PairSettings.Bucket bucket;
    private final PairId pair;
    private final S3Json objects;

    /** The objects of {@code pair} in {@code bucket}; nothing is asked yet. */
    public S3ObjectVersions(AwsClients clients, PairSettings.Bucket bucket, PairId pair) {
        this.s3 = clients.s3(bucket);
        this.bucket = bucket;
        this.pair = pair;
        this.objects = new S3Json(s3, bucket);
    }

    @Override
    public String region() {
        return bucket.region();
    }

    @Override
    public List<Version> list() {
        return Parallel.each(List.of("manifests/", "proofs/", "archives/"), this::below).stream()
                .flatMap(List::stream)
                .toList();
    }

    private List<Version> below(String folder) {
        String prefix = folder + pair + "-";
        return AwsCalls.read(
                "list versions of " + objects.name(prefix),
                () ->
                        s3
                                .listObjectVersionsPaginator(
                                        r ->
                                                r.bucket(bucket.name())
                                                        .prefix(prefix)
                                                        .overrideConfiguration(S3Json.LIMIT))
                                .stream()
                                .flatMap(S3ObjectVersions::versions)
                                .toList());
    }

    private static Stream<Version> versions(ListObjectVersionsResponse page) {
        return Stream.concat(
                page.versions().stream()
                        .map(
                                v ->
                                        new Version(
                                                v.key(),
                                                v.versionId(),
                                                v.isLatest(),
                                                false,
                                                v.lastModified(),
                                                Optional.ofNullable(v.storageClassAsString())
                                                        .orElse(STANDARD))),
                page.deleteMarkers().stream()
                        .map(
                                v ->
                                        new Version(
                                                v.key(),
                                                v.versionId(),
                                                v.isLatest(),
                                                true,
                                                v.lastModified(),
                                                STANDARD)));
    }

    @Override
    public Optional<Manifest> manifest(String id) {
        return objects.read(Manifest.key(id), Manifest.class).map(S3Json.Stored::value);
    }

    @Override
    public Optional<Proof> proof(String id) {
        return objects.read(Proof.key(id), Proof.class).map(S3Json.Stored::value);
    }

    /**
     * {@inheritDoc}
     *
     * @see <a
     *     href="https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectLockConfiguration.html">GetObjectLockConfiguration</a>
     */
    @Override
    public boolean lockable() {
        return AwsCalls.read(
                "read the lock of " + bucket.name(),
                () -> {
                    try {
                        return s3.getObjectLockConfiguration(
                                                r ->
                                                        r.bucket(bucket.name())
                                                                .overrideConfiguration(
                                                                        S3Json.LIMIT))
                                        .objectLockConfiguration()
                                        .objectLockEnabled()
                                == ObjectLockEnabled.ENABLED;
                    } catch (AwsServiceException e) {
                        if (e.awsErrorDetails() != null
                                && "ObjectLockConfigurationNotFoundError"
                                        .equals(e.awsErrorDetails().errorCode())) {
                            return false;
                        }
                        throw e;
                    }
                });
    }

    /**
     * {@inheritDoc} The role has to be allowed {@code s3:GetObjectRetention} and {@code
     * s3:GetObjectLegalHold}: without them S3 leaves the answer's fields out.
     *
     * @see <a
     *     href="https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html">HeadObject</a>
     */
    @Override
    public Optional<Hold> hold(Version version, Instant now) {
        return AwsCalls.read(
                "look what holds " + objects.name(version.key()),
                () -> {
                    try {
                        HeadObjectResponse head =
                                s3.headObject(
                                        r ->
                                                r.bucket(bucket.name())
                                                        .key(version.key())
                                                        .versionId(version.versionId())
                                                        .overrideConfiguration(S3Json.LIMIT));
                        if (head.objectLockLegalHoldStatus() == ObjectLockLegalHoldStatus.ON) {
                            return Optional.of(Hold.LEGAL_HOLD);
                        }
                        return head.objectLockRetainUntilDate() != null
                                        && head.objectLockRetainUntilDate().isAfter(now)
                                ? Optional.of(Hold.LOCKED)
                                : Optional.empty();
                    } catch (AwsServiceException e) {
                        if (e.statusCode() == 404) {
                            return Optional.empty();
                        }
                        throw e;
                    }
                });
    }

    /**
     * {@inheritDoc}
     *
     * @see <a
     *     href="https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html">DeleteObjects</a>
     */
    @Override
    public Map<Version, String> delete(List<Version> versions) {
        Map<Version, String> refused = new HashMap<>();
        for (int from = 0; from < versions.size(); from += BATCH) {
            List<Version> batch = versions.subList(from, Math.min(versions.size(), from + BATCH));
            refused.putAll(refused(batch));
        }
        return refused;
    }

    private Map<Version, String> refused(List<Version> batch) {
        DeleteObjectsResponse answer =
                AwsCalls.write(
                        "delete " + batch.size() + " versions in " + bucket.name(),
                        () ->
                                s3.deleteObjects(
                                        r ->
                                                r.bucket(bucket.name())
                                                        .delete(
                                                                d ->
                                                                        d.quiet(true)
                                                                                .objects(
                                                                                        identifiers(
                                                                                                batch)))
                                                        .overrideConfiguration(
                                                                it -> it.apiCallTimeout(LARGE))));
        Map<Version, String> refused = new HashMap<>();
        for (S3Error error : answer.errors()) {
            batch.stream()
                    .filter(version -> version.key().equals(error.key()))
                    .filter(
                            version ->
                                    Optional.ofNullable(error.versionId())
                                            .filter(id -> !id.equals(version.versionId()))
                                            .isEmpty())
                    .forEach(version -> refused.put(version, error.code()));
        }
        return refused;
    }

    private static List<ObjectIdentifier> identifiers(List<Version> versions) {
        return versions.stream()
                .map(v -> ObjectIdentifier.builder().key(v.key()).versionId(v.versionId()).build())
                .toList();
    }

    /**
     * {@inheritDoc}
     *
     * @see <a
     *     href="https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectTagging.html">PutObjectTagging</a>
     */
    @Override
    public void archive(String key) {
        AwsCalls.write(
                "tag " + objects.name(key),
                () ->
                        s3.putObjectTagging(
                                r ->
                                        r.bucket(bucket.name())
                                                .key(key)
                                                .tagging(
                                                        t ->
                                                                t.tagSet(
                                                                        Tag.builder()
                                                                                .key(TAG)
                                                                                .value(TAG_VALUE)
                                                                                .build()))
                                                .overrideConfiguration(S3Json.LIMIT)));
    }

    @Override
    public Optional<Freeze> frozen() {
        return objects.read(FROZEN, Freeze.class).map(S3Json.Stored::value);
    }

    @Override
    public void freeze(Freeze freeze) {
        objects.replace(FROZEN, Optional.empty(), freeze);
    }

    @Override
    public void unfreeze() {
        AwsCalls.write(
                "delete " + objects.name(FROZEN),
                () ->
                        s3.deleteObject(
                                r ->
                                        r.bucket(bucket.name())
                                                .key(FROZEN)
                                                .overrideConfiguration(S3Json.LIMIT)));
    }

    @Override
    public Optional<Acceptance> accepted() {
        return objects.read(ACCEPTED, Acceptance.class).map(S3Json.Stored::value);
    }

    @Override
    public void accept(Acceptance acceptance) {
        objects.write(ACCEPTED, acceptance);
    }
}
