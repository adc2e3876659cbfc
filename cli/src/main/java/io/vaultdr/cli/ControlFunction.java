package io.vaultdr.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;

import io.vaultdr.model.Failure;
import io.vaultdr.runtime.Json;

import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.lambda.LambdaClient;
import software.amazon.awssdk.services.lambda.model.InvokeResponse;
import software.amazon.awssdk.services.lambda.model.ResourceNotFoundException;

import java.time.Duration;

/**
 * A deployed function, called and waited for.
 *
 * @param name its name or ARN
 * @param region where it is deployed
 */
record ControlFunction(String name, String region) {
    /** Longer than any function's own time-out. */
    private static final Duration ANSWER = Duration.ofMinutes(15).plusSeconds(10);

    /**
     * Invokes {@code alias} with {@code event}.
     *
     * @param changes whether the call changes something, so that no answer means that it may have
     * @return what the function answered
     * @throws Failure when AWS refuses, the function fails or nothing answers
     */
    JsonNode invoke(String alias, JsonNode event, boolean changes) {
        Said said = ask(alias, event, changes);
        if (said.failed()) {
            throw new Failure.Terminal(
                    tried(alias),
                    said.message(),
                    "Its log group /aws/lambda/" + name + " tells more.");
        }
        return said.answer();
    }

    /**
     * What a function said.
     *
     * @param failed whether it failed; the answer is then Lambda's word for it
     */
    record Said(boolean failed, JsonNode answer) {
        /** Why it failed. */
        String message() {
            return answer.path("errorMessage").asText("the function failed without a message");
        }
    }

    private String tried(String alias) {
        return "invoke " + name + ":" + alias + " in " + region;
    }

    /**
     * Invokes {@code alias} with {@code event}, and tells what it says, also that it failed.
     *
     * @throws Failure when AWS refuses or nothing answers
     */
    Said ask(String alias, JsonNode event, boolean changes) {
        String tried = tried(alias);
        try (LambdaClient lambda = client()) {
            InvokeResponse response =
                    lambda.invoke(
                            request ->
                                    request.functionName(name)
                                            .qualifier(alias)
                                            .payload(SdkBytes.fromUtf8String(event.toString())));
            JsonNode answer = Json.MAPPER.readTree(response.payload().asUtf8String());
            return new Said(response.functionError() != null, answer);
        } catch (ResourceNotFoundException e) {
            throw new Failure.Terminal(
                    tried,
                    "no such function or alias",
                    "Check --config or --function and --region, the account that you are signed in"
                            + " to, and that its stack is deployed.",
                    e);
        } catch (SdkException e) {
            throw failure(tried, e, changes);
        } catch (JsonProcessingException e) {
            throw new Failure.Terminal(
                    tried, "an answer that is no JSON", "Check that it is vault-dr's function.", e);
        }
    }

    private static Failure failure(String tried, SdkException e, boolean changes) {
        if (e instanceof AwsServiceException answer && answer.statusCode() < 500) {
            return new Failure.Terminal(
                    tried,
                    answer.awsErrorDetails() == null
                            ? "status " + answer.statusCode()
                            : answer.awsErrorDetails().errorCode()
                                    + ": "
                                    + answer.awsErrorDetails().errorMessage(),
                    "Check the permissions of the role that you are signed in with.",
                    e);
        }
        if (String.valueOf(e.getMessage()).startsWith("Unable to load credentials")) {
            return new Failure.Terminal(
                    tried,
                    "no AWS credentials found",
                    "Sign in (aws sso login), or set AWS_PROFILE, and repeat it.",
                    e);
        }
        String seen = e.getClass().getSimpleName() + ": " + e.getMessage();
        return changes
                ? new Failure.OutcomeUnknown(
                        tried,
                        seen,
                        "It may have been done: look with 'status' before you repeat.",
                        e)
                : new Failure.Retryable(
                        tried, seen, "Check network and credentials, and repeat it.", e);
    }

    /** One attempt: a person repeats it, and what changes something isn't resent blindly. */
    private LambdaClient client() {
        return LambdaClient.builder()
                .region(Region.of(region))
                .httpClientBuilder(
                        UrlConnectionHttpClient.builder()
                                .connectionTimeout(Duration.ofSeconds(5))
                                .socketTimeout(ANSWER))
                .overrideConfiguration(
                        override ->
                                override.apiCallTimeout(ANSWER)
                                        .retryStrategy(retry -> retry.maxAttempts(1)))
                .build();
    }
}
