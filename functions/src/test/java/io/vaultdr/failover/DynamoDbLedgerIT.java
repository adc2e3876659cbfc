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

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.concurrent.locks.ReentrantLock;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class DynamoDbLedgerIT extends LedgerContract {
    private Moto moto;
    private DynamoDbClient client;
    private int tables;

    @BeforeAll
    void start() {
        moto = Moto.start();
        client = isolated(moto.clients().dynamoDb("eu-central-1"));
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

    /**
     * One call at a time: moto puts back the whole table when a transaction fails and so loses what
     * was written beside it. DynamoDB isolates transactions. Who reads and writes still race.
     */
    private static DynamoDbClient isolated(DynamoDbClient moto) {
        ReentrantLock turn = new ReentrantLock();
        return (DynamoDbClient)
                Proxy.newProxyInstance(
                        DynamoDbClient.class.getClassLoader(),
                        new Class<?>[] {DynamoDbClient.class},
                        (proxy, method, arguments) -> {
                            turn.lock();
                            try {
                                return method.invoke(moto, arguments);
                            } catch (InvocationTargetException e) {
                                throw e.getTargetException();
                            } finally {
                                turn.unlock();
                            }
                        });
    }
}
