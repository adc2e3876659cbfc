package io.vaultdr.rehearsal.world;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
import java.util.function.Predicate;

import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * A Network Load Balancer as our templates make it: one TCP listener on an address of its own that
 * passes connections through to the targets of one target group, whose health check it carries out
 * for real. A new connection goes to one of the healthy targets, to any where none is healthy, and
 * nowhere where there is none. A target that is found unhealthy loses its connections, as is the
 * default for TCP.
 *
 * <p>A machine that is gone answers nothing: who is sent there waits, until the target is taken
 * out.
 */
final class LoadBalancer implements AutoCloseable {
    /**
     * What the templates say.
     *
     * @param port where it listens
     * @param targetGroup the ARN of the target group that its listener forwards to
     * @param targetPort the targets' port
     */
    record Spec(
            String region,
            String name,
            String dnsName,
            int port,
            String targetGroup,
            int targetPort,
            Check check) {}

    /**
     * A target group's health check over HTTPS, whose certificate isn't looked at.
     *
     * @param path with its query
     * @param matcher the status codes that are healthy, such as {@code 200} or {@code 200-299}
     * @param healthy how many good answers in a row make a target healthy
     * @param unhealthy how many bad ones make it unhealthy
     */
    record Check(
            String path,
            int port,
            String matcher,
            Duration interval,
            Duration timeout,
            int healthy,
            int unhealthy) {
        boolean matches(int status) {
            for (String part : matcher.split(",", -1)) {
                String[] range = part.split("-", -1);
                if (status >= Integer.parseInt(range[0])
                        && status <= Integer.parseInt(range[range.length - 1])) {
                    return true;
                }
            }
            return false;
        }
    }

    private static final int CHUNK = 64 * 1024;
    private static final int CONNECT_MILLIS = 2_000;

    /** A registered instance. */
    private static final class Target {
        private final Instance instance;
        private final Set<Socket> connections = ConcurrentHashMap.newKeySet();
        private volatile boolean healthy;
        private volatile boolean registered = true;
        private int run;
        private boolean first = true;

        private Target(Instance instance) {
            this.instance = instance;
        }
    }

    private final Spec spec;
    private final InetAddress address;
    private final Predicate<Instance> alive;
    private final Consumer<WorldEvent> events;
    private final ServerSocket listener;
    private final Map<String, Target> targets = new ConcurrentHashMap<>();
    private final HttpClient http;
    private volatile boolean closed;

