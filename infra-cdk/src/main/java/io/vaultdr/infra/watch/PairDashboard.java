package io.vaultdr.infra.watch;

import io.vaultdr.infra.config.Config;
import io.vaultdr.infra.config.Config.Pair;
import io.vaultdr.infra.config.DeployedFunction;
import io.vaultdr.infra.config.Names;
import io.vaultdr.infra.construct.Times;

import software.amazon.awscdk.services.cloudwatch.Dashboard;
import software.amazon.awscdk.services.cloudwatch.GraphWidget;
import software.amazon.awscdk.services.cloudwatch.HorizontalAnnotation;
import software.amazon.awscdk.services.cloudwatch.IMetric;
import software.amazon.awscdk.services.cloudwatch.IWidget;
import software.amazon.awscdk.services.cloudwatch.Metric;
import software.amazon.awscdk.services.cloudwatch.MetricOptions;
import software.amazon.awscdk.services.cloudwatch.PeriodOverride;
import software.amazon.awscdk.services.cloudwatch.TextWidget;
import software.amazon.awscdk.services.cloudwatch.YAxisProps;
import software.constructs.Construct;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * What a person on call looks at, from top to bottom: is it serving and who sees that, what
 * follows, what could be restored, the nodes, their load, and at last this project's own functions.
 * Each part begins with what to look for and where it stands what to do.
 *
 * <p>It stands in one region and shows metrics of all: with that region gone, the same metrics are
 * where they always were.
 */
public final class PairDashboard extends Construct {
    private static final int WHOLE = 24;

    /** Three beside each other. */
    private static final int WIDE = 8;

    private static final List<String> VERDICTS = List.of("HOLD", "PAGE", "ASK", "FAIL_OVER");

    private final Names names;
    private final Pair pair;
    private final List<List<IWidget>> rows = new ArrayList<>();

    /**
     * What it shows.
     *
     * @param vantages the regions that probe the pair
     * @param clusters those whose nodes this app made
     * @param functions region → the names of the pair's functions there
     */
    public record Props(
            Names names,
            Pair pair,
            List<String> vantages,
            List<WatchedCluster> clusters,
            Map<String, List<String>> functions) {}

    public PairDashboard(Construct scope, String id, Props props) {
        super(scope, id);
        this.names = props.names();
        this.pair = props.pair();
        if (pair.probed()) {
            serving(props.vantages());
            verdicts();
        }
        snapshots();
        for (WatchedCluster cluster : props.clusters()) {
            nodes(cluster);
        }
        for (WatchedCluster cluster : props.clusters()) {
            load(cluster);
        }
        functions(props.functions());
        Dashboard.Builder.create(this, "Dashboard")
                .dashboardName(names.prefix() + "-" + names.pair())
                .defaultInterval(Times.of(Duration.ofHours(3)))
                .periodOverride(PeriodOverride.INHERIT)
                .widgets(rows)
                .build();
    }

    private void serving(List<String> vantages) {
        text(
                "Is it serving, and from where is it seen?",
                "Each line is a region that asks in every ten seconds: 1 is a node that leads and"
                        + " answers, 0 is none. One line at 0: a path, [unreached]. All at 0:"
                        + " [down], or [all-sealed]. Lines that end: the vantage itself is away,"
                        + " [unclear].",
                "unreached",
                "down",
                "all-sealed",
                "unclear");
        row(
                graph(
                        "Reached, by vantage",
                        pair.drCluster().region(),
                        vantages.stream()
                                .map(
                                        vantage ->
                                                labelled(
                                                        own(
                                                                "ServingReached",
                                                                Map.of("Vantage", vantage),
                                                                "Minimum",
                                                                pair.drCluster().region()),
                                                        vantage))
                                .toList(),
                        List.of(),
                        true));
    }

