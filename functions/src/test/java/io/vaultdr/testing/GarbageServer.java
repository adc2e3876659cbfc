package io.vaultdr.testing;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/** A server that accepts connections and then does what no server should. */
public final class GarbageServer implements AutoCloseable {
    /** What it does with a connection. */
    public enum Manner {
        /** Bytes that aren't HTTP. */
        GARBAGE,
        /** A well-formed page that isn't Vault's, as a proxy's error page. */
        PAGE,
        /** Half of the body that the header announced, then the connection closes. */
        HALF_A_BODY,
        /** Half of the body that the header announced, then nothing. */
        STALLED_BODY,
        /** JSON of 10 GB. */
        TEN_GIGABYTES,
        /** Nothing at all. */
        SILENCE,
        /** Reads what was sent and closes the connection without an answer. */
        HANG_UP
    }

    private static final long TEN_GIGABYTES = 10L << 30;

    private final ServerSocket server;
    private final Manner manner;
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();
    private final AtomicLong sent = new AtomicLong();
    private final AtomicLong accepted = new AtomicLong();

    private GarbageServer(ServerSocket server, Manner manner) {
        this.server = server;
        this.manner = manner;
    }

    /** Starts one on a free loopback port. */
    public static GarbageServer start(Manner manner) {
        try {
            ServerSocket socket = new ServerSocket(0, 50, InetAddress.ofLiteral("127.0.0.1"));
            GarbageServer server = new GarbageServer(socket, manner);
            Thread.ofVirtual().start(server::accept);
            return server;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Where it listens. */
    public URI address() {
        return URI.create("http://127.0.0.1:" + server.getLocalPort());
    }

    /** How many bytes it has sent, as far as the sockets took them. */
    public long bytesSent() {
        return sent.get();
    }

    /** How many connections it has accepted. */
    public long connections() {
        return accepted.get();
    }

    @Override
    public void close() throws IOException {
        server.close();
        for (Socket socket : open) {
            socket.close();
        }
    }

    private void accept() {
        while (!server.isClosed()) {
            try {
                Socket socket = server.accept();
                open.add(socket);
                accepted.incrementAndGet();
                Thread.ofVirtual().start(() -> answer(socket));
            } catch (IOException e) {
                // The test is over and has closed the server.
                return;
            }
        }
    }

    private void answer(Socket socket) {
        try (socket) {
            OutputStream out = socket.getOutputStream();
            switch (manner) {
                case GARBAGE -> {
                    readHead(socket.getInputStream());
                    send(out, "\u0000\u0001%%% no protocol that anybody knows \r\n\r\n");
                }
                case PAGE -> {
                    readHead(socket.getInputStream());
                    String page = "<html><body>Welcome</body></html>";
                    send(out, head(page.length()) + page);
                }
                case HALF_A_BODY -> {
                    readHead(socket.getInputStream());
                    send(out, head(1000) + "{\"initialized\":true,");
                }
                case STALLED_BODY -> {
                    readHead(socket.getInputStream());
                    send(out, head(1000) + "{\"initialized\":true,");
                    drain(socket.getInputStream());
                }
                case TEN_GIGABYTES -> {
                    readHead(socket.getInputStream());
                    send(out, head(TEN_GIGABYTES) + "{\"initialized\":\"");
                    byte[] block = "x".repeat(64 << 10).getBytes(StandardCharsets.US_ASCII);
                    while (sent.get() < TEN_GIGABYTES) {
                        out.write(block);
                        sent.addAndGet(block.length);
                    }
                }
                case SILENCE -> drain(socket.getInputStream());
                case HANG_UP -> readHead(socket.getInputStream());
            }
        } catch (IOException e) {
            // The client has had enough and closed: what some tests wait for.
            return;
        } finally {
            open.remove(socket);
        }
    }

    private void send(OutputStream out, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
        out.write(bytes);
        out.flush();
        sent.addAndGet(bytes.length);
    }

    private static String head(long length) {
        return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
                + length
                + "\r\n\r\n";
    }

    private static void readHead(InputStream in) throws IOException {
        int ends = 0;
        int next = in.read();
        while (next >= 0 && ends < 4) {
            ends = next == '\r' || next == '\n' ? ends + 1 : 0;
            if (ends < 4) {
                next = in.read();
            }
        }
    }

    private static void drain(InputStream in) throws IOException {
        in.transferTo(OutputStream.nullOutputStream());
    }
}
