package io.vaultdr.infra.setup;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vaultdr.model.Failure;
import io.vaultdr.model.PairId;
import io.vaultdr.model.Secret;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.testing.BaoCluster;
import io.vaultdr.testing.Clusters;
import io.vaultdr.testing.Environment;
import io.vaultdr.testing.Moto;
import io.vaultdr.vault.HttpVaultClients;
import io.vaultdr.vault.HttpVaultClients.Limits;
import io.vaultdr.vault.Login;
import io.vaultdr.vault.Login.Intent;
import io.vaultdr.vault.VaultClient;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.secretsmanager.SecretsManagerClient;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** The printed script as it is, run with the real commands against a real cluster and moto. */
class SetupScriptIT {
    private static final String HOME = "eu-west-1";
    private static final String DR = "eu-central-1";
    @TempDir private static Path directory;
    private static Moto moto;
    private static BaoCluster cluster;
    private static Path commands;

    private record Run(int status, String output) {}

    @BeforeAll
    static void startBoth() throws IOException {
        moto = Moto.start();
        cluster = BaoCluster.running(1);
        // Stand before the real commands and write down what a process list would show.
        commands = Files.createDirectory(directory.resolve("bin"));
        for (String command : List.of("bao", "aws")) {
            Path real = command.equals("bao") ? Environment.bao() : Environment.program(command);
            Path shim =
                    Files.writeString(
                            commands.resolve(command),
                            "#!/bin/sh\nprintf '%s\\n' \"$0 $*\" >> '"
                                    + directory.resolve("arguments")
                                    + "'\nexec '"
                                    + real
                                    + "' \"$@\"\n");
            assertTrue(shim.toFile().setExecutable(true));
        }
    }

    @AfterAll
    static void endBoth() {
        cluster.close();
        moto.close();
    }

    private static PairSettings pair() {
        return settings(Optional.of(drCluster()));
    }

    private static PairSettings alone() {
        return settings(Optional.empty());
    }

    private static PairSettings.Cluster drCluster() {
        PairSettings.Cluster home = Clusters.of(cluster.addresses());
        return new PairSettings.Cluster(
                DR,
                home.address(),
                home.nodes(),
                Optional.empty(),
                "payments-dr/it's",
                Optional.empty(),
                Optional.empty(),
                1,
                Optional.empty(),
                Optional.empty());
    }

    private static PairSettings settings(Optional<PairSettings.Cluster> dr) {
        return settings(PairSettings.Stage.APPROVAL, dr, List.of());
    }

    private static PairSettings settings(
            PairSettings.Stage stage,
            Optional<PairSettings.Cluster> dr,
            List<PairSettings.Bucket> buckets) {
        return new PairSettings(
                new PairId("payments"),
                PairSettings.Edition.OPENBAO,
                stage,
                Moto.ACCOUNT,
                Clusters.of(cluster.addresses()),
                dr,
                buckets,
                List.of(),
                Optional.empty(),
                Optional.empty(),
                Duration.ofSeconds(10),
                Duration.ofMinutes(15),
                "arn:aws:sns:eu-west-1:123456789012:topic");
    }

    private static Run run(PairSettings pair, Map<String, String> more) throws Exception {
        Path script =
                Files.writeString(
                        directory.resolve("setup.sh"),
                        SetupScript.of(pair, List.of("kv/team/*"), SetupScriptIT::roleArn));
        ProcessBuilder builder =
                new ProcessBuilder("/bin/sh", script.toString()).redirectErrorStream(true);
        Map<String, String> environment = builder.environment();
        environment.put("PATH", commands + ":" + environment.get("PATH"));
        environment.put("BAO_ADDR", cluster.leader().address().toString());
        environment.put("BAO_TOKEN", cluster.rootToken());
        environment.putAll(moto.environment(HOME));
        // There aws keeps the credentials of roles for an hour; another moto doesn't know them.
        environment.put("HOME", directory.toString());
        environment.putAll(more);
        Process process = builder.start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(process.waitFor(120, TimeUnit.SECONDS));
        return new Run(process.exitValue(), output);
    }

    private static String roleArn(String region, String purpose) {
        return "arn:aws:iam::" + Moto.ACCOUNT + ":role/vd-payments-" + purpose + "-" + region;
    }

    private static String stored(String region, String login, Intent intent) {
        return moto.clients()
                .secretsManager(region)
                .getSecretValue(it -> it.secretId(login + "/" + intent))
                .secretString();
    }

    @Test
    void forAMadeClusterItPutsBackWhatTheFunctionsTendAndAutopilotOnlyWhereAsked()
            throws Exception {
        PairSettings made = Clusters.pair(Clusters.made(cluster.addresses()));

        Run first = run(made, Map.of());

        assertEquals(0, first.status(), first.output());
        assertTrue(first.output().contains("autopilot: unchanged"), first.output());
        assertTrue(first.output().contains("audit device: none"), first.output());
        for (Intent intent : List.of(Intent.RETIRE, Intent.CONFIGURE)) {
            assertTrue(
                    first.output().contains("policy and role vault-dr-" + intent + ": written"),
                    first.output());
            assertFalse(stored(HOME, "payments-vault-dr", intent).isEmpty());
        }
        assertEquals(1000, trailing());

        Run asked = run(made, Map.of("AUTOPILOT", "1"));

        assertEquals(0, asked.status(), asked.output());
        assertTrue(asked.output().contains("autopilot: written"), asked.output());
        assertEquals(100_000, trailing());
    }

