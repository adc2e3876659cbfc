package io.vaultdr.vault;

import io.vaultdr.model.Secret;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.ProtocolException;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.http.HttpConnectTimeoutException;
import java.time.Duration;
import java.util.Optional;

import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;

/**
 * Reads answers as long as a snapshot: over a connection of its own, on the thread that reads. The
 * newer client of {@code java.net.http} hands each 16 KiB from one thread to another, which costs
 * twice the processor time for each byte (docs/bench-snapshot.md).
 */
final class LongAnswers {
    private final SSLSocketFactory sockets;
    private final Duration connect;

    /**
     * Answers of servers that {@code trust} trusts.
     *
     * @param connect time-out of the connection
     */
    LongAnswers(ClusterTrust trust, Duration connect) {
        this.sockets = new Indicating(trust.context().getSocketFactory(), trust.parameters());
        this.connect = connect;
    }

    /**
     * The beginning of an answer, and the rest of it as it comes.
     *
     * @param body ends the connection when it is closed
     */
    record Answer(int status, Optional<String> location, InputStream body) {}

    /**
     * {@code GET target}. Redirections are the caller's.
     *
     * @param silence the longest that nothing may come, in the answer's body too
     * @throws HttpConnectTimeoutException where there is no connection in time
     * @throws IOException where the answer is none, or nothing came for too long
     */
    Answer get(URI target, Secret token, Duration silence) throws IOException {
        var http = (HttpURLConnection) target.toURL().openConnection();
        if (http instanceof HttpsURLConnection https) {
            https.setSSLSocketFactory(sockets);
        }
        http.setConnectTimeout(Math.toIntExact(connect.toMillis()));
        http.setReadTimeout(Math.toIntExact(silence.toMillis()));
        http.setInstanceFollowRedirects(false);
        http.setUseCaches(false);
        http.setRequestProperty("X-Vault-Token", token.reveal());
        // Whoever closes half an answer must not wait for the other half.
        http.setRequestProperty("Connection", "close");
        try {
            http.connect();
        } catch (SocketTimeoutException e) {
            var late = new HttpConnectTimeoutException(e.getMessage());
            late.initCause(e);
            throw late;
        }
        int status = http.getResponseCode();
        if (status < 0) {
            http.disconnect();
            throw new ProtocolException("no HTTP");
        }
        InputStream body =
                status < HttpURLConnection.HTTP_BAD_REQUEST
                        ? http.getInputStream()
                        : Optional.ofNullable(http.getErrorStream())
                                .orElse(InputStream.nullInputStream());
        return new Answer(
                status,
                Optional.ofNullable(http.getHeaderField("Location")),
                new Body(body, http, http.getContentLengthLong()));
    }

    /**
     * Ends with an exception where less came than was announced, which the JDK's stream doesn't.
     */
    private static final class Body extends FilterInputStream {
        private final HttpURLConnection http;
        private final long announced;
        private long came;

        /**
         * @param announced negative: the answer comes in chunks, whose end is looked for
         */
        Body(InputStream in, HttpURLConnection http, long announced) {
            super(in);
            this.http = http;
            this.announced = announced;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] buffer, int offset, int length) throws IOException {
            int count = super.read(buffer, offset, length);
            if (count < 0 && came < announced) {
                throw new IOException("it ended after " + came + " of " + announced + " bytes");
            }
            came += Math.max(count, 0);
            return count;
        }

        @Override
        public void close() throws IOException {
            try {
                super.close();
            } finally {
                http.disconnect();
            }
        }
    }

    /** Sockets whose handshakes indicate the server's name, where there is one. */
    private static final class Indicating extends SSLSocketFactory {
        private final SSLSocketFactory sockets;
        private final SSLParameters parameters;

        Indicating(SSLSocketFactory sockets, SSLParameters parameters) {
            this.sockets = sockets;
            this.parameters = parameters;
        }

        private Socket indicating(Socket socket) {
            if (socket instanceof SSLSocket tls && parameters.getServerNames() != null) {
                SSLParameters own = tls.getSSLParameters();
                own.setServerNames(parameters.getServerNames());
                tls.setSSLParameters(own);
            }
            return socket;
        }

        @Override
        public String[] getDefaultCipherSuites() {
            return sockets.getDefaultCipherSuites();
        }

        @Override
        public String[] getSupportedCipherSuites() {
            return sockets.getSupportedCipherSuites();
        }

        @Override
        public Socket createSocket() throws IOException {
            return indicating(sockets.createSocket());
        }

        @Override
        public Socket createSocket(Socket connected, String host, int port, boolean autoClose)
                throws IOException {
            return indicating(sockets.createSocket(connected, host, port, autoClose));
        }

        @Override
        public Socket createSocket(String host, int port) throws IOException {
            return indicating(sockets.createSocket(host, port));
        }

        @Override
        public Socket createSocket(String host, int port, InetAddress from, int fromPort)
                throws IOException {
            return indicating(sockets.createSocket(host, port, from, fromPort));
        }

        @Override
        public Socket createSocket(InetAddress host, int port) throws IOException {
            return indicating(sockets.createSocket(host, port));
        }

        @Override
        public Socket createSocket(InetAddress host, int port, InetAddress from, int fromPort)
                throws IOException {
            return indicating(sockets.createSocket(host, port, from, fromPort));
        }
    }
}
