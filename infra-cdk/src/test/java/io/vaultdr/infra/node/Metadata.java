package io.vaultdr.infra.node;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * An instance's metadata service, version 2 only: without a token it answers 401. It also gives the
 * credentials of the instance's role, as EC2 does.
 */
final class Metadata implements AutoCloseable {
    private static final String TOKEN = "metadata-token";

    private final HttpServer server;
    private final Map<String, String> values = new ConcurrentHashMap<>();

    private Metadata(HttpServer server) {
        this.server = server;
    }

    /** That of an instance with this address. */
    static Metadata of(String id, String address, String region) {
        try {
            HttpServer server =
                    HttpServer.create(
                            new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
            Metadata metadata = new Metadata(server);
            metadata.values.put("instance-id", id);
            metadata.values.put("local-ipv4", address);
            metadata.values.put("placement/region", region);
            metadata.values.put("placement/availability-zone", region + "a");
            metadata.values.put("iam/security-credentials/", "node");
            metadata.values.put(
                    "iam/security-credentials/node",
                    """
                    {"Code":"Success","Type":"AWS-HMAC","AccessKeyId":"test",
                     "SecretAccessKey":"test","Token":"test","LastUpdated":"%s","Expiration":"%s"}
                    """
                            .formatted(Instant.now(), Instant.now().plus(Duration.ofHours(6))));
            server.createContext("/latest/api/token", metadata::token);
            server.createContext("/latest/meta-data/", metadata::value);
            server.start();
            return metadata;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Tags the instance. */
    Metadata tagged(String key, String value) {
        values.put("tags/instance/" + key, value);
        return this;
    }

    /** Its address, for {@code AWS_EC2_METADATA_SERVICE_ENDPOINT}. */
    String endpoint() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    private void token(HttpExchange call) throws IOException {
        boolean asked =
                call.getRequestMethod().equals("PUT")
                        && call.getRequestHeaders()
                                .containsKey("X-aws-ec2-metadata-token-ttl-seconds");
        if (asked) {
            // botocore wants it back.
            call.getResponseHeaders().set("X-aws-ec2-metadata-token-ttl-seconds", "300");
        }
        answer(call, asked ? 200 : 400, TOKEN);
    }

    private void value(HttpExchange call) throws IOException {
        String path = call.getRequestURI().getPath().substring("/latest/meta-data/".length());
        if (!TOKEN.equals(call.getRequestHeaders().getFirst("X-aws-ec2-metadata-token"))) {
            answer(call, 401, "");
            return;
        }
        String value = values.get(path);
        answer(call, value == null ? 404 : 200, value == null ? "" : value);
    }

    private static void answer(HttpExchange call, int status, String body) throws IOException {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        try (call) {
            call.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
            if (bytes.length > 0) {
                call.getResponseBody().write(bytes);
            }
        }
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
