package io.vaultdr.vault;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vaultdr.cluster.VaultSetup;
import io.vaultdr.model.Check;
import io.vaultdr.model.Check.Result;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.testing.BaoCluster;
import io.vaultdr.testing.Clusters;
import io.vaultdr.testing.Moto;
import io.vaultdr.testing.Ports;
import io.vaultdr.testing.TestLogins;
import io.vaultdr.testing.TestTls;
import io.vaultdr.vault.Login.Intent;
import io.vaultdr.vault.ServerChecks.Access;
import io.vaultdr.vault.ServerChecks.Expected;
import io.vaultdr.vault.ServerChecks.Limits;
import io.vaultdr.vault.VaultClient.Health;
import io.vaultdr.vault.VaultClient.NodeStatus;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import software.amazon.awssdk.services.secretsmanager.SecretsManagerClient;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;

/** Each stage on a server that is broken in just that way. */
class ServerChecksIT {
    private static final String NAME = "vault.example.com";
    private static final VaultSetup SETUP = new VaultSetup(List.of(), true);
    private static final Limits SHORT =
            new Limits(Duration.ofSeconds(5), Duration.ofMillis(700), Duration.ofDays(14));

    @TempDir private static Path directory;
    private static TestTls tls;
    private static Moto moto;
    private static SecretsManagerClient secrets;
    private static BaoCluster cluster;
    private static BaoCluster blank;

    @BeforeAll
    static void start() {
        tls = TestTls.in(directory.resolve("tls"), NAME, "ip:127.0.0.1");
        moto = Moto.start();
        secrets = moto.clients().secretsManager("eu-west-1");
        cluster = BaoCluster.running(1);
        blank = BaoCluster.blank(1);
        new TestLogins(cluster, secrets, "payments-vault-dr", SETUP)
                .make(
                        Intent.SNAPSHOT,
                        Intent.VERIFY,
                        Intent.GROW,
                        Intent.ROTATE,
                        Intent.RETIRE,
                        Intent.CONFIGURE);
    }

    @AfterAll
    static void end() {
        cluster.close();
        blank.close();
        moto.close();
    }

    private static List<Check> look(
            PairSettings.Cluster of,
            Optional<String> ca,
            Limits limits,
            Expected expected,
            Optional<Access> access) {
        return new ServerChecks(
                        new HttpVaultClients(any -> ca, HttpVaultClients.Limits.DEFAULT),
                        Login.by(secrets),
                        Clock.systemUTC(),
                        limits)
                .look(of, expected, access);
    }

    private static List<Check> look(URI node, Optional<String> serverName, Optional<String> ca) {
        return look(
                Clusters.of(List.of(node), serverName),
                ca,
                SHORT,
                Expected.SERVING,
                Optional.empty());
    }

    private static List<Check> logIn(Intent intent) {
        return look(
                Clusters.of(cluster.addresses()),
                Optional.empty(),
                SHORT,
                Expected.SERVING,
                Optional.of(access(intent)));
    }

    private static Access access(Intent intent) {
        return new Access(intent, SETUP.needs(intent));
    }

    private static Check of(String name, List<Check> checks) {
        return checks.stream().filter(check -> check.name().equals(name)).findFirst().orElseThrow();
    }

    /** {@code name} failed with {@code saw} and a remedy, and nothing after it was looked at. */
    private static void failed(String name, String saw, List<Check> checks) {
        Check check = of(name, checks);
        assertEquals(Result.FAILED, check.result(), checks::toString);
        assertTrue(check.saw().contains(saw), check::saw);
        assertFalse(check.fix().isEmpty());
        int at = checks.indexOf(check);
        checks.subList(0, at).forEach(it -> assertEquals(Result.OK, it.result(), it::line));
        checks.subList(at + 1, checks.size())
                .forEach(
                        it -> {
                            assertEquals(Result.NOT_LOOKED_AT, it.result(), it::line);
                            assertEquals(name + " failed", it.saw());
                        });
    }

    @Test
    void aNameThatNobodyKnows() {
        failed(
                Check.NAME,
                "the name isn't known here",
                look(
                        URI.create("https://nowhere.invalid:8200"),
                        Optional.empty(),
                        Optional.empty()));
    }

    @Test
    void aPortThatIsClosed() {
        URI node = URI.create("https://127.0.0.1:" + Ports.free());
        failed(Check.TCP, "refused", look(node, Optional.empty(), Optional.empty()));
    }

