package io.vaultdr.snapshot;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.core.JsonProcessingException;

import io.vaultdr.aws.AwsClients;
import io.vaultdr.aws.S3ObjectVersions;
import io.vaultdr.runtime.Json;
import io.vaultdr.runtime.PairSettings;
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

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The adapter on moto, held to the same contract as the bucket in memory. */
class S3ObjectVersionsIT extends ObjectVersionsContract {
    private static final PairSettings.Bucket BUCKET =
            new PairSettings.Bucket("eu-west-1", "snapshots-home");
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

    private static S3Client s3() {
        return clients.s3(BUCKET.region());
    }
}
