package io.vaultdr.drill;

import java.util.Optional;

/** Where reports are kept under object lock. Methods throw {@link io.vaultdr.model.Failure}. */
public interface DrillBucket {
    /** The object's bytes, if there is one. */
    Optional<byte[]> read(String key);

    /**
     * Writes an object unless there is one.
     *
     * @return what lies there now: {@code bytes}, or what an earlier attempt wrote
     */
    byte[] writeOnce(String key, byte[] bytes, String contentType);

    /** Where {@code key} lies, for people: an S3 URI. */
    String place(String key);
}
