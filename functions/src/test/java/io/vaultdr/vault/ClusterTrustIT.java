package io.vaultdr.vault;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vaultdr.model.Failure;
import io.vaultdr.model.Secret;
import io.vaultdr.testing.BaoCluster;
import io.vaultdr.testing.Clusters;
import io.vaultdr.testing.TestTls;
import io.vaultdr.vault.HttpVaultClients.Limits;
import io.vaultdr.vault.VaultClient.NodeStatus;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.URI;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;

/** Which servers are trusted, against servers that show real certificates. */
class ClusterTrustIT {
    private static final String NAME = "vault.example.com";
    @TempDir private static Path directory;
    private static TestTls tls;
    private static BaoCluster cluster;

    @BeforeAll
    static void startOneNodeWithTls() {
        tls = TestTls.in(directory.resolve("tls"), NAME, "*.nodes.example.com", "ip:127.0.0.1");
        cluster = BaoCluster.blank(1, Optional.of(tls), Optional.empty());
    }

    @AfterAll
    static void endIt() {
        cluster.close();
    }

    private static VaultClient client(
            String host, Optional<String> caPem, Optional<String> serverName) {
        int port = cluster.nodes().getFirst().address().getPort();
        URI node = URI.create("https://" + host + ":" + port);
        return new HttpVaultClients(any -> caPem, Limits.DEFAULT)
                .at(Clusters.of(List.of(node), serverName), node);
    }

    private static NodeStatus ask(String host, Optional<String> serverName) {
        return ask(client(host, Optional.of(tls.caPem()), serverName));
    }

    /** Snapshots have connections of their own, which trust the same servers. */
    private static NodeStatus ask(VaultClient client) {
        Failure other = assertThrows(Failure.class, () -> snapshot(client));
        try {
            NodeStatus status = client.health().meaning();
            assertTrue(other.seen().contains("status 50"), other::toString);
            return status;
        } catch (Failure.Terminal e) {
            assertTrue(other.seen().contains("certificate isn't trusted"), other::toString);
            throw e;
        }
    }

    private static InputStream snapshot(VaultClient client) {
        return client.snapshot(Secret.of("t"), Duration.ofSeconds(5));
    }

    @Test
    void theGivenAuthorityIsTrusted() {
        assertEquals(NodeStatus.NOT_INITIALISED, ask("127.0.0.1", Optional.empty()));
    }

    @Test
    void theGivenNameIsWhatCountsWhateverTheHost() {
        assertEquals(NodeStatus.NOT_INITIALISED, ask("localhost", Optional.of(NAME)));
        assertEquals(NodeStatus.NOT_INITIALISED, ask("127.0.0.1", Optional.of(NAME)));
        assertEquals(
                NodeStatus.NOT_INITIALISED,
                ask("localhost", Optional.of("HOME-1.nodes.example.com")));
    }

    @Test
    void anotherNameIsRefusedEvenWhereTheCertificateHoldsTheHost() {
        for (String wrong :
                List.of(
                        "other.example.com",
                        "nodes.example.com",
                        "a.b.nodes.example.com",
                        "example.com")) {
            Failure failure =
                    assertThrows(
                            Failure.Terminal.class, () -> ask("127.0.0.1", Optional.of(wrong)));
            assertTrue(failure.toString().contains("certificate isn't trusted"), wrong);
        }
    }

    @Test
    void withoutAGivenNameTheHostHasToBeInTheCertificate() {
        assertThrows(Failure.Terminal.class, () -> ask("localhost", Optional.empty()));
    }

    @Test
    void anotherAuthorityIsRefused() {
        TestTls other = TestTls.in(directory.resolve("other"), NAME);
        for (Optional<String> ca : List.of(Optional.of(other.caPem()), Optional.<String>empty())) {
            for (Optional<String> name : List.of(Optional.of(NAME), Optional.<String>empty())) {
                assertThrows(Failure.Terminal.class, () -> ask(client("127.0.0.1", ca, name)));
            }
        }
    }

    @Test
    void aCaThatIsNoCertificateSaysSo() {
        Failure failure =
                assertThrows(
                        Failure.Terminal.class,
                        () -> client("127.0.0.1", Optional.of("no PEM"), Optional.empty()));
        assertTrue(failure.toString().contains("CA_PATH"));
    }

    @Test
    void plainHttpWhereTlsIsSpokenIsNoCertificateProblem() {
        int port = cluster.nodes().getFirst().address().getPort();
        URI plain = URI.create("http://127.0.0.1:" + port);
        VaultClient node =
                new HttpVaultClients(any -> Optional.empty(), Limits.DEFAULT)
                        .at(Clusters.of(List.of(plain)), plain);
        assertInstanceOf(Failure.Retryable.class, assertThrows(Failure.class, () -> node.health()));
        assertThrows(Failure.class, () -> snapshot(node));
    }

    @Test
    void theHandshakeIndicatesTheGivenNameAndNotTheHost() throws Exception {
        assertEquals(NAME, indicatedBy(VaultClient::health));
        assertEquals(NAME, indicatedBy(ClusterTrustIT::snapshot));
    }

    private static String indicatedBy(Consumer<VaultClient> call) throws Exception {
        try (SSLServerSocket server = tlsServer()) {
            CompletableFuture<String> indicated = new CompletableFuture<>();
            Thread.ofVirtual().start(() -> indicated.completeAsync(() -> accept(server)));
            URI node = URI.create("https://localhost:" + server.getLocalPort());
            VaultClient client =
                    new HttpVaultClients(any -> Optional.of(tls.caPem()), Limits.DEFAULT)
                            .at(Clusters.of(List.of(node), Optional.of(NAME)), node);
            assertThrows(Failure.Retryable.class, () -> call.accept(client));
            return indicated.get(5, TimeUnit.SECONDS);
        }
    }

    private static SSLServerSocket tlsServer() throws IOException, GeneralSecurityException {
        char[] password = TestTls.PASSWORD.toCharArray();
        KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
        keys.init(KeyStore.getInstance(tls.keyStore().toFile(), password), password);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), null, null);
        return (SSLServerSocket)
                context.getServerSocketFactory()
                        .createServerSocket(0, 5, InetAddress.ofLiteral("127.0.0.1"));
    }

    /** The name that the client indicates; then it hangs up. */
    private static String accept(SSLServerSocket server) {
        try (SSLSocket socket = (SSLSocket) server.accept()) {
            socket.startHandshake();
            ExtendedSSLSession session = (ExtendedSSLSession) socket.getSession();
            return ((SNIHostName) session.getRequestedServerNames().getFirst()).getAsciiName();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
