package io.vaultdr.vault;

import com.fasterxml.jackson.core.JsonProcessingException;

import io.vaultdr.model.Failure;
import io.vaultdr.model.Secret;
import io.vaultdr.runtime.Json;
import io.vaultdr.runtime.PairSettings.AwsLogin;

import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.http.ContentStreamProvider;
import software.amazon.awssdk.http.SdkHttpMethod;
import software.amazon.awssdk.http.SdkHttpRequest;
import software.amazon.awssdk.http.auth.aws.signer.AwsV4HttpSigner;
import software.amazon.awssdk.http.auth.spi.signer.HttpSigner;

import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.Base64;
import java.util.Map;
import java.util.TreeMap;

/**
 * Says who a function is by a signed request of {@code sts:GetCallerIdentity}, which the server
 * sends to STS in its place. The request is signed for the region's own endpoint, since the global
 * one is in us-east-1; no permission is needed for it. Nothing is sent from here.
 *
 * <p>Who has the signed request can log in with it for fifteen minutes, so it is a {@link Secret}.
 *
 * @param region whose endpoint of STS is asked
 * @param clock what time is signed; STS refuses one that is more than five minutes off
 * @see <a href="https://developer.hashicorp.com/vault/api-docs/auth/aws#login">Login of the AWS
 *     auth method</a>
 */
public record SignedIdentity(String region, AwsCredentialsProvider credentials, Clock clock) {
    private static final String BODY = "Action=GetCallerIdentity&Version=2011-06-15";
    private static final String SERVER_ID = "X-Vault-AWS-IAM-Server-ID";

    /**
     * The body of a login, as JSON.
     *
     * @param role of the auth method
     * @throws Failure.Terminal where there are no credentials to sign with
     */
    Secret login(AwsLogin login, String role) {
        Map<String, String> body = new TreeMap<>();
        SdkHttpRequest signed = signed(login);
        body.put("role", role);
        body.put("iam_http_request_method", signed.method().name());
        body.put("iam_request_url", base64(signed.getUri().toString()));
        body.put("iam_request_body", base64(BODY));
        body.put("iam_request_headers", base64(json(signed.headers())));
        return Secret.of(json(body));
    }

    private SdkHttpRequest signed(AwsLogin login) {
        URI endpoint = URI.create("https://sts." + region + ".amazonaws.com/");
        SdkHttpRequest.Builder request =
                SdkHttpRequest.builder()
                        .method(SdkHttpMethod.POST)
                        .uri(endpoint)
                        .putHeader(
                                "Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
        login.serverId().ifPresent(id -> request.putHeader(SERVER_ID, id));
        return AwsV4HttpSigner.create()
                .sign(
                        it ->
                                it.identity(identity())
                                        .request(request.build())
                                        .payload(ContentStreamProvider.fromUtf8String(BODY))
                                        .putProperty(AwsV4HttpSigner.SERVICE_SIGNING_NAME, "sts")
                                        .putProperty(AwsV4HttpSigner.REGION_NAME, region)
                                        .putProperty(HttpSigner.SIGNING_CLOCK, clock))
                .request();
    }

    private AwsCredentials identity() {
        try {
            return credentials.resolveCredentials();
        } catch (SdkException e) {
            throw new Failure.Terminal(
                    "sign a request of GetCallerIdentity",
                    "there are no AWS credentials",
                    "Run it as a function with a role",
                    e);
        }
    }

    private static String base64(String text) {
        return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }

    private static String json(Map<String, ?> map) {
        try {
            return Json.MAPPER.writeValueAsString(map);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a map of texts always becomes JSON", e);
        }
    }
}
