package io.vaultdr.cli;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpServer;

import io.vaultdr.model.Check;
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
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** {@code doctor} against a server that answers as Lambda's Invoke does, a function at a time. */
class DoctorCommandIT {
    private static final List<String> PROPERTIES =
            List.of("aws.endpointUrlLambda", "aws.accessKeyId", "aws.secretAccessKey");

    private record Answer(int status, Map<String, String> headers, String body) {
        static Answer of(Check... checks) {
            return new Answer(
                    200,
                    Map.of(),
                    Json.MAPPER
                            .createObjectNode()
                            .set("checks", Json.MAPPER.valueToTree(List.of(checks)))
                            .toString());
        }
    }

    /** By region and name; what isn't there answers that all is well. */
    private final Map<String, Answer> answers = new ConcurrentHashMap<>();

    private final Map<String, String> asked = new ConcurrentHashMap<>();
    private final AtomicInteger asking = new AtomicInteger();
    private final AtomicInteger mostAtOnce = new AtomicInteger();

    /** While it is above zero, nobody is answered, for a quarter of a second at most. */
    private volatile CountDownLatch held = new CountDownLatch(0);

    private HttpServer lambda;

    @BeforeEach
    void start() throws IOException {
        lambda = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        lambda.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        lambda.createContext(
                "/2015-03-31/functions/",
                exchange -> {
                    mostAtOnce.accumulateAndGet(asking.incrementAndGet(), Math::max);
                    String region =
                            exchange.getRequestHeaders()
                                    .getFirst("Authorization")
                                    .split("/", -1)[2];
                    String name = exchange.getRequestURI().getPath().split("/", -1)[3];
                    String event =
                            new String(
                                    exchange.getRequestBody().readAllBytes(),
                                    StandardCharsets.UTF_8);
                    asked.put(
                            region + " " + name, exchange.getRequestURI().getQuery() + " " + event);
                    Answer answer =
                            answers.getOrDefault(
                                    region + " " + name,
                                    Answer.of(Check.ok("ledger", "table", "home serves")));
                    held.countDown();
                    waitFor(held);
                    asking.decrementAndGet();
                    answer.headers().forEach(exchange.getResponseHeaders()::set);
                    byte[] bytes = answer.body().getBytes(StandardCharsets.UTF_8);
                    exchange.sendResponseHeaders(answer.status(), bytes.length);
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

    private static void waitFor(CountDownLatch held) {
        try {
            held.await(250, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static String example(String name) {
        return System.getProperty("vaultdr.root") + "/infra-cdk/examples/" + name + ".yaml";
    }

    private static Run doctor(String... more) {
        List<String> all =
                new java.util.ArrayList<>(
                        List.of("doctor", "payments", "--config", example("automatic")));
        all.addAll(List.of(more));
        return Run.of(all.toArray(String[]::new));
    }

    @Test
    void allIsWellWhenEveryFunctionOfEveryRegionSaysSo() {
        Run run = doctor();
        assertAll(
                () -> assertEquals(Exit.EXPECTED, run.exit(), run.err()),
                () -> assertTrue(run.out().contains("take-snapshot in eu-west-1"), run.out()),
                () -> assertTrue(run.out().contains("take-snapshot in eu-central-1"), run.out()),
                () -> assertTrue(run.out().contains("✓ ledger  table  home serves"), run.out()),
                () -> assertTrue(run.out().contains(" well, 0 failed, 0 not looked at\n")),
                () ->
                        assertEquals(
                                "Qualifier=live"
                                    + " {\"dryRun\":true,\"report\":true,\"pair\":\"payments\",\"epoch\":0}",
                                asked.get("eu-central-1 vault-dr-payments-promote")),
                () ->
                        assertEquals(
                                "Qualifier=read {\"dryRun\":true,\"report\":true}",
                                asked.get("eu-central-1 vault-dr-payments-control")),
                () ->
                        assertEquals(
                                "Qualifier=live"
                                    + " {\"dryRun\":true,\"report\":true,\"pair\":\"payments\"}",
                                asked.get("eu-north-1 vault-dr-probe")),
                // No colour in what isn't a terminal.
                () -> assertFalse(run.out().contains("\u001B"), run.out()));
    }

    @Test
    void whatFailsStandsBesideItsRemedy() {
        answers.put(
                "eu-central-1 vault-dr-payments-verify",
                Answer.of(
                        Check.ok("name resolution", "vault.dr", "10.1.0.5"),
                        Check.failed("TCP", "vault.dr:8200", "silent", "Let port 8200 in"),
                        Check.notLookedAt("TLS", "vault.dr:8200", "TCP failed")));
        Run run = doctor();
        assertAll(
                () -> assertEquals(Exit.NEGATIVE, run.exit(), run.err()),
                () ->
                        assertTrue(
                                run.out()
                                        .contains(
                                                """
                                                verify in eu-central-1
                                                  ✓ name resolution  vault.dr       10.1.0.5
                                                  ✗ TCP              vault.dr:8200  silent
                                                      → Let port 8200 in
                                                  · TLS              vault.dr:8200  not looked at: TCP failed
                                                """),
                                run.out()),
                () -> assertTrue(run.out().contains("1 failed, 1 not looked at"), run.out()));
    }

    /** Also a function that is older than this command. */
    @Test
    void aFunctionThatFailsIsALineToo() {
        answers.put(
                "eu-west-1 vault-dr-payments-rotate-logins",
                new Answer(
                        200,
                        Map.of("X-Amz-Function-Error", "Unhandled"),
                        "{\"errorMessage\":\"read the ledger: 403\"}"));
        answers.put(
                "eu-west-1 vault-dr-payments-retention",
                new Answer(200, Map.of(), "{\"result\":\"DRY_RUN\"}"));
        Run run = doctor();
        assertAll(
                () -> assertEquals(Exit.NEGATIVE, run.exit(), run.err()),
                () ->
                        assertTrue(
                                run.out()
                                        .contains(
                                                "✗ dry run  vault-dr-payments-rotate-logins  read"
                                                        + " the ledger: 403"),
                                run.out()),
                () ->
                        assertTrue(
                                run.out()
                                        .contains(
                                                "✓ dry run  vault-dr-payments-retention  went"
                                                        + " through"),
                                run.out()));
    }

    @Test
    void aFunctionThatDoesntAnswerIsALineAndNoEnd() throws IOException {
        answers.put("eu-west-1 vault-dr-probe", new Answer(503, Map.of(), "{}"));
        answers.put(
                "eu-central-1 vault-dr-payments-grow",
                new Answer(
                        403,
                        Map.of("X-Amzn-ErrorType", "AccessDeniedException"),
                        "{\"Message\":\"not authorised\"}"));
        Run run = doctor();
        assertAll(
                () -> assertEquals(Exit.FAILED, run.exit(), run.err()),
                () -> assertTrue(run.out().contains("; 2 functions gave no answer"), run.out()),
                () -> assertTrue(run.out().contains("? no answer: invoke vault-dr-probe:live")),
                () -> assertTrue(run.out().contains("AccessDeniedException: not authorised")));

        Run json = doctor("--json");
        JsonNode report = Json.MAPPER.readTree(json.out());
        assertAll(
                () -> assertEquals(Exit.FAILED, json.exit()),
                () -> assertEquals(1, json.out().lines().count()),
                () -> assertEquals("", json.err()),
                () -> assertEquals(2, report.path("unanswered").asInt()),
                () -> assertEquals(0, report.path("failed").asInt()),
                () -> assertEquals(asked.size(), report.path("functions").size()));
    }

    /** The probes of a new account need some of its ten invocations. */
    @Test
    void noMoreThanSoManyAreAskedAtOnce() {
        held = new CountDownLatch(5);
        Run run = doctor();
        int byDefault = mostAtOnce.getAndSet(0);
        held = new CountDownLatch(3);
        Run two = doctor("--at-once", "2");
        assertAll(
                () -> assertEquals(Exit.EXPECTED, run.exit(), run.err()),
                () -> assertEquals(Exit.EXPECTED, two.exit(), two.err()),
                () -> assertEquals(4, byDefault),
                () -> assertEquals(2, mostAtOnce.get()));
        Run none = doctor("--at-once", "0");
        assertAll(
                () -> assertEquals(Exit.UNUSABLE, none.exit()),
                () -> assertTrue(none.err().contains("expected 1 to 100"), none.err()));
    }

    /** Another account's functions can't be asked with these credentials. */
    @Test
    void theCopysAccountIsSaidAndNotAsked() {
        Run run = Run.of("doctor", "payments", "--config", example("copy-account"));
        assertAll(
                () -> assertEquals(Exit.EXPECTED, run.exit(), run.err()),
                () -> assertTrue(run.out().contains("it stands in account "), run.out()),
                () -> assertTrue(asked.keySet().stream().noneMatch(it -> it.contains("prove"))));
    }

    @Test
    void aPairThatIsntThereIsSaid() {
        Run run = Run.of("doctor", "paiments", "--config", example("automatic"));
        assertAll(
                () -> assertEquals(Exit.UNUSABLE, run.exit()),
                () -> assertTrue(run.err().contains("expected payments"), run.err()),
                () -> assertTrue(asked.isEmpty()));
    }
}