    private void verdicts() {
        String region = pair.drCluster().region();
        text(
                "What follows from it?",
                "Each minute's verdict. HOLD is the rule; PAGE and ASK want you:"
                        + " [approve-or-reject]. An execution that runs is an incident:"
                        + " `./vault-dr status "
                        + names.pair()
                        + "` says at which step it is, [failover-failed] what to do when it fails.",
                "approve-or-reject",
                "failover-failed");
        row(
                graph(
                        "Verdicts",
                        region,
                        VERDICTS.stream()
                                .map(
                                        verdict ->
                                                labelled(
                                                        own(
                                                                "VerdictReached",
                                                                Map.of("Verdict", verdict),
                                                                "Sum",
                                                                region),
                                                        verdict))
                                .toList(),
                        List.of(),
                        false),
                graph(
                        "Executions of the failover, dry runs included",
                        region,
                        List.of("ExecutionsStarted", "ExecutionsSucceeded", "ExecutionsFailed")
                                .stream()
                                .<IMetric>map(
                                        name ->
                                                Metric.Builder.create()
                                                        .namespace("AWS/States")
                                                        .metricName(name)
                                                        .dimensionsMap(
                                                                Map.of(
                                                                        "StateMachineArn",
                                                                        names.stateMachineArn(
                                                                                region)))
                                                        .statistic("Sum")
                                                        .period(Times.minutes(5))
                                                        .region(region)
                                                        .build())
                                .toList(),
                        List.of(),
                        false));
    }

    private void snapshots() {
        text(
                "What could be restored?",
                "A snapshot counts once it is proven. Both ages climb and fall back with each"
                        + " snapshot; one that only climbs: [snapshot-too-old], [proof-too-old]. A"
                        + " lost home costs what was written since.",
                "snapshot-too-old",
                "proof-too-old");
        List<IWidget> widgets = new ArrayList<>();
        for (String region : pair.bucketRegions()) {
            if (!names.owns(region)) {
                continue;
            }
            List<IMetric> ages = new ArrayList<>();
            ages.add(labelled(own("SnapshotAgeSeconds", Map.of(), "Maximum", region), "newest"));
            List<HorizontalAnnotation> limits = new ArrayList<>();
            if (pair.proving().isPresent() && region.equals(pair.proofRegion())) {
                ages.add(
                        labelled(
                                own("ProvenAgeSeconds", Map.of(), "Maximum", region),
                                "newest proven"));
                limits.add(
                        limit(
                                "too old",
                                (double) pair.proving().orElseThrow().maxAge().toSeconds()));
            }
            widgets.add(graph("Ages in " + region + ", seconds", region, ages, limits, false));
        }
        row(widgets.toArray(IWidget[]::new));
    }

    private void nodes(WatchedCluster cluster) {
        NodeMetrics minute = new NodeMetrics(cluster, Duration.ofMinutes(1));
        text(
                "Nodes of " + cluster.cluster(),
                "Leaders: exactly 1 on the side that serves, [no-leader] otherwise. Unsealed: 1, or"
                        + " a node is sealed, [node-sealed]; a standby that waits blank says 0 by"
                        + " intent. Tolerance: how many more nodes may go; 0 is [tolerance-low]."
                        + " Terms that climb are elections, [elections].",
                "no-leader",
                "node-sealed",
                "tolerance-low",
                "elections");
        row(
                graph(
                        "Leads, unsealed, healthy",
                        cluster.region(),
                        List.of(
                                minute.server(ServerMetric.ACTIVE, "Maximum"),
                                minute.server(ServerMetric.UNSEALED, "Minimum"),
                                minute.server(ServerMetric.HEALTHY, "Minimum")),
                        List.of(),
                        true),
                graph(
                        "Nodes and failure tolerance",
                        cluster.region(),
                        List.of(
                                minute.group("GroupDesiredCapacity", "Maximum"),
                                minute.group("GroupInServiceInstances", "Minimum"),
                                minute.server(ServerMetric.FAILURE_TOLERANCE, "Minimum")),
                        List.of(),
                        true),
                graph(
                        "Raft's term, and entries behind",
                        cluster.region(),
                        List.of(
                                minute.server(ServerMetric.TERM, "Maximum"),
                                minute.server(ServerMetric.FOLLOWER_LAG, "Maximum")),
                        List.of(),
                        false));
    }

    private void load(WatchedCluster cluster) {
        NodeMetrics minute = new NodeMetrics(cluster, Duration.ofMinutes(1));
        text(
                "Load of " + cluster.cluster(),
                "The worst node, each. Over the line: [cpu-high], [memory-high], [disk-full]."
                        + " Commits of more than a quarter of a second: [raft-slow]. Requests that"
                        + " pile up while nothing else moves: a client, [cpu-high].",
                "cpu-high",
                "memory-high",
                "disk-full",
                "raft-slow");
        List<IMetric> hosts =
                new ArrayList<>(List.of(minute.cpu("Maximum"), minute.memory("Maximum")));
        cluster.disks().forEach(disk -> hosts.add(minute.disk(disk, "Maximum")));
        row(
                graph(
                        "Processors, memory, disks, percent",
                        cluster.region(),
                        hosts,
                        List.of(limit("alarm", 80)),
                        true),
                graph(
                        "Milliseconds of a commit and since a follower answered",
                        cluster.region(),
                        List.of(
                                minute.server(ServerMetric.COMMIT_TIME, "Average"),
                                minute.server(ServerMetric.LAST_CONTACT, "Average")),
                        List.of(),
                        true),
                graph(
                        "Requests in flight, leases, audit lines",
                        cluster.region(),
                        List.of(
                                minute.server(ServerMetric.IN_FLIGHT, "Maximum"),
                                minute.server(ServerMetric.LEASES, "Maximum"),
                                minute.auditLines()),
                        List.of(),
                        true));
    }

