package io.vaultdr.snapshot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;

import io.vaultdr.aws.AwsClients;
import io.vaultdr.aws.S3ObjectVersions;
import io.vaultdr.aws.S3Proofs;
import io.vaultdr.model.Side;
import io.vaultdr.runtime.Deadline;
import io.vaultdr.runtime.Json;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.runtime.Parallel;
import io.vaultdr.runtime.RetentionSettings;
import io.vaultdr.snapshot.Retention.Hold;
import io.vaultdr.testing.Moto;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.BucketVersioningStatus;
import software.amazon.awssdk.services.s3.model.ObjectLockLegalHoldStatus;
import software.amazon.awssdk.services.s3.model.ObjectLockRetentionMode;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** The adapter on moto, held to the same contract as the bucket in memory. */
class S3ObjectVersionsIT extends ObjectVersionsContract {
    private static final PairSettings.Bucket BUCKET =
            new PairSettings.Bucket("eu-west-1", "snapshots-home", Moto.ACCOUNT);
    private static Moto moto;
    private static AwsClients clients;

    @BeforeAll
    static void start() {
        moto = Moto.start();
        clients = moto.clients();
    }

    @AfterAll
    static void stop() {
        moto.close();
    }

    @Override
    ObjectVersions bucket(boolean lockable) {
        moto.reset();
        s3().createBucket(
                        r ->
                                r.bucket(BUCKET.name())
                                        .objectLockEnabledForBucket(lockable)
                                        .createBucketConfiguration(
                                                c -> c.locationConstraint(BUCKET.region())));
        s3().putBucketVersioning(
                        r ->
                                r.bucket(BUCKET.name())
                                        .versioningConfiguration(
                                                v -> v.status(BucketVersioningStatus.ENABLED)));
        return new S3ObjectVersions(clients, BUCKET, Snapshots.PAIR);
    }

    @Override
    void put(String key, Object value) {
        try {
            RequestBody body = RequestBody.fromBytes(Json.MAPPER.writeValueAsBytes(value));
            s3().putObject(r -> r.bucket(BUCKET.name()).key(key), body);
        } catch (JsonProcessingException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    void hide(String key) {
        s3().deleteObject(r -> r.bucket(BUCKET.name()).key(key));
    }

    @Override
    void hold(String key, Hold by) {
        switch (by) {
            case LOCKED ->
                    s3().putObjectRetention(
                                    r ->
                                            r.bucket(BUCKET.name())
                                                    .key(key)
                                                    .retention(
                                                            it ->
                                                                    it.mode(
                                                                                    ObjectLockRetentionMode
                                                                                            .GOVERNANCE)
                                                                            .retainUntilDate(
                                                                                    NOW.plus(
                                                                                            Duration
                                                                                                    .ofDays(
                                                                                                            9000)))));
            case LEGAL_HOLD ->
                    s3().putObjectLegalHold(
                                    r ->
                                            r.bucket(BUCKET.name())
                                                    .key(key)
                                                    .legalHold(
                                                            it ->
                                                                    it.status(
                                                                            ObjectLockLegalHoldStatus
                                                                                    .ON)));
        }
    }

    @Test
    void tagsAnArchiveForTheLifecycle() {
        ObjectVersions bucket = bucket(false);
        put(MANIFEST.archiveKey(), "archive");

        bucket.archive(MANIFEST.archiveKey());
        bucket.archive(MANIFEST.archiveKey());

        assertEquals(
                "[Tag(Key=vault-dr-class, Value=archive)]",
                s3().getObjectTagging(r -> r.bucket(BUCKET.name()).key(MANIFEST.archiveKey()))
                        .tagSet()
                        .toString());
    }

    /** More than one page of a listing and one call of a deletion takes. */
    @Test
    void listsAndDeletesByTheThousand() {
        ObjectVersions bucket = bucket(false);
        List<Integer> numbers = new ArrayList<>();
        for (int i = 0; i < 1203; i++) {
            numbers.add(i);
        }
        Parallel.each(
                numbers,
                8,
                i -> {
                    put("archives/payments-20261123T1700%02dZ-%d.snap".formatted(i % 60, i), "");
                    return i;
                });

        assertEquals(1203, bucket.list().size());
        assertEquals(Map.of(), bucket.delete(bucket.list()));
        assertEquals(List.of(), bucket.list());
    }

    /** The prover's own adapter wrote it: claimed, released, claimed again. */
    @Test
    void aClaimGoesWithItsSnapshotInAllItsVersions() {
        ObjectVersions bucket = bucket(false);
        Manifest newer =
                Snapshots.taken(
                        MANIFEST.takenAt().plus(Duration.ofHours(1)), MANIFEST.lineage(), 1 << 24);
        S3Proofs prover = new S3Proofs(clients, BUCKET, Clock.fixed(NOW, ZoneOffset.UTC));
        for (Manifest manifest : List.of(MANIFEST, newer)) {
            put(manifest.archiveKey(), "archive");
            put(Manifest.key(manifest.id()), manifest);
            prover.release(prover.claim(manifest.id(), "one", NOW.plusSeconds(9)).orElseThrow());
            assertTrue(prover.claim(manifest.id(), "another", NOW.plusSeconds(9)).isPresent());
        }
        assertEquals(10, bucket.list().size());

        RetentionRun.Report report =
                new RetentionRun(
                                Side.HOME::equals,
                                () -> Serving.ALWAYS_HOME,
                                false,
                                new RetentionSettings(1, 0, 0, 0, 0, Optional.empty()),
                                List.of(bucket),
                                measures -> {})
                        .run(false, new Deadline(Clock.systemUTC(), Instant.now().plusSeconds(60)));

        assertEquals(RetentionRun.Result.DONE, report.result(), report::toString);
        assertEquals(
                Set.of(
                        newer.archiveKey(),
                        Manifest.key(newer.id()),
                        "proofs/" + newer.id() + ".claim"),
                bucket.list().stream()
                        .map(ObjectVersions.Version::key)
                        .collect(Collectors.toSet()));
    }

    private static S3Client s3() {
        return clients.s3(BUCKET.region());
    }
}
