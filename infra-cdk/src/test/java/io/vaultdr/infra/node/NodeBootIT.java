package io.vaultdr.infra.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

import io.vaultdr.infra.node.Machine.Run;
import io.vaultdr.model.Failure;
import io.vaultdr.model.Secret;
import io.vaultdr.runtime.Json;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.testing.Clusters;
import io.vaultdr.testing.Environment;
import io.vaultdr.testing.Eventually;
import io.vaultdr.testing.Moto;
import io.vaultdr.testing.Ports;
import io.vaultdr.testing.TestTls;
import io.vaultdr.vault.HttpVaultClients;
import io.vaultdr.vault.HttpVaultClients.Limits;
import io.vaultdr.vault.VaultClient;
import io.vaultdr.vault.VaultClient.NodeStatus;
import io.vaultdr.vault.VaultClient.RaftServer;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** What a node does at boot, as the image runs it: real servers, moto, its own loopback address. */
class NodeBootIT {
    private static final String NAME = "vault.internal";
    private static final String DR = "eu-central-1";
    private static final String WITNESS = "eu-north-1";
    @TempDir private static Path shared;
    private static Moto moto;
    private static TestTls tls;
    private static TestTls renewed;
    private static Path sealKey;

    @TempDir private Path directory;
    private final List<Machine> machines = new ArrayList<>();

    @BeforeAll
    static void startMoto() throws IOException {
        moto = Moto.start();
        tls = TestTls.in(shared.resolve("tls"), NAME);
        renewed = TestTls.in(shared.resolve("renewed"), NAME);
        byte[] key = new byte[32];
        new SecureRandom().nextBytes(key);
        sealKey = Files.write(shared.resolve("seal.key"), key);
        secret("payments/tls", tlsSecret(tls));
        Marks.buckets(moto, DR, WITNESS);
    }

    @AfterAll
    static void endMoto() {
        moto.close();
    }

    @AfterEach
    void endMachines() {
        machines.forEach(Machine::close);
    }

    private Machine machine(String id, String address) {
        Machine machine = new Machine(moto, directory.resolve(id), id, address);
        machines.add(machine);
        return machine;
    }

    private Machine machine() {
        return machine("i-" + Long.toHexString(System.nanoTime()), "127.0.0.1");
    }

    private static void secret(String name, String value) {
        moto.clients()
                .secretsManager(Machine.REGION)
                .createSecret(it -> it.name(name).secretString(value));
    }

    private static String tlsSecret(TestTls tls) throws IOException {
        ObjectNode secret = Json.MAPPER.createObjectNode();
        secret.put("certificate", Files.readString(tls.certificate()));
        secret.put("private_key", Files.readString(tls.key()));
        secret.put("ca", tls.caPem());
        return Json.MAPPER.writeValueAsString(secret);
    }

    private static VaultClient client(URI address) {
        PairSettings.Cluster cluster = Clusters.of(List.of(address), Optional.of(NAME));
        return new HttpVaultClients(any -> Optional.of(tls.caPem()), Limits.DEFAULT)
                .at(cluster, address);
    }

    private static Optional<NodeStatus> status(VaultClient node) {
        try {
            return Optional.of(node.health().meaning());
        } catch (Failure e) {
            return Optional.empty();
        }
    }

    private static Optional<Boolean> is(NodeStatus wanted, VaultClient node) {
        return status(node).filter(wanted::equals).map(it -> true);
    }

