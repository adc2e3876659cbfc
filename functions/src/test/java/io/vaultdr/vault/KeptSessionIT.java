package io.vaultdr.vault;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.vaultdr.model.Failure;
import io.vaultdr.model.Secret;
import io.vaultdr.testing.BaoCluster;
import io.vaultdr.testing.Clusters;
import io.vaultdr.testing.Eventually;
import io.vaultdr.testing.Ports;
import io.vaultdr.vault.HttpVaultClients.Limits;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A token that is kept, against real servers. */
class KeptSessionIT {
    private static final Duration LONG = Duration.ofSeconds(60);

    private static BaoCluster server;
    private static BaoCluster other;

    @BeforeAll
    static void startBoth() {
        server = BaoCluster.running(1);
        other = BaoCluster.running(1);
        for (BaoCluster each : List.of(server, other)) {
            each.call("POST", "sys/auth/approle", Map.of("type", "approle")).expect();
            role(each, "long", "600s", "3600s");
            role(each, "short", "15s", "3600s");
            role(each, "capped", "15s", "15s");
        }
    }

    @AfterAll
    static void endBoth() {
        server.close();
        other.close();
    }

    private static void role(BaoCluster at, String name, String ttl, String most) {
        at.call(
                        "POST",
                        "auth/approle/role/" + name,
                        Map.of("token_ttl", ttl, "token_max_ttl", most))
                .expect();
    }

    private static VaultClient node(BaoCluster of) {
        return node(of.leader().address());
    }

    private static VaultClient node(URI address) {
        return new HttpVaultClients(any -> Optional.empty(), Limits.DEFAULT)
                .at(Clusters.of(List.of(address)), address);
    }

    /** Keeps a token of the role, as long as {@code least} is left of it. */
    private static KeptSession kept(String role, Duration least) {
        return new KeptSession(
                node -> {
                    BaoCluster at = node.address().equals(node(server).address()) ? server : other;
                    String path = "auth/approle/role/" + role;
                    String id =
                            at.call("GET", path + "/role-id", null)
                                    .expect()
                                    .data()
                                    .path("role_id")
                                    .asText();
                    String secret =
                            at.call("POST", path + "/secret-id", null)
                                    .expect()
                                    .data()
                                    .path("secret_id")
                                    .asText();
                    return new Login.Session(
                            node,
                            node.login(Secret.of(id), Secret.of(secret)).value(),
                            Optional.empty());
                },
                least);
    }

    private static int status(Secret token) {
        return server.leader().call("GET", "auth/token/lookup-self", token.reveal(), null).status();
    }

    private static long left(Secret token) {
        return node(server).read(token, "auth/token/lookup-self").path("ttl").asLong();
    }

    @Test
    void isUsedAgainWhileItLives() {
        KeptSession kept = kept("long", LONG);
        Secret first = kept.at(node(server)).token();
        assertEquals(first, kept.at(node(server)).token());
        assertEquals(200, status(first));
    }

    @Test
    void isRenewedInTheLastThirdOfItsLife() {
        KeptSession kept = kept("short", Duration.ofSeconds(1));
        Secret first = kept.at(node(server)).token();
        Eventually.await("it is two thirds old", LONG, () -> left(first) <= 5);
        assertEquals(first, kept.at(node(server)).token());
        Eventually.await("it lives longer", LONG, () -> left(first) > 5);
    }

    @Test
    void isRevokedAndReplacedWhereItsServerRenewsItNoLonger() {
        KeptSession kept = kept("capped", Duration.ofSeconds(8));
        Secret first = kept.at(node(server)).token();
        Eventually.await("it is two thirds old", LONG, () -> left(first) <= 5);
        Secret second = kept.at(node(server)).token();
        assertNotEquals(first, second);
        assertEquals(403, status(first));
        assertEquals(200, status(second));
    }

    @Test
    void isReplacedWhenItHasExpiredOrWasRevoked() {
        KeptSession kept = kept("capped", Duration.ofSeconds(1));
        Secret first = kept.at(node(server)).token();
        Eventually.await("it has expired", LONG, () -> status(first) == 403);
        Secret second = kept.at(node(server)).token();
        assertNotEquals(first, second);

        server.call("POST", "auth/token/revoke", Map.of("token", second.reveal())).expect();
        Secret third = kept.at(node(server)).token();
        assertNotEquals(second, third);
        assertEquals(200, status(third));
    }

    /** As after the restore of a snapshot that is older than the token. */
    @Test
    void isReplacedAtAClusterThatDoesNotKnowIt() {
        KeptSession kept = kept("long", LONG);
        Secret first = kept.at(node(server)).token();
        Secret there = kept.at(node(other)).token();
        assertNotEquals(first, there);
        assertEquals(there, kept.at(node(other)).token());
    }

    @Test
    void staysWhileNobodyAnswers() {
        KeptSession kept = kept("long", LONG);
        Secret first = kept.at(node(server)).token();
        VaultClient silent = node(URI.create("http://127.0.0.1:" + Ports.free()));
        assertThrows(Failure.Retryable.class, () -> kept.at(silent));
        assertEquals(first, kept.at(node(server)).token());
    }
}
