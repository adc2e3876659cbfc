package io.vaultdr.rehearsal.world;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;

import io.vaultdr.rehearsal.Children;
import io.vaultdr.rehearsal.world.Sandbox.Answer;
import io.vaultdr.rehearsal.world.WorldEvent.FunctionEnded;
import io.vaultdr.rehearsal.world.WorldEvent.FunctionStarted;
import io.vaultdr.runtime.Json;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.model.AttributeDefinition;
import software.amazon.awssdk.services.dynamodb.model.BillingMode;
import software.amazon.awssdk.services.dynamodb.model.KeySchemaElement;
import software.amazon.awssdk.services.dynamodb.model.KeyType;
import software.amazon.awssdk.services.dynamodb.model.ScalarAttributeType;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.CompletedPart;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** Real JVMs under the runtime interface client, calling real moto through the gateway. */
class LambdaHostIT {
    private static final List<WorldEvent> EVENTS = new CopyOnWriteArrayList<>();
    private static final List<Call.Need> DENIED = new CopyOnWriteArrayList<>();
    private static final BlockingQueue<LambdaHost.Failed> FAILED = new LinkedBlockingQueue<>();
    private static Children children;
    private static Gateway gateway;
    private static MotoServer moto;
    private static LambdaHost host;
    private static Path zip;
    private static SdkClients outside;

    @BeforeAll
    static void start() throws IOException {
        Path scratch = Files.createTempDirectory("lambda-host");
        Path hosts = Files.writeString(scratch.resolve("hosts"), "127.0.0.1 localhost\n");
        zip = FunctionZip.in(scratch);
        children = new Children(scratch);
        gateway = new Gateway();
        Path venv = Path.of(System.getProperty("vaultdr.root"), ".vault-dr", "venv");
        moto = MotoServer.start(venv, scratch, gateway.port(), children::start);
        gateway.moto(moto.endpoint());
        outside = new SdkClients(gateway.endpoint(), "outside");
        host =
                new LambdaHost(
                        new LambdaHost.Setup(
                                scratch,
                                FunctionCode.in(scratch),
                                gateway.endpoint(),
                                region -> hosts,
                                children::start,
                                (function, line) -> {},
                                EVENTS::add,
                                FAILED::add,
                                0.001));
        gateway.onFault(host::killCaller, (fault, call) -> {});
        gateway.grants(
                (call, need) -> {
                    boolean granted = !need.action().equals("dynamodb:PutItem");
                    if (!granted) {
                        DENIED.add(need);
                    }
                    return granted;
                });
        for (String region : List.of("eu-west-1", "eu-central-1")) {
            try (S3Client s3 = outside.at(S3Client.builder(), region).build()) {
                s3.createBucket(
                        r ->
                                r.bucket("in-" + region)
                                        .createBucketConfiguration(
                                                c -> c.locationConstraint(region)));
            }
            gateway.bucket("in-" + region, region);
        }
    }

    @AfterAll
    static void stop() {
        host.close();
        gateway.close();
        outside.close();
        moto.close();
        children.close();
    }

    @Test
    void runsAFunctionWithItsEnvironmentMemoryAndArn() throws Exception {
        FunctionSpec function = function("tells", Duration.ofSeconds(20), 0);

        JsonNode first = json(invoke(function, Map.of()));
        JsonNode second = json(invoke(function, Map.of()));

        assertEquals(function.arn() + ":live", first.path("arn").asText());
        assertEquals("eu-west-1", first.path("region").asText());
        assertEquals("{\"pair\":1}", first.path("pair").asText());
        assertEquals(217, first.path("heap").asInt(), 10);
        assertEquals(20_000, first.path("left").asInt(), 2_000);
        assertEquals("Copy", first.path("collector").asText());
        assertEquals("2", second.path("calls").asText(), "the second call finds a warm JVM");
        assertEquals(first.path("pid"), second.path("pid"));
        assertTrue(ended("tells").coldStart().isPresent());
        assertThrows(LambdaHost.Refused.class, () -> host.invoke(function, "none", "{}", "test"));
    }

