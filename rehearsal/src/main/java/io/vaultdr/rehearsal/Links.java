package io.vaultdr.rehearsal;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Predicate;

/**
 * The network between places and servers: a relay per place and server that a scenario can cut,
 * slow down and mend. Each place (a region, the clients) has a loopback address of its own and a
 * hosts file in which every server's name stands with it, so the same URL goes over another link
 * from another place. Servers listen on 127.0.0.1 and relays on the same port of the place's
 * address.
 *
 * <p>A cut link behaves like a network that drops packets: nothing is refused, nothing arrives;
 * what was under way goes on when it is mended.
 */
public final class Links implements AutoCloseable {
    private static final int FIRST_NETWORK = 71;

    private final Path directory;
    private final Map<String, InetAddress> addresses = new LinkedHashMap<>();
    private final List<Link> links = new CopyOnWriteArrayList<>();

    /**
     * Gives each place its address.
     *
     * @param places the regions that probe, and {@code clients}
     * @param directory where hosts files are written
     */
    public Links(List<String> places, Path directory) {
        this.directory = directory;
        for (int i = 0; i < places.size(); i++) {
            try {
                addresses.put(
                        places.get(i),
                        InetAddress.getByAddress(
                                new byte[] {127, 0, (byte) (FIRST_NETWORK + i), 1}));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /** Opens a link from each place to the server that listens on {@code port}. */
    public void connect(String host, int port) throws IOException {
        for (var place : addresses.entrySet()) {
            links.add(new Link(place.getKey(), host, place.getValue(), port));
        }
        for (String place : addresses.keySet()) {
            writeHosts(place);
        }
    }

    /** Whether {@code port} is free on every place's address and on 127.0.0.1. */
    boolean free(int port) {
        List<InetAddress> all = new ArrayList<>(addresses.values());
        all.add(InetAddress.getLoopbackAddress());
        for (InetAddress address : all) {
            try (var probe = new ServerSocket()) {
                probe.bind(new InetSocketAddress(address, port));
            } catch (IOException taken) {
                return false;
            }
        }
        return true;
    }

    /** The hosts file for {@code -Djdk.net.hosts.file} of whatever runs at {@code place}. */
    public Path hostsFile(String place) {
        return directory.resolve("hosts-" + place);
    }

    /** The address under which {@code place} reaches every server, each on its own port. */
    public InetAddress address(String place) {
        InetAddress address = addresses.get(place);
        if (address == null) {
            throw new IllegalArgumentException("no place " + place + " in " + addresses.keySet());
        }
        return address;
    }

    /** The places that it connects, in their order. */
    public List<String> places() {
        return List.copyOf(addresses.keySet());
    }

    /** The link from {@code place} to the server {@code host}. */
    public Link link(String place, String host) {
        return links.stream()
                .filter(link -> link.place.equals(place) && link.host.equals(host))
                .findFirst()
                .orElseThrow(
                        () ->
                                new IllegalArgumentException(
                                        "no link from " + place + " to " + host));
    }

    /** The links that {@code which} holds for. */
    public List<Link> links(Predicate<Link> which) {
        return links.stream().filter(which).toList();
    }

    private void writeHosts(String place) throws IOException {
        var lines = new StringBuilder("127.0.0.1 localhost\n");
        for (Link link : links) {
            if (link.place.equals(place)) {
                lines.append(link.address.getHostAddress())
                        .append(' ')
                        .append(link.host)
                        .append('\n');
            }
        }
        // A JVM that starts right now must not read half a file.
        Path fresh = directory.resolve("hosts-" + place + ".new");
        Files.writeString(fresh, lines);
        Files.move(
                fresh,
                hostsFile(place),
                java.nio.file.StandardCopyOption.REPLACE_EXISTING,
                java.nio.file.StandardCopyOption.ATOMIC_MOVE);
    }

    @Override
    public void close() {
        links.forEach(Link::close);
    }

    /** The way from one place to one server. */
    public static final class Link {
        private static final int CHUNK = 64 * 1024;

        private final String place;
        private final String host;
        private final InetAddress address;
        private final int port;
        private final ServerSocket listener;
        private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
        private boolean cut;
        private long bytesPerSecond = Long.MAX_VALUE;
        private boolean closed;

        private Link(String place, String host, InetAddress address, int port) throws IOException {
            this.place = place;
            this.host = host;
            this.address = address;
            this.port = port;
            listener = new ServerSocket();
            listener.setReuseAddress(true);
            try {
                listener.bind(new InetSocketAddress(address, port), 256);
            } catch (IOException e) {
                listener.close();
                throw new IOException(
                        "can't listen on "
                                + address.getHostAddress()
                                + ":"
                                + port
                                + " for the link from "
                                + place
                                + " to "
                                + host
                                + ": "
                                + e.getMessage()
                                + " (a rehearsal wants the whole of 127.0.0.0/8 on the loopback"
                                + " interface, as Linux has it)",
                        e);
            }
            Thread.ofVirtual().name("link-" + place + "-" + host).start(this::accept);
        }

        /** Where it starts. */
        public String place() {
            return place;
        }

        /** The server's name at its end. */
        public String host() {
            return host;
        }

        /** Nothing passes any more, in neither direction. */
        public synchronized void cut() {
            cut = true;
        }

        /** Everything passes again, at full speed. */
        public synchronized void mend() {
            cut = false;
            bytesPerSecond = Long.MAX_VALUE;
            notifyAll();
        }

        /** No more than this passes per connection and direction. */
        public synchronized void slow(long bytesPerSecond) {
            this.bytesPerSecond = bytesPerSecond;
        }

        /** Whether it is cut. */
        public synchronized boolean isCut() {
            return cut;
        }

        private void accept() {
            while (true) {
                try {
                    Socket client = listener.accept();
                    sockets.add(client);
                    Thread.ofVirtual().start(() -> carry(client));
                } catch (IOException e) {
                    return; // closed
                }
            }
        }

        private void carry(Socket client) {
            try (client;
                    var server = new Socket()) {
                sockets.add(server);
                if (!awaitOpen()) {
                    return;
                }
                // A server that isn't there refuses, and so does this end then.
                server.connect(
                        new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 2_000);
                client.setTcpNoDelay(true);
                server.setTcpNoDelay(true);
                Thread back = Thread.ofVirtual().start(() -> pump(server, client));
                pump(client, server);
                back.join();
            } catch (IOException e) {
                resetOnClose(client);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            } finally {
                sockets.remove(client);
                sockets.removeIf(Socket::isClosed);
            }
        }

        private void pump(Socket from, Socket to) {
            byte[] chunk = new byte[CHUNK];
            try {
                InputStream in = from.getInputStream();
                OutputStream out = to.getOutputStream();
                while (true) {
                    int read = in.read(chunk, 0, chunkSize());
                    if (!awaitOpen()) {
                        return;
                    }
                    if (read < 0) {
                        to.shutdownOutput();
                        return;
                    }
                    pace(read);
                    out.write(chunk, 0, read);
                }
            } catch (IOException e) {
                // One end has gone: the other one learns it, in the way it would from its peer.
                resetOnClose(to);
                closeQuietly(from);
                closeQuietly(to);
            }
        }

        private synchronized int chunkSize() {
            return (int) Math.max(1, Math.min(CHUNK, bytesPerSecond / 10));
        }

        private void pace(int bytes) {
            long rate;
            synchronized (this) {
                rate = bytesPerSecond;
            }
            if (rate != Long.MAX_VALUE) {
                try {
                    Thread.sleep(Math.max(1, bytes * 1000L / rate));
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            }
        }

        /** Waits while the link is cut; false when it was closed meanwhile. */
        private synchronized boolean awaitOpen() {
            try {
                while (cut && !closed) {
                    wait();
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return false;
            }
            return !closed;
        }

        private static void resetOnClose(Socket socket) {
            try {
                socket.setSoLinger(true, 0);
            } catch (IOException e) {
                closeQuietly(socket);
            }
        }

        private static void closeQuietly(Socket socket) {
            try {
                socket.close();
            } catch (IOException e) {
                // Nothing is left to be closed.
            }
        }

        private void close() {
            synchronized (this) {
                closed = true;
                notifyAll();
            }
            try {
                listener.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            sockets.forEach(Link::closeQuietly);
        }
    }
}
