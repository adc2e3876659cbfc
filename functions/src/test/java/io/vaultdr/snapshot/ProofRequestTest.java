package io.vaultdr.snapshot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.type.TypeReference;

import io.vaultdr.model.Failure;
import io.vaultdr.runtime.Json;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.util.Map;

class ProofRequestTest {
    private static ProofRequest read(String json) throws IOException {
        return ProofRequest.of(
                Json.MAPPER.readValue(json, new TypeReference<Map<String, Object>>() {}));
    }

    @Test
    void readsWhatS3SchedulesAndPeopleSend() throws IOException {
        assertEquals(
                new ProofRequest.Arrived("payments-20261123T170000Z"),
                read(
                        """
                        {"detail-type": "Object Created", "source": "aws.s3", "detail": {"object":
                          {"key": "manifests/payments-20261123T170000Z.json"}}}
                        """));
        assertEquals(new ProofRequest.Sweep(), read("{\"detail-type\": \"Scheduled Event\"}"));
        assertEquals(new ProofRequest.Asked("a"), read("{\"snapshot\": \"a\"}"));
        assertEquals(new ProofRequest.DryRun(), read("{\"dryRun\": true, \"snapshot\": \"a\"}"));
    }

    @Test
    void provesAgainWhatIsBackFromGlacierAndNothingThatIsOnItsWay() throws IOException {
        String event =
                """
                {"detail-type": "Object %s", "source": "aws.s3", "detail": {"object":
                  {"key": "archives/payments-20261123T170000Z-0123abcd.snap"}}}
                """;

        assertEquals(
                new ProofRequest.Asked("payments-20261123T170000Z"),
                read(event.formatted("Restore Completed")));
        assertThrows(Failure.Terminal.class, () -> read(event.formatted("Created")));
    }

    @Test
    void saysWhatItExpectsInstead() {
        for (String json :
                new String[] {
                    "{}",
                    "{\"dryRun\": \"true\"}",
                    "{\"detail\": {\"object\": {\"key\": \"archives/a.snap\"}}}",
                    "{\"detail\": {\"object\": {\"key\": \"manifests/../a.json\"}}}"
                }) {
            Failure failure = assertThrows(Failure.Terminal.class, () -> read(json), json);
            assertTrue(failure.toString().contains("events/prove-snapshot.json"));
        }
    }
}
