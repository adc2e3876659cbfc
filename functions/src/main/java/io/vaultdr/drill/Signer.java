package io.vaultdr.drill;

/** Signs with a key that nobody can read. Methods throw {@link io.vaultdr.model.Failure}. */
public interface Signer {
    /** The key's ARN, which names the public key to check with. */
    String key();

    /**
     * Signs with ECDSA on P-256.
     *
     * @param sha256 the SHA-256 of what is signed, 32 bytes
     * @return the signature in DER, as openssl reads it
     */
    byte[] sign(byte[] sha256);

    /** The public key, as X.509 SubjectPublicKeyInfo in DER. */
    byte[] publicKey();
}
