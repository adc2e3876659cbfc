package io.vaultdr.rehearsal.world;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;

import io.vaultdr.runtime.Json;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Executors;

/**
 * The instance metadata service of one machine, version 2 only: who it is, where, its tags and its
 * role's credentials, which the gateway knows the machine by.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-categories.html">Instance
 *     metadata categories</a>
 */
public final class Metadata implements AutoCloseable {
    private static final String TAGS = "tags/instance/";
    private static final String ROLE = "node";
    private static final int PORT = 1_338;

    private final Instance instance;
    private final Map<String, String> tags;
    private final String token = UUID.randomUUID().toString();
    private final HttpServer server;

    /**
     * Answers on the machine's own address.
     *
     * @param tags what it says of the instance's tags; empty where the launch template keeps them
     *     out of the metadata
     */
    public Metadata(Instance instance, Map<String, String> tags) {
        this.instance = instance;
        this.tags = tags;
        try {
            server = HttpServer.create(new InetSocketAddress(instance.address(), PORT), 16);
        } catch (IOException e) {
            throw new UncheckedIOException("the metadata service of " + instance.id(), e);
        }
        server.createContext("/latest/", this::answer);
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.start();
    }

    /** Where it answers. */
    public URI endpoint() {
        return URI.create("http://" + instance.address().getHostAddress() + ":" + PORT);
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            String path = exchange.getRequestURI().getPath().replaceFirst("^/latest/", "");
            if (path.equals("api/token") && exchange.getRequestMethod().equals("PUT")) {
                String ttl = "X-aws-ec2-metadata-token-ttl-seconds";
                exchange.getResponseHeaders().set(ttl, exchange.getRequestHeaders().getFirst(ttl));
                send(exchange, 200, token);
            } else if (!token.equals(
                    exchange.getRequestHeaders().getFirst("X-aws-ec2-metadata-token"))) {
                send(exchange, 401, "");
            } else {
                Optional<String> value = value(path.replaceFirst("^meta-data/", ""));
                send(exchange, value.isPresent() ? 200 : 404, value.orElse(""));
            }
        }
    }

    private Optional<String> value(String path) {
        if (path.startsWith(TAGS)) {
            return Optional.ofNullable(tags.get(path.substring(TAGS.length())));
        }
        return switch (path) {
            case "instance-id" -> Optional.of(instance.id());
            case "local-ipv4" -> Optional.of(instance.address().getHostAddress());
            case "placement/region" -> Optional.of(instance.region());
            case "placement/availability-zone" -> Optional.of(instance.zone());
            case "iam/security-credentials/" -> Optional.of(ROLE);
            case "iam/security-credentials/" + ROLE -> Optional.of(credentials());
            default -> Optional.empty();
        };
    }

    private String credentials() {
        Instant now = Instant.now();
        return Json.MAPPER
                .createObjectNode()
                .put("Code", "Success")
                .put("Type", "AWS-HMAC")
                .put("LastUpdated", now.toString())
                .put("AccessKeyId", caller(instance))
                .put("SecretAccessKey", "unchecked")
                .put("Token", "unchecked")
                .put("Expiration", now.plusSeconds(6 * 3600).toString())
                .toString();
    }

    /** The access key id by which the gateway knows an instance's calls. */
    static String caller(Instance instance) {
        return instance.group() + "@" + instance.region() + "#" + instance.id();
    }

    private static void send(HttpExchange exchange, int status, String text) throws IOException {
        byte[] body = text.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
        if (body.length > 0) {
            exchange.getResponseBody().write(body);
        }
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
