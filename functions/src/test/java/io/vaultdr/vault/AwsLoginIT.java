package io.vaultdr.vault;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vaultdr.aws.AwsClients;
import io.vaultdr.model.Failure;
import io.vaultdr.model.Secret;
import io.vaultdr.runtime.Json;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.runtime.PairSettings.AwsLogin;
import io.vaultdr.testing.Clusters;
import io.vaultdr.testing.Environment;
import io.vaultdr.testing.Eventually;
import io.vaultdr.testing.Moto;
import io.vaultdr.testing.Ports;
import io.vaultdr.testing.ServerProcess;
import io.vaultdr.vault.HttpVaultClients.Limits;
import io.vaultdr.vault.Login.Intent;

import org.junit.jupiter.api.Test;

import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The login by AWS, against a server that takes the documented body apart and computes the
 * signature anew with another SDK.
 */
class AwsLoginIT {
    private static final Instant NOW = Instant.parse("2026-11-27T12:00:00Z");
    private static final String KEY = "AKIDEXAMPLE";
    private static final String SECRET_KEY = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    private static final String SESSION = "a+session/token==";
    private static final String ARN =
            "arn:aws:iam::111122223333:role/vd-payments-take-snapshot-eu-west-1";
    private static final String ID = "vault.payments.example.com";
    private static final AwsLogin LOGIN = new AwsLogin("team/aws", Optional.of(ID));

    /** The server, told otherwise by {@code changes}. */
    private static final class Server implements AutoCloseable {
        private final URI address;
        private final ServerProcess process;

        Server(Map<String, Object> changes) throws IOException {
            Map<String, Object> settings = new TreeMap<>();
            settings.put("mount", LOGIN.mount());
            settings.put("access_key", KEY);
            settings.put("secret_key", SECRET_KEY);
            settings.put("session_token", SESSION);
            settings.put("arn", ARN);
            settings.put("region", "");
            settings.put("server_id", ID);
            settings.put("roles", Map.of("vault-dr-snapshot", List.of(ARN)));
            settings.put("now", NOW.getEpochSecond());
            settings.put("sts", true);
            settings.putAll(changes);
            int port = Ports.free();
            address = URI.create("http://127.0.0.1:" + port);
            Path log = Files.createTempFile("vault-aws-login", ".log");
            log.toFile().deleteOnExit();
            process =
                    ServerProcess.start(
                            List.of(
                                    Environment.program("python").toString(),
                                    "src/test/python/vault_aws_login.py",
                                    Integer.toString(port),
                                    Json.MAPPER.writeValueAsString(settings)),
                            Map.of(),
                            log);
            Eventually.await("the server answers", Duration.ofSeconds(30), this::answers);
        }

        private boolean answers() {
            if (!process.alive()) {
                throw new AssertionError("the server ended: " + process.tail());
            }
            try {
                return !revoked().isEmpty();
            } catch (IOException e) {
                return false;
            }
        }

        String revoked() throws IOException {
            try (HttpClient http = HttpClient.newHttpClient()) {
                return http.send(
                                HttpRequest.newBuilder(address.resolve("/revoked")).build(),
                                BodyHandlers.ofString())
                        .body();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }

        Login.Session login(AwsLogin aws, String region, String secretKey, Instant at) {
            return login(aws, region, secretKey, at, Intent.SNAPSHOT);
        }

        Login.Session login(
                AwsLogin aws, String region, String secretKey, Instant at, Intent intent) {
            PairSettings.Cluster cluster = cluster(aws);
            AwsCredentialsProvider credentials =
                    StaticCredentialsProvider.create(
                            AwsSessionCredentials.create(KEY, secretKey, SESSION));
            AwsClients clients = new AwsClients(credentials);
            return Login.by(
                            clients.secretsManager(region),
                            clients.identity(region, Clock.fixed(at, ZoneOffset.UTC)))
                    .to(
                            cluster,
                            new HttpVaultClients(any -> Optional.empty(), Limits.DEFAULT)
                                    .at(cluster, address),
                            intent);
        }

        PairSettings.Cluster cluster(AwsLogin aws) {
            PairSettings.Cluster plain = Clusters.of(List.of(address));
            return new PairSettings.Cluster(
                    plain.region(),
                    plain.address(),
                    plain.nodes(),
                    plain.serverName(),
                    plain.login(),
                    plain.autoScalingGroup(),
                    plain.instanceTag(),
                    plain.voters(),
                    Optional.of(aws),
                    Optional.empty());
        }

        @Override
        public void close() {
            process.close();
        }
    }