    @Test
    void answersErrorsExitsAndTimeOutsAsLambdaDoes() throws Exception {
        FunctionSpec function = function("errs", Duration.ofSeconds(2), 0);

        Answer failed = invoke(function, Map.of("do", "fail"));
        Answer exited = invoke(function, Map.of("do", "exit"));
        Answer late = invoke(function, Map.of("do", "sleep", "millis", "60000"));

        assertEquals(Optional.of("java.lang.IllegalStateException"), failed.error());
        assertEquals("as the event asked", json(failed).path("errorMessage").asText());
        assertEquals(Optional.of("Runtime.ExitError"), exited.error());
        assertEquals(Optional.of("Sandbox.Timedout"), late.error());
        assertEquals("1", json(invoke(function, Map.of())).path("calls").asText());
    }

    @Test
    void givesEachConcurrentInvocationAJvmOfItsOwnUpToTheReservedNumber() throws Exception {
        FunctionSpec function = function("twice", Duration.ofSeconds(60), 0);
        var first = later(function, Map.of("do", "sleep", "millis", "6000"));
        var second = later(function, Map.of("do", "sleep", "millis", "6000"));
        while (EVENTS.stream()
                        .filter(e -> e instanceof FunctionStarted f && f.function().equals("twice"))
                        .count()
                < 2) {
            Thread.sleep(50);
        }

        assertThrows(LambdaHost.Refused.class, () -> host.invoke(function, "live", "{}", "test"));

        assertEquals("{\"calls\":\"1\"}", second.get(60, TimeUnit.SECONDS).payload());
        assertEquals("{\"calls\":\"1\"}", first.get(60, TimeUnit.SECONDS).payload());
    }

    @Test
    void repeatsAFailedEventTwiceAndThenGivesItUp() throws Exception {
        FunctionSpec function = function("repeats", Duration.ofSeconds(20), 2);

        host.invokeLater(function, "live", "{\"do\":\"fail\"}", "alarm");

        LambdaHost.Failed failed = FAILED.poll(60, TimeUnit.SECONDS);
        assertTrue(failed != null && failed.attempts() == 3, "three attempts");
    }

    @Test
    void writesToBucketsOfItsRegionAndIsSentAwayFromOthers() throws Exception {
        FunctionSpec function = function("writes", Duration.ofSeconds(60), 0);

        Answer here = invoke(function, Map.of("do", "write", "bucket", "in-eu-west-1"));
        Answer elsewhere = invoke(function, Map.of("do", "write", "bucket", "in-eu-central-1"));

        assertEquals(Optional.empty(), here.error(), here.payload());
        assertEquals("hello", json(here).path("read").asText());
        assertTrue(elsewhere.payload().contains("301"), elsewhere.payload());
    }

    @Test
    void deniesWhatTheRoleDoesNotGrant() throws Exception {
        FunctionSpec function = function("denied", Duration.ofSeconds(60), 0);

        Answer answer = invoke(function, Map.of("do", "put", "table", "some"));

        assertEquals(
                Optional.of("software.amazon.awssdk.services.dynamodb.model.DynamoDbException"),
                answer.error(),
                answer.payload());
        assertTrue(answer.payload().contains("is not authorized to perform: dynamodb:PutItem"));
        assertEquals(
                "arn:aws:dynamodb:eu-west-1:123456789012:table/some", DENIED.getFirst().resource());
    }

    @Test
    void killsAFunctionAtACall() throws Exception {
        FunctionSpec function = function("killed", Duration.ofSeconds(60), 0);
        try (Faults.Fault fault = gateway.faults().killAt("killed", "s3", "PutObject", true, 1)) {
            Answer killed = invoke(function, Map.of("do", "write", "bucket", "in-eu-west-1"));
            Answer again = invoke(function, Map.of("do", "write", "bucket", "in-eu-west-1"));

            assertEquals(Optional.of("Runtime.ExitError"), killed.error(), fault.name());
            assertEquals(Optional.empty(), again.error());
        }
    }

