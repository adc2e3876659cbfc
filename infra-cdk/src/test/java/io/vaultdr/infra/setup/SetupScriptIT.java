package io.vaultdr.infra.setup;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vaultdr.model.Failure;
import io.vaultdr.model.Secret;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.testing.Moto;
import io.vaultdr.vault.HttpVaultClients;
import io.vaultdr.vault.HttpVaultClients.Limits;
import io.vaultdr.vault.Login;
import io.vaultdr.vault.Login.Intent;
import io.vaultdr.vault.VaultClient;

import org.junit.jupiter.api.Test;

import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.secretsmanager.SecretsManagerClient;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/** For a cluster that was brought, in one account and in two. */
class SetupScriptIT extends SetupScriptCases {
    @Test
    void runTwiceItLeavesOneSetOfLoginsThatMayDoTheirIntentAndNoMore() throws Exception {
        Run first = run(pair(), Map.of());
        assertEquals(0, first.status(), first.output());
        String secret = stored(HOME, "payments-vault-dr", Intent.SNAPSHOT);
        assertEquals(secret, stored(DR, "payments-dr/it's", Intent.SNAPSHOT));
        Login login = Login.by(moto.clients().secretsManager(HOME));
        assertEquals(
                login.versions("payments-vault-dr", Intent.of(false)),
                Login.by(moto.clients().secretsManager(DR))
                        .versions("payments-dr/it's", Intent.of(false)));
        assertEquals(
                Set.of("snapshot", "verify", "grow", "prove", "recover", "rotate"),
                login.versions("payments-vault-dr", Intent.of(false)).keySet());

        loginsDoTheirIntentAndNoMore();

        // A secret that only one region lost is given to both anew, and the old login stays.
        moto.clients()
                .secretsManager(DR)
                .deleteSecret(
                        it ->
                                it.secretId("payments-dr/it's/snapshot")
                                        .forceDeleteWithoutRecovery(true));
        Run second = run(pair(), Map.of());
        assertEquals(0, second.status(), second.output());
        String renewed = stored(DR, "payments-dr/it's", Intent.SNAPSHOT);
        assertEquals(renewed, stored(HOME, "payments-vault-dr", Intent.SNAPSHOT));
        assertFalse(renewed.equals(secret));
        assertTrue(second.output().contains("credentials of vault-dr-verify: unchanged"));

        // One region alone, as on the lowest rung, and new logins although the old ones work.
        Run rotated = run(alone(), Map.of("ROTATE", "1"));
        assertEquals(0, rotated.status(), rotated.output());
        assertEquals(renewed, stored(DR, "payments-dr/it's", Intent.SNAPSHOT));
        assertFalse(stored(HOME, "payments-vault-dr", Intent.SNAPSHOT).equals(renewed));

        String arguments = Files.readString(directory.resolve("arguments"));
        assertTrue(arguments.contains("secretsmanager create-secret"));
        for (String value : List.of(secret, renewed)) {
            String id = value.replaceAll(".*\"secret_id\": \"([^\"]*)\".*", "$1");
            assertEquals(36, id.length());
            for (String shown :
                    List.of(arguments, first.output(), second.output(), rotated.output())) {
                assertFalse(shown.contains(id));
            }
        }
    }

    @Test
    void theCopysAccountGetsTheProversLoginsAndNoOther() throws Exception {
        String copy = "444455556666";
        PairSettings apart =
                settings(
                        PairSettings.Stage.PROVEN,
                        Optional.empty(),
                        List.of(
                                new PairSettings.Bucket(HOME, "home", Moto.ACCOUNT),
                                new PairSettings.Bucket(DR, "copy", copy)));
        Map<String, String> profiles = new TreeMap<>(profiles(copy));

        Run unnamed = run(apart, profiles);
        assertEquals(1, unnamed.status());
        assertTrue(unnamed.output().contains("profile of account " + copy), unnamed.output());
        profiles.put("COPY_PROFILE", "base");
        Run wrong = run(apart, profiles);
        assertEquals(1, wrong.status());
        assertTrue(wrong.output().contains("to account " + Moto.ACCOUNT), wrong.output());

        profiles.put("COPY_PROFILE", "copy");
        Run first = run(apart, profiles);
        assertEquals(0, first.status(), first.output());
        try (SecretsManagerClient there = secretsOf(copy)) {
            for (Intent intent : List.of(Intent.PROVE, Intent.RECOVER)) {
                String name = "payments-vault-dr/" + intent;
                var stored = there.getSecretValue(it -> it.secretId(name));
                assertEquals(
                        stored(HOME, "payments-vault-dr", intent), stored.secretString(), name);
                assertTrue(stored.secretString().contains(stored.versionId()), "by its accessor");
            }
            assertEquals(2, there.listSecrets().secretList().size());
        }
        Run second = run(apart, profiles);
        assertEquals(0, second.status(), second.output());
        assertTrue(second.output().contains("vault-dr-prove: unchanged"), second.output());
        assertTrue(second.output().contains("vault-dr-grow: unchanged"), second.output());
    }

