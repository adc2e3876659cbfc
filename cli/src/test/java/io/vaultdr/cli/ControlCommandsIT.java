package io.vaultdr.cli;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpServer;

import io.vaultdr.runtime.Json;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;

/** The commands against a server that answers as Lambda's Invoke does. */
class ControlCommandsIT {
    private static final List<String> PROPERTIES =
            List.of("aws.endpointUrlLambda", "aws.accessKeyId", "aws.secretAccessKey");

    private final List<String> calls = new CopyOnWriteArrayList<>();
    private int status = 200;
    private Map<String, String> headers = Map.of();
    private String body = "{\"result\":\"DONE\",\"message\":\"Done.\"}";
    private final List<String> regions = new CopyOnWriteArrayList<>();
    private HttpServer lambda;

    @BeforeEach
    void start() throws IOException {
        lambda = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        lambda.createContext(
                "/",
                exchange -> {
                    calls.add(
                            exchange.getRequestURI()
                                    + " "
                                    + new String(
                                            exchange.getRequestBody().readAllBytes(),
                                            StandardCharsets.UTF_8));
                    // Credential=<key>/<date>/<region>/lambda/aws4_request, which the SDK signs.
                    regions.add(
                            exchange.getRequestHeaders()
                                    .getFirst("Authorization")
                                    .split("/", -1)[2]);
                    headers.forEach(exchange.getResponseHeaders()::set);
                    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
                    exchange.sendResponseHeaders(status, bytes.length);
                    exchange.getResponseBody().write(bytes);
                    exchange.close();
                });
        lambda.start();
        System.setProperty(
                "aws.endpointUrlLambda", "http://127.0.0.1:" + lambda.getAddress().getPort());
        System.setProperty("aws.accessKeyId", "test");
        System.setProperty("aws.secretAccessKey", "test");
    }

    @AfterEach
    void stop() {
        lambda.stop(0);
        PROPERTIES.forEach(System::clearProperty);
    }

    @Test
    void statusAsksTheAliasThatMayOnlyRead() {
        body = "{\"result\":\"DONE\",\"serving\":\"home\"}";
        Run run = Run.of("status", "payments", "--region", "eu-central-1");
        assertAll(
                () -> assertEquals(Exit.EXPECTED, run.exit(), run.err()),
                () -> assertEquals("result   DONE\nserving  home\n", run.out()),
                () ->
                        assertEquals(
                                List.of(
                                        "/2015-03-31/functions/vault-dr-payments-control/invocations?Qualifier=read"
                                            + " {\"action\":\"status\"}"),
                                calls));
    }

    @Test
    void approvalNamesWhoWhyAndWhichIncident() throws Exception {
        Run run =
                Run.of(
                        "approve",
                        "payments",
                        "--region",
                        "eu-central-1",
                        "--incident",
                        "7",
                        "--by",
                        "Ada",
                        "--reason",
                        "home burns",
                        "--json");
        assertAll(
                () -> assertEquals(Exit.EXPECTED, run.exit(), run.err()),
                () -> assertTrue(calls.getFirst().contains("Qualifier=operate"), calls::toString),
                () ->
                        assertEquals(
                                Json.MAPPER.readTree(
                                        "{\"action\":\"approve\",\"by\":\"Ada\",\"reason\":\"home"
                                                + " burns\",\"epoch\":7}"),
                                Json.MAPPER.readTree(
                                        calls.getFirst()
                                                .substring(calls.getFirst().indexOf(' ')))));
    }

    @Test
    void whatTheFunctionCouldNotDoIsToldWithoutAStackTrace() {
        headers = Map.of("X-Amz-Function-Error", "Unhandled");
        body = "{\"errorMessage\":\"read the ledger: timed out\",\"stackTrace\":[\"at x\"]}";
        Run run = Run.of("pause", "payments", "--region", "eu-central-1", "--reason", "patching");
        assertAll(
                () -> assertEquals(Exit.FAILED, run.exit()),
                () -> assertTrue(run.err().contains("read the ledger: timed out"), run.err()),
                () -> assertEquals(1, run.err().lines().count(), run.err()));
    }

    @Test
    void aMissingFunctionSaysWhatToCheck() {
        status = 404;
        headers = Map.of("X-Amzn-ErrorType", "ResourceNotFoundException");
        body = "{\"Message\":\"Function not found\"}";
        Run run = Run.of("status", "payments", "--region", "eu-central-1");
        assertAll(
                () -> assertEquals(Exit.FAILED, run.exit()),
                () -> assertTrue(run.err().contains("no such function or alias"), run.err()));
    }

    /** Not resent: the first may have opened an incident. */
    @Test
    void aServersErrorLeavesOpenWhetherItWasDone() {
        status = 500;
        Run run =
                Run.of(
                        "failover",
                        "payments",
                        "--region",
                        "eu-central-1",
                        "--yes",
                        "--reason",
                        "drill");
        assertAll(
                () -> assertEquals(Exit.FAILED, run.exit()),
                () -> assertTrue(run.err().contains("It may have been done"), run.err()),
                () -> assertEquals(1, calls.size()));
    }

