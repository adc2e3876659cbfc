package io.vaultdr.aws;

import io.vaultdr.drill.TakeSnapshots;
import io.vaultdr.model.Failure;
import io.vaultdr.model.Side;
import io.vaultdr.runtime.DrillSettings;
import io.vaultdr.runtime.Json;

import org.jspecify.annotations.Nullable;

import software.amazon.awssdk.arns.Arn;
import software.amazon.awssdk.http.HttpExecuteRequest;
import software.amazon.awssdk.http.HttpExecuteResponse;
import software.amazon.awssdk.http.SdkHttpMethod;
import software.amazon.awssdk.http.SdkHttpRequest;
import software.amazon.awssdk.http.auth.aws.signer.AwsV4HttpSigner;
import software.amazon.awssdk.http.auth.spi.signer.SignedRequest;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Optional;

/**
 * Invokes TakeSnapshot as its schedule does, with an event that carries the minute. One call of
 * Lambda's API, signed here: the SDK's client for it would be a tenth of the zip.
 *
 * @see <a href="https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html">Invoke</a>
 */
public final class LambdaTakeSnapshots implements TakeSnapshots {
    private static final int TOO_MANY = 429;

    private final AwsClients clients;
    private final DrillSettings settings;

    /** Invokes the aliases that {@code settings} names. */
    public LambdaTakeSnapshots(AwsClients clients, DrillSettings settings) {
        this.clients = clients;
        this.settings = settings;
    }

    @Override
    public void invoke(Side side, Instant minute) {
        call(side, "Event", minute);
    }

    @Override
    public void tryInvoke(Side side) {
        call(side, "DryRun", Instant.EPOCH);
    }

    private void call(Side side, String type, Instant minute) {
        String arn = arn(side);
        String region = Arn.fromString(arn).region().orElseThrow();
        byte[] event =
                Json.MAPPER
                        .createObjectNode()
                        .put("source", "vault-dr.drill")
                        .put("detail-type", "Drill")
                        .put("time", minute.toString())
                        .toString()
                        .getBytes(StandardCharsets.UTF_8);
        SdkHttpRequest request =
                SdkHttpRequest.builder()
                        .method(SdkHttpMethod.POST)
                        .uri(
                                URI.create(
                                        endpoint(region)
                                                + "/2015-03-31/functions/"
                                                + URLEncoder.encode(arn, StandardCharsets.UTF_8)
                                                + "/invocations"))
                        .putHeader("Content-Type", "application/json")
                        .putHeader("Content-Length", Integer.toString(event.length))
                        .putHeader("X-Amz-Invocation-Type", type)
                        .build();
        SignedRequest signed =
                AwsV4HttpSigner.create()
                        .sign(
                                r ->
                                        r.identity(clients.credentials())
                                                .request(request)
                                                .payload(() -> new ByteArrayInputStream(event))
                                                .putProperty(
                                                        AwsV4HttpSigner.SERVICE_SIGNING_NAME,
                                                        "lambda")
                                                .putProperty(AwsV4HttpSigner.REGION_NAME, region));
        try {
            HttpExecuteResponse response =
                    clients.http()
                            .prepareRequest(
                                    HttpExecuteRequest.builder()
                                            .request(signed.request())
                                            .contentStreamProvider(signed.payload().orElseThrow())
                                            .build())
                            .call();
            response.responseBody().ifPresent(body -> body.abort());
            answered(arn, response);
        } catch (IOException e) {
            throw unknown(arn, e.getClass().getSimpleName() + ": " + e.getMessage(), e);
        }
    }

    private static void answered(String arn, HttpExecuteResponse response) {
        int status = response.httpResponse().statusCode();
        if (status / 100 == 2) {
            return;
        }
        String seen =
                "status "
                        + status
                        + response.httpResponse()
                                .firstMatchingHeader("x-amzn-ErrorType")
                                .map(error -> " " + error)
                                .orElse("");
        if (status == TOO_MANY) {
            throw new Failure.Retryable("invoke " + arn, seen, "It is invoked again");
        }
        if (status >= 500) {
            throw unknown(arn, seen, null);
        }
        throw new Failure.Terminal(
                "invoke " + arn, seen, "Check that it is deployed, and the drill's role");
    }

    private static Failure unknown(String arn, String seen, @Nullable IOException e) {
        return new Failure.OutcomeUnknown(
                "invoke " + arn, seen, "The same minute again takes no second snapshot", e);
    }

    /** As the SDK's clients find it. */
    private static String endpoint(String region) {
        return Optional.ofNullable(System.getProperty("aws.endpointUrl"))
                .or(() -> Optional.ofNullable(System.getenv("AWS_ENDPOINT_URL")))
                .orElse("https://lambda." + region + ".amazonaws.com");
    }

    private String arn(Side side) {
        return side == Side.HOME
                ? settings.takeSnapshot()
                : settings.takeSnapshotDr()
                        .orElseThrow(
                                () ->
                                        new Failure.Terminal(
                                                "take a snapshot of the DR side",
                                                "the drill's settings name no function there",
                                                "Deploy the pair's Drill stack again"));
    }
}
