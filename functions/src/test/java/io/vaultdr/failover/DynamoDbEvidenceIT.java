package io.vaultdr.failover;

import io.vaultdr.aws.DynamoDbEvidence;
import io.vaultdr.testing.Moto;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;

import software.amazon.awssdk.services.dynamodb.DynamoDbClient;

import java.util.List;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class DynamoDbEvidenceIT extends EvidenceContract {
    private Moto moto;
    private DynamoDbClient client;
    private int tables;

    @BeforeAll
    void start() {
        moto = Moto.start();
        client = moto.clients().dynamoDb("eu-central-1");
    }

    @AfterAll
    void stop() {
        moto.close();
    }

    @Override
    EvidenceLog empty() {
        tables++;
        DynamoDbTables.create(client, "ledger-" + tables);
        return new DynamoDbEvidence(client, "ledger-" + tables, List.of("a", "b"));
    }
}