    @Test
    void aRefusalIsANegativeAnswer() {
        body = "{\"result\":\"REFUSED\",\"message\":\"Nothing waits for an answer.\"}";
        Run run = Run.of("approve", "payments", "--region", "eu-central-1");
        assertAll(
                () -> assertEquals(Exit.NEGATIVE, run.exit()),
                () -> assertEquals("Nothing waits for an answer.", run.out().strip()));
    }

    @Test
    void theConfigurationTellsFunctionAndRegion() {
        Run run = Run.of("status", "payments", "--config", example("automatic"), "--json");
        assertAll(
                () -> assertEquals(Exit.EXPECTED, run.exit(), run.err()),
                () -> assertTrue(calls.getFirst().contains("/vault-dr-payments-control/")));
    }

    @Test
    void aPairOnTheFirstRungHasNothingToControl() {
        Run run = Run.of("status", "payments", "--config", example("backup"));
        assertAll(
                () -> assertEquals(Exit.UNUSABLE, run.exit()),
                () -> assertTrue(run.err().contains("stage backup"), run.err()));
    }

    @Test
    void aPairThatIsntThereIsSaidWithThoseThatAre() {
        Run run = Run.of("status", "paiments", "--config", example("automatic"));
        assertAll(
                () -> assertEquals(Exit.UNUSABLE, run.exit()),
                () -> assertTrue(run.err().contains("expected payments"), run.err()));
    }

    @Test
    void nobodyFailsOverByAccident() {
        Run run = Run.of("failover", "payments", "--region", "eu-central-1", "--reason", "drill");
        assertAll(() -> assertEquals(Exit.UNUSABLE, run.exit()), () -> assertTrue(calls.isEmpty()));
    }

    private static String example(String name) {
        return System.getProperty("vaultdr.root") + "/infra-cdk/examples/" + name + ".yaml";
    }

    @Test
    void invokesADeployedFunctionByItsPurpose() {
        Run run = Run.of("invoke", "freshness-check", "--aws", "--config", example("automatic"));
        assertAll(
                () -> assertEquals(Exit.EXPECTED, run.exit(), run.err()),
                () ->
                        assertTrue(
                                calls.getFirst()
                                        .contains(
                                                "/vault-dr-payments-freshness-check/invocations?Qualifier=live"),
                                calls::toString));
    }

    /** With its own event each, from {@code events/}. */
    @Test
    void knowsWhereEachFunctionStands() {
        for (String home :
                List.of(
                        "take-snapshot",
                        "freshness-check",
                        "retention",
                        "rotate-logins",
                        "probe")) {
            assertEquals("eu-west-1", invokedIn(home), home);
        }
        for (String dr :
                List.of(
                        "prove-snapshot",
                        "restore-secret",
                        "drill",
                        "evaluate-failover",
                        "control",
                        "judge",
                        "ask-approval",
                        "fence",
                        "promote",
                        "verify",
                        "redirect-traffic",
                        "grow",
                        "close-incident")) {
            assertEquals("eu-central-1", invokedIn(dr), dr);
        }
    }

    private String invokedIn(String function) {
        regions.clear();
        Run run = Run.of("invoke", function, "--aws", "--config", example("automatic"));
        assertEquals(Exit.EXPECTED, run.exit(), run.err());
        return regions.getFirst();
    }

    @Test
    void saysFromWhichRungOnAFunctionExists() {
        Run proof = Run.of("invoke", "drill", "--aws", "--config", example("backup"));
        Run step = Run.of("invoke", "judge", "--aws", "--config", example("proven"));
        assertAll(
                () -> assertEquals(Exit.UNUSABLE, proof.exit()),
                () -> assertTrue(proof.err().contains("expected one from proven on"), proof.err()),
                () -> assertEquals(Exit.UNUSABLE, step.exit()),
                () -> assertTrue(step.err().contains("expected one from observe on"), step.err()),
                () -> assertTrue(calls.isEmpty()));
    }

    @Test
    void anEventThatIsntThereIsSaid() {
        Run run =
                Run.of(
                        "invoke",
                        "judge",
                        "/nowhere.json",
                        "--aws",
                        "--config",
                        example("automatic"));
        assertAll(
                () -> assertEquals(Exit.UNUSABLE, run.exit()),
                () -> assertTrue(run.err().contains("/nowhere.json: no such file"), run.err()));
    }

    @Test
    void aReasonIsAskedFor() {
        Run run = Run.of("pause", "payments", "--region", "eu-central-1");
        assertAll(
                () -> assertEquals(Exit.UNUSABLE, run.exit()),
                () -> assertTrue(run.err().contains("--reason"), run.err()),
                () -> assertTrue(calls.isEmpty()));
    }
}
