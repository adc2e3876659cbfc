package io.vaultdr.aws;

import io.vaultdr.failover.Incident;
import io.vaultdr.promotion.QuarantineMark;
import io.vaultdr.runtime.PairSettings.Flag;
import io.vaultdr.traffic.TrafficFlag;

import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.NoSuchKeyException;

import java.time.Duration;

/**
 * The flag bucket of a region: the flag is an object that Route 53's health checkers read, the mark
 * another beside it. It holds the incident's id and has always the same key, because home's nodes
 * look for it every ten seconds: to list keys would cost twelve times as much. Older marks are the
 * object's older versions.
 */
public final class S3FlagBucket implements TrafficFlag, QuarantineMark {
    /** The mark's key; a node's parameter names it. */
    public static final String MARK_KEY = "quarantine/home";

    /** A region that is away must not hold up the other one's bucket. */
    private static final Duration LIMIT = Duration.ofSeconds(4);

    private final S3Client s3;
    private final Flag.InBucket flag;

    /** The bucket of {@code flag}; {@code s3} is a client of its region. */
    public S3FlagBucket(S3Client s3, Flag.InBucket flag) {
        this.s3 = s3;
        this.flag = flag;
    }

    @Override
    public String place() {
        return flag.region() + " (" + flag.bucket() + ")";
    }

    @Override
    public boolean raised() {
        try {
            s3.headObject(
                    request ->
                            request.bucket(flag.bucket())
                                    .key(flag.key())
                                    .overrideConfiguration(c -> c.apiCallTimeout(LIMIT)));
            return true;
        } catch (NoSuchKeyException e) {
            return false;
        } catch (SdkException e) {
            throw AwsFailures.of("look at the flag in " + place(), e, false, "Look again.");
        }
    }

    @Override
    public void raise() {
        put("raise the flag", flag.key(), "dr");
    }

    @Override
    public void put(Incident incident) {
        put("put the quarantine mark", MARK_KEY, incident.id());
    }

    private void put(String what, String key, String line) {
        try {
            s3.putObject(
                    request ->
                            request.bucket(flag.bucket())
                                    .key(key)
                                    .contentType("text/plain")
                                    .cacheControl("no-store")
                                    .overrideConfiguration(c -> c.apiCallTimeout(LIMIT)),
                    RequestBody.fromString(line + "\n"));
        } catch (SdkException e) {
            throw AwsFailures.of(
                    what + " in " + place(), e, true, "The same may be done again at any time.");
        }
    }
}