    private static long trailing() {
        return cluster.call("GET", "sys/storage/raft/autopilot/configuration", null)
                .expect()
                .data()
                .path("max_trailing_logs")
                .asLong();
    }

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

    /** Vault's AWS auth method as it is documented; all else is answered by the real server. */
    private static final String VAULT =
            """
            #!/bin/sh
            state='@STATE@'
            case "$*" in
              'auth list -format=json')
                [ -e "$state/enabled" ] && printf '{ "approle/": {}, "team/aws/": {} }' && exit ;;
              'auth enable -path=team/aws aws')
                touch "$state/enabled"; exit ;;
              'read -format=json auth/team/aws/config/client')
                cat "$state/client"; exit ;;
              'write auth/team/aws/config/client use_sts_region_from_client=true iam_server_id_header_value='*)
                printf '{ "data": { "iam_server_id_header_value": "%s", "use_sts_region_from_client": true } }' \
                  "${4#*=}" > "$state/client"; exit ;;
              'write auth/team/aws/role/'*)
                printf '%s\\n' "$*" >> "$state/roles"; exit ;;
            esac
            exec bao "$@"
            """;

    @Test
    void functionsThatLogInByAwsGetRolesHeldToTheirArnsAndTheOthersTheirSecrets() throws Exception {
        Path state = Files.createDirectory(directory.resolve("aws"));
        Path vault =
                Files.writeString(
                        commands.resolve("vault"), VAULT.replace("@STATE@", state.toString()));
        assertTrue(vault.toFile().setExecutable(true));
        PairSettings pair = byAws();
        Map<String, String> signedIn =
                Map.of(
                        "VAULT_ADDR",
                        cluster.leader().address().toString(),
                        "VAULT_TOKEN",
                        cluster.rootToken());

        Run first = run(pair, signedIn);
        assertEquals(0, first.status(), first.output());
        assertTrue(first.output().contains("auth method team/aws: enabled"), first.output());
        List<String> roles = Files.readAllLines(state.resolve("roles"));
        assertEquals(2, roles.size(), roles.toString());
        String common =
                " token_no_default_policy=true token_type=service token_ttl=1200"
                        + " token_max_ttl=3600 auth_type=iam bound_iam_principal_arn=@ARNS@"
                        + " resolve_aws_unique_ids=false";
        for (String purpose : List.of("take-snapshot", "rotate-logins")) {
            String intent = purpose.equals("take-snapshot") ? "snapshot" : "rotate";
            assertTrue(
                    roles.contains(
                            "write auth/team/aws/role/vault-dr-"
                                    + intent
                                    + " token_policies=vault-dr-"
                                    + intent
                                    + common.replace(
                                            "@ARNS@",
                                            roleArn(HOME, purpose) + "," + roleArn(DR, purpose))),
                    roles.toString());
        }
        assertEquals(
                Set.of("verify", "grow", "prove", "recover"),
                Login.by(moto.clients().secretsManager(HOME))
                        .versions("aws/vault-dr", Intent.of(false))
                        .keySet());
        String rotates =
                cluster.call("GET", "sys/policies/acl/vault-dr-rotate", null)
                        .expect()
                        .data()
                        .path("policy")
                        .asText();
        assertTrue(rotates.contains("role/vault-dr-verify/secret-id"), rotates);
        assertFalse(rotates.contains("role/vault-dr-snapshot"), rotates);

        Run second = run(pair, signedIn);
        assertEquals(0, second.status(), second.output());
        assertTrue(second.output().contains("auth method team/aws: unchanged"), second.output());
        assertTrue(second.output().contains("vault-dr-verify: unchanged"), second.output());

        // A mount that is somebody else's stays as it is.
        String theirs =
                "{ \"iam_server_id_header_value\": \"@\", \"use_sts_region_from_client\": # }";
        Path client = state.resolve("client");
        for (String[] other : new String[][] {{"it's", "false"}, {"theirs", "true"}}) {
            String before = theirs.replace("@", other[0]).replace("#", other[1]);
            Files.writeString(client, before);
            Run refused = run(pair, signedIn);
            assertEquals(1, refused.status());
            assertTrue(
                    refused.output()
                            .contains(
                                    other[1].equals("false")
                                            ? "use_sts_region_from_client=true"
                                            : "login.aws.serverId"),
                    refused.output());
            assertEquals(before, Files.readString(client));
        }
    }

    private static PairSettings byAws() {
        PairSettings plain = pair();
        PairSettings.Cluster home = plain.home();
        List<PairSettings.Cluster> both =
                Stream.of(HOME, DR)
                        .map(
                                region ->
                                        new PairSettings.Cluster(
                                                region,
                                                home.address(),
                                                home.nodes(),
                                                Optional.empty(),
                                                "aws/vault-dr",
                                                Optional.empty(),
                                                Optional.empty(),
                                                1,
                                                Optional.of(
                                                        new PairSettings.AwsLogin(
                                                                "team/aws", Optional.of("it's"))),
                                                Optional.empty()))
                        .toList();
        return new PairSettings(
                plain.pair(),
                PairSettings.Edition.VAULT,
                plain.stage(),
                plain.account(),
                both.getFirst(),
                Optional.of(both.getLast()),
                plain.buckets(),
                plain.vantages(),
                plain.failover(),
                plain.traffic(),
                plain.slot(),
                plain.snapshotEvery(),
                plain.topicArn());
    }

    @Test
    void withoutATokenItSaysWhatToDo() throws Exception {
        Run run = run(pair(), Map.of("BAO_TOKEN", "nonsense"));
        assertEquals(1, run.status());
        assertTrue(run.output().contains("log in with bao login"), run.output());
    }
}
