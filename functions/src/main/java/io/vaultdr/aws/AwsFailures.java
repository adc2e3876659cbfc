package io.vaultdr.aws;

import io.vaultdr.model.Failure;

import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.exception.SdkException;

/** Tells the SDK's exceptions apart in the words of this project. */
final class AwsFailures {
    private AwsFailures() {}

    /**
     * What a call that failed amounts to. A service that refuses did nothing; throttling, what the
     * SDK calls retryable and a service's own errors may be repeated; and without an answer a call
     * that changes something may have changed it.
     *
     * @param changes whether the call changes something
     */
    static Failure of(String tried, SdkException e, boolean changes, String next) {
        if (e instanceof AwsServiceException answer) {
            if (answer.isThrottlingException() || answer.retryable()) {
                return new Failure.Retryable(tried, seen(e), next, e);
            }
            if (answer.statusCode() < 500) {
                return new Failure.Terminal(tried, seen(e), next, e);
            }
        }
        return changes
                ? new Failure.OutcomeUnknown(tried, seen(e), next, e)
                : new Failure.Retryable(tried, seen(e), next, e);
    }

    /** What was seen, short: the service's error code and request id, or what the network did. */
    static String seen(SdkException e) {
        return e instanceof AwsServiceException answer && answer.awsErrorDetails() != null
                ? answer.statusCode()
                        + " "
                        + answer.awsErrorDetails().errorCode()
                        + " (request "
                        + answer.requestId()
                        + ")"
                : e.getClass().getSimpleName() + ": " + e.getMessage();
    }
}