    @Test
    void anotherSdkFindsTheSameSignatureInEveryRegion() throws IOException {
        try (Server server = new Server(Map.of())) {
            for (String region : List.of("eu-west-1", "us-east-1", "ap-southeast-2")) {
                try (Login.Session session = server.login(LOGIN, region, SECRET_KEY, NOW)) {
                    assertEquals(Secret.of("hvs.of-vault-dr-snapshot"), session.token());
                    assertEquals(Optional.empty(), session.version());
                }
            }
            assertEquals(
                    3,
                    Json.MAPPER.readTree(server.revoked()).get("revoked").size(),
                    "each token is revoked when its session is closed");
        }
        try (Server server = new Server(Map.of("server_id", ""));
                Login.Session session =
                        server.login(
                                new AwsLogin(LOGIN.mount(), Optional.empty()),
                                "eu-west-1",
                                SECRET_KEY,
                                NOW)) {
            assertEquals(Secret.of("hvs.of-vault-dr-snapshot"), session.token());
        }
    }

    @Test
    void aRefusalSaysWhatToDoAndShowsNothingThatWasSigned() throws IOException {
        try (Server server = new Server(Map.of())) {
            refused("serverId", () -> server.login(other("id"), "eu-west-1", SECRET_KEY, NOW));
            refused("serverId", () -> server.login(unsigned(), "eu-west-1", SECRET_KEY, NOW));
            refused("clock", () -> server.login(LOGIN, "eu-west-1", SECRET_KEY, ago(16)));
            refused("clock", () -> server.login(LOGIN, "eu-west-1", SECRET_KEY, ago(-16)));
            refused("signature", () -> server.login(LOGIN, "eu-west-1", SECRET_KEY + "x", NOW));
            refused(
                    "no such role",
                    () -> server.login(LOGIN, "eu-west-1", SECRET_KEY, NOW, Intent.ROTATE));
            server.login(LOGIN, "eu-west-1", SECRET_KEY, ago(14)).close();
            AwsLogin elsewhere = new AwsLogin("aws", Optional.of(ID));
            Failure nowhere =
                    assertThrows(
                            Failure.Terminal.class,
                            () -> server.login(elsewhere, "eu-west-1", SECRET_KEY, NOW));
            assertTrue(nowhere.toString().contains("auth/aws/login"), nowhere.toString());
        }
        try (Server server = new Server(Map.of("region", "us-east-1"))) {
            refused(
                    "use_sts_region_from_client",
                    () -> server.login(LOGIN, "eu-west-1", SECRET_KEY, NOW));
        }
        String another = "arn:aws:iam::111122223333:role/another";
        try (Server server =
                new Server(Map.of("roles", Map.of("vault-dr-snapshot", List.of(another))))) {
            refused("other ARNs", () -> server.login(LOGIN, "eu-west-1", SECRET_KEY, NOW));
        }
        try (Server server = new Server(Map.of("sts", false))) {
            Failure failure =
                    assertThrows(
                            Failure.class, () -> server.login(LOGIN, "eu-west-1", SECRET_KEY, NOW));
            assertInstanceOf(Failure.Retryable.class, failure);
            assertTrue(failure.toString().contains("didn't reach STS"), failure.toString());
        }
    }

    /** A login at a restored cluster must not need STS: AppRole, whose secret isn't there. */
    @Test
    void whatIsForARestoredClusterLogsInByAppRole() throws IOException {
        try (Moto moto = Moto.start();
                Server server = new Server(Map.of())) {
            assertTrue(moto.endpoint().isAbsolute());
            for (Intent intent : Intent.values()) {
                if (intent.restored()) {
                    Failure failure =
                            assertThrows(
                                    Failure.class,
                                    () ->
                                            server.login(
                                                    LOGIN, "eu-west-1", SECRET_KEY, NOW, intent));
                    assertTrue(
                            failure.toString().contains(": read the secret "), failure.toString());
                }
            }
        }
    }

    private static void refused(String word, org.junit.jupiter.api.function.Executable login) {
        Failure failure = assertThrows(Failure.Terminal.class, login);
        assertTrue(failure.toString().contains(word), failure.toString());
        for (Throwable at = failure; at != null; at = at.getCause()) {
            for (String hidden :
                    List.of(KEY, SESSION, "AWS4-HMAC", "arn:aws", "Signature=", "<Error>")) {
                assertFalse(at.toString().contains(hidden), at.toString());
            }
        }
    }

    private static Instant ago(int minutes) {
        return NOW.minus(Duration.ofMinutes(minutes));
    }

    private static AwsLogin other(String id) {
        return new AwsLogin(LOGIN.mount(), Optional.of(id));
    }

    private static AwsLogin unsigned() {
        return new AwsLogin(LOGIN.mount(), Optional.empty());
    }
}
