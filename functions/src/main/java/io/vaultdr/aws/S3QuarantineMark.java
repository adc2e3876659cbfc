package io.vaultdr.aws;

import io.vaultdr.failover.Incident;
import io.vaultdr.promotion.QuarantineMark;
import io.vaultdr.runtime.PairSettings;

import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.S3Client;

import java.time.Duration;

/** The mark as an object {@code quarantine/<epoch>} beside a traffic flag. */
public final class S3QuarantineMark implements QuarantineMark {
    private static final Duration LIMIT = Duration.ofSeconds(4);

    private final S3Client s3;
    private final PairSettings.Flag flag;

    /** The mark in the bucket of {@code flag}; {@code s3} is a client of its region. */
    public S3QuarantineMark(S3Client s3, PairSettings.Flag flag) {
        this.s3 = s3;
        this.flag = flag;
    }

    @Override
    public String place() {
        return flag.region() + " (" + flag.bucket() + ")";
    }

    @Override
    public void put(Incident incident) {
        try {
            s3.putObject(
                    request ->
                            request.bucket(flag.bucket())
                                    .key("quarantine/" + incident.epoch())
                                    .contentType("text/plain")
                                    .overrideConfiguration(c -> c.apiCallTimeout(LIMIT)),
                    RequestBody.fromString(incident.id() + "\n"));
        } catch (SdkException e) {
            throw AwsFailures.of(
                    "put the quarantine mark in " + place(), e, true, "It may be put again.");
        }
    }
}