    @Test
    void twoBlankNodesBecomeOneClusterWhoseMembersAreTheirInstances() throws Exception {
        int port = Ports.free();
        Machine first = machine("i-0aaa", "127.0.0.2");
        Machine second = machine("i-0bbb", "127.0.0.3");
        for (Machine machine : List.of(first, second)) {
            ObjectNode settings = machine.settings(port, sealKey);
            ((ArrayNode) settings.at("/join/addresses"))
                    .add("https://127.0.0.2:" + port)
                    .add("https://127.0.0.3:" + port);
            Run run = machine.told(settings).boot();
            assertEquals(0, run.status(), run.output());
            assertTrue(machine.active());
            assertEquals("started", run.lines().getLast().path("event").asText());
            assertEquals("payments", run.lines().getLast().path("pair").asText());
        }
        // Its own address isn't among those that it asks.
        JsonNode joins = first.configuration().at("/storage/raft/retry_join");
        assertEquals(1, joins.size());
        assertEquals("https://127.0.0.3:" + port, joins.at("/0/leader_api_addr").asText());

        VaultClient one = client(URI.create("https://127.0.0.2:" + port));
        VaultClient other = client(URI.create("https://127.0.0.3:" + port));
        first.serve();
        second.serve();
        first.await("a blank server", () -> is(NodeStatus.NOT_INITIALISED, one));
        Secret token = one.initialize(1, 1).rootToken();
        first.await("an active server", () -> is(NodeStatus.ACTIVE, one));
        second.await("a standby", () -> is(NodeStatus.STANDBY, other));
        assertEquals(List.of("i-0aaa", "i-0bbb"), members(one, token));
        assertEquals(
                Optional.of(first.directory().resolve("audit/audit.log").toString()),
                Objects.requireNonNull(one.auditDevices(token).get("file/")).filePath());
        assertTrue(Files.size(first.directory().resolve("audit/audit.log")) > 0);

        metricsAreToldOnThisMachineOnly(first, port);
        aSecondBootChangesNothing(second);

        second.stop();
        second.serve();
        second.await("a standby again", () -> is(NodeStatus.STANDBY, other));
        assertEquals(List.of("i-0aaa", "i-0bbb"), members(one, token));
        String log = Files.readString(first.directory().resolve("server.log"));
        for (String trouble : List.of("unknown or unsupported field", "error starting listener")) {
            assertFalse(log.contains(trouble), trouble);
        }
    }

    private static List<String> members(VaultClient node, Secret token) {
        return node.raftConfiguration(token).stream().map(RaftServer::nodeId).sorted().toList();
    }

    private static void metricsAreToldOnThisMachineOnly(Machine machine, int port)
            throws Exception {
        try (HttpClient http = HttpClient.newHttpClient()) {
            String local = "http://" + machine.metrics() + "/v1/sys/";
            HttpRequest ask =
                    HttpRequest.newBuilder(URI.create(local + "metrics?format=prometheus")).build();
            var answer = http.send(ask, BodyHandlers.ofString());
            assertEquals(200, answer.statusCode());
            assertTrue(answer.body().contains("core_unsealed"), answer.body());
            HttpRequest other = HttpRequest.newBuilder(URI.create(local + "health")).build();
            assertEquals(404, http.send(other, BodyHandlers.discarding()).statusCode());
        }
        VaultClient node = client(URI.create("https://127.0.0.2:" + port));
        Failure refused =
                assertThrows(Failure.class, () -> node.read(Secret.of("none"), "sys/metrics"));
        assertTrue(refused.toString().contains("403"), refused::toString);
    }

    private static void aSecondBootChangesNothing(Machine machine) throws Exception {
        Map<Path, FileTime> before = changes(machine.etc());
        Run again = machine.boot();
        assertEquals(0, again.status(), again.output());
        assertEquals("runs", again.lines().getLast().path("event").asText());
        assertEquals(before, changes(machine.etc()));
        assertFalse(machine.calls().contains("reload " + Machine.UNIT));
    }

