package io.vaultdr.infra.watch;

import static java.util.Map.entry;

import com.fasterxml.jackson.core.JsonProcessingException;

import io.vaultdr.runtime.Json;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What the CloudWatch agent of a node is told: {@code agent} is its own file, {@code prometheus} is
 * its scraper's. Load, memory and disks go out as the cluster's, without a dimension per instance:
 * an alarm asks whether any node is full, and nodes come and go. Of the server's telemetry only
 * {@link ServerMetric}s leave the node.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-Agent-Configuration-File-Details.html">the
 *     agent's configuration</a>
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-Agent-PrometheusEC2.html">Prometheus
 *     metrics on EC2</a>
 */
public record AgentConfiguration(Map<String, Object> agent, Map<String, Object> prometheus) {
    /** Stands for the node's instance id, which only the node knows. */
    public static final String INSTANCE = "{instance_id}";

    /** Where the node writes the scraper's part. */
    public static final String PROMETHEUS_FILE = "/etc/vault-dr/prometheus.yaml";

    /** What a standard parameter holds. */
    private static final int PARAMETER = 4_096;

    /** The configuration of the nodes of {@code cluster}. */
    public static AgentConfiguration of(WatchedCluster cluster) {
        return new AgentConfiguration(
                ordered(
                        entry("agent", Map.of("metrics_collection_interval", 60)),
                        entry("metrics", host(cluster)),
                        entry("logs", logs(cluster))),
                scrape(cluster));
    }

    /**
     * Both, as the parameter holds them.
     *
     * @throws IllegalStateException if it is more than a standard parameter takes
     */
    public String json() {
        try {
            String json = Json.MAPPER.writeValueAsString(this);
            if (json.length() > PARAMETER) {
                throw new IllegalStateException(
                        "the agent's configuration has "
                                + json.length()
                                + " characters, expected "
                                + PARAMETER
                                + " at the most, which is what a parameter takes; shorten the"
                                + " pair's name or the paths");
            }
            return json;
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(this + " as JSON", e);
        }
    }

    private static Map<String, Object> host(WatchedCluster cluster) {
        return ordered(
                entry("namespace", WatchedCluster.NAMESPACE),
                entry(
                        "aggregation_dimensions",
                        List.of(
                                List.of(WatchedCluster.DIMENSION),
                                List.of(WatchedCluster.DIMENSION, "path"))),
                entry(
                        "metrics_collected",
                        ordered(
                                entry("cpu", collected(cluster, "cpu_usage_active", "totalcpu")),
                                entry("mem", collected(cluster, "mem_used_percent")),
                                entry("disk", disks(cluster)))));
    }

    private static Map<String, Object> disks(WatchedCluster cluster) {
        Map<String, Object> disks = collected(cluster, "disk_used_percent", "drop_device");
        disks.put("resources", cluster.disks());
        return disks;
    }

    /** One measurement, as the cluster's and not once more as the instance's. */
    private static Map<String, Object> collected(
            WatchedCluster cluster, String metric, String... switches) {
        Map<String, Object> all =
                ordered(
                        entry("measurement", List.of(metric)),
                        entry("append_dimensions", dimension(cluster)),
                        entry("drop_original_metrics", List.of(metric)));
        for (String name : switches) {
            all.put(name, true);
        }
        return all;
    }

    private static Map<String, Object> logs(WatchedCluster cluster) {
        return ordered(
                entry(
                        "logs_collected",
                        Map.of(
                                "files",
                                Map.of(
                                        "collect_list",
                                        List.of(
                                                ordered(
                                                        entry("file_path", cluster.auditFile()),
                                                        entry("log_group_name", cluster.auditLog()),
                                                        entry("log_stream_name", INSTANCE)))))),
                entry(
                        "metrics_collected",
                        Map.of(
                                "prometheus",
                                ordered(
                                        entry("prometheus_config_path", PROMETHEUS_FILE),
                                        entry("log_group_name", cluster.telemetryLog()),
                                        entry(
                                                "emf_processor",
                                                ordered(
                                                        entry(
                                                                "metric_namespace",
                                                                WatchedCluster.NAMESPACE),
                                                        entry(
                                                                "metric_declaration",
                                                                declarations(cluster))))))));
    }

    /** Which samples are metrics: each quantile is a sample of its own, told by its label. */
    private static List<Map<String, Object>> declarations(WatchedCluster cluster) {
        List<Map<String, Object>> all = new ArrayList<>();
        ServerMetric.of(cluster.edition()).stream()
                .collect(
                        Collectors.groupingBy(
                                metric -> metric.quantile().orElse(""),
                                LinkedHashMap::new,
                                Collectors.toList()))
                .forEach(
                        (quantile, metrics) ->
                                all.add(
                                        ordered(
                                                entry(
                                                        "source_labels",
                                                        List.of(
                                                                quantile.isEmpty()
                                                                        ? WatchedCluster.DIMENSION
                                                                        : "quantile")),
                                                entry(
                                                        "label_matcher",
                                                        quantile.isEmpty()
                                                                ? ".+"
                                                                : "^" + quantile + "$"),
                                                entry(
                                                        "dimensions",
                                                        List.of(List.of(WatchedCluster.DIMENSION))),
                                                entry(
                                                        "metric_selectors",
                                                        metrics.stream()
                                                                .map(it -> "^" + it.served() + "$")
                                                                .toList()))));
        return all;
    }

    private static Map<String, Object> scrape(WatchedCluster cluster) {
        return ordered(
                entry(
                        "global",
                        // A summary holds ten seconds: what is asked for more seldom is missed.
                        ordered(entry("scrape_interval", "15s"), entry("scrape_timeout", "10s"))),
                entry(
                        "scrape_configs",
                        List.of(
                                ordered(
                                        // The agent calls its log stream by the job.
                                        entry("job_name", INSTANCE),
                                        entry("metrics_path", "/v1/sys/metrics"),
                                        entry("params", Map.of("format", List.of("prometheus"))),
                                        entry(
                                                "static_configs",
                                                List.of(
                                                        ordered(
                                                                entry(
                                                                        "targets",
                                                                        List.of(
                                                                                WatchedCluster
                                                                                        .METRICS_ADDRESS)),
                                                                entry(
                                                                        "labels",
                                                                        dimension(cluster))))),
                                        entry(
                                                "metric_relabel_configs",
                                                List.of(
                                                        ordered(
                                                                entry(
                                                                        "source_labels",
                                                                        List.of("__name__")),
                                                                entry("regex", names(cluster)),
                                                                entry("action", "keep"))))))));
    }

    private static String names(WatchedCluster cluster) {
        return ServerMetric.of(cluster.edition()).stream()
                .map(ServerMetric::served)
                .collect(Collectors.joining("|"));
    }

    private static Map<String, Object> dimension(WatchedCluster cluster) {
        return Map.of(WatchedCluster.DIMENSION, cluster.cluster());
    }

    @SafeVarargs
    private static Map<String, Object> ordered(Map.Entry<String, Object>... entries) {
        Map<String, Object> map = new LinkedHashMap<>();
        for (Map.Entry<String, Object> entry : entries) {
            map.put(entry.getKey(), entry.getValue());
        }
        return map;
    }
}