    @Test
    void plainHttpWhereTlsIsExpected() {
        URI node = URI.create("https://127.0.0.1:" + cluster.addresses().getFirst().getPort());
        failed(Check.TLS, "no TLS is spoken", look(node, Optional.empty(), Optional.empty()));
    }

    @Test
    void aPortThatTakesTheConnectionAndSaysNothing() throws IOException {
        try (ServerSocket mute = new ServerSocket(0, 5, InetAddress.ofLiteral("127.0.0.1"))) {
            URI node = URI.create("https://127.0.0.1:" + mute.getLocalPort());
            failed(Check.TLS, "says nothing", look(node, Optional.empty(), Optional.empty()));
        }
    }

    @Test
    void aPortThatTakesTheConnectionAndHangsUp() throws Exception {
        try (ServerSocket rude = new ServerSocket(0, 5, InetAddress.ofLiteral("127.0.0.1"))) {
            Thread.ofVirtual().start(() -> hangUp(rude));
            URI node = URI.create("https://127.0.0.1:" + rude.getLocalPort());
            failed(Check.TLS, "hangs up", look(node, Optional.empty(), Optional.empty()));
        }
    }

    /** As a balancer without a server behind it; what was said is read, or it would be a reset. */
    private static void hangUp(ServerSocket listening) {
        while (!listening.isClosed()) {
            try (Socket one = listening.accept()) {
                one.setSoTimeout(5_000);
                one.getInputStream().read(new byte[16_384]);
            } catch (IOException e) {
                // The test closes it.
                return;
            }
        }
    }

    @Test
    void aCertificateOfAnotherName() throws Exception {
        try (TlsServer server = new TlsServer(tls)) {
            for (Optional<String> wanted :
                    List.of(Optional.of("other.example.com"), Optional.<String>empty())) {
                URI node =
                        URI.create(
                                "https://"
                                        + (wanted.isPresent() ? "127.0.0.1" : "localhost")
                                        + ":"
                                        + server.port());
                List<Check> checks = look(node, wanted, Optional.of(tls.caPem()));
                failed(
                        Check.TLS,
                        NAME
                                + ", 127.0.0.1 from CN=test authority: it doesn't hold "
                                + wanted.orElse("localhost"),
                        checks);
            }
        }
    }

    @Test
    void aCertificateThatHasEnded() throws Exception {
        TestTls ended = TestTls.ended(directory.resolve("ended"), NAME, "ip:127.0.0.1");
        try (TlsServer server = new TlsServer(ended)) {
            for (Optional<String> name : List.of(Optional.of(NAME), Optional.<String>empty())) {
                failed(
                        Check.TLS,
                        "has ended",
                        look(server.node(), name, Optional.of(ended.caPem())));
            }
        }
    }

    @Test
    void anAuthorityThatIsntTrusted() throws Exception {
        TestTls other = TestTls.in(directory.resolve("other"), NAME);
        try (TlsServer server = new TlsServer(tls)) {
            for (Optional<String> ca :
                    List.of(Optional.of(other.caPem()), Optional.<String>empty())) {
                failed(
                        Check.TLS,
                        "no authority that is trusted here",
                        look(server.node(), Optional.of(NAME), ca));
            }
        }
    }

    @Test
    void aCertificateThatIsGoodTellsItsDaysAndWhenItIsTime() throws Exception {
        try (TlsServer server = new TlsServer(tls)) {
            PairSettings.Cluster of = Clusters.of(List.of(server.node()), Optional.of(NAME));
            Check good =
                    of(
                            Check.TLS,
                            look(
                                    of,
                                    Optional.of(tls.caPem()),
                                    SHORT,
                                    Expected.SERVING,
                                    Optional.empty()));
            assertEquals(Result.OK, good.result(), good::line);
            assertTrue(good.saw().endsWith("29 days left"), good::saw);
            assertEquals("", good.fix());

            Check soon =
                    of(
                            Check.TLS,
                            look(
                                    of,
                                    Optional.of(tls.caPem()),
                                    new Limits(SHORT.name(), SHORT.connect(), Duration.ofDays(60)),
                                    Expected.SERVING,
                                    Optional.empty()));
            assertEquals(Result.OK, soon.result());
            assertTrue(soon.fix().startsWith("Renew the certificate: it ends 20"), soon::fix);
        }
    }

