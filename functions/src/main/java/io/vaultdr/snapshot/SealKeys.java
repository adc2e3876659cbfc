package io.vaultdr.snapshot;

/** What state seal keys are in. */
public interface SealKeys {
    /**
     * Asks for the state of {@code key}; never fails.
     *
     * @param key the key's ARN
     */
    State state(String key);

    /** A key's state. */
    enum State {
        USABLE,
        DISABLED,
        PENDING_DELETION,
        /** There is no such key. */
        MISSING,
        /** Nobody answered, or refused to, or the key isn't ready. */
        UNREACHABLE
    }
}
