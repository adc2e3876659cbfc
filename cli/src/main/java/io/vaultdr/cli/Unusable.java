package io.vaultdr.cli;

/**
 * A call that can't be used as it was typed. The message says what was read, what is expected and
 * what to do; it is shown without a stack trace and the exit code is {@link Exit#UNUSABLE}.
 */
final class Unusable extends RuntimeException {
    Unusable(String message) {
        super(message);
    }
}
