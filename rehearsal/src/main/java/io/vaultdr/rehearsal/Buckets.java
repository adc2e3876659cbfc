package io.vaultdr.rehearsal;

import io.vaultdr.rehearsal.world.World;
import io.vaultdr.runtime.Json;
import io.vaultdr.snapshot.Manifest;
import io.vaultdr.snapshot.Proof;

import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.NoSuchKeyException;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** The pair's snapshot buckets as they are, lost regions notwithstanding. */
final class Buckets {
    /** Where copies lie. */
    static final List<String> REGIONS = List.of(Configuration.HOME, Configuration.DR);

    private final World world;

    Buckets(World world) {
        this.world = world;
    }

    /** The name of a region's bucket. */
    static String name(String region) {
        return "%s-%s-snapshots-%s-%s"
                .formatted(Configuration.PREFIX, Configuration.PAIR, Configuration.ACCOUNT, region);
    }

    S3Client s3(String region) {
        return world.aws().at(S3Client.builder(), region).build();
    }

    /** What the catalogue of a region lists, newest first. */
    List<Manifest> listed(String region) {
        S3Client s3 = s3(region);
        String bucket = name(region);
        return s3
                .listObjectsV2Paginator(it -> it.bucket(bucket).prefix("manifests/"))
                .contents()
                .stream()
                .map(object -> read(s3, bucket, object.key(), Manifest.class))
                .sorted((one, other) -> other.id().compareTo(one.id()))
                .toList();
    }

    /** The latest proof of a snapshot, as the DR region's bucket has it. */
    Optional<Proof> proof(String snapshot) {
        try {
            return Optional.of(
                    read(
                            s3(Configuration.DR),
                            name(Configuration.DR),
                            Proof.key(snapshot),
                            Proof.class));
        } catch (NoSuchKeyException e) {
            return Optional.empty();
        }
    }

    /** Whether any version of anything of a snapshot is left in any bucket. */
    boolean anyLeft(String snapshot) {
        return REGIONS.stream()
                .anyMatch(
                        region ->
                                Stream.of("manifests/", "proofs/", "archives/")
                                        .anyMatch(folder -> versioned(region, folder + snapshot)));
    }

    private boolean versioned(String region, String prefix) {
        return !s3(region)
                .listObjectVersions(it -> it.bucket(name(region)).prefix(prefix))
                .versions()
                .isEmpty();
    }

    /**
     * Puts a copy of a snapshot into every bucket as if it had been taken so much earlier; S3 tells
     * of it as of any other.
     */
    Manifest older(Manifest snapshot, Duration by) {
        Instant takenAt = snapshot.takenAt().minus(by);
        Manifest older =
                new Manifest(
                        Manifest.id(snapshot.pair(), takenAt, Duration.ofMinutes(1)),
                        snapshot.pair(),
                        snapshot.side(),
                        takenAt,
                        snapshot.lineage(),
                        snapshot.bytes(),
                        snapshot.sha256(),
                        snapshot.index(),
                        snapshot.term(),
                        snapshot.clusterId(),
                        snapshot.nonce(),
                        snapshot.needs());
        for (String region : REGIONS) {
            try (S3Client s3 =
                    world.aws()
                            .at(S3Client.builder(), region)
                            .endpointOverride(world.endpoint())
                            .build()) {
                byte[] archive =
                        s3.getObjectAsBytes(
                                        it -> it.bucket(name(region)).key(snapshot.archiveKey()))
                                .asByteArray();
                put(s3, region, older.archiveKey(), archive);
                put(s3, region, Manifest.key(older.id()), Json.MAPPER.writeValueAsBytes(older));
            } catch (IOException e) {
                throw new UncheckedIOException(older.id(), e);
            }
        }
        return older;
    }

    private static void put(S3Client s3, String region, String key, byte[] bytes) {
        s3.putObject(it -> it.bucket(name(region)).key(key), RequestBody.fromBytes(bytes));
    }

    /**
     * Fetches an object of the DR region into a new file.
     *
     * @param place bucket and key, a slash between
     */
    Path fetch(String place, Path file) {
        s3(Configuration.DR).getObject(it -> it.bucket(bucket(place)).key(key(place)), file);
        return file;
    }

    /** Until when nobody may delete an object of the DR region. */
    Optional<Instant> lockedUntil(String place) {
        return Optional.ofNullable(
                s3(Configuration.DR)
                        .headObject(it -> it.bucket(bucket(place)).key(key(place)))
                        .objectLockRetainUntilDate());
    }

    private static String bucket(String place) {
        return place.substring(0, place.indexOf('/'));
    }

    private static String key(String place) {
        return place.substring(place.indexOf('/') + 1);
    }

    private static <T> T read(S3Client s3, String bucket, String key, Class<T> type) {
        try {
            return Json.MAPPER.readValue(
                    s3.getObjectAsBytes(it -> it.bucket(bucket).key(key)).asByteArray(), type);
        } catch (IOException e) {
            throw new UncheckedIOException(key, e);
        }
    }
}
