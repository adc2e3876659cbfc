package io.vaultdr.infra.node;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;

import io.vaultdr.testing.Moto;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** A topic and who it pages. */
final class Paged implements AutoCloseable {
    private final HttpServer server;
    private final List<String> pages = new CopyOnWriteArrayList<>();
    private final String topic;

    Paged(Moto moto, String region, String name) {
        try {
            server =
                    HttpServer.create(
                            new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        server.createContext("/", this::take);
        server.start();
        var sns = moto.clients().sns(region);
        topic = sns.createTopic(it -> it.name(name)).topicArn();
        String here = "http://127.0.0.1:" + server.getAddress().getPort() + "/";
        sns.subscribe(it -> it.topicArn(topic).protocol("http").endpoint(here));
    }

    private void take(HttpExchange call) throws IOException {
        try (call) {
            String body = new String(call.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            if (body.contains("Runbook:")) {
                pages.add(body);
            }
            call.sendResponseHeaders(200, -1);
        }
    }

    /** The topic's ARN. */
    String topic() {
        return topic;
    }

    /** What came. */
    List<String> pages() {
        return pages;
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
