package io.vaultdr.cli;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpServer;

import io.vaultdr.model.Failure;
import io.vaultdr.model.Secret;
import io.vaultdr.testing.BaoCluster;
import io.vaultdr.testing.Clusters;
import io.vaultdr.testing.Eventually;
import io.vaultdr.vault.HttpVaultClients;
import io.vaultdr.vault.VaultClient;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/** One secret out of a snapshot: into a file, and back into a real server. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class RestoreOnlyIT {
    private static final String OBJECT =
            """
            {"snapshot":"payments-1","takenAt":"2026-03-01T03:00:00Z","path":"secret/team/db",
             "mount":"secret","requestedBy":"Ada","metadata":{},"versions":[
             {"data":{"user":"old"},"metadata":{"version":1,"created_time":"2026-02-01T00:00:00Z"}},
             {"data":{"user":"app","password":"hunter2","port":5432},
              "metadata":{"version":2,"created_time":"2026-02-02T00:00:00Z"}}]}
            """;

    private final BaoCluster cluster = BaoCluster.running(1);
    private final VaultClient node =
            new HttpVaultClients(any -> Optional.empty(), HttpVaultClients.Limits.DEFAULT)
                    .at(Clusters.of(cluster.addresses()), cluster.addresses().getFirst());
    private StringWriter told = new StringWriter();

    @BeforeAll
    void mount() {
        cluster.call("POST", "sys/mounts/secret", Map.of("type", "kv-v2")).expect();
        Eventually.await(
                "the engine is ready",
                Duration.ofSeconds(20),
                () -> put("ready", Map.of("n", 1)).status() == 200);
    }

    @AfterAll
    void end() {
        cluster.close();
    }

    @BeforeEach
    void nothingThere() {
        cluster.call("DELETE", "secret/metadata/team/db", null).expect();
        told = new StringWriter();
    }

    @Test
    void aDeletedSecretComesBack() {
        assertEquals(Exit.EXPECTED, writeBack(false, "secret/team/db"::equals));

        assertEquals(
                "{\"password\":\"hunter2\",\"port\":5432,\"user\":\"app\"}",
                cluster.call("GET", "secret/data/team/db", null)
                        .expect()
                        .data()
                        .path("data")
                        .toString());
        assertAll(
                () -> assertTrue(told.toString().contains("against nothing"), told.toString()),
                () -> assertTrue(told.toString().contains("  + password\n"), told.toString()),
                () -> assertTrue(!told.toString().contains("hunter2"), told.toString()));
    }

    @Test
    void theDifferenceIsShownByKeysAndOnRequestByValues() {
        put("team/db", Map.of("user", "app", "password", "changed", "more", "x")).expect();

        assertEquals(Exit.NEGATIVE, writeBack(true, _ -> false));

        String text = told.toString();
        assertAll(
                () -> assertTrue(text.contains("  - more: \"x\" → nothing"), text),
                () -> assertTrue(text.contains("  ~ password: \"changed\" → \"hunter2\""), text),
                () -> assertTrue(text.contains("  + port: nothing → 5432"), text),
                () -> assertTrue(!text.contains("user"), text));
        assertEquals(1, version());
    }

    @Test
    void whatIsTheSameIsNotWritten() {
        put("team/db", Map.of("user", "app", "password", "hunter2", "port", 5432)).expect();
        assertEquals(Exit.EXPECTED, writeBack(false, _ -> false));
        assertEquals(1, version());
    }

    /** While the operator looks at the difference. */
    @Test
    void whatSomebodyWroteMeanwhileIsNotWrittenOver() {
        put("team/db", Map.of("user", "app")).expect();

        assertThrows(
                Failure.class,
                () ->
                        writeBack(
                                false,
                                _ -> put("team/db", Map.of("user", "newer")).status() == 200));

        assertEquals(2, version());
    }

    @Test
    void aSecretWithoutDataIsSaid() {
        RestoreOnly.Recovered empty =
                RestoreOnly.parse(
                        "{\"mount\":\"secret\",\"path\":\"secret/a\",\"versions\":[]}"
                                .getBytes(StandardCharsets.UTF_8));
        assertThrows(
                Unusable.class, () -> restore().writeBack(empty, node, token(), false, _ -> true));
    }

    @Test
    void whatIsNoRecoveredSecretIsRefusedWithoutQuotingIt() {
        for (String object : List.of("hunter2", "{}", "{\"mount\":\"a\",\"path\":\"b/c\"}")) {
            Failure failure =
                    assertThrows(
                            Failure.Terminal.class,
                            () -> RestoreOnly.parse(object.getBytes(StandardCharsets.UTF_8)));
            assertTrue(!failure.toString().contains("hunter2"), failure::toString);
        }
    }

    /** From the command's arguments to the file, with a server that answers as AWS does. */
    @Test
    void theCommandLeavesAFileOfItsOwnerAlone(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("db.json");
        Run run = run("RECOVERED", "--to", file.toString());
        Run again = run("RECOVERED", "--to", file.toString());
        Run shown = run("RECOVERED", "--to", "-");
        assertAll(
                () -> assertEquals(Exit.EXPECTED, run.exit(), run.err()),
                () ->
                        assertEquals(
                                "rw-------",
                                PosixFilePermissions.toString(Files.getPosixFilePermissions(file))),
                () -> assertTrue(Files.readString(file).contains("hunter2")),
                () -> assertTrue(!run.out().contains("hunter2"), run.out()),
                () -> assertEquals(Exit.UNUSABLE, again.exit(), again.err()),
                () -> assertTrue(again.err().contains("is there already"), again.err()),
                () -> assertTrue(shown.out().contains("hunter2"), shown.out()));
    }

    @Test
    void nothingThereIsANegativeAnswer(@TempDir Path folder) throws Exception {
        Run run = run("NOTHING_THERE", "--to", folder.resolve("db.json").toString());
        assertEquals(Exit.NEGATIVE, run.exit(), run.err());
        assertTrue(run.out().contains("look in an older one"), run.out());
    }

    @Test
    void whatCantBeUsedIsSaidBeforeAnythingIsCalled() {
        for (String[] call :
                List.of(
                        new String[] {"restore", "payments"},
                        new String[] {"restore", "--only", "secret/a", "payments"},
                        new String[] {"restore", "--only", "secret/a", "--from", "x", "payments"},
                        new String[] {"restore", "x", "payments", "--into", "both"})) {
            Run run = Run.of(call);
            assertEquals(Exit.UNUSABLE, run.exit(), run.err());
            assertEquals(1, run.err().lines().count(), run.err());
        }
    }

    private static Run run(String outcome, String... more) throws Exception {
        HttpServer aws =
                HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        aws.createContext(
                "/",
                exchange -> {
                    String path = exchange.getRequestURI().getPath();
                    String body =
                            path.contains("/functions/")
                                    ? "{\"outcome\":\"%s\",\"bucket\":\"kept\",\"key\":\"recovered/r-1\",\"detail\":\"look in an older one\"}"
                                            .formatted(outcome)
                                    : path.equals("/kept/recovered/r-1")
                                            ? OBJECT
                                            : """
                                            <GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
                                            <GetCallerIdentityResult><Account>111122223333</Account></GetCallerIdentityResult>
                                            </GetCallerIdentityResponse>
                                            """;
                    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
                    exchange.sendResponseHeaders(200, bytes.length);
                    exchange.getResponseBody().write(bytes);
                    exchange.close();
                });
        aws.start();
        Map<String, String> properties =
                Map.of(
                        "aws.endpointUrl",
                        "http://127.0.0.1:" + aws.getAddress().getPort(),
                        "aws.accessKeyId",
                        "test",
                        "aws.secretAccessKey",
                        "test");
        properties.forEach(System::setProperty);
        try {
            List<String> call =
                    new java.util.ArrayList<>(
                            List.of(
                                    "restore",
                                    "--only",
                                    "secret/team/db",
                                    "--from",
                                    "payments-1",
                                    "--config",
                                    System.getProperty("vaultdr.root")
                                            + "/infra-cdk/examples/automatic.yaml",
                                    "payments"));
            call.addAll(List.of(more));
            return Run.of(call.toArray(String[]::new));
        } finally {
            properties.keySet().forEach(System::clearProperty);
            aws.stop(0);
        }
    }

    private int writeBack(boolean values, Predicate<String> confirmed) {
        return restore()
                .writeBack(
                        RestoreOnly.parse(OBJECT.getBytes(StandardCharsets.UTF_8)),
                        node,
                        token(),
                        values,
                        confirmed);
    }

    private RestoreOnly restore() {
        return new RestoreOnly(new PrintWriter(told));
    }

    private Secret token() {
        return Secret.of(cluster.rootToken());
    }

    private io.vaultdr.testing.BaoServer.Answer put(String path, Map<String, ?> data) {
        return cluster.call("POST", "secret/data/" + path, Map.of("data", data));
    }

    private long version() {
        return cluster.call("GET", "secret/data/team/db", null)
                .expect()
                .data()
                .path("metadata")
                .path("version")
                .asLong();
    }
}
