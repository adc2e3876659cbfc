package io.vaultdr.aws;

import software.amazon.awssdk.http.AbortableInputStream;
import software.amazon.awssdk.http.ContentStreamProvider;
import software.amazon.awssdk.http.ExecutableHttpRequest;
import software.amazon.awssdk.http.HttpExecuteRequest;
import software.amazon.awssdk.http.HttpExecuteResponse;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.http.SdkHttpRequest;
import software.amazon.awssdk.http.SdkHttpResponse;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.ProtocolException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Sends large bodies in large pieces, over the connections of {@link HttpURLConnection} as the
 * SDK's own client does, and leaves everything else to that one. The SDK's copies a body in pieces
 * of 4 KiB, which become TLS records as small: two and a half times the processor time for each
 * byte, and sending is most of what a snapshot costs (docs/bench-snapshot.md).
 */
final class UploadHttpClient implements SdkHttpClient {
    private static final long LARGE = 1024 * 1024;
    private static final int PIECE = 128 * 1024;
    private static final String LENGTH = "Content-Length";

    private final SdkHttpClient others;
    private final Duration connect;
    private final Duration read;

    /**
     * Sends large bodies itself.
     *
     * @param others for all other requests
     * @param connect time-out of connecting
     * @param read time-out of each read
     */
    UploadHttpClient(SdkHttpClient others, Duration connect, Duration read) {
        this.others = others;
        this.connect = connect;
        this.read = read;
    }

    @Override
    public ExecutableHttpRequest prepareRequest(HttpExecuteRequest request) {
        long length =
                request.httpRequest().firstMatchingHeader(LENGTH).map(Long::parseLong).orElse(0L);
        Optional<ContentStreamProvider> body = request.contentStreamProvider();
        return body.isPresent() && length >= LARGE
                ? new Upload(request.httpRequest(), body.get(), length)
                : others.prepareRequest(request);
    }

    @Override
    public String clientName() {
        return others.clientName();
    }

    @Override
    public void close() {
        others.close();
    }

    private final class Upload implements ExecutableHttpRequest {
        private final SdkHttpRequest request;
        private final ContentStreamProvider body;
        private final long length;
        private volatile Optional<HttpURLConnection> connection = Optional.empty();
        private volatile boolean aborted;

        private Upload(SdkHttpRequest request, ContentStreamProvider body, long length) {
            this.request = request;
            this.body = body;
            this.length = length;
        }

        @Override
        public HttpExecuteResponse call() throws IOException {
            HttpURLConnection http = open();
            connection = Optional.of(http);
            try {
                send(http);
                return answer(http);
            } catch (RuntimeException e) {
                // A connection that is closed under its own hands finds what it holds gone.
                if (aborted) {
                    throw new IOException("the call was given up", e);
                }
                throw e;
            }
        }

        private void send(HttpURLConnection http) throws IOException {
            try (OutputStream out = http.getOutputStream();
                    InputStream in = body.newStream()) {
                byte[] piece = new byte[PIECE];
                for (int count = in.read(piece); count >= 0; count = in.read(piece)) {
                    out.write(piece, 0, count);
                }
            } catch (ProtocolException e) {
                // Refused where it was to say "100 Continue": that is the answer, if it is one.
                if (http.getResponseCode() < HttpURLConnection.HTTP_MULT_CHOICE) {
                    throw e;
                }
            }
        }

        private HttpURLConnection open() throws IOException {
            var http = (HttpURLConnection) request.getUri().toURL().openConnection();
            http.setConnectTimeout((int) connect.toMillis());
            http.setReadTimeout((int) read.toMillis());
            http.setRequestMethod(request.method().name());
            http.setInstanceFollowRedirects(false);
            http.setDoOutput(true);
            http.setFixedLengthStreamingMode(length);
            request.forEachHeader(
                    (name, values) ->
                            values.forEach(value -> http.addRequestProperty(name, value)));
            return http;
        }

        private static HttpExecuteResponse answer(HttpURLConnection http) throws IOException {
            Map<String, List<String>> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
            http.getHeaderFields()
                    .forEach(
                            (name, values) -> {
                                // The status line stands under no name.
                                if (name != null) {
                                    headers.put(name, new ArrayList<>(values));
                                }
                            });
            int status = http.getResponseCode();
            InputStream content =
                    status < HttpURLConnection.HTTP_BAD_REQUEST
                            ? http.getInputStream()
                            : http.getErrorStream();
            HttpExecuteResponse.Builder answer =
                    HttpExecuteResponse.builder()
                            .response(
                                    SdkHttpResponse.builder()
                                            .statusCode(status)
                                            .statusText(http.getResponseMessage())
                                            .headers(headers)
                                            .build());
            return content == null
                    ? answer.build()
                    : answer.responseBody(AbortableInputStream.create(content, http::disconnect))
                            .build();
        }

        @Override
        public void abort() {
            aborted = true;
            connection.ifPresent(HttpURLConnection::disconnect);
        }
    }
}
