package io.vaultdr.aws;

import software.amazon.awssdk.core.exception.SdkException;

import java.util.function.Supplier;

/**
 * Makes calls whose failures are told in the words of {@link AwsFailures}. Expected answers, such
 * as a condition that isn't met, are caught by the adapter inside the call.
 */
final class AwsCalls {
    private AwsCalls() {}

    /** A call that changes nothing: without an answer it is retryable. */
    static <T> T read(String tried, Supplier<T> call) {
        return call(tried, call, false, "Look at the cause; reading may be repeated");
    }

    /** A call that changes something: without an answer its outcome is unknown. */
    static <T> T write(String tried, Supplier<T> call) {
        return call(tried, call, true, "Read what is there before it is tried again");
    }

    private static <T> T call(String tried, Supplier<T> call, boolean changes, String next) {
        try {
            return call.get();
        } catch (SdkException e) {
            throw AwsFailures.of(tried, e, changes, next);
        }
    }
}
