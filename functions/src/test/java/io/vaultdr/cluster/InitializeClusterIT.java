package io.vaultdr.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;

import io.vaultdr.aws.AwsClients;
import io.vaultdr.aws.SecretsManagerLogins;
import io.vaultdr.aws.SecretsManagerSecret;
import io.vaultdr.cluster.Initialisation.Next;
import io.vaultdr.cluster.Initialisation.Phase;
import io.vaultdr.cluster.InitializeCluster.Report;
import io.vaultdr.failover.TestPair;
import io.vaultdr.model.Failure;
import io.vaultdr.runtime.Deadline;
import io.vaultdr.runtime.Json;
import io.vaultdr.runtime.PairMetrics.Measure;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.testing.BaoCluster;
import io.vaultdr.testing.BaoServer;
import io.vaultdr.testing.Clusters;
import io.vaultdr.testing.Eventually;
import io.vaultdr.testing.LogLines;
import io.vaultdr.testing.Moto;
import io.vaultdr.testing.Pages;
import io.vaultdr.testing.Ports;
import io.vaultdr.vault.HttpVaultClients;
import io.vaultdr.vault.LeaderFinder;
import io.vaultdr.vault.Login;
import io.vaultdr.vault.Login.Intent;
import io.vaultdr.vault.VaultClient;
import io.vaultdr.vault.VaultClients;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

import software.amazon.awssdk.services.secretsmanager.model.ResourceNotFoundException;

