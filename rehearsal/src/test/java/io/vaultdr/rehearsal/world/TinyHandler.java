package io.vaultdr.rehearsal.world;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;

import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.s3.S3Client;

import java.lang.management.ManagementFactory;
import java.util.LinkedHashMap;
import java.util.Map;

/** A function for tests: does what its event says, and tells what it found. */
public final class TinyHandler implements RequestHandler<Map<String, String>, Map<String, String>> {
    private int calls;

    @Override
    public Map<String, String> handleRequest(Map<String, String> event, Context context) {
        calls++;
        Map<String, String> found = new LinkedHashMap<>();
        found.put("calls", String.valueOf(calls));
        switch (event.getOrDefault("do", "tell")) {
            case "tell" -> {
                found.put("arn", context.getInvokedFunctionArn());
                found.put("region", System.getenv("AWS_REGION"));
                found.put("pair", System.getenv().getOrDefault("PAIR", ""));
                found.put("heap", String.valueOf(Runtime.getRuntime().maxMemory() >> 20));
                found.put("left", String.valueOf(context.getRemainingTimeInMillis()));
                found.put("pid", String.valueOf(ProcessHandle.current().pid()));
                found.put(
                        "collector",
                        ManagementFactory.getGarbageCollectorMXBeans().getFirst().getName());
            }
            case "sleep" -> sleep(Long.parseLong(event.getOrDefault("millis", "0")));
            case "fail" -> throw new IllegalStateException("as the event asked");
            case "exit" -> Runtime.getRuntime().halt(3);
            case "write" -> {
                String bucket = event.getOrDefault("bucket", "");
                try (S3Client s3 = S3Client.create()) {
                    s3.putObject(
                            request -> request.bucket(bucket).key("a/b c"),
                            RequestBody.fromString("hello"));
                    found.put(
                            "read",
                            s3.getObjectAsBytes(request -> request.bucket(bucket).key("a/b c"))
                                    .asUtf8String());
                }
            }
            case "put" -> {
                try (DynamoDbClient table = DynamoDbClient.create()) {
                    table.putItem(
                            request ->
                                    request.tableName(event.getOrDefault("table", ""))
                                            .item(Map.of("pk", AttributeValue.fromS("one"))));
                }
            }
            case "metric" ->
                    System.out.printf(
                            "{\"_aws\":{\"Timestamp\":%d,\"CloudWatchMetrics\":[{\"Namespace\":"
                                    + "\"VaultDr\",\"Dimensions\":[[\"Pair\"]],\"Metrics\":[{"
                                    + "\"Name\":\"Tiny\",\"Unit\":\"Count\"}]}]},"
                                    + "\"Pair\":\"payments\",\"Tiny\":7}%n",
                            System.currentTimeMillis());
            default -> throw new IllegalArgumentException(event.toString());
        }
        return found;
    }

    private static void sleep(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