    private static Map<Path, FileTime> changes(Path place) throws IOException {
        Map<Path, FileTime> all = new TreeMap<>();
        try (Stream<Path> files = Files.walk(place)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                all.put(file, Files.getLastModifiedTime(file));
            }
        }
        return all;
    }

    @Test
    void theFilesAreTheUnitsUsersAndNothingOfASecretIsPrinted() throws Exception {
        secret("payments/renewed", tlsSecret(tls));
        Machine machine = machine();
        ObjectNode settings = machine.settings(8200, sealKey).put("tlsSecret", "payments/renewed");
        Run run = machine.told(settings).boot();
        assertEquals(0, run.status(), run.output());
        for (String file : List.of("certificate", "private_key", "ca")) {
            assertMode("rw-------", machine.etc().resolve("tls/" + file + ".pem"));
        }
        assertMode("rw-------", machine.directory().resolve("audit/audit.log"));
        assertMode("rwx------", machine.directory().resolve("data"));
        assertEquals(
                List.of("certificate.pem", "private_key.pem", "ca.pem").stream().sorted().toList(),
                names(machine.etc().resolve("tls")));
        JsonNode listener = machine.configuration().at("/listener/0/tcp");
        assertEquals("900s", listener.path("http_read_timeout").asText());
        assertEquals("900s", listener.path("http_write_timeout").asText());

        // A renewed certificate is taken over by a server that runs.
        String value = tlsSecret(renewed);
        moto.clients()
                .secretsManager(Machine.REGION)
                .putSecretValue(it -> it.secretId("payments/renewed").secretString(value));
        Run second = machine.boot();
        assertEquals(0, second.status(), second.output());
        assertTrue(machine.calls().contains("reload " + Machine.UNIT));
        assertEquals(
                Files.readString(renewed.key()),
                Files.readString(machine.etc().resolve("tls/private_key.pem")));

        for (TestTls secret : List.of(tls, renewed)) {
            String line = Files.readAllLines(secret.key()).get(1);
            assertFalse(run.output().contains(line));
            assertFalse(second.output().contains(line));
        }
    }

    private static List<String> names(Path place) throws IOException {
        try (Stream<Path> files = Files.list(place)) {
            return files.map(it -> it.getFileName().toString()).sorted().toList();
        }
    }

    private static void assertMode(String expected, Path file) throws IOException {
        assertEquals(
                expected,
                PosixFilePermissions.toString(Files.getPosixFilePermissions(file)),
                file.toString());
    }

    @Test
    void aMarkWhereverItStandsKeepsTheServerFromStarting() throws Exception {
        Machine machine = machine();
        ObjectNode settings = machine.settings(8200, sealKey);
        Marks.in(settings).may(DR, Marks.bucket(DR)).may(WITNESS, Marks.bucket(WITNESS));
        machine.told(settings);
        for (String region : List.of(DR, WITNESS)) {
            Marks.put(moto, region, 7);
            Run refused = machine.boot();
            Marks.remove(moto, region);

            assertEquals(11, refused.status(), refused.output());
            String message = refused.line("quarantined").path("message").asText();
            assertTrue(message.contains(region) && message.contains("payments-7"), message);
            assertFalse(machine.active());
            // Nothing was read or written that only a server that starts needs.
            assertFalse(Files.exists(machine.etc().resolve("tls")));
        }
        Run run = machine.boot();
        assertEquals(0, run.status(), run.output());
        assertTrue(run.said("no-mark"));
    }

    @Test
    void aMarkCountsBesideAPlaceThatCantBeRead() throws Exception {
        Machine machine = machine();
        ObjectNode settings = machine.settings(8200, sealKey);
        Marks.in(settings).may(DR, "not-there").may(WITNESS, Marks.bucket(WITNESS));
        machine.told(settings.put("selfFence", true));

        // One that can be read and holds none is enough.
        Run run = machine.boot();
        assertEquals(0, run.status(), run.output());
        assertTrue(run.line("mark-unreadable").path("message").asText().contains("NoSuchBucket"));

        Marks.put(moto, WITNESS, 8);
        Run refused = machine.boot();
        Marks.remove(moto, WITNESS);
        assertEquals(11, refused.status(), refused.output());
    }

    @Test
    void whereNoneCanBeReadSelfFenceDecides() throws Exception {
        Machine machine = machine();
        try (Paged paged = new Paged(moto, Machine.REGION, "pages")) {
            ObjectNode settings = machine.settings(8200, sealKey).put("pages", paged.topic());
            Marks.in(settings).may(DR, "not-there").may(WITNESS, "nor-there");

            Run refused = machine.told(settings.put("selfFence", true)).boot();
            assertEquals(12, refused.status(), refused.output());
            assertFalse(machine.active());
            assertEquals(List.of(), paged.pages());

            Run started = machine.told(settings.put("selfFence", false)).boot();
            assertEquals(0, started.status(), started.output());
            assertTrue(machine.active());
            assertTrue(started.said("paged"));
            assertEquals(1, paged.pages().size());
            assertTrue(paged.pages().getFirst().contains("node-quarantined.md"));

            // A topic that doesn't answer keeps nobody from serving.
            settings.put("pages", paged.topic() + "-gone");
            Run unpaged = machine.told(settings).boot();
            assertEquals(0, unpaged.status(), unpaged.output());
            assertTrue(unpaged.said("page-unsent"));
        }
    }

    @Test
    void anAwsThatIsAwayIsToldWithinItsLimit() throws Exception {
        Machine machine = machine();
        machine.told(machine.settings(8200, sealKey));
        Run away = machine.boot(Map.of("AWS_ENDPOINT_URL", "http://127.0.0.1:" + Ports.free()));
        assertEquals(13, away.status(), away.output());
        assertTrue(
                away.line("parameter-away").path("message").asText().contains("EndpointConnection"),
                away.output());
        Run alone =
                machine.boot(
                        Map.of(
                                "AWS_EC2_METADATA_SERVICE_ENDPOINT",
                                "http://127.0.0.1:" + Ports.free()));
        assertEquals(13, alone.status(), alone.output());
        assertTrue(alone.said("metadata-away"));
    }

    @Test
    void allMistakesOfAParameterAreToldAtOnce() throws Exception {
        Machine machine = machine();
        Run run =
                machine.told(
                                """
                                {"side": "left", "region": 5, "edition": "consul", "unit": "a b",
                                 "serverName": "https://x", "apiPort": "8200", "clusterPort": 70000,
                                 "dataDirectory": "data", "auditFile": "/", "tlsSecret": "",
                                 "seal": {"type": "shamir"},
                                 "join": {"tagKey": "a", "addresses": []},
                                 "quarantine": [{"region": "eu-west-1", "key": "quarantine/"}],
                                 "selfFence": "yes", "readTimeoutSeconds": 1.5, "pages": "me"}
                                """)
                        .boot();
        assertEquals(10, run.status(), run.output());
        String message = run.line("wrong-settings").path("message").asText();
        for (String expected :
                List.of(
                        "pair: read nothing, expected a name",
                        "side: read \"left\", expected home or dr",
                        "region: read 5, expected a name",
                        "edition: read \"consul\", expected openbao or vault",
                        "unit: read \"a b\", expected the name of a systemd unit",
                        "serverName: read \"https://x\", expected a host name",
                        "apiPort: read \"8200\", expected a port",
                        "clusterPort: read 70000, expected a port",
                        "dataDirectory: read \"data\", expected an absolute path",
                        "auditFile: read \"/\", expected an absolute path",
                        "tlsSecret: read \"\", expected a name",
                        "seal.type: read \"shamir\", expected awskms or static",
                        "join: read {\"tagKey\": \"a\", \"addresses\": []}, expected either",
                        "quarantine[0].bucket: read nothing, expected a name",
                        "quarantine[0].key: read \"quarantine/\", expected an object's key",
                        "selfFence: read \"yes\", expected true or false",
                        "readTimeoutSeconds: read 1.5, expected seconds, 30 to 86400",
                        "pages: read \"me\", expected a topic's ARN",
                        "Deploy the pair's Cluster stack again")) {
            assertTrue(message.contains(expected), () -> expected + " isn't in " + message);
        }
        assertFalse(machine.active());
        assertFalse(Files.exists(machine.etc()));
    }

    @Test
    void whatDoesntGoTogetherInAParameterIsToldToo() throws Exception {
        Machine machine = machine();
        ObjectNode settings = machine.settings(8200, sealKey);
        settings.put("clusterPort", 8200).put("licenceSecret", "l").put("selfFence", true);
        ((ArrayNode) settings.at("/join/addresses")).add("http://10.0.0.1:8200").add(5);
        String openbao = wrong(machine.told(settings));
        assertTrue(openbao.contains("clusterPort: read 8200, expected another port"), openbao);
        assertTrue(openbao.contains("licenceSecret: read \"l\", expected none"), openbao);
        assertTrue(openbao.contains("selfFence: read true, expected false where"), openbao);
        assertTrue(openbao.contains("join.addresses[0]: read \"http://10.0.0.1:8200\""), openbao);
        assertTrue(openbao.contains("join.addresses[1]: read 5, expected https"), openbao);

        String vault = wrong(machine.told(machine.settings(8200, sealKey).put("edition", "VAULT")));
        assertTrue(vault.contains("seal.type: read \"static\", expected awskms"), vault);

        ObjectNode plugin = machine.settings(8200, sealKey);
        plugin.putObject("seal")
                .put("type", "awskms")
                .put("region", "eu-west-1")
                .putObject("plugin")
                .put("path", "plugin")
                .put("sha256", "ABC");
        String seal = wrong(machine.told(plugin));
        assertTrue(seal.contains("seal.key: read nothing"), seal);
        assertTrue(seal.contains("seal.plugin.path: read \"plugin\""), seal);
        assertTrue(seal.contains("seal.plugin.sha256: read \"ABC\""), seal);

        String elsewhere =
                wrong(machine.told(machine.settings(8200, sealKey).put("region", "eu-west-3")));
        assertTrue(elsewhere.contains("region: read \"eu-west-3\", expected \"eu-west-1\""));
        assertTrue(wrong(machine.told("{")).contains("it is no JSON"));
        machine.tagged("/not/there");
        assertTrue(wrong(machine).contains("there is no parameter /not/there in eu-west-1"));
    }

    private static String wrong(Machine machine) throws Exception {
        Run run = machine.boot();
        assertEquals(10, run.status(), run.output());
        return run.line("wrong-settings").path("message").asText();
    }

    @Test
    void aTlsSecretThatWontDoIsToldBeforeAnythingIsReplaced() throws Exception {
        Machine machine = machine();
        ObjectNode settings = machine.settings(8200, sealKey);
        secret("payments/expired", tlsSecret(TestTls.ended(directory.resolve("old"), NAME)));
        secret("payments/no-json", "-----BEGIN PRIVATE KEY-----");
        ObjectNode mixed = (ObjectNode) Json.MAPPER.readTree(tlsSecret(tls));
        mixed.put("private_key", Files.readString(renewed.key()));
        secret("payments/mixed", mixed.toString());
        mixed.remove(List.of("private_key", "ca"));
        secret("payments/half", mixed.toString());
        Map<String, String> expected =
                Map.of(
                        "payments/not-there", "ResourceNotFoundException",
                        "payments/expired", "certificate has expired",
                        "payments/no-json", "\"private_key\" isn't PEM",
                        "payments/mixed", "certificate and private key don't go together",
                        "payments/half", "\"ca\" isn't PEM of a certificate");
        for (var one : expected.entrySet()) {
            refusedTls(machine.told(settings.put("tlsSecret", one.getKey())), one.getValue());
        }
        settings.put("tlsSecret", "payments/tls").put("serverName", "elsewhere.internal");
        refusedTls(machine.told(settings), "certificate is not valid for 'elsewhere.internal'");
    }

    private static void refusedTls(Machine machine, String expected) throws Exception {
        Run run = machine.boot();
        assertEquals(14, run.status(), run.output());
        String message = run.lines().getLast().path("message").asText();
        assertTrue(message.contains(expected), message);
        assertTrue(message.contains("TLS secret payments/"), message);
        assertFalse(run.output().contains("BEGIN"), run.output());
        assertFalse(machine.active());
        assertFalse(Files.exists(machine.etc().resolve("tls/private_key.pem")));
        assertFalse(Files.exists(machine.etc().resolve("server.json")));
    }

    @Test
    void aVaultNodeGetsItsLicenceItsSealAndLooksForOthersByTag() throws Exception {
        secret("payments/licence", "02MV4UU43BK5");
        Machine machine = machine("i-0ccc", "127.0.0.4");
        ObjectNode settings = machine.settings(8200, sealKey).put("edition", "vault");
        settings.put("licenceSecret", "payments/licence").put("later", 1);
        settings.putObject("seal")
                .put("type", "awskms")
                .put("region", "eu-west-1")
                .put("key", "alias/vault-dr-payments-seal");
        settings.putObject("join").put("tagKey", "vault-dr").put("tagValue", "payments-home");
        Run run = machine.told(settings).boot();
        assertEquals(0, run.status(), run.output());
        assertTrue(run.line("unknown-fields").path("message").asText().contains("later"));
        assertFalse(run.output().contains("02MV4UU43BK5"));
        assertMode("rw-------", machine.etc().resolve("licence"));
        JsonNode configuration = machine.configuration();
        assertEquals(
                machine.etc().resolve("licence").toString(),
                configuration.path("license_path").asText());
        assertEquals(
                "provider=aws region=eu-west-1 tag_key=vault-dr tag_value=payments-home"
                        + " addr_type=private_v4",
                configuration.at("/storage/raft/retry_join/0/auto_join").asText());
        assertEquals(
                "alias/vault-dr-payments-seal",
                configuration.at("/seal/0/awskms/kms_key_id").asText());
        assertTrue(configuration.path("audit").isMissingNode());
    }

    @Test
    void aSealsPluginIsWhatTheServerStarts() throws Exception {
        Machine machine = machine("i-0ddd", "127.0.0.5");
        Path plugin = Files.writeString(directory.resolve("awskms"), "#!/bin/sh\nexit 7\n");
        assertTrue(plugin.toFile().setExecutable(true));
        ObjectNode settings = machine.settings(Ports.free(), sealKey);
        settings.putObject("seal")
                .put("type", "awskms")
                .put("region", "eu-west-1")
                .put("key", "alias/k")
                .putObject("plugin")
                .put("path", plugin.toString())
                .put("sha256", "0".repeat(64));
        Run run = machine.told(settings).boot();
        assertEquals(0, run.status(), run.output());

        machine.serve();

        // The server's own words: it found the plugin's block, and compares the hash.
        Path log = machine.directory().resolve("server.log");
        Eventually.await(
                "the server refuses a plugin with another hash",
                Duration.ofSeconds(60),
                () -> {
                    try {
                        return Files.readString(log).contains("checksum");
                    } catch (IOException e) {
                        return false;
                    }
                });
    }

    @Test
    void aUnitThatDoesntStartIsTold() throws Exception {
        Machine machine = machine();
        machine.told(machine.settings(8200, sealKey));
        Files.writeString(machine.directory().resolve("broken"), "");
        Run run = machine.boot();
        assertEquals(15, run.status(), run.output());
        String message = run.line("not-started").path("message").asText();
        assertTrue(message.contains("Job failed") && message.contains("journalctl"), message);
    }

    @Test
    void theProgramCompilesAndSaysHowItEnds() throws Exception {
        ProcessBuilder builder =
                new ProcessBuilder(
                                Environment.program("python").toString(),
                                "-W",
                                "error",
                                "-m",
                                "py_compile",
                                Machine.program().toString())
                        .redirectErrorStream(true);
        builder.environment().put("PYTHONPYCACHEPREFIX", directory.toString());
        Process process = builder.start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(process.waitFor(60, TimeUnit.SECONDS));
        assertEquals(0, process.exitValue(), output);
        String program = Files.readString(Machine.program());
        for (String code : List.of("10", "11", "12", "13", "14", "15")) {
            assertTrue(program.contains("\n    " + code + "  "), code);
        }
        assertTrue(program.lines().allMatch(line -> line.length() <= 100));
    }
}
