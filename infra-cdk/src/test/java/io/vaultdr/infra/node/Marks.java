package io.vaultdr.infra.node;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

import io.vaultdr.aws.S3FlagBucket;
import io.vaultdr.failover.Incident;
import io.vaultdr.model.Epoch;
import io.vaultdr.model.Loss;
import io.vaultdr.model.Outcome;
import io.vaultdr.model.PairId;
import io.vaultdr.runtime.PairSettings.Flag;
import io.vaultdr.testing.Moto;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/** Quarantine marks, put by what Fence puts them with, and a parameter's list of them. */
final class Marks {
    private final ArrayNode places;

    private Marks(ArrayNode places) {
        this.places = places;
    }

    /** The list of {@code settings}. */
    static Marks in(ObjectNode settings) {
        return new Marks(settings.putArray("quarantine"));
    }

    /** Adds a place where Fence may put one. */
    Marks may(String region, String bucket) {
        places.addObject()
                .put("region", region)
                .put("bucket", bucket)
                .put("key", S3FlagBucket.MARK_KEY);
        return this;
    }

    /** Makes the buckets. */
    static void buckets(Moto moto, String... regions) {
        for (String region : regions) {
            moto.clients()
                    .s3(region)
                    .createBucket(
                            it ->
                                    it.bucket(bucket(region))
                                            .createBucketConfiguration(
                                                    c -> c.locationConstraint(region)));
        }
    }

    /** The bucket of a region. */
    static String bucket(String region) {
        return "vault-dr-flag-" + region;
    }

    /** Puts the mark of an incident. */
    static void put(Moto moto, String region, long epoch) {
        new S3FlagBucket(
                        moto.clients().s3(region),
                        new Flag.InBucket(region, bucket(region), "traffic/dr"))
                .put(incident(epoch));
    }

    /** Takes it away, as a person does. */
    static void remove(Moto moto, String region) {
        moto.clients()
                .s3(region)
                .deleteObject(it -> it.bucket(bucket(region)).key(S3FlagBucket.MARK_KEY));
    }

    private static Incident incident(long epoch) {
        return new Incident(
                new PairId("payments"),
                new Epoch(epoch),
                Instant.EPOCH,
                "evidence",
                "DOWN",
                Map.of(),
                List.of(),
                List.of(),
                "FAIL_OVER",
                "FAIL_OVER",
                new Loss(Duration.ZERO, OptionalLong.empty()),
                Optional.empty(),
                new Incident.Approval.NotNeeded(),
                Map.of(),
                Optional.empty(),
                List.of(),
                Outcome.OPEN,
                Optional.empty(),
                0);
    }
}
