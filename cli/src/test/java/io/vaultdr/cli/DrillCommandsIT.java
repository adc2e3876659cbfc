package io.vaultdr.cli;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpServer;

import io.vaultdr.runtime.Json;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/** {@code drill} and {@code drill verify} against a server that answers as AWS does. */
class DrillCommandsIT {
    private static final String MACHINE =
            "arn:aws:states:eu-central-1:123456789012:stateMachine:vault-dr-payments-drill";
    private static final String EXECUTION =
            "arn:aws:states:eu-central-1:123456789012:execution:vault-dr-payments-drill:d1";
    private static final List<String> PROPERTIES =
            List.of("aws.endpointUrl", "aws.accessKeyId", "aws.secretAccessKey");

    private final List<JsonNode> started = new ArrayList<>();
    private final KeyPair key = keys();
    private String outcome = "MET";
    private String status = "SUCCEEDED";
    private HttpServer aws;

    @BeforeEach
    void start() throws IOException {
        aws = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        aws.createContext(
                "/",
                exchange -> {
                    String body =
                            new String(
                                    exchange.getRequestBody().readAllBytes(),
                                    StandardCharsets.UTF_8);
                    String target =
                            String.valueOf(exchange.getRequestHeaders().getFirst("X-Amz-Target"));
                    byte[] answer =
                            answer(target.replaceFirst(".*\\.", ""), body)
                                    .getBytes(StandardCharsets.UTF_8);
                    exchange.sendResponseHeaders(answer.length == 0 ? 404 : 200, answer.length);
                    exchange.getResponseBody().write(answer);
                    exchange.close();
                });
        aws.start();
        System.setProperty("aws.endpointUrl", "http://127.0.0.1:" + aws.getAddress().getPort());
        System.setProperty("aws.accessKeyId", "test");
        System.setProperty("aws.secretAccessKey", "test");
    }

    @AfterEach
    void stop() {
        aws.stop(0);
        PROPERTIES.forEach(System::clearProperty);
    }

    private String answer(String operation, String body) throws IOException {
        return switch (operation) {
            case "StartExecution" -> {
                started.add(Json.MAPPER.readTree(body));
                yield "{\"executionArn\":\"%s\",\"startDate\":1772334000}".formatted(EXECUTION);
            }
            case "DescribeExecution" ->
                    Json.MAPPER
                            .createObjectNode()
                            .put("executionArn", EXECUTION)
                            .put("status", status)
                            .put(
                                    "output",
                                    "{\"outcome\":\"%s\",\"report\":\"s3://drills/drills/d1/report.json\",\"findings\":[\"Seen.\"]}"
                                            .formatted(outcome))
                            .toString();
            case "GetExecutionHistory" ->
                    Json.MAPPER
                            .createObjectNode()
                            .set("events", Json.MAPPER.createArrayNode().add(exited("payments-1")))
                            .toString();
            case "GetPublicKey" ->
                    "{\"PublicKey\":\"%s\"}"
                            .formatted(
                                    Base64.getEncoder()
                                            .encodeToString(key.getPublic().getEncoded()));
            case "GetCallerIdentity" -> "";
            default -> "";
        };
    }

    private static JsonNode exited(String snapshot) {
        return Json.MAPPER
                .createObjectNode()
                .put("id", 1)
                .put("timestamp", 1772334000)
                .put("type", "TaskStateExited")
                .set(
                        "stateExitedEventDetails",
                        Json.MAPPER
                                .createObjectNode()
                                .put("name", "Begin")
                                .put("output", "{\"snapshot\":\"" + snapshot + "\"}"));
    }

    @ParameterizedTest
    @CsvSource({"MET, 0", "GOALS_MISSED, 1", "STOPPED_BY_INCIDENT, 1", "REFUSED, 1", "FAILED, 3"})
    void theOutcomeIsTheExitCode(String how, int exit) {
        outcome = how;
        Run run = Run.of("drill", "payments", "--state-machine", MACHINE, "--by", "Ada");
        assertAll(
                () -> assertEquals(exit, run.exit(), run.err()),
                () -> assertTrue(run.out().contains("taking   payments-1"), run.out()),
                () -> assertTrue(run.out().contains("outcome  " + how), run.out()),
                () -> assertTrue(run.out().contains("Seen."), run.out()),
                () ->
                        assertEquals(
                                "{\"requestedBy\":\"Ada\"}",
                                started.getFirst().path("input").asText()));
    }

    @Test
    void asJsonItIsOneLine() {
        Run run = Run.of("drill", "payments", "--state-machine", MACHINE, "--json");
        assertEquals(1, run.out().lines().count(), run.out());
    }

