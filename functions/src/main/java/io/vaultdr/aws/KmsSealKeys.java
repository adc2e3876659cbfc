package io.vaultdr.aws;

import io.vaultdr.snapshot.SealKeys;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.kms.KmsClient;
import software.amazon.awssdk.services.kms.model.NotFoundException;

/** The state of KMS keys, by {@code kms:DescribeKey}. */
public final class KmsSealKeys implements SealKeys {
    private static final Logger LOG = LoggerFactory.getLogger(KmsSealKeys.class);
    private final KmsClient kms;

    /** Asks {@code kms}, which must be of the keys' region. */
    public KmsSealKeys(KmsClient kms) {
        this.kms = kms;
    }

    @Override
    public State state(String key) {
        try {
            return switch (kms.describeKey(it -> it.keyId(key)).keyMetadata().keyState()) {
                case ENABLED -> State.USABLE;
                case DISABLED -> State.DISABLED;
                case PENDING_DELETION, PENDING_REPLICA_DELETION -> State.PENDING_DELETION;
                case CREATING, PENDING_IMPORT, UNAVAILABLE, UPDATING, UNKNOWN_TO_SDK_VERSION ->
                        State.UNREACHABLE;
            };
        } catch (NotFoundException e) {
            return State.MISSING;
        } catch (SdkException e) {
            LOG.warn("KMS key {} can't be described: {}", key, AwsFailures.seen(e));
            return State.UNREACHABLE;
        }
    }
}