import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * From blank to service on a real server, killed after each kind of call that changes something.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class InitializeClusterIT {
    private static final String HOME = TestPair.HOME;
    private static final String DR = TestPair.DR;
    private static final String LOGIN = "payments-vault-dr";
    private static final String KEYS = "payments-vault-dr/recovery-keys";
    private static final String STATE = "payments-vault-dr/initialisation";

    @TempDir private static Path directory = Path.of("unset");

    private final Moto moto = Moto.start();
    private final AwsClients aws = moto.clients();

    /** Where a person with the break-glass role may use recovery keys; closed elsewhere. */
    private final int breakGlass = Ports.free();

    private final List<Measure> published = new ArrayList<>();
    private final VaultSetup setup = new VaultSetup(List.of("secret/team/*"), true);
    private BaoCluster servers = BaoCluster.blank("");
    private Pages pages = new Pages();
    private int wiped;

    /** What is thrown where a run dies. */
    private static final class Killed extends Error {
        private static final long serialVersionUID = 1;
    }

    /** Dies after the first call of one kind; remembers all kinds that it sees. */
    private static class Fuse {
        private final String kind;
        private final Set<String> seen = new LinkedHashSet<>();

        Fuse(String kind) {
            this.kind = kind;
        }

        void after(String call) {
            if (seen.add(call) && call.equals(kind)) {
                throw new Killed();
            }
        }
    }

    @BeforeAll
    void makeAServerWithAnAuditFile() {
        servers.close();
        servers =
                BaoCluster.blank(
                        """
                        audit "file" "file" {
                          options { file_path = "%s" }
                        }
                        listener "tcp" {
                          address = "127.0.0.1:%d"
                          cluster_address = "127.0.0.1:%d"
                          tls_disable = true
                          disable_unauthed_generate_root_endpoints = false
                        }
                        """
                                .formatted(audit(), breakGlass, Ports.free()));
    }

    private static Path audit() {
        return directory.resolve("audit.log");
    }

    @AfterAll
    void end() {
        servers.close();
        moto.close();
    }

    /** A blank node and empty secrets, as a deployment leaves them. */
    @BeforeEach
    void blank() {
        moto.reset();
        for (String region : List.of(HOME, DR)) {
            aws.secretsManager(region).createSecret(it -> it.name(KEYS));
            for (Intent intent : Intent.values()) {
                aws.secretsManager(region).createSecret(it -> it.name(LOGIN + "/" + intent));
            }
        }
        aws.secretsManager(HOME).createSecret(it -> it.name(STATE));
        published.clear();
        pages = new Pages();
        wiped = 0;
        wipe();
    }

    private String wipe() {
        wiped++;
        servers.nodes().forEach(BaoServer::wipe);
        servers.nodes().forEach(BaoServer::start);
        return "i-1 Success";
    }

    @Test
    void bringsABlankClusterToServiceOnceAndReportsDriftFromThenOn() throws IOException {
        LogLines log = LogLines.capture();
        Report first;
        String root;
        try (log) {
            List<String> roots = new ArrayList<>();
            first =
                    run(
                            new Fuse("never") {
                                @Override
                                void after(String call) {
                                    root().ifPresent(roots::add);
                                }
                            },
                            Duration.ZERO);
            root = roots.getFirst();
        }

        assertEquals(Next.INITIALISE, first.found());
        assertEquals(Phase.DONE, first.phase());
        assertEquals(List.of(), first.drift());
        assertEquals(List.of(), first.problems());
        everythingIsSetUpOnce();
        assertEquals(403, lookup(root), "the root token is gone");
        assertEquals(Optional.empty(), root());
        assertEquals(
                List.of(Measure.count("InitializeProblems", 0), Measure.count("ClusterDrift", 0)),
                published);
        nothingSecretIsSaid(log.text(), root);
        nothingSecretIsSaid(first.toString(), root);
        nothingSecretIsSaid(Json.MAPPER.writeValueAsString(first), root);

        // Again: nothing changes.
        Map<String, String> before = versions();
        Report again = run(Duration.ofMinutes(5));
        assertEquals(Next.COMPARE, again.found());
        assertEquals(List.of(), again.done());
        assertEquals(List.of(), again.drift());
        assertEquals(before, versions());

        // Somebody changes something.
        published.clear();
        String admin = regenerateRoot();
        change(admin, "DELETE", "sys/policies/acl/vault-dr-grow", null);
        change(
                admin,
                "POST",
                "sys/storage/raft/autopilot/configuration",
                Map.of("max_trailing_logs", 1000));
        change(
                admin,
                "POST",
                VaultSetup.role(Intent.VERIFY).path(),
                Map.of("token_ttl", 7200, "token_max_ttl", 7200));
        Report drifted = run(Duration.ofMinutes(10));
        assertEquals(
                Set.of(
                        "role auth/approle/role/vault-dr-verify",
                        "policy vault-dr-grow",
                        "autopilot"),
                drifted.drift().stream().map(it -> it.get("name")).collect(Collectors.toSet()));
        assertEquals(3, drifted.drift().size(), drifted::toString);
        assertTrue(
                drifted.drift().stream()
                        .anyMatch(
                                it ->
                                        it.toString().contains("max_trailing_logs=1000,")
                                                && it.toString()
                                                        .contains("max_trailing_logs=100000,")),
                drifted::toString);
        assertEquals(List.of(), drifted.done());
        assertTrue(published.contains(Measure.count("ClusterDrift", 3)), published::toString);
        assertEquals(before, versions());
    }

    /** Each kind of call is one boundary: the run dies after it, and the next one goes on. */
    @Test
    void killedAnywhereItGoesOnAndEndsSetUpOnce() throws IOException {
        Fuse all = new Fuse("never");
        run(all, Duration.ZERO);
        assertTrue(all.seen.size() >= 15, all.seen::toString);

        for (String boundary : all.seen) {
            blank();
            assertThrows(Killed.class, () -> run(new Fuse(boundary), Duration.ZERO), boundary);

            // The schedule's next run comes minutes later, when what was begun has ended.
            Eventually.await(
                    "the server leads or is blank",
                    Duration.ofSeconds(30),
                    () -> Set.of(200, 501).contains(servers.nodes().getFirst().health()));
            Report second = run(Duration.ofMinutes(5));

            boolean keysLost =
                    Set.of("initialize", "2nd keys " + HOME, "2nd keys " + DR).contains(boundary);
            assertEquals(Phase.DONE, second.phase(), () -> boundary + ": " + second);
            assertEquals(List.of(), second.drift(), boundary);
            assertEquals(
                    keysLost ? 2 : 1,
                    wiped,
                    () -> boundary + ": wiped again only where nobody had the keys");
            everythingIsSetUpOnce();
            Map<String, String> before = versions();
            Report third = run(Duration.ofMinutes(10));
            assertEquals(List.of(), third.done(), boundary);
            assertEquals(List.of(), third.drift(), boundary);
            assertEquals(before, versions(), boundary);
        }
    }

    @Test
    void aClusterOfSomebodyElseIsNeverTouchedAndPagedOnce() {
        servers.initialize();
        String root = servers.rootToken();

        for (int minutes = 0; minutes < 3; minutes++) {
            Report report = run(Duration.ofMinutes(5L * minutes));
            assertEquals(Next.NOT_OURS, report.found());
            assertEquals(List.of(), report.done());
            assertEquals(1, report.problems().size());
        }

        assertEquals(List.of("payments: initialisation: NOT_OURS"), pages.subjects());
        assertEquals(200, lookup(root));
        assertFalse(servers.call("GET", "sys/mounts", null).data().has("vault-dr/"), "hands off");
        assertTrue(published.contains(Measure.count("InitializeProblems", 1)));
        assertEquals(1, wiped);
    }

    @Test
    void whatWasSetUpAndIsBlankIsForAPerson() {
        run(Duration.ZERO);
        wipe();

        Report report = run(Duration.ofMinutes(5));

        assertEquals(Next.EMPTIED, report.found());
        assertEquals(List.of("payments: initialisation: EMPTIED"), pages.subjects());
        assertEquals(501, servers.nodes().getFirst().health());
    }

    @Test
    void keysThatWereLostLongAgoAreForAPerson() {
        assertThrows(Killed.class, () -> run(new Fuse("initialize"), Duration.ZERO));

        assertEquals(Next.PERHAPS_UNDER_WAY, run(Duration.ZERO).found());
        Report report = run(Duration.ofHours(2));

        assertEquals(Next.KEYS_LONG_LOST, report.found());
        assertEquals(1, pages.all().size());
        assertEquals(1, wiped);
    }

    @Test
    void aRegionThatTakesNoKeysIsFoundBeforeThereAreAny() {
        aws.secretsManager(DR)
                .deleteSecret(it -> it.secretId(KEYS).forceDeleteWithoutRecovery(true));

        assertThrows(Failure.class, () -> run(Duration.ZERO));

        assertEquals(501, servers.nodes().getFirst().health());
        assertTrue(published.contains(Measure.count("InitializeProblems", 1)));
        aws.secretsManager(DR).createSecret(it -> it.name(KEYS));
        assertEquals(Phase.DONE, run(Duration.ofMinutes(5)).phase());
    }

    @Test
    void aDryRunChangesNothing() {
        Report report = cluster(new Fuse("never"), Duration.ZERO).run(true, deadline());

        assertEquals(Next.INITIALISE, report.found());
        assertEquals(501, servers.nodes().getFirst().health());
        assertEquals(Map.of(), versions());
        assertEquals(List.of(), published);
    }

    @Test
    void whileNothingAnswersItWaits() {
        servers.nodes().forEach(BaoServer::kill);

        Report report = run(Duration.ZERO);

        assertEquals(Next.NOT_THERE_YET, report.found());
        assertEquals(Phase.NONE, report.phase());
        assertEquals(1, report.problems().size());
    }

    /** Keys in both regions, every login of both usable, and each secret id stored is known. */
    private void everythingIsSetUpOnce() throws IOException {
        JsonNode home = Json.MAPPER.readTree(value(HOME, KEYS));
        assertEquals(5, home.path("recovery_keys").size());
        assertEquals(3, home.path("threshold").asInt());
        assertEquals(home, Json.MAPPER.readTree(value(DR, KEYS)));
        for (Intent intent : setup.intents()) {
            assertEquals(value(HOME, LOGIN + "/" + intent), value(DR, LOGIN + "/" + intent));
            for (String region : List.of(HOME, DR)) {
                VaultClient node = clients().at(home(), servers.addresses().getFirst());
                try (Login.Session session =
                        Login.by(aws.secretsManager(region)).to(home(), node, intent)) {
                    assertTrue(node.knows(session.token()));
                }
            }
        }
        assertTrue(audit().toFile().length() > 0, "audited");
    }

    private void nothingSecretIsSaid(String text, String root) throws IOException {
        List<String> secrets = new ArrayList<>(List.of(root));
        Json.MAPPER
                .readTree(value(HOME, KEYS))
                .path("recovery_keys")
                .forEach(it -> secrets.add(it.asText()));
        for (Intent intent : setup.intents()) {
            secrets.add(
                    Json.MAPPER
                            .readTree(value(HOME, LOGIN + "/" + intent))
                            .path("secret_id")
                            .asText());
        }
        assertFalse(text.isBlank());
        secrets.forEach(it -> assertFalse(text.contains(it), "a secret is in: " + text));
    }

    private Optional<String> root() {
        try {
            String stored =
                    aws.secretsManager(HOME)
                            .getSecretValue(it -> it.secretId(STATE))
                            .secretString();
            return Optional.of(Json.MAPPER.readTree(stored).path("root_token").asText())
                    .filter(it -> !it.isEmpty());
        } catch (ResourceNotFoundException e) {
            return Optional.empty();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** By the recovery keys, as a person with the break-glass role does it. */
    private String regenerateRoot() throws IOException {
        JsonNode attempt = generateRoot("attempt", Map.of());
        JsonNode answer = attempt;
        List<String> keys = new ArrayList<>();
        Json.MAPPER
                .readTree(value(DR, KEYS))
                .path("recovery_keys")
                .forEach(it -> keys.add(it.asText()));
        for (String key : keys.subList(0, 3)) {
            answer =
                    generateRoot(
                            "update", Map.of("nonce", attempt.path("nonce").asText(), "key", key));
        }
        assertTrue(answer.path("complete").asBoolean(), "three of five keys are enough");
        byte[] pad = attempt.path("otp").asText().getBytes(StandardCharsets.US_ASCII);
        byte[] token = Base64.getDecoder().decode(padded(answer.path("encoded_token").asText()));
        for (int i = 0; i < token.length; i++) {
            token[i] ^= pad[i];
        }
        return new String(token, StandardCharsets.US_ASCII);
    }

    private JsonNode generateRoot(String step, Map<String, String> body) throws IOException {
        try (HttpClient http = HttpClient.newHttpClient()) {
            HttpResponse<String> answer =
                    http.send(
                            HttpRequest.newBuilder(
                                            URI.create(
                                                    "http://127.0.0.1:"
                                                            + breakGlass
                                                            + "/v1/sys/generate-root/"
                                                            + step))
                                    .POST(
                                            HttpRequest.BodyPublishers.ofString(
                                                    Json.MAPPER.writeValueAsString(body)))
                                    .build(),
                            HttpResponse.BodyHandlers.ofString());
            assertEquals(200, answer.statusCode(), answer::body);
            return Json.MAPPER.readTree(answer.body());
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static String padded(String text) {
        return text + "=".repeat((4 - text.length() % 4) % 4);
    }

    private void change(String token, String method, String path, @Nullable Map<String, ?> body) {
        servers.nodes().getFirst().call(method, path, token, body).expect();
    }

    private int lookup(String token) {
        return servers.nodes()
                .getFirst()
                .call("GET", "auth/token/lookup-self", token, null)
                .status();
    }

    /** The current version of each secret that has one. */
    private Map<String, String> versions() {
        Map<String, String> versions = new HashMap<>();
        for (String region : List.of(HOME, DR)) {
            aws.secretsManager(region)
                    .listSecrets()
                    .secretList()
                    .forEach(
                            secret ->
                                    secret.secretVersionsToStages()
                                            .forEach(
                                                    (version, stages) -> {
                                                        if (stages.contains("AWSCURRENT")) {
                                                            versions.put(
                                                                    region + secret.name(),
                                                                    version);
                                                        }
                                                    }));
        }
        return versions;
    }

    private String value(String region, String name) {
        return aws.secretsManager(region).getSecretValue(it -> it.secretId(name)).secretString();
    }

    private Report run(Duration later) {
        return run(new Fuse("never"), later);
    }

    private Report run(Fuse fuse, Duration later) {
        return cluster(fuse, later).run(false, deadline());
    }

    private static Deadline deadline() {
        return Deadline.of(Clock.systemUTC(), () -> 120_000, Duration.ZERO);
    }

    private InitializeCluster cluster(Fuse fuse, Duration later) {
        VaultClients clients =
                (cluster, node) -> fused(VaultClient.class, clients().at(cluster, node), fuse);
        PairSettings pair = Clusters.pair(home());
        return new InitializeCluster(
                pair,
                setup,
                new InitializeCluster.Ports(
                        new LeaderFinder(clients),
                        clients,
                        Login.by(aws.secretsManager(HOME)),
                        this::wipe,
                        secret(HOME, STATE, fuse),
                        List.of(secret(HOME, KEYS, fuse), secret(DR, KEYS, fuse)),
                        List.of(logins(HOME, fuse), logins(DR, fuse)),
                        pages),
                published::addAll,
                Clock.offset(Clock.systemUTC(), later));
    }

    private StoredSecret secret(String region, String name, Fuse fuse) {
        return fused(
                StoredSecret.class,
                new SecretsManagerSecret(region, aws.secretsManager(region), name),
                fuse);
    }

    private LoginSecrets logins(String region, Fuse fuse) {
        return fused(
                LoginSecrets.class,
                new SecretsManagerLogins(
                        region, aws.secretsManager(region), LOGIN, Set.copyOf(setup.intents())),
                fuse);
    }

    /** Blows the fuse after each call that changes something. */
    private static <T> T fused(Class<T> port, T real, Fuse fuse) {
        Map<String, Integer> puts = new HashMap<>();
        return port.cast(
                Proxy.newProxyInstance(
                        port.getClassLoader(),
                        new Class<?>[] {port},
                        (proxy, method, arguments) -> {
                            Object answer;
                            try {
                                answer = method.invoke(real, arguments);
                            } catch (InvocationTargetException e) {
                                throw e.getCause();
                            }
                            switch (method.getName()) {
                                case "initialize", "revokeSelf" -> fuse.after(method.getName());
                                case "write" -> fuse.after("write " + kind((String) arguments[1]));
                                case "put" -> {
                                    String what =
                                            real instanceof SecretsManagerSecret secret
                                                    ? (secret.name().equals(STATE)
                                                                    ? "state"
                                                                    : "keys")
                                                            + " "
                                                            + secret.region()
                                                    : "login " + ((LoginSecrets) real).region();
                                    int count = puts.merge(what, 1, Integer::sum);
                                    fuse.after(
                                            what.startsWith("login")
                                                    ? what
                                                    : List.of("1st", "2nd", "3rd").get(count - 1)
                                                            + " "
                                                            + what);
                                }
                                default -> {}
                            }
                            return answer;
                        }));
    }

    /** The paths without the intents' names. */
    private static String kind(String path) {
        return path.replaceAll("vault-dr-[a-z]+", "INTENT");
    }

    private static VaultClients clients() {
        return new HttpVaultClients(_ -> Optional.empty(), HttpVaultClients.Limits.DEFAULT);
    }

    private PairSettings.Cluster home() {
        return Clusters.made(servers.addresses(), audit().toString());
    }
}
