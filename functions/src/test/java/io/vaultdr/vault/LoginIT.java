package io.vaultdr.vault;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vaultdr.model.Failure;
import io.vaultdr.model.Secret;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.testing.BaoCluster;
import io.vaultdr.testing.BaoServer;
import io.vaultdr.testing.Clusters;
import io.vaultdr.testing.Moto;
import io.vaultdr.vault.HttpVaultClients.Limits;
import io.vaultdr.vault.Login.Intent;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import software.amazon.awssdk.services.secretsmanager.SecretsManagerClient;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Logging in with secrets from Secrets Manager, against both. */
class LoginIT {
    private static Moto moto;
    private static SecretsManagerClient secrets;
    private static BaoCluster server;

    @BeforeAll
    static void startBoth() {
        moto = Moto.start();
        secrets = moto.clients().secretsManager("eu-west-1");
        server = BaoCluster.running(1);
        server.call("POST", "sys/auth/approle", Map.of("type", "approle")).expect();
        server.call("POST", "auth/approle/role/tester", Map.of("token_ttl", "60s")).expect();
    }

    @AfterAll
    static void endBoth() {
        server.close();
        moto.close();
    }

    private static Login.Session login(Intent intent) {
        PairSettings.Cluster cluster = Clusters.of(server.addresses());
        VaultClient node =
                new HttpVaultClients(any -> Optional.empty(), Limits.DEFAULT)
                        .at(cluster, cluster.address());
        return Login.by(secrets).to(cluster, node, intent);
    }

    private static void put(Intent intent, String value) {
        secrets.createSecret(it -> it.name("payments-vault-dr/" + intent).secretString(value));
    }

    /** As the setup script stores it: the version is named by the secret id's accessor. */
    private static String issue(Intent intent, boolean first) {
        var id = server.call("POST", "auth/approle/role/tester/secret-id", null).data();
        String accessor = id.path("secret_id_accessor").asText();
        String value =
                "{\"role_id\":\"%s\",\"secret_id\":\"%s\",\"secret_id_accessor\":\"%s\"}"
                        .formatted(
                                server.call("GET", "auth/approle/role/tester/role-id", null)
                                        .data()
                                        .path("role_id")
                                        .asText(),
                                id.path("secret_id").asText(),
                                accessor);
        String name = "payments-vault-dr/" + intent;
        if (first) {
            secrets.createSecret(
                    it -> it.name(name).clientRequestToken(accessor).secretString(value));
        } else {
            secrets.putSecretValue(
                    it -> it.secretId(name).clientRequestToken(accessor).secretString(value));
        }
        return accessor;
    }

    @Test
    void aSessionsTokenWorksUntilItIsClosed() {
        BaoServer node = server.leader();
        String version = issue(Intent.SNAPSHOT, true);
        Secret token;
        try (Login.Session session = login(Intent.SNAPSHOT)) {
            token = session.token();
            assertEquals(Optional.of(version), session.version());
            assertEquals(
                    200, node.call("GET", "auth/token/lookup-self", token.reveal(), null).status());
            assertFalse(session.toString().contains(token.reveal()));
        }
        assertEquals(
                403, node.call("GET", "auth/token/lookup-self", token.reveal(), null).status());
    }

    @Test
    void logsInWithTheVersionThatARestoredClusterKnowsAndElseWithTheCurrentOne() {
        String old = issue(Intent.PROVE, true);
        String current = issue(Intent.PROVE, false);
        Login login = Login.by(secrets);
        assertEquals(current, login.versions("payments-vault-dr", Intent.of(false)).get("prove"));

        // The old one works after a rotation.
        assertEquals(Optional.of(old), proving(Optional.of(old)));
        // A version that is gone from Secrets Manager, and one that the server doesn't know.
        assertEquals(
                Optional.of(current), proving(Optional.of("00000000-0000-0000-0000-000000000000")));
        server.call(
                        "POST",
                        "auth/approle/role/tester/secret-id-accessor/destroy",
                        Map.of("secret_id_accessor", old))
                .expect();
        assertEquals(Optional.of(current), proving(Optional.of(old)));
    }

    private static Optional<String> proving(Optional<String> version) {
        PairSettings.Cluster cluster = Clusters.of(server.addresses());
        VaultClient node =
                new HttpVaultClients(any -> Optional.empty(), Limits.DEFAULT)
                        .at(cluster, cluster.address());
        try (Login.Session session =
                Login.by(secrets).to("payments-vault-dr", node, Intent.PROVE, version)) {
            return session.version();
        }
    }

    @Test
    void aMissingSecretNamesItselfAndWhatToDo() {
        Failure failure = assertThrows(Failure.Terminal.class, () -> login(Intent.VERIFY));
        assertTrue(failure.toString().contains("payments-vault-dr/verify"));
        assertTrue(failure.toString().contains("./vault-dr setup"));
    }

    @Test
    void aSecretThatIsntOursIsTerminalAndNotQuoted() {
        for (String value : List.of("plain text", "{\"role_id\":\"hush\"}", "[\"hush\"]")) {
            put(Intent.GROW, value);
            Failure failure = assertThrows(Failure.Terminal.class, () -> login(Intent.GROW));
            for (Throwable at = failure; at != null; at = at.getCause()) {
                assertFalse(at.toString().contains("hush") || at.toString().contains("plain"));
            }
            secrets.deleteSecret(
                    it -> it.secretId("payments-vault-dr/grow").forceDeleteWithoutRecovery(true));
        }
    }
}
