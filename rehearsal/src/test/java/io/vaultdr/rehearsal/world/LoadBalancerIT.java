package io.vaultdr.rehearsal.world;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;

import io.vaultdr.rehearsal.world.LoadBalancer.Check;
import io.vaultdr.testing.Eventually;
import io.vaultdr.testing.TestTls;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/** A relay before servers with real TLS, whose health the test decides. */
class LoadBalancerIT {
    private static final int PORT = 8_200;
    private static final Duration SOON = Duration.ofSeconds(20);
    private static final Check CHECK =
            new Check(
                    "/health?standbyok=true",
                    PORT,
                    "200",
                    Duration.ofMillis(100),
                    Duration.ofSeconds(2),
                    2,
                    2);

    @TempDir private Path directory;

    private final Network network = Network.take();
    private final Set<String> gone = ConcurrentHashMap.newKeySet();
    private final Map<String, Integer> status = new ConcurrentHashMap<>();
    private TestTls tls;
    private LoadBalancer balancer;
    private Target one;
    private Target two;

    @BeforeEach
    void start() throws IOException, GeneralSecurityException {
        tls = TestTls.in(directory, "vault.test");
        balancer =
                new LoadBalancer(
                        new LoadBalancer.Spec(
                                "eu-west-1", "nlb", "nlb.test", PORT, "targets", PORT, CHECK),
                        network.next(),
                        instance -> !gone.contains(instance.id()),
                        event -> {});
        one = new Target("i-1");
        two = new Target("i-2");
    }

    @AfterEach
    void stop() {
        balancer.close();
        one.server.stop(0);
        two.server.stop(0);
        network.release();
    }

    @Test
    void passesTlsThroughToHealthyTargetsOnly() throws Exception {
        status.put("i-2", 429);
        register();
        Eventually.await("one is well", SOON, () -> balancer.healthy().equals(List.of("i-1")));
        assertEquals(Set.of("i-1"), answers(20));
        status.put("i-2", 200);
        Eventually.await("both are", SOON, () -> balancer.healthy().size() == 2);
        assertEquals(Set.of("i-1", "i-2"), answers(40));
    }

    @Test
    void sendsToAllWhereNoneIsHealthy() throws Exception {
        status.put("i-1", 501);
        status.put("i-2", 503);
        register();
        assertEquals(Set.of("i-1", "i-2"), answers(40));
    }

    @Test
    void refusesWhereThereIsNoTarget() {
        assertThrows(SocketException.class, () -> ask(2_000));
    }

    @Test
    void cutsTheConnectionsOfATargetThatFallsIll() throws Exception {
        balancer.register(one.instance);
        Eventually.await("one is well", SOON, () -> balancer.healthy().size() == 1);
        try (Socket plain = new Socket(balancer.address(), PORT)) {
            plain.setSoTimeout(20_000);
            status.put("i-1", 503);
            assertThrows(SocketException.class, () -> plain.getInputStream().read());
        }
    }

    @Test
    void sendsNobodyToATargetThatWasTakenOut() throws Exception {
        register();
        balancer.deregister(two.instance);
        assertEquals(Set.of("i-1"), answers(20));
    }

    @Test
    void letsWhoIsSentToADeadMachineWait() throws Exception {
        balancer.register(one.instance);
        gone.add("i-1");
        assertThrows(SocketTimeoutException.class, () -> ask(500));
    }

    @Test
    void readsTheMatchersRangesAndLists() {
        Check check = new Check("/", PORT, "200,300-302", Duration.ZERO, Duration.ZERO, 2, 2);
        assertTrue(check.matches(200));
        assertTrue(check.matches(301));
        assertFalse(check.matches(429));
    }

    private void register() {
        balancer.register(one.instance);
        balancer.register(two.instance);
    }

    private Set<String> answers(int times) throws Exception {
        Set<String> names = new HashSet<>();
        for (int i = 0; i < times; i++) {
            names.add(ask(5_000));
        }
        return names;
    }

    /** Asks through the balancer, with the certificate verified; who answered. */
    private String ask(int millis) throws IOException, GeneralSecurityException {
        try (Socket plain = new Socket(balancer.address(), PORT)) {
            plain.setSoTimeout(millis);
            SSLSocket socket =
                    (SSLSocket)
                            trust().getSocketFactory()
                                    .createSocket(plain, "vault.test", PORT, true);
            var parameters = socket.getSSLParameters();
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
            socket.setSSLParameters(parameters);
            socket.getOutputStream()
                    .write(
                            "GET /who HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
                                    .getBytes(StandardCharsets.US_ASCII));
            String answer =
                    new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
            return answer.substring(answer.lastIndexOf('\n') + 1);
        }
    }

    private SSLContext trust() throws IOException, GeneralSecurityException {
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        try (var in = Files.newInputStream(tls.ca())) {
            trusted.setCertificateEntry(
                    "ca", CertificateFactory.getInstance("X.509").generateCertificate(in));
        }
        var factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init(trusted);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, factory.getTrustManagers(), null);
        return context;
    }

    /** A server on an address of its own that says who it is. */
    private final class Target {
        private final Instance instance;
        private final HttpsServer server;

        private Target(String id) throws IOException, GeneralSecurityException {
            instance =
                    new Instance(id, "eu-west-1", "a", "group", network.next(), Map.of(), "image");
            status.put(id, 200);
            server = HttpsServer.create(new InetSocketAddress(instance.address(), PORT), 16);
            KeyStore keys =
                    KeyStore.getInstance(tls.keyStore().toFile(), TestTls.PASSWORD.toCharArray());
            var factory = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            factory.init(keys, TestTls.PASSWORD.toCharArray());
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(factory.getKeyManagers(), null, null);
            server.setHttpsConfigurator(new HttpsConfigurator(context));
            server.createContext(
                    "/",
                    exchange -> {
                        boolean check = exchange.getRequestURI().toString().equals(CHECK.path());
                        byte[] body = id.getBytes(StandardCharsets.US_ASCII);
                        exchange.sendResponseHeaders(
                                check ? status.getOrDefault(id, 0) : 200, body.length);
                        exchange.getResponseBody().write(body);
                        exchange.close();
                    });
            server.setExecutor(java.util.concurrent.Executors.newVirtualThreadPerTaskExecutor());
            server.start();
        }
    }
}
