package io.vaultdr.infra.watch;

import io.vaultdr.infra.construct.Times;

import software.amazon.awscdk.services.cloudwatch.IMetric;
import software.amazon.awscdk.services.cloudwatch.MathExpression;
import software.amazon.awscdk.services.cloudwatch.Metric;

import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;

/** The metrics of one made cluster. Each says its region, so that it is shown in another one. */
public record NodeMetrics(WatchedCluster cluster, Duration period) {
    /** Of the server's telemetry. */
    public Metric server(ServerMetric metric, String statistic) {
        return of(
                WatchedCluster.NAMESPACE,
                metric.served(),
                Map.of(WatchedCluster.DIMENSION, cluster.cluster()),
                statistic);
    }

    /** The share of processor time in use, in percent. */
    public Metric cpu(String statistic) {
        return host("cpu_usage_active", statistic);
    }

    /** The share of memory in use, in percent. */
    public Metric memory(String statistic) {
        return host("mem_used_percent", statistic);
    }

    /** The share of the disk at {@code path} in use, in percent. */
    public Metric disk(String path, String statistic) {
        return of(
                WatchedCluster.NAMESPACE,
                "disk_used_percent",
                new TreeMap<>(Map.of(WatchedCluster.DIMENSION, cluster.cluster(), "path", path)),
                statistic);
    }

    /** What Auto Scaling says of the group; its group metrics have to be switched on. */
    public Metric group(String name, String statistic) {
        return of(
                "AWS/AutoScaling",
                name,
                Map.of("AutoScalingGroupName", cluster.group()),
                statistic);
    }

    /** The fewest CPU credits of any of the group's instances. */
    public Metric credits() {
        return of(
                "AWS/EC2",
                "CPUCreditBalance",
                Map.of("AutoScalingGroupName", cluster.group()),
                "Minimum");
    }

    /** How many lines of the audit log arrived. */
    public Metric auditLines() {
        return of(
                "AWS/Logs", "IncomingLogEvents", Map.of("LogGroupName", cluster.auditLog()), "Sum");
    }

    /** How many elections there were: by how much the term rose within the period. */
    public IMetric elections() {
        return math(
                "after - before",
                "elections",
                Map.of(
                        "after",
                        server(ServerMetric.TERM, "Maximum"),
                        "before",
                        server(ServerMetric.TERM, "Minimum")));
    }

    /** How many instances the group lacks. */
    public IMetric missing() {
        return math(
                "wanted - serving",
                "nodes missing",
                Map.of(
                        "wanted",
                        group("GroupDesiredCapacity", "Maximum"),
                        "serving",
                        group("GroupInServiceInstances", "Minimum")));
    }

    /** {@code metric} while any node leads, {@code otherwise} while none does. */
    public IMetric whileLed(IMetric metric, double otherwise, String label) {
        return math(
                "IF(FILL(led, 0) >= 1, what, " + (long) otherwise + ")",
                label,
                Map.of("led", server(ServerMetric.ACTIVE, "Maximum"), "what", metric));
    }

    private Metric host(String name, String statistic) {
        return of(
                WatchedCluster.NAMESPACE,
                name,
                Map.of(WatchedCluster.DIMENSION, cluster.cluster()),
                statistic);
    }

    private IMetric math(String expression, String label, Map<String, IMetric> metrics) {
        return MathExpression.Builder.create()
                .expression(expression)
                .label(label)
                .usingMetrics(new TreeMap<>(metrics))
                .period(Times.of(period))
                .build();
    }

    private Metric of(
            String namespace, String name, Map<String, String> dimensions, String statistic) {
        return Metric.Builder.create()
                .namespace(namespace)
                .metricName(name)
                .dimensionsMap(dimensions)
                .statistic(statistic)
                .period(Times.of(period))
                .region(cluster.region())
                .build();
    }
}