    /** Profiles of both accounts; the second by a role, as people sign in. */
    private static Map<String, String> profiles(String account) throws IOException {
        Path credentials =
                Files.writeString(
                        directory.resolve("credentials"),
                        "[base]\naws_access_key_id = test\naws_secret_access_key = test\n");
        Path config =
                Files.writeString(
                        directory.resolve("config"),
                        "[profile copy]\nsource_profile = base\nrole_arn = arn:aws:iam::"
                                + account
                                + ":role/operator\n");
        return Map.of(
                "AWS_SHARED_CREDENTIALS_FILE",
                credentials.toString(),
                "AWS_CONFIG_FILE",
                config.toString());
    }

    private static SecretsManagerClient secretsOf(String account) {
        return SecretsManagerClient.builder()
                .region(Region.of(DR))
                .credentialsProvider(
                        StaticCredentialsProvider.create(
                                AwsBasicCredentials.create("test", "test")))
                .httpClientBuilder(UrlConnectionHttpClient.builder())
                .overrideConfiguration(it -> it.putHeader("x-moto-account-id", account))
                .build();
    }

    private static void loginsDoTheirIntentAndNoMore() throws IOException {
        PairSettings.Cluster home = pair().home();
        VaultClient node =
                new HttpVaultClients(any -> Optional.empty(), Limits.DEFAULT)
                        .at(home, home.address());
        Login login = Login.by(moto.clients().secretsManager(HOME));
        try (Login.Session session = login.to(home, node, Intent.SNAPSHOT)) {
            Secret token = session.token();
            assertTrue(session.version().isPresent());
            node.writeKv(token, "vault-dr", "canary", Map.of("nonce", "n"));
            assertTrue(node.readKv(token, "vault-dr", "canary").isPresent());
            assertEquals(Map.of(), node.auditDevices(token));
            try (InputStream in = node.snapshot(token, Duration.ofSeconds(5))) {
                assertEquals(0x1f, in.read());
            }
            denied(() -> node.raftConfiguration(token));
            denied(() -> node.writeKv(token, "vault-dr", "verify", Map.of("a", "b")));
        }
        try (Login.Session session = login.to(home, node, Intent.VERIFY)) {
            Secret token = session.token();
            assertTrue(node.readKv(token, "vault-dr", "canary").isPresent());
            node.writeKv(token, "vault-dr", "verify", Map.of("a", "b"));
            denied(() -> node.writeKv(token, "vault-dr", "canary", Map.of("a", "b")));
            denied(() -> node.snapshot(token, Duration.ofSeconds(5)));
        }
        try (Login.Session session = login.to(home, node, Intent.GROW)) {
            Secret token = session.token();
            assertEquals(1, node.raftConfiguration(token).size());
            assertTrue(node.autopilotState(token).healthy());
            denied(() -> node.readKv(token, "vault-dr", "canary"));
        }
        cluster.call("POST", "sys/mounts/kv", Map.of("type", "kv-v2")).expect();
        try (Login.Session session = login.to(home, node, Intent.RECOVER)) {
            Secret token = session.token();
            // Not there, and not refused.
            assertEquals(Optional.empty(), node.readKv(token, "kv", "team/db"));
            denied(() -> node.readKv(token, "kv", "other"));
            denied(() -> node.writeKv(token, "kv", "team/db", Map.of("a", "b")));
        }
    }

    private static void denied(org.junit.jupiter.api.function.Executable call) {
        assertTrue(assertThrows(Failure.Terminal.class, call).toString().contains("403"));
    }

    @Test
    void withoutATokenItSaysWhatToDo() throws Exception {
        Run run = run(pair(), Map.of("BAO_TOKEN", "nonsense"));
        assertEquals(1, run.status());
        assertTrue(run.output().contains("log in with bao login"), run.output());
    }
}