    /** Its own cluster: nothing unseals a server that was sealed by hand but a restart. */
    @Test
    void aServerThatIsSealed() {
        try (BaoCluster sealed = BaoCluster.running(1)) {
            sealed.leader().seal(sealed.rootToken());
            sealed.nodes().getFirst().awaitHealth(503, Duration.ofSeconds(10));
            List<Check> checks =
                    look(
                            Clusters.of(sealed.addresses()),
                            Optional.empty(),
                            SHORT,
                            Expected.SERVING,
                            Optional.of(access(Intent.SNAPSHOT)));
            Check health = of(Check.HEALTH, checks);
            assertEquals(Result.FAILED, health.result());
            assertTrue(health.saw().startsWith("503 SEALED"), health::saw);
            assertEquals(Result.FAILED, of(Check.LEADER, checks).result());
            assertEquals(Result.NOT_LOOKED_AT, of(Check.LOGIN, checks).result());
            assertEquals(Result.NOT_LOOKED_AT, of(Check.POLICY, checks).result());
        }
    }

    /** The setup's policies allow what the setup says that they need, and the look at it. */
    @ParameterizedTest
    @EnumSource(
            value = Intent.class,
            names = {"SNAPSHOT", "VERIFY", "GROW", "ROTATE", "RETIRE", "CONFIGURE"})
    void everyPolicyAllowsAllThatItsFunctionNeeds(Intent intent) {
        List<Check> checks = logIn(intent);

        assertEquals(
                List.of(
                        Check.NAME,
                        Check.TCP,
                        Check.TLS,
                        Check.HEALTH,
                        Check.LEADER,
                        Check.LOGIN,
                        Check.POLICY),
                checks.stream().map(Check::name).toList());
        for (Check check : checks) {
            // The test's server speaks plain HTTP.
            Result expected = check.name().equals(Check.TLS) ? Result.NOT_LOOKED_AT : Result.OK;
            assertEquals(expected, check.result(), check::line);
        }
        assertEquals(
                "allows all " + access(intent).needs().size() + " paths",
                of(Check.POLICY, checks).saw());
    }

    @Test
    void aPolicyThatLacksAPath() {
        VaultSetup.Policy policy = SETUP.policy(Intent.VERIFY);
        rules(policy, policy.rules().replaceAll("(?m)^path .vault-dr/data/verify.*$", ""));
        try {
            Check check = of(Check.POLICY, logIn(Intent.VERIFY));
            assertEquals(Result.FAILED, check.result());
            assertEquals("it lacks {vault-dr/data/verify=[create, read, update]}", check.saw());
            assertTrue(check.fix().contains("./vault-dr setup"));
        } finally {
            rules(policy, policy.rules());
        }
    }

    /** From before this look: nothing that the function needs is missing. */
    @Test
    void aPolicyThatDoesntAllowTheLook() {
        VaultSetup.Policy policy = SETUP.policy(Intent.VERIFY);
        rules(policy, policy.rules().replaceAll("(?m)^path .sys/capabilities-self.*$", ""));
        try {
            Check check = of(Check.POLICY, logIn(Intent.VERIFY));
            assertEquals(Result.NOT_LOOKED_AT, check.result());
            assertTrue(check.saw().contains("status 403"), check::saw);
            assertTrue(check.fix().contains("./vault-dr setup"));
        } finally {
            rules(policy, policy.rules());
        }
    }

    private static void rules(VaultSetup.Policy policy, String rules) {
        cluster.call("POST", "sys/policies/acl/" + policy.name(), Map.of("policy", rules)).expect();
    }

    @Test
    void aSecretIdThatTheServerDoesntKnow() {
        String name = "payments-vault-dr/" + Intent.GROW;
        String good = secrets.getSecretValue(it -> it.secretId(name)).secretString();
        secrets.putSecretValue(
                it ->
                        it.secretId(name)
                                .secretString(
                                        good.replaceAll(
                                                "(\"secret_id\":\")[^\"]*",
                                                "$100000000-1111-2222-3333-444444444444")));
        try {
            List<Check> checks = logIn(Intent.GROW);
            Check check = of(Check.LOGIN, checks);
            assertEquals(Result.FAILED, check.result());
            assertTrue(check.saw().contains("status 400"), check::saw);
            assertEquals(Result.NOT_LOOKED_AT, of(Check.POLICY, checks).result());
            checks.forEach(it -> assertFalse(it.line().contains("44444444"), it::line));
        } finally {
            secrets.putSecretValue(it -> it.secretId(name).secretString(good));
        }
    }

    @Test
    void aSecretThatIsntThere() {
        Check check = of(Check.LOGIN, logIn(Intent.PROVE));
        assertEquals(Result.FAILED, check.result());
        assertTrue(check.saw().contains("payments-vault-dr/prove"), check::saw);
    }