    @Test
    void anExecutionThatWroteNoReportFailed() {
        status = "TIMED_OUT";
        Run run = Run.of("drill", "payments", "--state-machine", MACHINE);
        assertAll(
                () -> assertEquals(Exit.FAILED, run.exit()),
                () -> assertTrue(run.err().contains("TIMED_OUT and wrote no report"), run.err()));
    }

    @Test
    void aPairOnTheFirstRungHasNoDrills() {
        Run run =
                Run.of(
                        "drill",
                        "payments",
                        "--config",
                        System.getProperty("vaultdr.root") + "/infra-cdk/examples/backup.yaml");
        assertAll(
                () -> assertEquals(Exit.UNUSABLE, run.exit()),
                () -> assertTrue(run.err().contains("stage backup has no drills"), run.err()));
    }

    @Test
    void whatIsNoMachineIsNotStarted() {
        Run run = Run.of("drill", "payments", "--state-machine", "payments");
        assertAll(
                () -> assertEquals(Exit.UNUSABLE, run.exit()), () -> assertTrue(started.isEmpty()));
    }

    @Test
    void aReportIsVerifiedOfflineAndByKms(@TempDir Path folder) throws Exception {
        Path report = signed(folder, report());
        Path pem =
                Files.writeString(
                        folder.resolve("public.pem"),
                        "-----BEGIN PUBLIC KEY-----\n"
                                + Base64.getMimeEncoder()
                                        .encodeToString(key.getPublic().getEncoded())
                                + "\n-----END PUBLIC KEY-----\n");
        Run offline = Run.of("drill", "verify", report.toString(), "--public-key", pem.toString());
        Run byKms = Run.of("drill", "verify", report.toString());
        assertAll(
                () -> assertEquals(Exit.EXPECTED, offline.exit(), offline.err()),
                () -> assertEquals("genuine  " + report, offline.out().strip()),
                () -> assertEquals(Exit.EXPECTED, byKms.exit(), byKms.err()),
                () ->
                        assertTrue(
                                byKms.out().contains("make sure that this key is yours"),
                                byKms.out()));
    }

    @Test
    void whatWasAlteredIsTold(@TempDir Path folder) throws Exception {
        Path report = signed(folder, report());
        Files.writeString(report, Files.readString(report).replace("MET", "FAILED"));
        Path der = Files.write(folder.resolve("public.der"), key.getPublic().getEncoded());
        Run run = Run.of("drill", "verify", report.toString(), "--public-key", der.toString());
        assertAll(
                () -> assertEquals(Exit.NEGATIVE, run.exit(), run.err()),
                () -> assertTrue(run.out().contains("'outcome' was changed"), run.out()));
    }

    @Test
    void missingFilesAreSaid(@TempDir Path folder) throws Exception {
        Run none = Run.of("drill", "verify", folder.resolve("none.json").toString());
        Path report = Files.writeString(folder.resolve("report.json"), "{}");
        Run unsigned = Run.of("drill", "verify", report.toString());
        Files.write(folder.resolve("report.json.sig"), new byte[8]);
        Run keyless = Run.of("drill", "verify", report.toString());
        assertAll(
                () -> assertEquals(Exit.UNUSABLE, none.exit()),
                () -> assertTrue(none.err().contains("expected a drill's report"), none.err()),
                () -> assertEquals(Exit.UNUSABLE, unsigned.exit()),
                () -> assertTrue(unsigned.err().contains("signature"), unsigned.err()),
                () -> assertEquals(Exit.UNUSABLE, keyless.exit()),
                () -> assertTrue(keyless.err().contains("--key"), keyless.err()));
    }

    /** The hash is that of the value {@code "MET"}, quotes included. */
    private static String report() {
        return """
        {
          "outcome" : "MET",
          "sections" : {
            "outcome" : "%s",
            "signingKey" : "%s"
          },
          "signingKey" : "arn:aws:kms:eu-central-1:123456789012:key/k"
        }
        """
                .formatted(
                        sha256("\"MET\""),
                        sha256("\"arn:aws:kms:eu-central-1:123456789012:key/k\""));
    }

    private static String sha256(String text) {
        try {
            return java.util.HexFormat.of()
                    .formatHex(
                            java.security.MessageDigest.getInstance("SHA-256")
                                    .digest(text.getBytes(StandardCharsets.UTF_8)));
        } catch (java.security.GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }

    private Path signed(Path folder, String report) throws Exception {
        Path file = Files.writeString(folder.resolve("report.json"), report);
        Signature signer = Signature.getInstance("SHA256withECDSA");
        signer.initSign(key.getPrivate());
        signer.update(report.getBytes(StandardCharsets.UTF_8));
        Files.write(folder.resolve("report.json.sig"), signer.sign());
        return file;
    }

    private static KeyPair keys() {
        try {
            KeyPairGenerator keys = KeyPairGenerator.getInstance("EC");
            keys.initialize(256);
            return keys.generateKeyPair();
        } catch (java.security.GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }
}
