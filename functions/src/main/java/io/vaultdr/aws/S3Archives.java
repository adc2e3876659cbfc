package io.vaultdr.aws;

import io.vaultdr.model.Failure;
import io.vaultdr.runtime.PairSettings;

import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.GlacierJobParameters;
import software.amazon.awssdk.services.s3.model.HeadObjectResponse;
import software.amazon.awssdk.services.s3.model.Tier;

import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Brings archives of one bucket back from the classes that can't be read at once. S3 puts a copy
 * beside the object for some days; its class stays.
 *
 * <p>S3 tells EventBridge when the copy is there: source {@code aws.s3}, detail type {@code Object
 * Restore Completed}, {@code detail.object.key} with the prefix {@code archives/}. A rule for that
 * starts ProveSnapshot, so nothing waits meanwhile.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonS3/latest/userguide/restoring-objects.html">Restoring
 *     an archived object</a>
 */
public final class S3Archives {
    private static final Set<String> FROZEN = Set.of("GLACIER", "DEEP_ARCHIVE");
    private static final Pattern EXPIRY = Pattern.compile("expiry-date=\"([^\"]+)\"");

    private final S3Client s3;
    private final S3Json objects;

    /** The archives in {@code bucket}; nothing is asked yet. */
    public S3Archives(AwsClients clients, PairSettings.Bucket bucket) {
        this.s3 = clients.s3(bucket);
        this.objects = new S3Json(s3, bucket);
    }

    /** How an archive can be read. */
    public sealed interface State {
        /** At once. */
        record AtOnce(String storageClass) implements State {}

        /** Not before it was brought back. */
        record Frozen(String storageClass, long bytes) implements State {}

        /** It is being brought back. */
        record Thawing(String storageClass) implements State {}

        /**
         * It was brought back.
         *
         * @param until when the copy goes, as S3 says it
         */
        record Thawed(String storageClass, String until) implements State {}
    }

    /** The state of the archive {@code key}; empty: there is none. */
    public Optional<State> state(String key) {
        return AwsCalls.read(
                "look at " + objects.name(key),
                () -> {
                    try {
                        return Optional.of(
                                state(
                                        s3.headObject(
                                                r ->
                                                        r.bucket(objects.bucket().name())
                                                                .key(key)
                                                                .overrideConfiguration(
                                                                        S3Json.LIMIT))));
                    } catch (AwsServiceException e) {
                        if (e.statusCode() == 404) {
                            return Optional.empty();
                        }
                        throw e;
                    }
                });
    }

    private static State state(HeadObjectResponse head) {
        String storageClass = Optional.ofNullable(head.storageClassAsString()).orElse("STANDARD");
        if (!FROZEN.contains(storageClass)) {
            return new State.AtOnce(storageClass);
        }
        String restore = Optional.ofNullable(head.restore()).orElse("");
        Matcher expiry = EXPIRY.matcher(restore);
        return restore.contains("ongoing-request=\"true\"")
                ? new State.Thawing(storageClass)
                : expiry.find()
                        ? new State.Thawed(storageClass, expiry.group(1))
                        : new State.Frozen(storageClass, head.contentLength());
    }

    /**
     * Asks for the archive {@code key} to be brought back; returns at once.
     *
     * @param tier {@code Standard}, {@code Bulk} or {@code Expedited}; the last not from {@code
     *     DEEP_ARCHIVE}
     * @param days how long the copy stays
     * @throws Failure.Terminal where S3 refuses, such as when it is under way already
     * @see <a
     *     href="https://docs.aws.amazon.com/AmazonS3/latest/API/API_RestoreObject.html">RestoreObject</a>
     */
    public void thaw(String key, String tier, int days) {
        AwsCalls.write(
                "bring back " + objects.name(key),
                () ->
                        s3.restoreObject(
                                r ->
                                        r.bucket(objects.bucket().name())
                                                .key(key)
                                                .restoreRequest(
                                                        it ->
                                                                it.days(days)
                                                                        .glacierJobParameters(
                                                                                GlacierJobParameters
                                                                                        .builder()
                                                                                        .tier(
                                                                                                Tier
                                                                                                        .fromValue(
                                                                                                                tier))
                                                                                        .build()))
                                                .overrideConfiguration(S3Json.LIMIT)));
    }
}
