package io.vaultdr.rehearsal.world;

import com.fasterxml.jackson.databind.JsonNode;

import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.HeadObjectResponse;
import software.amazon.awssdk.services.s3.model.S3Object;
import software.amazon.awssdk.services.s3.model.Tag;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.StreamSupport;

/**
 * What S3 does by a bucket's lifecycle rules. Of those only the ones that move at once what carries
 * a tag: nothing here grows old by itself.
 */
final class Lifecycle {
    private Lifecycle() {}

    /**
     * Moves what the rules want moved.
     *
     * @param rules the template's
     * @return the keys of what was moved
     */
    static List<String> move(S3Client s3, String bucket, JsonNode rules) {
        List<String> moved = new ArrayList<>();
        for (JsonNode rule : rules) {
            for (JsonNode transition : rule.path("Transitions")) {
                if (rule.path("Status").asText().equals("Enabled")
                        && !rule.path("TagFilters").isEmpty()
                        && transition.path("TransitionInDays").asInt(-1) == 0) {
                    s3.listObjectsV2Paginator(it -> it.bucket(bucket)).contents().stream()
                            .map(S3Object::key)
                            .filter(key -> tagged(s3, bucket, key, rule.path("TagFilters")))
                            .filter(
                                    key ->
                                            move(
                                                    s3,
                                                    bucket,
                                                    key,
                                                    transition.path("StorageClass").asText()))
                            .forEach(moved::add);
                }
            }
        }
        return moved;
    }

    private static boolean tagged(S3Client s3, String bucket, String key, JsonNode filters) {
        List<Tag> tags = s3.getObjectTagging(it -> it.bucket(bucket).key(key)).tagSet();
        return StreamSupport.stream(filters.spliterator(), false)
                .allMatch(
                        filter ->
                                tags.stream()
                                        .anyMatch(
                                                tag ->
                                                        tag.key()
                                                                        .equals(
                                                                                filter.path("Key")
                                                                                        .asText())
                                                                && tag.value()
                                                                        .equals(
                                                                                filter.path("Value")
                                                                                        .asText())));
    }

    /** S3 changes the class in place; moto only by a copy, whose source then goes. */
    private static boolean move(S3Client s3, String bucket, String key, String storageClass) {
        HeadObjectResponse before = s3.headObject(it -> it.bucket(bucket).key(key));
        if (storageClass.equals(before.storageClassAsString())) {
            return false;
        }
        s3.copyObject(
                it ->
                        it.sourceBucket(bucket)
                                .sourceKey(key)
                                .destinationBucket(bucket)
                                .destinationKey(key)
                                .storageClass(storageClass));
        Optional.ofNullable(before.versionId())
                .ifPresent(
                        version ->
                                s3.deleteObject(
                                        it -> it.bucket(bucket).key(key).versionId(version)));
        return true;
    }
}
