package io.vaultdr.handler;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.amazonaws.services.lambda.runtime.Context;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;

import io.vaultdr.model.Failure;
import io.vaultdr.runtime.Json;
import io.vaultdr.snapshot.Manifest;
import io.vaultdr.vault.Login;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.mockito.Mockito;

import software.amazon.awssdk.services.s3.model.ServerSideEncryption;
import software.amazon.awssdk.services.s3.model.ServerSideEncryptionRule;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** One secret out of a real snapshot, by the real handler. */
class RestoreSecretIT {
    private static final String HUSH = "hush-hush-5e21";
    private static Proving proving;
    private static Manifest snapshot;

    @BeforeAll
    static void deleteASecretByMistake() {
        proving = new Proving();
        proving.s3().createBucket(it -> it.bucket("recovered"));
        ServerSideEncryptionRule kms =
                ServerSideEncryptionRule.builder()
                        .applyServerSideEncryptionByDefault(
                                it -> it.sseAlgorithm(ServerSideEncryption.AWS_KMS))
                        .build();
        proving.s3()
                .putBucketEncryption(
                        it ->
                                it.bucket("recovered")
                                        .serverSideEncryptionConfiguration(c -> c.rules(kms)));
        proving.logins.make(Login.Intent.RECOVER);
        for (int version = 1; version <= 3; version++) {
            write("secret/data/team/db", HUSH + version);
        }
        proving.cluster
                .call("PUT", "secret/destroy/team/db", Map.of("versions", List.of(2)))
                .expect();
        write("secret/data/other/db", HUSH);
        snapshot = proving.take();
        proving.cluster.call("DELETE", "secret/metadata/team/db", null).expect();
    }

    private static void write(String path, String value) {
        proving.cluster.call("POST", path, Map.of("data", Map.of("password", value))).expect();
    }

    @AfterAll
    static void stop() {
        proving.close();
    }

    private static Map<String, ?> recover(Map<String, Object> event, String request) {
        Context context = Mockito.mock(Context.class);
        Mockito.when(context.getRemainingTimeInMillis()).thenReturn(120_000);
        Mockito.when(context.getAwsRequestId()).thenReturn(request);
        return new RestoreSecretHandler(proving.wiring()).handleRequest(event, context);
    }

    private static Map<String, Object> event(String path) throws IOException {
        Map<String, Object> event =
                new HashMap<>(
                        Json.MAPPER.readValue(
                                Path.of(
                                                Objects.requireNonNull(
                                                        System.getProperty("vaultdr.root")),
                                                "events",
                                                "restore-secret.json")
                                        .toFile(),
                                new TypeReference<Map<String, Object>>() {}));
        assertEquals(snapshot.id(), event.get("snapshot"));
        event.put("path", path);
        return event;
    }

    @Test
    void leavesAllVersionsInAnEncryptedObjectAndNowhereElse() throws IOException {
        PrintStream standard = System.out;
        ByteArrayOutputStream logged = new ByteArrayOutputStream();
        Map<String, ?> answer;
        System.setOut(new PrintStream(logged, true, StandardCharsets.UTF_8));
        try {
            answer = recover(event("secret/team/db"), "request-1");
        } finally {
            System.setOut(standard);
        }

        assertEquals("RECOVERED", answer.get("outcome"), answer.toString());
        assertEquals("recovered/request-1", answer.get("key"));
        assertEquals(2, answer.get("versions"));
        assertFalse((answer + logged.toString(StandardCharsets.UTF_8)).contains(HUSH));
        proving.leavesNothing();

        var object =
                proving.s3()
                        .getObjectAsBytes(it -> it.bucket("recovered").key("recovered/request-1"));
        assertEquals(ServerSideEncryption.AWS_KMS, object.response().serverSideEncryption());
        JsonNode read = Json.MAPPER.readTree(object.asByteArray());
        assertEquals(snapshot.id(), read.path("snapshot").asText());
        assertEquals("secret", read.path("mount").asText());
        assertEquals(3, read.path("metadata").path("current_version").asInt());
        assertEquals(
                List.of(HUSH + 1, HUSH + 3),
                List.of(
                        read.path("versions").path(0).path("data").path("password").asText(),
                        read.path("versions").path(1).path("data").path("password").asText()));
        assertEquals(3, read.path("versions").path(1).path("metadata").path("version").asInt());
        assertTrue(read.path("metadata").path("versions").path("2").path("destroyed").asBoolean());
    }

    @Test
    void saysThatTheSnapshotHasNothingThere() throws IOException {
        assertEquals(
                "NOTHING_THERE", recover(event("secret/team/none"), "request-2").get("outcome"));
    }

    @Test
    void refusesWhatIsNotConfiguredBeforeAnythingStarts() throws IOException {
        Map<String, Object> other = event("secret/other/db");
        Failure failure = assertThrows(Failure.Terminal.class, () -> recover(other, "request-3"));
        assertTrue(failure.toString().contains("allows only secret/team/*"), failure.toString());
        for (String path : List.of("secret", "/secret/team/db", "secret/team/../other", "a//b")) {
            Map<String, Object> bad = event(path);
            assertThrows(Failure.Terminal.class, () -> recover(bad, "request-4"), path);
        }
        assertThrows(Failure.Terminal.class, () -> recover(Map.of("path", "a/b"), "request-5"));
    }
}