    @Test
    void losesARegionWithAllThatRunsThereAndEveryCallSignedForIt() throws Exception {
        FunctionSpec function = in("us-east-2", "inside", Duration.ofSeconds(60), 0);
        var running = later(function, Map.of("do", "sleep", "millis", "50000"));
        Thread.sleep(3000);

        host.lose("us-east-2");
        gateway.lose("us-east-2");

        assertEquals(Optional.of("Runtime.ExitError"), running.get(10, TimeUnit.SECONDS).error());
        assertThrows(LambdaHost.Refused.class, () -> host.invoke(function, "live", "{}", "test"));
        try (DynamoDbClient lost =
                        outside.at(DynamoDbClient.builder(), "us-east-2")
                                .overrideConfiguration(o -> o.apiCallTimeout(Duration.ofSeconds(3)))
                                .build();
                DynamoDbClient other = outside.at(DynamoDbClient.builder(), "us-east-1").build()) {
            Instant start = Instant.now();
            assertThrows(RuntimeException.class, lost::listTables);
            assertTrue(Duration.between(start, Instant.now()).toMillis() >= 2900, "it hung");
            other.createTable(
                    t ->
                            t.tableName("t")
                                    .billingMode(BillingMode.PAY_PER_REQUEST)
                                    .keySchema(
                                            KeySchemaElement.builder()
                                                    .attributeName("pk")
                                                    .keyType(KeyType.HASH)
                                                    .build())
                                    .attributeDefinitions(
                                            AttributeDefinition.builder()
                                                    .attributeName("pk")
                                                    .attributeType(ScalarAttributeType.S)
                                                    .build()));
            assertEquals(List.of("t"), other.listTables().tableNames());
            gateway.restore("us-east-2");
            assertFalse(lost.listTables().tableNames().contains("t"));
        }
    }

    @Test
    void passesMultipartUploadsOnWithoutChangingAByte() {
        byte[] part = new byte[6 << 20];
        Arrays.fill(part, (byte) 'x');
        try (S3Client s3 = outside.at(S3Client.builder(), "eu-west-1").build()) {
            String id =
                    s3.createMultipartUpload(u -> u.bucket("in-eu-west-1").key("big")).uploadId();
            List<CompletedPart> parts =
                    List.of(1, 2).stream()
                            .map(
                                    n ->
                                            CompletedPart.builder()
                                                    .partNumber(n)
                                                    .eTag(
                                                            s3.uploadPart(
                                                                            u ->
                                                                                    u.bucket(
                                                                                                    "in-eu-west-1")
                                                                                            .key(
                                                                                                    "big")
                                                                                            .uploadId(
                                                                                                    id)
                                                                                            .partNumber(
                                                                                                    n),
                                                                            RequestBody.fromBytes(
                                                                                    part))
                                                                    .eTag())
                                                    .build())
                            .toList();
            s3.completeMultipartUpload(
                    u ->
                            u.bucket("in-eu-west-1")
                                    .key("big")
                                    .uploadId(id)
                                    .multipartUpload(m -> m.parts(parts)));

            assertEquals(
                    2L * part.length,
                    s3.headObject(h -> h.bucket("in-eu-west-1").key("big")).contentLength());
            byte[] read =
                    s3.getObjectAsBytes(g -> g.bucket("in-eu-west-1").key("big")).asByteArray();
            assertEquals(2 * part.length, read.length);
            assertEquals('x', read[read.length - 1]);
        }
    }

    private static FunctionSpec function(String name, Duration timeout, int retries) {
        return in("eu-west-1", name, timeout, retries);
    }

    private static FunctionSpec in(String region, String name, Duration timeout, int retries) {
        return new FunctionSpec(
                name,
                region,
                "arn:aws:lambda:" + region + ":123456789012:function:" + name,
                zip,
                TinyHandler.class.getName(),
                256,
                timeout,
                Map.of("PAIR", "{\"pair\":1}"),
                "1",
                Map.of("live", "1"),
                name.equals("twice") ? OptionalInt.of(2) : OptionalInt.empty(),
                retries,
                Optional.empty());
    }

    private static Answer invoke(FunctionSpec function, Map<String, String> event)
            throws Exception {
        return host.invoke(function, "live", Json.MAPPER.writeValueAsString(event), "test");
    }

    private static CompletableFuture<Answer> later(
            FunctionSpec function, Map<String, String> event) {
        CompletableFuture<Answer> answer = new CompletableFuture<>();
        Thread.ofVirtual()
                .start(
                        () -> {
                            try {
                                answer.complete(invoke(function, event));
                            } catch (Exception e) {
                                answer.completeExceptionally(e);
                            }
                        });
        return answer;
    }

    private static JsonNode json(Answer answer) throws IOException {
        return Json.MAPPER.readTree(answer.payload());
    }

    private static FunctionEnded ended(String function) {
        return EVENTS.stream()
                .filter(FunctionEnded.class::isInstance)
                .map(FunctionEnded.class::cast)
                .filter(e -> e.function().equals(function))
                .findFirst()
                .orElseThrow();
    }
}
