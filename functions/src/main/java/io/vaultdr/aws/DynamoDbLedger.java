package io.vaultdr.aws;

import static io.vaultdr.aws.LedgerTable.item;
import static io.vaultdr.aws.LedgerTable.key;
import static io.vaultdr.aws.LedgerTable.number;

import io.vaultdr.failover.Assessment;
import io.vaultdr.failover.Incident;
import io.vaultdr.failover.Ledger;
import io.vaultdr.failover.PairState;
import io.vaultdr.model.Epoch;
import io.vaultdr.model.Failure;
import io.vaultdr.model.Outcome;
import io.vaultdr.model.PairId;
import io.vaultdr.model.Secret;
import io.vaultdr.runtime.Parallel;

import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.ConditionCheck;
import software.amazon.awssdk.services.dynamodb.model.ConditionalCheckFailedException;
import software.amazon.awssdk.services.dynamodb.model.Put;
import software.amazon.awssdk.services.dynamodb.model.TransactWriteItem;
import software.amazon.awssdk.services.dynamodb.model.TransactionCanceledException;

import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/**
 * The ledger in a DynamoDB table. State and incidents are written by transactions only: the SDK
 * gives each a token, so that its own retry of a write whose answer was lost isn't taken for
 * somebody else's. An optimistic lock that is lost is tried again on the newer version, soon at
 * first (two steps that begin at once meet once), a dozen times within about two seconds.
 */
public final class DynamoDbLedger implements Ledger {
    private static final String STATE = "state";
    private static final String INCIDENT = "incident";
    private static final String ASSESSMENT = "assessment";
    private static final String TOKEN = "token";
    private static final String HISTORY = "history";
    private static final int ATTEMPTS = 12;
    private static final long FIRST_PAUSE_NANOS = 25_000_000;
    private static final long LONGEST_PAUSE_NANOS = 400_000_000;

    private final LedgerTable table;
    private final PairId pair;

    /** The ledger of {@code pair} in {@code table}. */
    public DynamoDbLedger(DynamoDbClient client, String table, PairId pair) {
        this.table = new LedgerTable(client, table);
        this.pair = pair;
    }

    @Override
    public PairState state() {
        return table.get(STATE, 0)
                .map(item -> table.body(PairState.class, item))
                .orElseGet(() -> PairState.initial(pair));
    }

    @Override
    public Optional<Incident> incident(Epoch epoch) {
        return table.get(INCIDENT, epoch.value()).map(item -> table.body(Incident.class, item));
    }

    @Override
    public List<Incident> incidents(int limit) {
        return table.newest(INCIDENT, limit).stream()
                .map(item -> table.body(Incident.class, item))
                .toList();
    }

    @Override
    public Optional<Incident> open(PairState seen, Incident incident) {
        if (!incident.epoch().equals(seen.epoch().next())) {
            throw new IllegalArgumentException(
                    "incident " + incident.id() + " doesn't follow epoch " + seen.epoch());
        }
        PairState next = seen.opened(incident.epoch());
        Incident first = incident.withVersion(1);
        boolean written =
                transact(
                        "open incident " + incident.id(),
                        put(stateItem(next, seen.version() + 1), seen.version()),
                        put(item(INCIDENT, first.epoch().value(), first, 1), 0));
        return written ? Optional.of(first) : Optional.empty();
    }

    @Override
    public Incident update(Epoch epoch, UnaryOperator<Incident> change) {
        return contended(
                "update incident " + pair + "-" + epoch,
                () -> replaced(current(state(), epoch), change));
    }

    @Override
    public Incident update(Incident seen, UnaryOperator<Incident> change) {
        return replaced(seen, change).orElseGet(() -> update(seen.epoch(), change));
    }

    /** The incident changed; empty where it isn't {@code old} any more, or not the newest. */
    private Optional<Incident> replaced(Incident old, UnaryOperator<Incident> change) {
        Incident next = change.apply(old).withVersion(old.version() + 1);
        boolean written =
                transact(
                        "update incident " + next.id(),
                        newestEpoch(old.epoch()),
                        put(
                                item(INCIDENT, old.epoch().value(), next, next.version()),
                                old.version()));
        return written ? Optional.of(next) : Optional.empty();
    }

    @Override
    public PairState change(UnaryOperator<PairState> change) {
        return contended(
                "change the state of pair " + pair,
                () -> {
                    PairState old = state();
                    PairState next = change.apply(old).withVersion(old.version() + 1);
                    return transact(
                                    "change the state of pair " + pair,
                                    put(stateItem(next, next.version()), old.version()))
                            ? Optional.of(next)
                            : Optional.empty();
                });
    }

    @Override
    public Incident updateBoth(
            Epoch epoch, UnaryOperator<PairState> state, UnaryOperator<Incident> incident) {
        return contended(
                "update pair and incident " + pair + "-" + epoch,
                () -> {
                    // An answer's way is most of what a read takes.
                    Supplier<Optional<Incident>> seen = Parallel.begin(() -> incident(epoch));
                    PairState oldState = state();
                    Incident old = current(oldState, epoch, seen);
                    Incident given = incident.apply(old);
                    if (given.equals(old)) {
                        return Optional.of(old);
                    }
                    PairState nextState = state.apply(oldState);
                    Incident next = given.withVersion(old.version() + 1);
                    return transact(
                                    "update pair and incident " + next.id(),
                                    put(
                                            stateItem(nextState, oldState.version() + 1),
                                            oldState.version()),
                                    put(
                                            item(INCIDENT, epoch.value(), next, next.version()),
                                            old.version()))
                            ? Optional.of(next)
                            : Optional.empty();
                });
    }

