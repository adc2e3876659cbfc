package io.vaultdr.failover;

import static org.junit.jupiter.api.Assertions.assertThrows;

import io.vaultdr.aws.DynamoDbLedger;
import io.vaultdr.model.Failure;
import io.vaultdr.testing.Moto;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

import software.amazon.awssdk.services.dynamodb.DynamoDbClient;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class DynamoDbLedgerIT extends LedgerContract {
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
    Ledger empty() {
        tables++;
        DynamoDbTables.create(client, "ledger-" + tables);
        return again();
    }

    @Override
    Ledger again() {
        return new DynamoDbLedger(client, "ledger-" + tables, PAIR);
    }

    @Test
    void tableThatIsNotThereIsTerminal() {
        Ledger ledger = new DynamoDbLedger(client, "none", PAIR);
        assertThrows(Failure.Terminal.class, ledger::state);
    }
}