    @Test
    void aBlankStandbyIsWellAndItsSecretIsLookedAt() {
        List<Check> checks =
                look(
                        Clusters.of(blank.addresses()),
                        Optional.empty(),
                        SHORT,
                        Expected.BLANK,
                        Optional.of(access(Intent.VERIFY)));
        assertEquals(Result.OK, of(Check.HEALTH, checks).result());
        assertEquals(Result.OK, of(Check.LOGIN, checks).result());
        assertEquals(Result.NOT_LOOKED_AT, of(Check.POLICY, checks).result());
        // The same node is no member of a side that serves.
        assertEquals(
                Result.FAILED,
                of(
                                Check.HEALTH,
                                look(
                                        blank.addresses().getFirst(),
                                        Optional.empty(),
                                        Optional.empty()))
                        .result());
    }

    @Test
    void oneBlankNodeIsEnoughAndNoneIsNot() {
        URI gone = URI.create("https://127.0.0.1:" + Ports.free());
        URI one = blank.addresses().getFirst();
        List<Check> enough = standby(one, gone);
        assertTrue(enough.stream().noneMatch(it -> it.result() == Result.FAILED), enough::toString);
        assertTrue(
                enough.stream().anyMatch(it -> it.saw().startsWith("one blank node is enough")),
                enough::toString);
        assertEquals(Result.FAILED, of(Check.TCP, standby(gone)).result());
        // An initialised one isn't forgiven for the other's sake.
        List<Check> taken = standby(one, cluster.addresses().getFirst());
        assertTrue(
                taken.stream()
                        .filter(it -> it.name().equals(Check.HEALTH))
                        .anyMatch(it -> it.result() == Result.FAILED),
                taken::toString);
    }

    private List<Check> standby(URI... nodes) {
        return look(
                Clusters.of(List.of(nodes)),
                Optional.empty(),
                SHORT,
                Expected.BLANK,
                Optional.empty());
    }

    @Test
    void whatNeedntBeThereFailsNothing() {
        URI gone = URI.create("https://127.0.0.1:" + Ports.free());
        List<Check> checks =
                look(
                        Clusters.of(List.of(gone)),
                        Optional.empty(),
                        SHORT,
                        Expected.ANYTHING,
                        Optional.empty());
        assertTrue(checks.stream().noneMatch(it -> it.result() == Result.FAILED));
        assertTrue(of(Check.TCP, checks).saw().startsWith("it needn't be there now: "));
    }

    /** What is well where, over the whole table. */
    @ParameterizedTest
    @EnumSource(NodeStatus.class)
    void aNodesHealthIsJudgedByWhatItsSideIsToBe(NodeStatus status) {
        Set<NodeStatus> serving =
                Set.of(NodeStatus.ACTIVE, NodeStatus.STANDBY, NodeStatus.PERFORMANCE_STANDBY);
        assertEquals(serving.contains(status), well(status, Expected.SERVING));
        assertEquals(status == NodeStatus.NOT_INITIALISED, well(status, Expected.BLANK));
        assertTrue(well(status, Expected.ANYTHING));
    }

    private static boolean well(NodeStatus status, Expected expected) {
        Health health =
                new Health(599, status, Optional.empty(), Optional.empty(), Optional.empty());
        return ServerChecks.judge(health, "n1", expected).result() == Result.OK;
    }

    /** Shakes hands and hangs up, which is enough for whom only looks. */
    private static final class TlsServer implements AutoCloseable {
        private final ServerSocket listening;
        private final SSLContext context;

        TlsServer(TestTls shown) throws IOException, GeneralSecurityException {
            char[] password = TestTls.PASSWORD.toCharArray();
            KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
            keys.init(KeyStore.getInstance(shown.keyStore().toFile(), password), password);
            context = SSLContext.getInstance("TLS");
            context.init(keys.getKeyManagers(), null, null);
            listening = new ServerSocket(0, 5, InetAddress.getLoopbackAddress());
            Thread.ofVirtual().start(this::serve);
        }

        int port() {
            return listening.getLocalPort();
        }

        URI node() {
            return URI.create("https://127.0.0.1:" + port());
        }

        private void serve() {
            while (!listening.isClosed()) {
                try (Socket plain = listening.accept();
                        SSLSocket socket =
                                (SSLSocket)
                                        context.getSocketFactory()
                                                .createSocket(plain, null, port(), true)) {
                    socket.setUseClientMode(false);
                    socket.startHandshake();
                } catch (IOException e) {
                    // Clients that don't like the certificate, or only connect, hang up.
                }
            }
        }

        @Override
        public void close() throws IOException {
            listening.close();
        }
    }
}
