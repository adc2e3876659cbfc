package io.vaultdr.aws;

import io.vaultdr.drill.Signer;

import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.services.kms.KmsClient;
import software.amazon.awssdk.services.kms.model.GetPublicKeyResponse;
import software.amazon.awssdk.services.kms.model.MessageType;
import software.amazon.awssdk.services.kms.model.SigningAlgorithmSpec;

/**
 * Signs with an asymmetric KMS key, ECC_NIST_P256.
 *
 * @see <a href="https://docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html">Sign</a>
 */
public final class KmsSigner implements Signer {
    private final KmsClient kms;
    private final String key;

    /** Signs with {@code key}, the ARN of a key or of its alias. */
    public KmsSigner(KmsClient kms, String key) {
        this.kms = kms;
        this.key = key;
    }

    @Override
    public String key() {
        // An alias may point to another key tomorrow.
        return described().keyId();
    }

    @Override
    public byte[] sign(byte[] sha256) {
        return AwsCalls.read(
                "sign with " + key,
                () ->
                        kms.sign(
                                        request ->
                                                request.keyId(key)
                                                        .message(SdkBytes.fromByteArray(sha256))
                                                        .messageType(MessageType.DIGEST)
                                                        .signingAlgorithm(
                                                                SigningAlgorithmSpec.ECDSA_SHA_256))
                                .signature()
                                .asByteArray());
    }

    @Override
    public byte[] publicKey() {
        return described().publicKey().asByteArray();
    }

    private GetPublicKeyResponse described() {
        return AwsCalls.read(
                "get the public key of " + key,
                () -> kms.getPublicKey(request -> request.keyId(key)));
    }
}
