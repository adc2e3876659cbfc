package io.vaultdr.drill;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpServer;

import io.vaultdr.aws.AwsClients;
import io.vaultdr.aws.KmsSigner;
import io.vaultdr.aws.LambdaTakeSnapshots;
import io.vaultdr.aws.S3Arrivals;
import io.vaultdr.aws.S3DrillBucket;
import io.vaultdr.aws.StepFunctionsDryRuns;
import io.vaultdr.aws.StepFunctionsExecutions;
import io.vaultdr.model.Failure;
import io.vaultdr.model.PairId;
import io.vaultdr.model.Side;
import io.vaultdr.runtime.DrillSettings;
import io.vaultdr.runtime.Json;
import io.vaultdr.runtime.PairSettings.Bucket;
import io.vaultdr.testing.Eventually;
import io.vaultdr.testing.Moto;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.dynamodb.model.AttributeDefinition;
import software.amazon.awssdk.services.dynamodb.model.KeySchemaElement;
import software.amazon.awssdk.services.s3.model.S3Exception;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** What a drill uses of AWS: on moto, and where moto isn't like it, on a server that answers so. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class DrillIT {
    private static final String REGION = "eu-central-1";
    private static final Bucket BUCKET = new Bucket(REGION, "drills", Moto.ACCOUNT);
    private static final PairId PAIR = new PairId("payments");
    private static final String KEY = "arn:aws:kms:eu-central-1:123456789012:key/k";

    private final Moto moto = Moto.start();
    private final AwsClients aws = moto.clients();

    @BeforeAll
    void makeTheLockedBucket() {
        aws.s3(REGION)
                .createBucket(
                        r ->
                                r.bucket(BUCKET.name())
                                        .objectLockEnabledForBucket(true)
                                        .createBucketConfiguration(
                                                c -> c.locationConstraint(REGION)));
        aws.s3(REGION)
                .putObjectLockConfiguration(
                        r ->
                                r.bucket(BUCKET.name())
                                        .objectLockConfiguration(
                                                c ->
                                                        c.objectLockEnabled("Enabled")
                                                                .rule(
                                                                        rule ->
                                                                                rule
                                                                                        .defaultRetention(
                                                                                                d ->
                                                                                                        d.mode(
                                                                                                                        "COMPLIANCE")
                                                                                                                .days(
                                                                                                                        30)))));
    }

    @AfterAll
    void end() {
        moto.close();
    }

    @Test
    void aReportIsWrittenOnceAndCantBeDeleted() {
        DrillBucket bucket = new S3DrillBucket(aws.s3(REGION), BUCKET);
        byte[] first = "first".getBytes(StandardCharsets.UTF_8);
        assertEquals(Optional.empty(), bucket.read("drills/one/report.json"));
        assertArrayEquals(first, bucket.writeOnce("drills/one/report.json", first, "text/plain"));

        byte[] kept =
                bucket.writeOnce(
                        "drills/one/report.json",
                        "second".getBytes(StandardCharsets.UTF_8),
                        "text/plain");

        assertArrayEquals(first, kept);
        String version =
                aws.s3(REGION)
                        .listObjectVersions(r -> r.bucket(BUCKET.name()))
                        .versions()
                        .getFirst()
                        .versionId();
        assertThrows(
                S3Exception.class,
                () ->
                        aws.s3(REGION)
                                .deleteObject(
                                        r ->
                                                r.bucket(BUCKET.name())
                                                        .key("drills/one/report.json")
                                                        .versionId(version)));
    }

    @Test
    void aManifestArrivesWhenS3SaysSo() {
        S3Arrivals arrivals = new S3Arrivals(aws.s3(REGION), BUCKET);
        assertEquals(Optional.empty(), arrivals.committedAt("payments-1"));
        aws.s3(REGION)
                .putObject(
                        r -> r.bucket(BUCKET.name()).key("manifests/payments-1.json"),
                        RequestBody.fromString("{}"));
        Duration since =
                Duration.between(arrivals.committedAt("payments-1").orElseThrow(), Instant.now());
        assertTrue(since.abs().compareTo(Duration.ofMinutes(1)) < 0, since::toString);
    }

    /** Two branches at once, as ServeAndGrow has them. */
    @Test
    void theStepsOfADryRunAreTimedByItsHistory() throws Exception {
        String machine = machine(true);
        StepFunctionsDryRuns dryRuns = dryRuns(machine);
        Instant at = Instant.parse("2026-03-01T03:00:00Z");

        String arn = dryRuns.start(at);

        assertEquals(arn, dryRuns.start(at));
        assertTrue(arn.endsWith(":payments-dryrun-" + at.getEpochSecond()), arn);
        DryRuns.Standing ended = ended(dryRuns, arn);
        assertEquals(Optional.empty(), ended.failure());
        List<String> names = ended.steps().stream().map(DryRuns.Step::name).toList();
        assertEquals("Judge", names.getFirst());
        assertEquals(Set.of("Judge", "Verify", "Grow"), Set.copyOf(names));
        ended.steps().forEach(step -> assertTrue(!step.exitedAt().isBefore(step.enteredAt())));
    }

    @Test
    void aDryRunThatFailedSaysWithWhat() throws Exception {
        StepFunctionsDryRuns dryRuns = dryRuns(machine(false));

        DryRuns.Standing ended = ended(dryRuns, dryRuns.start(Instant.EPOCH));

        assertEquals(Optional.of("FailoverFailed"), ended.failure());
        assertEquals(List.of("Judge"), ended.steps().stream().map(DryRuns.Step::name).toList());
    }

    private StepFunctionsDryRuns dryRuns(String machine) {
        return new StepFunctionsDryRuns(
                aws.stepFunctions(REGION),
                new StepFunctionsExecutions(aws.stepFunctions(REGION), machine, PAIR));
    }

    private static DryRuns.Standing ended(DryRuns dryRuns, String arn) {
        return Eventually.get(
                "the dry run's end",
                Duration.ofSeconds(20),
                () -> Optional.of(dryRuns.look(arn)).filter(standing -> !standing.running()));
    }

    private String machine(boolean good) throws Exception {
        try (HttpClient http = HttpClient.newHttpClient()) {
            http.send(
                    HttpRequest.newBuilder(moto.endpoint().resolve("/moto-api/config"))
                            .POST(
                                    HttpRequest.BodyPublishers.ofString(
                                            "{\"stepfunctions\":{\"execute_state_machine\":true}}"))
                            .build(),
                    HttpResponse.BodyHandlers.discarding());
        }
        String table = "steps-" + good;
        aws.dynamoDb(REGION)
                .createTable(
                        r ->
                                r.tableName(table)
                                        .billingMode("PAY_PER_REQUEST")
                                        .keySchema(
                                                KeySchemaElement.builder()
                                                        .attributeName("pk")
                                                        .keyType("HASH")
                                                        .build())
                                        .attributeDefinitions(
                                                AttributeDefinition.builder()
                                                        .attributeName("pk")
                                                        .attributeType("S")
                                                        .build()));
        String task =
                """
                "Type":"Task","Resource":"arn:aws:states:::dynamodb:putItem","ResultPath":null,
                "Parameters":{"TableName":"%s","Item":{"pk":{"S":"x"}}}
                """
                        .formatted(table);
        String definition =
                """
                {"StartAt":"Judge","States":{"Judge":{%1$s,"Next":"%2$s"},
                 "ServeAndGrow":{"Type":"Parallel","End":true,"Branches":[
                  {"StartAt":"Verify","States":{"Verify":{%1$s,"End":true}}},
                  {"StartAt":"Grow","States":{"Grow":{%1$s,"End":true}}}]},
                 "Failed":{"Type":"Fail","Error":"FailoverFailed","Cause":"the incident says"}}}
                """
                        .formatted(task, good ? "ServeAndGrow" : "Failed");
        return aws.stepFunctions(REGION)
                .createStateMachine(
                        r ->
                                r.name("failover-" + good)
                                        .definition(definition)
                                        .roleArn("arn:aws:iam::123456789012:role/failover"))
                .stateMachineArn();
    }

    /** Not by moto, which would sign whatever type the message is said to be. */
    @Test
    void kmsSignsTheDigestOfWhatIsStored() throws Exception {
        KeyPairGenerator keys = KeyPairGenerator.getInstance("EC");
        keys.initialize(256);
        KeyPair key = keys.generateKeyPair();
        List<JsonNode> calls = new ArrayList<>();
        try (Server kms =
                Server.answering(
                        "aws.endpointUrlKms",
                        body -> {
                            JsonNode call = Json.MAPPER.readTree(body);
                            calls.add(call);
                            Signature signer = Signature.getInstance("NONEwithECDSA");
                            signer.initSign(key.getPrivate());
                            signer.update(
                                    Base64.getDecoder().decode(call.path("Message").asText()));
                            return Json.MAPPER
                                    .createObjectNode()
                                    .put("Signature", signer.sign())
                                    .toString();
                        })) {
            byte[] document = "{\"outcome\":\"MET\"}\n".getBytes(StandardCharsets.UTF_8);
            byte[] signature =
                    new KmsSigner(moto.clients().kms(REGION), KEY)
                            .sign(ReportCheck.sha256(document));

            assertInstanceOf(
                    ReportCheck.Finding.Genuine.class,
                    ReportCheck.check(document, signature, key.getPublic()));
            assertTrue(kms.scopes.getFirst().contains("/eu-central-1/kms/"), kms.scopes::toString);
            JsonNode call = calls.getFirst();
            assertEquals(KEY, call.path("KeyId").asText());
            assertEquals("DIGEST", call.path("MessageType").asText());
            assertEquals("ECDSA_SHA_256", call.path("SigningAlgorithm").asText());
        }
    }

    @Test
    void takeSnapshotIsInvokedInItsRegionWithTheMinute() throws Exception {
        List<String> calls = new ArrayList<>();
        try (Server lambda =
                Server.answering(
                        "aws.endpointUrl",
                        body -> {
                            calls.add(body);
                            return "";
                        })) {
            TakeSnapshots functions =
                    new LambdaTakeSnapshots(
                            moto.clients(),
                            new DrillSettings(
                                    BUCKET,
                                    KEY,
                                    "arn:aws:lambda:eu-west-1:123456789012:function:take-snapshot:live",
                                    Optional.empty(),
                                    Duration.ofHours(1),
                                    Duration.ofMinutes(10),
                                    false));

            functions.invoke(Side.HOME, Instant.parse("2026-03-01T03:00:00.412Z"));
            functions.tryInvoke(Side.HOME);

            assertEquals(List.of("Event", "DryRun"), lambda.invocationTypes);
            assertTrue(
                    lambda.scopes.getFirst().contains("/eu-west-1/lambda/"),
                    lambda.scopes::toString);
            assertEquals(
                    "2026-03-01T03:00:00.412Z",
                    Json.MAPPER.readTree(calls.getFirst()).path("time").asText());
            Failure failure =
                    assertThrows(
                            Failure.Terminal.class, () -> functions.invoke(Side.DR, Instant.EPOCH));
            assertTrue(failure.toString().contains("name no function there"), failure::toString);
        }
    }

    private interface Handler {
        String answer(String body) throws Exception;
    }

    /** A service on loopback to which SDK clients go that are made while it runs. */
    private static final class Server implements AutoCloseable {
        private final HttpServer http;
        private final String property;
        private final List<String> invocationTypes = new ArrayList<>();
        private final List<String> scopes = new ArrayList<>();
        private @Nullable String before;

        private Server(HttpServer http, String property) {
            this.http = http;
            this.property = property;
        }

        static Server answering(String property, Handler handler) throws Exception {
            Server server =
                    new Server(
                            HttpServer.create(
                                    new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0),
                            property);
            server.http.createContext(
                    "/",
                    exchange -> {
                        String body =
                                new String(
                                        exchange.getRequestBody().readAllBytes(),
                                        StandardCharsets.UTF_8);
                        var headers = exchange.getRequestHeaders();
                        Optional.ofNullable(headers.getFirst("X-Amz-Invocation-Type"))
                                .ifPresent(server.invocationTypes::add);
                        Optional.ofNullable(headers.getFirst("Authorization"))
                                .ifPresent(server.scopes::add);
                        try {
                            byte[] answer = handler.answer(body).getBytes(StandardCharsets.UTF_8);
                            exchange.sendResponseHeaders(
                                    answer.length == 0 ? 202 : 200,
                                    answer.length == 0 ? -1 : answer.length);
                            exchange.getResponseBody().write(answer);
                        } catch (Exception e) {
                            exchange.sendResponseHeaders(400, -1);
                        } finally {
                            exchange.close();
                        }
                    });
            server.http.start();
            server.before =
                    System.setProperty(
                            property, "http://127.0.0.1:" + server.http.getAddress().getPort());
            return server;
        }

        @Override
        public void close() {
            if (before == null) {
                System.clearProperty(property);
            } else {
                System.setProperty(property, before);
            }
            http.stop(0);
        }
    }
}
