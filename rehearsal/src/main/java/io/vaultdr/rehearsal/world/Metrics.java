package io.vaultdr.rehearsal.world;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;

import io.vaultdr.rehearsal.world.WorldEvent.MetricPut;
import io.vaultdr.runtime.Json;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedDeque;

/** Datapoints as CloudWatch keeps them, from both ways in: PutMetricData and embedded format. */
final class Metrics {
    /** A metric of a region. */
    record Id(String region, String namespace, String name, Map<String, String> dimensions) {}

    private record Point(Instant at, double value) {}

    /**
     * The namespaces that anything here puts metrics into: functions, and what Lambda, Step
     * Functions and queues tell of them. No agent runs on a machine here, and no load balancer or
     * group counts.
     */
    static final Set<String> TOLD = Set.of("AWS/Lambda", "AWS/SQS", "AWS/States", "VaultDr");

    private static final Duration KEPT = Duration.ofHours(26);

    private final Map<Id, ConcurrentLinkedDeque<Point>> points = new ConcurrentHashMap<>();

    /** Keeps a datapoint. */
    void add(Id id, Instant at, double value) {
        ConcurrentLinkedDeque<Point> series =
                points.computeIfAbsent(id, key -> new ConcurrentLinkedDeque<>());
        series.add(new Point(at, value));
        Point oldest = series.peek();
        if (oldest != null && oldest.at.isBefore(at.minus(KEPT))) {
            series.poll();
        }
    }

    /** Whether the metric ever had a datapoint. */
    boolean has(Id id) {
        return points.containsKey(id);
    }

    /** The values of {@code from ≤ timestamp < until}. */
    List<Double> between(Id id, Instant from, Instant until) {
        ConcurrentLinkedDeque<Point> series = points.get(id);
        return series == null
                ? List.of()
                : series.stream()
                        .filter(p -> !p.at.isBefore(from) && p.at.isBefore(until))
                        .map(Point::value)
                        .toList();
    }

    /** What a PutMetricData puts: the form of the query protocol. */
    static List<MetricPut> ofForm(String region, Map<String, String> form, Instant now) {
        String namespace = form.get("Namespace");
        if (namespace == null) {
            throw new IllegalArgumentException(
                    "PutMetricData: expected a form with a Namespace, got " + form.keySet());
        }
        List<MetricPut> puts = new ArrayList<>();
        for (int i = 1; form.containsKey("MetricData.member." + i + ".MetricName"); i++) {
            String prefix = "MetricData.member." + i + ".";
            Map<String, String> dimensions = new TreeMap<>();
            for (int d = 1; form.containsKey(prefix + "Dimensions.member." + d + ".Name"); d++) {
                String dimension = prefix + "Dimensions.member." + d;
                dimensions.put(
                        form.getOrDefault(dimension + ".Name", ""),
                        form.getOrDefault(dimension + ".Value", ""));
            }
            Instant at =
                    Optional.ofNullable(form.get(prefix + "Timestamp"))
                            .map(Instant::parse)
                            .orElse(now);
            List<String> values = new ArrayList<>();
            Optional.ofNullable(form.get(prefix + "Value")).ifPresent(values::add);
            for (int v = 1; form.containsKey(prefix + "Values.member." + v); v++) {
                values.add(form.getOrDefault(prefix + "Values.member." + v, ""));
            }
            String name = form.getOrDefault(prefix + "MetricName", "");
            for (String value : values) {
                puts.add(
                        new MetricPut(
                                now,
                                region,
                                namespace,
                                name,
                                Map.copyOf(dimensions),
                                Double.parseDouble(value),
                                at));
            }
        }
        return puts;
    }

    /** What a log line in embedded metric format puts; nothing for any other line. */
    static List<MetricPut> ofLine(String region, String line, Instant now) {
        if (!line.contains("\"_aws\"")) {
            return List.of();
        }
        JsonNode json;
        try {
            json = Json.MAPPER.readTree(line);
        } catch (JsonProcessingException e) {
            return List.of();
        }
        Instant at = Instant.ofEpochMilli(json.path("_aws").path("Timestamp").asLong());
        List<MetricPut> puts = new ArrayList<>();
        for (JsonNode directive : json.path("_aws").path("CloudWatchMetrics")) {
            String namespace = directive.path("Namespace").asText();
            for (JsonNode set : directive.path("Dimensions")) {
                Map<String, String> dimensions = new TreeMap<>();
                set.forEach(d -> dimensions.put(d.asText(), json.path(d.asText()).asText()));
                for (JsonNode metric : directive.path("Metrics")) {
                    String name = metric.path("Name").asText();
                    JsonNode value = json.path(name);
                    for (JsonNode one : value.isArray() ? value : List.of(value)) {
                        puts.add(
                                new MetricPut(
                                        now,
                                        region,
                                        namespace,
                                        name,
                                        Map.copyOf(dimensions),
                                        one.asDouble(),
                                        at));
                    }
                }
            }
        }
        return puts;
    }
}
