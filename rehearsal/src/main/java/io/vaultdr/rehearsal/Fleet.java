package io.vaultdr.rehearsal;

import io.vaultdr.model.Side;
import io.vaultdr.testing.BaoServer;
import io.vaultdr.testing.Eventually;
import io.vaultdr.testing.Ports;
import io.vaultdr.testing.TestTls;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.SecureRandom;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/**
 * The servers of a pair: real OpenBao processes with Raft storage and TLS. Home is a cluster; on
 * the DR side one blank node stands and more start when its group wants them. One static key stands
 * in for the multi-Region KMS key of both sides.
 */
public final class Fleet implements AutoCloseable {
    /** The domain of the servers' names; their certificates hold it. */
    public static final String DOMAIN = "vault.test";

    private static final Duration JOINING = Duration.ofSeconds(90);
    private static final int MOST_DR_NODES = 5;

    private final List<Node> nodes;
    private final TestTls tls;
    private final String sealKey;
    private volatile String rootToken = "";

    /** A server and the instance that it would run on. */
    public record Node(Side side, int number, BaoServer server) {
        /** Such as {@code home-1}. */
        public String name() {
            return side + "-" + number;
        }

        /** The name under which clients and functions reach it. */
        public String host() {
            return name() + "." + DOMAIN;
        }

        /** The id of the instance that it stands for. */
        public String instance() {
            return "i-0" + (side == Side.HOME ? "a" : "d") + "%015x".formatted(number);
        }

        /** Its API as others know it. */
        public URI address() {
            return server.address();
        }
    }

    private Fleet(List<Node> nodes, TestTls tls, byte[] sealKey) {
        this.nodes = nodes;
        this.tls = tls;
        this.sealKey = Base64.getEncoder().encodeToString(sealKey);
    }

    /** The key of both clusters' static seal, in base64. */
    String sealKey() {
        return sealKey;
    }

    /**
     * Lays out servers and links; nothing runs yet.
     *
     * @param directory for data, certificates and logs
     * @param homeNodes how many servers home has
     */
    public static Fleet layOut(Path directory, Links links, int homeNodes) throws IOException {
        Files.createDirectories(directory);
        List<String> names = new ArrayList<>(List.of("ip:127.0.0.1"));
        for (String place : links.places()) {
            names.add("ip:" + links.address(place).getHostAddress());
        }
        for (Side side : Side.values()) {
            for (int n = 1; n <= Math.max(homeNodes, MOST_DR_NODES); n++) {
                names.add(side + "-" + n + "." + DOMAIN);
            }
        }
        TestTls tls = TestTls.in(directory.resolve("tls"), names.toArray(String[]::new));
        Path sealKey = directory.resolve("seal.key");
        byte[] key = new byte[32];
        new SecureRandom().nextBytes(key);
        Files.write(sealKey, key);
        List<Node> nodes = new ArrayList<>();
        nodes.addAll(cluster(Side.HOME, homeNodes, directory, links, tls, sealKey));
        nodes.addAll(cluster(Side.DR, MOST_DR_NODES, directory, links, tls, sealKey));
        for (Node node : nodes) {
            links.connect(node.host(), node.server().spec().port());
        }
        return new Fleet(List.copyOf(nodes), tls, key);
    }

    private static List<Node> cluster(
            Side side, int count, Path directory, Links links, TestTls tls, Path sealKey) {
        List<Integer> ports =
                Stream.generate(Ports::free).filter(links::free).limit(count).toList();
        List<Node> nodes = new ArrayList<>();
        for (int n = 1; n <= count; n++) {
            String name = side + "-" + n;
            int own = n;
            // The first one never joins: it is initialised, or at the DR side restored.
            List<URI> join =
                    n == 1
                            ? List.of()
                            : ports.stream()
                                    .filter(port -> !port.equals(ports.get(own - 1)))
                                    .map(port -> URI.create("https://127.0.0.1:" + port))
                                    .toList();
            nodes.add(
                    new Node(
                            side,
                            n,
                            BaoServer.of(
                                    new BaoServer.Spec(
                                            name,
                                            directory.resolve(name),
                                            name + "." + DOMAIN,
                                            ports.get(n - 1),
                                            Ports.free(),
                                            sealKey,
                                            join,
                                            Optional.of(tls),
                                            ""))));
        }
        return nodes;
    }

