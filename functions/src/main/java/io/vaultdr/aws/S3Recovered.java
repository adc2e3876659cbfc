package io.vaultdr.aws;

import io.vaultdr.model.Failure;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.snapshot.SecretRecovery;

import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.PutObjectResponse;
import software.amazon.awssdk.services.s3.model.ServerSideEncryption;

/** Recovered secrets in a bucket whose default encryption is KMS, and whose objects live a day. */
public final class S3Recovered implements SecretRecovery.RecoveredObjects {
    private final S3Client s3;
    private final PairSettings.Bucket bucket;

    /** Leaves them in {@code bucket}. */
    public S3Recovered(AwsClients clients, PairSettings.Bucket bucket) {
        this.s3 = clients.s3(bucket);
        this.bucket = bucket;
    }

    @Override
    public void put(String key, byte[] json) {
        String name = "s3://" + bucket.name() + "/" + key;
        PutObjectResponse written =
                AwsCalls.write(
                        "write " + name,
                        () ->
                                s3.putObject(
                                        it ->
                                                it.bucket(bucket.name())
                                                        .key(key)
                                                        .contentType("application/json"),
                                        RequestBody.fromBytes(json)));
        // Naming the algorithm in the request would take AWS's own key instead of the bucket's.
        if (written.serverSideEncryption() != ServerSideEncryption.AWS_KMS) {
            throw new Failure.Terminal(
                    "write " + name,
                    "the bucket encrypted it with "
                            + written.serverSideEncryptionAsString()
                            + " and not with KMS",
                    "Deploy the Proof stack again, which sets the bucket's encryption, and delete"
                            + " the object");
        }
    }
}
