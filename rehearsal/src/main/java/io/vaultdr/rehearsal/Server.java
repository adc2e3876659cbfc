package io.vaultdr.rehearsal;

import com.fasterxml.jackson.databind.JsonNode;

import io.vaultdr.runtime.Json;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

import javax.net.ssl.SSLContext;

/**
 * A server's API as a person uses it, by one address and with one token.
 *
 * @param token empty for calls that need none
 */
record Server(HttpClient http, URI address, String token) {
    private static final Duration PATIENCE = Duration.ofSeconds(5);

    /** An answer; the body is missing where it is no JSON. */
    record Answer(int status, JsonNode body) {}

    /** Without a token; {@code trust} holds the servers' authority. */
    static Server at(SSLContext trust, URI address) {
        return new Server(
                HttpClient.newBuilder()
                        .version(HttpClient.Version.HTTP_1_1)
                        .sslContext(trust)
                        .connectTimeout(PATIENCE)
                        .build(),
                address,
                "");
    }

    Server with(String otherToken) {
        return new Server(http, address, otherToken);
    }

    Answer call(String method, String path, Map<String, ?> body) throws IOException {
        var request =
                HttpRequest.newBuilder(address.resolve("/v1/" + path))
                        .timeout(PATIENCE)
                        .method(
                                method,
                                body.isEmpty()
                                        ? BodyPublishers.noBody()
                                        : BodyPublishers.ofByteArray(
                                                Json.MAPPER.writeValueAsBytes(body)));
        if (!token.isEmpty()) {
            request.header("X-Vault-Token", token);
        }
        try {
            var answer = http.send(request.build(), BodyHandlers.ofByteArray());
            boolean json =
                    answer.headers()
                            .firstValue("Content-Type")
                            .filter(it -> it.startsWith("application/json"))
                            .isPresent();
            return new Answer(
                    answer.statusCode(),
                    Json.MAPPER.readTree(json ? answer.body() : new byte[] {'{', '}'}));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    /** The body of a call that has to succeed. */
    JsonNode must(String method, String path, Map<String, ?> body) throws IOException {
        Answer answer = call(method, path, body);
        if (answer.status() / 100 != 2) {
            throw new IllegalStateException(
                    method + " " + path + ": status " + answer.status() + " " + answer.body());
        }
        return answer.body();
    }

    /** The data of a call, where the server answers it just now. */
    Optional<JsonNode> tells(String method, String path) {
        try {
            Answer answer = call(method, path, Map.of());
            return answer.status() == 200
                    ? Optional.of(answer.body().path("data"))
                    : Optional.empty();
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    @Override
    public String toString() {
        return "Server[" + address + "]";
    }
}