    private void functions(Map<String, List<String>> all) {
        text(
                "This project's own functions",
                "Errors: [function-errors], throttles: [function-throttles]. A function that should"
                        + " run and has no line: [function-silent].",
                "function-errors",
                "function-throttles",
                "function-silent");
        new TreeMap<>(all)
                .forEach(
                        (region, functions) ->
                                row(
                                        graph(
                                                "Errors in " + region,
                                                region,
                                                lambda(functions, "Errors", "Sum", region),
                                                List.of(),
                                                true),
                                        graph(
                                                "Throttles in " + region,
                                                region,
                                                lambda(functions, "Throttles", "Sum", region),
                                                List.of(),
                                                true),
                                        graph(
                                                "Longest run in " + region + ", milliseconds",
                                                region,
                                                lambda(functions, "Duration", "Maximum", region),
                                                List.of(),
                                                true)));
    }

    private List<IMetric> lambda(
            List<String> functions, String metric, String statistic, String region) {
        return functions.stream()
                .<IMetric>map(
                        function ->
                                Metric.Builder.create()
                                        .namespace("AWS/Lambda")
                                        .metricName(metric)
                                        .dimensionsMap(Map.of("FunctionName", function))
                                        .statistic(statistic)
                                        .period(Times.minutes(5))
                                        .region(region)
                                        .label(function.substring(names.of("").length()))
                                        .build())
                .toList();
    }

    private Metric own(String metric, Map<String, String> more, String statistic, String region) {
        Map<String, String> dimensions = new TreeMap<>(more);
        dimensions.put("Pair", names.pair().value());
        return Metric.Builder.create()
                .namespace("VaultDr")
                .metricName(metric)
                .dimensionsMap(dimensions)
                .statistic(statistic)
                .period(Times.minutes(1))
                .region(region)
                .build();
    }

    private static IMetric labelled(Metric metric, String label) {
        return metric.with(MetricOptions.builder().label(label).build());
    }

    private static HorizontalAnnotation limit(String label, double value) {
        return HorizontalAnnotation.builder().label(label).value(value).build();
    }

    private static GraphWidget graph(
            String title,
            String region,
            List<? extends IMetric> metrics,
            List<HorizontalAnnotation> limits,
            boolean fromZero) {
        GraphWidget.Builder builder =
                GraphWidget.Builder.create()
                        .title(title)
                        .region(region)
                        .left(metrics)
                        .leftAnnotations(limits)
                        .height(6)
                        .width(WIDE);
        if (fromZero) {
            builder.leftYAxis(YAxisProps.builder().min(0).showUnits(false).build());
        }
        return builder.build();
    }

    /** A heading, what to look for, and where it stands what to do. */
    private void text(String heading, String what, String... runbooks) {
        row(
                TextWidget.Builder.create()
                        .markdown(
                                "## "
                                        + heading
                                        + "\n"
                                        + what
                                        + "\n\nRunbooks: docs/runbooks/"
                                        + String.join(".md, docs/runbooks/", runbooks)
                                        + ".md")
                        .width(WHOLE)
                        .height(3)
                        .build());
    }

    private void row(IWidget... widgets) {
        rows.add(List.of(widgets));
    }

    /** Region → the names of the pair's functions there, in home's account. */
    public static Map<String, List<String>> functions(Config config, Pair pair) {
        return DeployedFunction.of(config, pair).stream()
                .filter(it -> it.account().isEmpty())
                .filter(it -> !it.purpose().equals(DeployedFunction.PROBE))
                .sorted(Comparator.comparing(DeployedFunction::name))
                .collect(
                        Collectors.groupingBy(
                                DeployedFunction::region,
                                TreeMap::new,
                                Collectors.mapping(DeployedFunction::name, Collectors.toList())));
    }
}
