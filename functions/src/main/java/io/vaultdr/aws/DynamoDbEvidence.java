package io.vaultdr.aws;

import static io.vaultdr.aws.LedgerTable.item;
import static io.vaultdr.aws.LedgerTable.number;
import static io.vaultdr.aws.LedgerTable.text;

import io.vaultdr.failover.EvidenceLog;
import io.vaultdr.failover.Observation;
import io.vaultdr.failover.Readiness;
import io.vaultdr.runtime.Parallel;

import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.ConditionalCheckFailedException;
import software.amazon.awssdk.services.dynamodb.model.ReturnValuesOnConditionCheckFailure;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Evidence and readiness in the ledger's table. */
public final class DynamoDbEvidence implements EvidenceLog {
    private static final Duration LIFE = Duration.ofDays(1);

    private final LedgerTable table;
    private final List<String> vantages;

    /**
     * The evidence in {@code table}.
     *
     * @param vantages the regions whose evidence is read
     */
    public DynamoDbEvidence(DynamoDbClient client, String table, List<String> vantages) {
        this.table = new LedgerTable(client, table);
        this.vantages = List.copyOf(vantages);
    }

    @Override
    public Optional<String> put(Observation observation, String claimant) {
        Map<String, AttributeValue> item =
                item(evidence(observation.vantage()), observation.slot(), observation);
        item.put("claimant", text(claimant));
        item.put("expires", number(observation.at().plus(LIFE).getEpochSecond()));
        return AwsCalls.write(
                "write the evidence of slot " + observation.slot(),
                () -> {
                    try {
                        table.client()
                                .putItem(
                                        request ->
                                                request.tableName(table.name())
                                                        .item(item)
                                                        .conditionExpression(
                                                                "attribute_not_exists(pk)")
                                                        .returnValuesOnConditionCheckFailure(
                                                                ReturnValuesOnConditionCheckFailure
                                                                        .ALL_OLD));
                        return Optional.empty();
                    } catch (ConditionalCheckFailedException taken) {
                        String holder = LedgerTable.required(taken.item(), "claimant").s();
                        // The SDK's own retry of a write whose answer was lost finds itself.
                        return holder.equals(claimant) ? Optional.empty() : Optional.of(holder);
                    }
                });
    }

    @Override
    public Map<String, List<Observation>> between(long first, long last) {
        List<List<Observation>> found =
                Parallel.each(
                        vantages,
                        vantage ->
                                table.between(evidence(vantage), first, last).stream()
                                        .map(item -> table.body(Observation.class, item))
                                        .toList());
        Map<String, List<Observation>> byVantage = new LinkedHashMap<>();
        for (int i = 0; i < found.size(); i++) {
            byVantage.put(vantages.get(i), found.get(i));
        }
        return byVantage;
    }

    @Override
    public void put(Readiness readiness) {
        Map<String, AttributeValue> item = item(readiness(readiness.vantage()), 0, readiness);
        item.put("expires", number(readiness.at().plus(LIFE).getEpochSecond()));
        AwsCalls.write(
                "write the DR side's readiness",
                () ->
                        table.client()
                                .putItem(request -> request.tableName(table.name()).item(item)));
    }

    @Override
    public List<Readiness> readiness() {
        return Parallel.each(vantages, vantage -> table.get(readiness(vantage), 0)).stream()
                .flatMap(Optional::stream)
                .map(item -> table.body(Readiness.class, item))
                .toList();
    }

    /** The partitions that a vantage writes, and no other one. */
    public static List<String> partitions(String vantage) {
        return List.of(evidence(vantage), readiness(vantage));
    }

    private static String evidence(String vantage) {
        return "evidence#" + vantage;
    }

    private static String readiness(String vantage) {
        return "readiness#" + vantage;
    }
}
