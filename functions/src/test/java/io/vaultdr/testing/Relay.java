package io.vaultdr.testing;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/** A link to a server that can be slow, or stop carrying bytes while its connections stay open. */
public final class Relay implements AutoCloseable {
    private static final Duration PAUSE = Duration.ofMillis(10);

    private final ServerSocket server;
    private final URI target;
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();
    private final AtomicLong carried = new AtomicLong();
    private volatile boolean stalled;
    private volatile Duration delay = Duration.ZERO;
    private volatile long bytesPerSecond = Long.MAX_VALUE;

    private Relay(ServerSocket server, URI target) {
        this.server = server;
        this.target = target;
    }

    /** A link to {@code target} from a free loopback port. */
    public static Relay to(URI target) {
        try {
            Relay relay =
                    new Relay(new ServerSocket(0, 50, InetAddress.ofLiteral("127.0.0.1")), target);
            Thread.ofVirtual().start(relay::accept);
            return relay;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Where it listens, with the target's scheme. */
    public URI address() {
        return URI.create(target.getScheme() + "://127.0.0.1:" + server.getLocalPort());
    }

    /** Waits that long before it passes on what has come. */
    public void delay(Duration delay) {
        this.delay = delay;
    }

    /** Carries no more than that from the server. */
    public void throttle(long bytesPerSecond) {
        this.bytesPerSecond = bytesPerSecond;
    }

    /** Carries nothing from now on; connections stay open. */
    public void stall() {
        stalled = true;
    }

    /** Carries again. */
    public void resume() {
        stalled = false;
    }

    /** How many bytes came from the server. */
    public long carried() {
        return carried.get();
    }

    /** How many connections are open. */
    public int connections() {
        return open.size();
    }

    @Override
    public void close() {
        try {
            server.close();
            for (Socket socket : open) {
                socket.close();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void accept() {
        while (!server.isClosed()) {
            try {
                Socket client = server.accept();
                Thread.ofVirtual().start(() -> connect(client));
            } catch (IOException e) {
                // Closed: the link is gone.
                return;
            }
        }
    }

    private void connect(Socket client) {
        open.add(client);
        try (client;
                Socket upstream = new Socket(target.getHost(), target.getPort())) {
            Thread.ofVirtual().start(() -> carry(client, upstream, false));
            carry(upstream, client, true);
        } catch (IOException e) {
            // The target refuses: so does the link, by closing.
            return;
        } finally {
            open.remove(client);
        }
    }

    private void carry(Socket from, Socket to, boolean answers) {
        byte[] buffer = new byte[16 << 10];
        try {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            int count = in.read(buffer);
            while (count >= 0) {
                hold(to, answers ? count : 0);
                out.write(buffer, 0, count);
                if (answers) {
                    carried.addAndGet(count);
                }
                count = in.read(buffer);
            }
            to.close();
        } catch (IOException e) {
            closeQuietly(from, to);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void hold(Socket to, int count) throws InterruptedException {
        Thread.sleep(delay);
        Thread.sleep(Duration.ofNanos(count * 1_000_000_000L / bytesPerSecond));
        while (stalled && !to.isClosed()) {
            Thread.sleep(PAUSE);
        }
    }

    private static void closeQuietly(Socket... sockets) {
        for (Socket socket : sockets) {
            try {
                socket.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
