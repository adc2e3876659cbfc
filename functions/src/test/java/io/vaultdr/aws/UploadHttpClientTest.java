package io.vaultdr.aws;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import software.amazon.awssdk.http.ExecutableHttpRequest;
import software.amazon.awssdk.http.HttpExecuteRequest;
import software.amazon.awssdk.http.HttpExecuteResponse;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.http.SdkHttpMethod;
import software.amazon.awssdk.http.SdkHttpRequest;
import software.amazon.awssdk.utils.IoUtils;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.CompletableFuture;

@Timeout(30)
class UploadHttpClientTest {
    private static final byte[] BODY = new byte[3 * 1024 * 1024 + 17];

    private ServerSocket server;
    private boolean passedOn;

    private final SdkHttpClient others =
            new SdkHttpClient() {
                @Override
                public ExecutableHttpRequest prepareRequest(HttpExecuteRequest request) {
                    passedOn = true;
                    throw new UnsupportedOperationException("passed on");
                }

                @Override
                public void close() {}
            };
    private final UploadHttpClient client =
            new UploadHttpClient(others, Duration.ofSeconds(2), Duration.ofMillis(500));

    @BeforeEach
    void listen() throws IOException {
        new Random(7).nextBytes(BODY);
        server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
    }

    @AfterEach
    void stop() throws IOException {
        server.close();
    }

    @Test
    void sendsAllOfALargeBodyAndReadsTheAnswer() throws Exception {
        CompletableFuture<byte[]> got = served(true, "200 OK", "ETag: \"e\"", "thanks");
        HttpExecuteResponse answer = client.prepareRequest(request(BODY.length)).call();
        assertEquals(200, answer.httpResponse().statusCode());
        assertEquals("\"e\"", answer.httpResponse().firstMatchingHeader("etag").orElseThrow());
        assertEquals("thanks", IoUtils.toUtf8String(answer.responseBody().orElseThrow()));
        assertArrayEquals(BODY, got.get());
        assertFalse(passedOn);
    }

    @Test
    void aRefusalIsAnAnswerAlsoBeforeTheBody() throws Exception {
        var _ = served(false, "403 Forbidden", "x-amz-request-id: 1", "<Error/>");
        HttpExecuteResponse answer = client.prepareRequest(request(BODY.length)).call();
        assertEquals(403, answer.httpResponse().statusCode());
    }

    @Test
    void aServerThatSaysNothingIsNotWaitedForLongerThanConfigured() {
        assertThrows(
                SocketTimeoutException.class,
                () -> client.prepareRequest(request(BODY.length)).call());
    }

    @Test
    void abortEndsACallThatWaits() throws Exception {
        var patient = new UploadHttpClient(others, Duration.ofSeconds(2), Duration.ofSeconds(20));
        ExecutableHttpRequest call = patient.prepareRequest(request(BODY.length));
        var ended = CompletableFuture.supplyAsync(() -> outcome(call));
        Socket accepted = server.accept();
        // Its head is there: so it waits for the word to go on.
        assertTrue(head(accepted.getInputStream()).startsWith("PUT /bucket/key"));
        call.abort();
        assertEquals("ended", ended.get());
    }

    @Test
    void smallBodiesAreTheOthers() {
        assertThrows(
                UnsupportedOperationException.class,
                () -> client.prepareRequest(request(100)).call());
        assertTrue(passedOn);
    }

    private static String outcome(ExecutableHttpRequest call) {
        try {
            return "answered " + call.call().httpResponse().statusCode();
        } catch (IOException e) {
            return "ended";
        }
    }

    private HttpExecuteRequest request(int length) {
        return HttpExecuteRequest.builder()
                .request(
                        SdkHttpRequest.builder()
                                .uri(
                                        URI.create(
                                                "http://127.0.0.1:"
                                                        + server.getLocalPort()
                                                        + "/bucket/key?partNumber=1"))
                                .method(SdkHttpMethod.PUT)
                                .putHeader("Content-Length", Integer.toString(length))
                                .putHeader("Expect", "100-continue")
                                .build())
                .contentStreamProvider(() -> new ByteArrayInputStream(BODY, 0, length))
                .build();
    }

    /** Answers one request; what its body was. */
    private CompletableFuture<byte[]> served(
            boolean goOn, String status, String header, String text) {
        return CompletableFuture.supplyAsync(
                () -> {
                    try (Socket socket = server.accept()) {
                        InputStream in = socket.getInputStream();
                        head(in);
                        byte[] body = {};
                        if (goOn) {
                            write(socket, "HTTP/1.1 100 Continue\r\n\r\n");
                            body = in.readNBytes(BODY.length);
                        }
                        write(
                                socket,
                                "HTTP/1.1 %s\r\n%s\r\nContent-Length: %d\r\n\r\n%s"
                                        .formatted(status, header, text.length(), text));
                        return body;
                    } catch (IOException e) {
                        throw new java.io.UncheckedIOException(e);
                    }
                });
    }

    private static void write(Socket socket, String text) throws IOException {
        socket.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
        socket.getOutputStream().flush();
    }

    private static String head(InputStream in) throws IOException {
        StringBuilder head = new StringBuilder();
        while (head.indexOf("\r\n\r\n") < 0) {
            int next = in.read();
            if (next < 0) {
                throw new IOException("closed in the head: " + head);
            }
            head.append((char) next);
        }
        return head.toString();
    }
}
