package io.vaultdr.aws;

import io.vaultdr.runtime.PairSettings;
import io.vaultdr.traffic.TrafficFlag;

import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.NoSuchKeyException;

import java.time.Duration;

/** A traffic flag as an object that Route 53's health checkers read. */
public final class S3TrafficFlag implements TrafficFlag {
    /** A region that is away must not hold up the other one's flag. */
    private static final Duration LIMIT = Duration.ofSeconds(4);

    private final S3Client s3;
    private final PairSettings.Flag flag;

    /** The flag at {@code flag}; {@code s3} is a client of its region. */
    public S3TrafficFlag(S3Client s3, PairSettings.Flag flag) {
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
        try {
            s3.putObject(
                    request ->
                            request.bucket(flag.bucket())
                                    .key(flag.key())
                                    .contentType("text/plain")
                                    .cacheControl("no-store")
                                    .overrideConfiguration(c -> c.apiCallTimeout(LIMIT)),
                    RequestBody.fromString("dr\n"));
        } catch (SdkException e) {
            throw AwsFailures.of(
                    "raise the flag in " + place(), e, true, "It may be raised again at any time.");
        }
    }
}