    @Override
    public Optional<Assessment> assessment() {
        return table.get(ASSESSMENT, 0).map(item -> table.body(Assessment.class, item));
    }

    @Override
    public boolean assess(Assessment assessment) {
        long version = assessment.version();
        return transact(
                "store the evaluation of pair " + pair,
                put(item(ASSESSMENT, 0, assessment, version + 1), version));
    }

    @Override
    public void storeTaskToken(Epoch epoch, Secret token) {
        Map<String, AttributeValue> item = new HashMap<>(key(TOKEN, epoch.value()));
        item.put("body", LedgerTable.text(token.reveal()));
        AwsCalls.write(
                "store the task token of incident " + pair + "-" + epoch,
                () ->
                        table.client()
                                .putItem(request -> request.tableName(table.name()).item(item)));
    }

    @Override
    public Optional<Secret> taskToken(Epoch epoch) {
        return table.get(TOKEN, epoch.value())
                .map(item -> Secret.of(LedgerTable.required(item, "body").s()));
    }

    @Override
    public void note(Instant at, Epoch epoch, String event, String detail) {
        HistoryLine line = new HistoryLine(at, epoch, event, detail);
        long sort = at.toEpochMilli();
        while (!append(item(HISTORY, sort, line))) {
            sort++;
        }
    }

    @Override
    public List<HistoryLine> history(int limit) {
        return table.newest(HISTORY, limit).stream()
                .map(item -> table.body(HistoryLine.class, item))
                .toList();
    }

    private boolean append(Map<String, AttributeValue> item) {
        return AwsCalls.write(
                "append to the history of pair " + pair,
                () -> {
                    try {
                        table.client()
                                .putItem(
                                        request ->
                                                request.tableName(table.name())
                                                        .item(item)
                                                        .conditionExpression(
                                                                "attribute_not_exists(pk)"));
                        return true;
                    } catch (ConditionalCheckFailedException taken) {
                        return false;
                    }
                });
    }

    private Incident current(PairState state, Epoch epoch) {
        return current(state, epoch, () -> incident(epoch));
    }

    /** The open incident {@code epoch}, which must be the pair's newest. */
    private Incident current(PairState state, Epoch epoch, Supplier<Optional<Incident>> read) {
        if (!state.epoch().equals(epoch)) {
            throw new StaleEpochException(
                    "incident " + pair + "-" + epoch + ": the pair's epoch is " + state.epoch());
        }
        Incident incident =
                read.get()
                        .orElseThrow(
                                () ->
                                        new StaleEpochException(
                                                "incident " + pair + "-" + epoch + ": not there"));
        if (incident.outcome() != Outcome.OPEN) {
            throw new StaleEpochException(
                    "incident " + incident.id() + ": already " + incident.outcome());
        }
        return incident;
    }

    private static Map<String, AttributeValue> stateItem(PairState state, long version) {
        Map<String, AttributeValue> item = item(STATE, 0, state, version);
        item.put("epoch", number(state.epoch().value()));
        return item;
    }

    /** Puts an item in place of the one with version {@code seen}, 0 meaning none. */
    private TransactWriteItem put(Map<String, AttributeValue> item, long seen) {
        Put.Builder put = Put.builder().tableName(table.name()).item(item);
        if (seen == 0) {
            put.conditionExpression("attribute_not_exists(pk)");
        } else {
            put.conditionExpression("version = :seen")
                    .expressionAttributeValues(Map.of(":seen", number(seen)));
        }
        return TransactWriteItem.builder().put(put.build()).build();
    }

    private TransactWriteItem newestEpoch(Epoch epoch) {
        return TransactWriteItem.builder()
                .conditionCheck(
                        ConditionCheck.builder()
                                .tableName(table.name())
                                .key(key(STATE, 0))
                                .conditionExpression("epoch = :epoch")
                                .expressionAttributeValues(Map.of(":epoch", number(epoch.value())))
                                .build())
                .build();
    }

    /** Whether all was written; false when a condition wasn't met or another write came between. */
    private boolean transact(String tried, TransactWriteItem... writes) {
        return AwsCalls.write(
                tried,
                () -> {
                    try {
                        table.client().transactWriteItems(request -> request.transactItems(writes));
                        return true;
                    } catch (TransactionCanceledException e) {
                        boolean lost =
                                e.cancellationReasons().stream()
                                        .anyMatch(
                                                reason ->
                                                        "ConditionalCheckFailed"
                                                                        .equals(reason.code())
                                                                || "TransactionConflict"
                                                                        .equals(reason.code()));
                        if (lost) {
                            return false;
                        }
                        throw e;
                    }
                });
    }

    private static <T> T contended(String tried, Supplier<Optional<T>> attempt) {
        for (int i = 0; i < ATTEMPTS; i++) {
            Optional<T> done = attempt.get();
            if (done.isPresent()) {
                return done.get();
            }
            long longest = Math.min(LONGEST_PAUSE_NANOS, FIRST_PAUSE_NANOS << i);
            LockSupport.parkNanos(ThreadLocalRandom.current().nextLong(longest));
        }
        throw new Failure.Retryable(
                tried,
                "others wrote first, " + ATTEMPTS + " times in a row",
                "Try again; if it lasts, look who writes so often");
    }
}