    /**
     * Listens.
     *
     * @param alive whether an instance's machine is there to answer or refuse
     */
    LoadBalancer(
            Spec spec,
            InetAddress address,
            Predicate<Instance> alive,
            Consumer<WorldEvent> events) {
        this.spec = spec;
        this.address = address;
        this.alive = alive;
        this.events = events;
        this.http =
                HttpClient.newBuilder()
                        .version(HttpClient.Version.HTTP_1_1)
                        .connectTimeout(spec.check.timeout)
                        .sslContext(unverified())
                        .build();
        try {
            listener = new ServerSocket();
            listener.setReuseAddress(true);
            listener.bind(new InetSocketAddress(address, spec.port), 256);
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "can't listen on " + address.getHostAddress() + ":" + spec.port, e);
        }
        Thread.ofVirtual().name("nlb-" + spec.name).start(this::accept);
    }

    Spec spec() {
        return spec;
    }

    /** Its only address. */
    InetAddress address() {
        return address;
    }

    /** Takes a target in; it gets connections once it is healthy. */
    void register(Instance instance) {
        Target target = new Target(instance);
        targets.put(instance.id(), target);
        Thread.ofVirtual().name("check-" + instance.id()).start(() -> watch(target));
    }

    /** Takes a target out: connections go on, new ones go elsewhere. */
    void deregister(Instance instance) {
        Target target = targets.remove(instance.id());
        if (target != null) {
            target.registered = false;
        }
    }

    /** The healthy targets. */
    List<String> healthy() {
        return targets.values().stream()
                .filter(it -> it.healthy)
                .map(it -> it.instance.id())
                .sorted()
                .toList();
    }

    private void watch(Target target) {
        try {
            while (!closed && target.registered) {
                judge(target, spec.check.matches(status(target)));
                Thread.sleep(spec.check.interval);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** A target's very first answer counts alone, as Elastic Load Balancing has it. */
    private void judge(Target target, boolean good) {
        if (good == target.healthy && !target.first) {
            target.run = 0;
            return;
        }
        target.run++;
        int wanted = target.first ? 1 : good ? spec.check.healthy : spec.check.unhealthy;
        if (target.run >= wanted) {
            boolean changed = target.healthy != good;
            target.first = false;
            target.run = 0;
            target.healthy = good;
            if (changed) {
                events.accept(
                        new WorldEvent.TargetChanged(
                                Instant.now(), spec.name, target.instance.id(), good));
            }
            if (changed && !good) {
                target.connections.forEach(LoadBalancer::reset);
            }
        }
    }

    /** The status of a health check's answer, 0 without one. */
    private int status(Target target) throws InterruptedException {
        try {
            return http.send(
                            HttpRequest.newBuilder(
                                            URI.create(
                                                    "https://"
                                                            + target.instance
                                                                    .address()
                                                                    .getHostAddress()
                                                            + ":"
                                                            + spec.check.port
                                                            + spec.check.path))
                                    .timeout(spec.check.timeout)
                                    .build(),
                            BodyHandlers.discarding())
                    .statusCode();
        } catch (IOException e) {
            return 0;
        }
    }

    private @Nullable Target choose() {
        List<Target> all = List.copyOf(targets.values());
        List<Target> well = all.stream().filter(it -> it.healthy).toList();
        List<Target> from = well.isEmpty() ? all : well;
        return from.isEmpty() ? null : from.get(ThreadLocalRandom.current().nextInt(from.size()));
    }

    private void accept() {
        while (true) {
            try {
                Socket client = listener.accept();
                Thread.ofVirtual().start(() -> carry(client));
            } catch (IOException e) {
                return; // closed
            }
        }
    }

    private void carry(Socket client) {
        Target target = choose();
        if (target == null) {
            reset(client);
            return;
        }
        try (client;
                var server = new Socket()) {
            target.connections.add(client);
            if (!alive.test(target.instance)) {
                // Nobody refuses: the client waits until it gives up or the target is taken out.
                client.getInputStream().transferTo(OutputStream.nullOutputStream());
                return;
            }
            server.connect(
                    new InetSocketAddress(target.instance.address(), spec.targetPort),
                    CONNECT_MILLIS);
            client.setTcpNoDelay(true);
            server.setTcpNoDelay(true);
            Thread back = Thread.ofVirtual().start(() -> pump(server, client));
            pump(client, server);
            back.join();
        } catch (IOException e) {
            reset(client);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            target.connections.remove(client);
        }
    }

    private static void pump(Socket from, Socket to) {
        byte[] chunk = new byte[CHUNK];
        try {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            for (int read = in.read(chunk); read >= 0; read = in.read(chunk)) {
                out.write(chunk, 0, read);
            }
            to.shutdownOutput();
        } catch (IOException e) {
            // One end has gone: the other one learns it in the same way.
            reset(from);
            reset(to);
        }
    }

    private static void reset(Socket socket) {
        try {
            socket.setSoLinger(true, 0);
            socket.close();
        } catch (IOException e) {
            // It is closed already, which is what is wanted.
            return;
        }
    }

    /** Accepts every certificate: load balancers don't look at their targets'. */
    private static SSLContext unverified() {
        try {
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, new TrustManager[] {new Unverified()}, null);
            return context;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java runtime has TLS", e);
        }
    }

    private static final class Unverified extends X509ExtendedTrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }

    @Override
    public void close() {
        closed = true;
        http.shutdownNow();
        try {
            listener.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        targets.values().forEach(target -> target.connections.forEach(LoadBalancer::reset));
    }
}
