package io.vaultdr.aws;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.node.ObjectNode;

import io.vaultdr.model.Failure;
import io.vaultdr.runtime.Json;

import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.QueryRequest;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The table that ledger and evidence share: partition key {@code pk}, sort key {@code sk}, the
 * record as JSON in {@code body}, its version in {@code version}, its end of life in {@code
 * expires}.
 */
record LedgerTable(DynamoDbClient client, String name) {

    static AttributeValue text(String value) {
        return AttributeValue.fromS(value);
    }

    static AttributeValue number(long value) {
        return AttributeValue.fromN(Long.toString(value));
    }

    static Map<String, AttributeValue> key(String partition, long sort) {
        return Map.of("pk", text(partition), "sk", number(sort));
    }

    /** An item that holds {@code record}. */
    static Map<String, AttributeValue> item(String partition, long sort, Object record) {
        Map<String, AttributeValue> item = new HashMap<>(key(partition, sort));
        try {
            item.put("body", text(Json.MAPPER.writeValueAsString(record)));
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("a " + record.getClass() + " is not JSON", e);
        }
        return item;
    }

    /** An item that holds {@code record} as its {@code version}th. */
    static Map<String, AttributeValue> item(
            String partition, long sort, Object record, long version) {
        ObjectNode body = Json.MAPPER.valueToTree(record);
        Map<String, AttributeValue> item =
                new HashMap<>(item(partition, sort, body.put("version", version)));
        item.put("version", number(version));
        return item;
    }

    /** An attribute that every item of its kind has. */
    static AttributeValue required(Map<String, AttributeValue> item, String attribute) {
        AttributeValue value = item.get(attribute);
        if (value == null) {
            throw new Failure.Terminal(
                    "read an item of the ledger's table",
                    "attribute '" + attribute + "' is missing among " + item.keySet(),
                    "Somebody else wrote into the table; remove that item");
        }
        return value;
    }

    /** What {@code item} holds. */
    <T> T body(Class<T> type, Map<String, AttributeValue> item) {
        try {
            return Json.MAPPER.readValue(required(item, "body").s(), type);
        } catch (JsonProcessingException e) {
            throw new Failure.Terminal(
                    "read "
                            + required(item, "pk").s()
                            + "/"
                            + required(item, "sk").n()
                            + " of table "
                            + name,
                    "its body is no " + type.getSimpleName() + ": " + e.getOriginalMessage(),
                    "Was it written by a newer version? Deploy that one",
                    e);
        }
    }

    /** The item at that key, read consistently. */
    Optional<Map<String, AttributeValue>> get(String partition, long sort) {
        Map<String, AttributeValue> item =
                AwsCalls.read(
                        "read " + partition + "/" + sort + " of table " + name,
                        () ->
                                client.getItem(
                                                request ->
                                                        request.tableName(name)
                                                                .key(key(partition, sort))
                                                                .consistentRead(true))
                                        .item());
        return item.isEmpty() ? Optional.empty() : Optional.of(item);
    }

    /** The newest items of a partition, newest first. */
    List<Map<String, AttributeValue>> newest(String partition, int limit) {
        return AwsCalls.read(
                "read the newest of " + partition + " of table " + name,
                () ->
                        client.query(
                                        query().keyConditionExpression("pk = :pk")
                                                .expressionAttributeValues(
                                                        Map.of(":pk", text(partition)))
                                                .scanIndexForward(false)
                                                .limit(limit)
                                                .build())
                                .items());
    }

    /** The items of a partition with sort keys in {@code [first, last]}, in their order. */
    List<Map<String, AttributeValue>> between(String partition, long first, long last) {
        return AwsCalls.read(
                "read " + partition + " from " + first + " to " + last + " of table " + name,
                () ->
                        client
                                .queryPaginator(
                                        query().keyConditionExpression(
                                                        "pk = :pk AND sk BETWEEN :first AND :last")
                                                .expressionAttributeValues(
                                                        Map.of(
                                                                ":pk", text(partition),
                                                                ":first", number(first),
                                                                ":last", number(last)))
                                                .build())
                                .items()
                                .stream()
                                .toList());
    }

    private QueryRequest.Builder query() {
        return QueryRequest.builder().tableName(name).consistentRead(true);
    }
}