    /** Starts home's servers and initialises the first, which leads then. */
    public void initialiseHome() {
        List<Node> home = nodes(Side.HOME);
        List<Thread> starting =
                home.stream()
                        .map(node -> Thread.ofPlatform().start(() -> node.server().start()))
                        .toList();
        BaoServer first = home.getFirst().server();
        join(starting);
        rootToken = first.initialize();
    }

    /**
     * Waits until all nodes of home vote. Autopilot's stabilisation time is shortened meanwhile and
     * has its default again afterwards.
     */
    public void completeHome() {
        List<Node> home = nodes(Side.HOME);
        stabilisation("1s");
        for (Node node : home.subList(1, home.size())) {
            node.server().awaitHealth(429, JOINING);
        }
        awaitVoters(home.size());
        stabilisation("10s");
    }

    private void stabilisation(String time) {
        nodes(Side.HOME)
                .getFirst()
                .server()
                .call(
                        "POST",
                        "sys/storage/raft/autopilot/configuration",
                        rootToken,
                        Map.of("server_stabilization_time", time))
                .expect();
    }

    private void awaitVoters(int count) {
        Eventually.await(
                count + " voters at home",
                JOINING,
                () -> {
                    int voters = 0;
                    var servers =
                            nodes(Side.HOME)
                                    .getFirst()
                                    .server()
                                    .call("GET", "sys/storage/raft/configuration", rootToken, null)
                                    .data()
                                    .path("config")
                                    .path("servers");
                    for (var server : servers) {
                        voters += server.path("voter").asBoolean() ? 1 : 0;
                    }
                    return voters == count;
                });
    }

    /** Waits for the node of home that leads. */
    public Node leader() {
        return Eventually.get(
                "a leader at home",
                Duration.ofSeconds(30),
                () ->
                        nodes(Side.HOME).stream()
                                .filter(node -> node.server().running())
                                .filter(node -> node.server().health() == 200)
                                .findFirst());
    }

    /** All nodes of a side, running or not. */
    public List<Node> nodes(Side side) {
        return nodes.stream().filter(node -> node.side() == side).toList();
    }

    /** The node of an instance. */
    public Optional<Node> ofInstance(String instance) {
        return nodes.stream().filter(node -> node.instance().equals(instance)).findFirst();
    }

    /** The certificate authority of both sides, and the servers' certificate. */
    public TestTls tls() {
        return tls;
    }

    /** Trusts that authority. */
    public SSLContext trust() {
        return trust(tls);
    }

    /** Trusts the authority of {@code tls}. */
    static SSLContext trust(TestTls tls) {
        try {
            KeyStore trusted = KeyStore.getInstance("PKCS12");
            trusted.load(null, null);
            trusted.setCertificateEntry(
                    "ca",
                    CertificateFactory.getInstance("X.509")
                            .generateCertificate(
                                    new ByteArrayInputStream(
                                            tls.caPem().getBytes(StandardCharsets.US_ASCII))));
            var factory =
                    TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            factory.init(trusted);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, factory.getTrustManagers(), null);
            return context;
        } catch (IOException | GeneralSecurityException e) {
            throw new IllegalStateException("trust the rehearsal's own authority", e);
        }
    }

    /** The API of a node past all links, for what the rehearsal does as an operator. */
    public URI local(Node node) {
        return URI.create("https://127.0.0.1:" + node.server().spec().port());
    }

    /** The APIs of a side's nodes through the links of {@code place}. */
    public List<URI> addresses(Side side, Links links, String place) {
        return nodes(side).stream()
                .map(
                        node ->
                                URI.create(
                                        "https://"
                                                + links.address(place).getHostAddress()
                                                + ":"
                                                + node.server().spec().port()))
                .toList();
    }

    /** The root token of home, by which the rehearsal plays its operator. */
    public String rootToken() {
        return rootToken;
    }

    /** Ends every server of a side with {@code kill -9}, all at once. */
    public void kill(Side side) {
        join(
                nodes(side).stream()
                        .map(node -> Thread.ofPlatform().start(() -> node.server().kill()))
                        .toList());
    }

    private static void join(List<Thread> threads) {
        for (Thread thread : threads) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("interrupted while servers start or end", e);
            }
        }
    }

    @Override
    public void close() {
        nodes.forEach(node -> node.server().close());
    }
}
