package io.vaultdr.infra.watch;

import static software.amazon.awscdk.services.cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD;
import static software.amazon.awscdk.services.cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD;
import static software.amazon.awscdk.services.cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD;

import io.vaultdr.infra.construct.Pages;
import io.vaultdr.model.Side;

import software.amazon.awscdk.services.cloudwatch.Alarm;
import software.amazon.awscdk.services.cloudwatch.ComparisonOperator;
import software.amazon.awscdk.services.cloudwatch.IMetric;
import software.amazon.awscdk.services.cloudwatch.TreatMissingData;
import software.constructs.Construct;

import java.time.Duration;
import java.util.List;

/**
 * The alarms of a made cluster, each with its runbook. What only a cluster that serves can be asked
 * is asked of the DR side while one of its nodes leads: a standby there is blank by intent, and a
 * blank node says of itself what a sealed one says.
 *
 * @see <a href="https://developer.hashicorp.com/vault/docs/internals/telemetry/key-metrics">Vault's
 *     key metrics</a>
 */
public final class NodeAlarms extends Construct {
    /** Raft asks for about a network round trip and a write to disk: 3 to 10 ms on gp3. */
    private static final int SLOW_COMMIT_MILLIS = 250;

    /** A leader that its followers don't answer for 2.5 s steps down. */
    private static final int LATE_CONTACT_MILLIS = 500;

    /** Behind by more than this, autopilot neither promotes nor keeps a node for healthy. */
    private static final int LAG_ENTRIES = 10_000;

    private final WatchedCluster cluster;
    private final Pages pages;

    /**
     * Makes them.
     *
     * @param unhealthyTargets how many of the load balancer's targets are unhealthy, each minute
     */
    public NodeAlarms(
            Construct scope,
            String id,
            WatchedCluster cluster,
            Pages pages,
            IMetric unhealthyTargets) {
        super(scope, id);
        this.cluster = cluster;
        this.pages = pages;
        serving(unhealthyTargets);
        raft();
        hosts();
        audit();
    }

    /**
     * The alarms that say that a cluster isn't well: while one of them is raised, nobody replaces
     * its nodes.
     */
    public static List<String> unwell(WatchedCluster cluster) {
        List<String> both = List.of("tolerance-low", "node-sealed");
        return (cluster.side() == Side.HOME
                        ? List.of("no-leader", both.getFirst(), both.getLast())
                        : both)
                .stream().map(cluster::alarm).toList();
    }

    private void serving(IMetric unhealthyTargets) {
        NodeMetrics minute = every(1);
        if (cluster.side() == Side.HOME) {
            alarm(
                    "NoLeader",
                    "no-leader",
                    "No node leads, or none says so.",
                    minute.server(ServerMetric.ACTIVE, "Maximum"),
                    LESS_THAN_THRESHOLD,
                    1,
                    3,
                    TreatMissingData.BREACHING);
        }
        alarm(
                "Sealed",
                "node-sealed",
                "A node is sealed.",
                whileServing(minute, minute.server(ServerMetric.UNSEALED, "Minimum"), 1),
                LESS_THAN_THRESHOLD,
                1,
                3,
                TreatMissingData.NOT_BREACHING);
        alarm(
                "Targets",
                "targets-unhealthy",
                "The load balancer sends nobody to a node that should serve.",
                whileServing(minute, unhealthyTargets, 0),
                GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
                1,
                10,
                TreatMissingData.NOT_BREACHING);
        alarm(
                "Missing",
                "nodes-missing",
                "The group has had fewer nodes than it wants for a quarter of an hour.",
                minute.missing(),
                GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
                1,
                15,
                TreatMissingData.NOT_BREACHING);
    }

    private void raft() {
        NodeMetrics minute = every(1);
        alarm(
                "Tolerance",
                "tolerance-low",
                "One more node that goes takes the quorum with it.",
                minute.server(ServerMetric.FAILURE_TOLERANCE, "Minimum"),
                LESS_THAN_THRESHOLD,
                1,
                5,
                TreatMissingData.NOT_BREACHING);
        alarm(
                "Unhealthy",
                "node-unhealthy",
                "Autopilot doesn't hold every node for healthy.",
                minute.server(ServerMetric.NODE_HEALTHY, "Minimum"),
                LESS_THAN_THRESHOLD,
                1,
                10,
                TreatMissingData.NOT_BREACHING);
        alarm(
                "CutOff",
                "standby-cut-off",
                "A standby's heartbeats don't reach the active node.",
                every(5).server(ServerMetric.ECHO_ERRORS, "Sum"),
                GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
                5,
                1,
                TreatMissingData.NOT_BREACHING);
        alarm(
                "Elections",
                "elections",
                "Three elections or more within a quarter of an hour.",
                every(15).elections(),
                GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
                3,
                1,
                TreatMissingData.NOT_BREACHING);
        alarm(
                "CommitTime",
                "raft-slow",
                "Writes are slow: the slowest commits take more than a quarter of a second.",
                minute.server(ServerMetric.COMMIT_TIME, "Average"),
                GREATER_THAN_THRESHOLD,
                SLOW_COMMIT_MILLIS,
                10,
                TreatMissingData.NOT_BREACHING);
        alarm(
                "LastContact",
                "contact-late",
                "raft-slow",
                "Followers answer the leader late.",
                minute.server(ServerMetric.LAST_CONTACT, "Average"),
                GREATER_THAN_THRESHOLD,
                LATE_CONTACT_MILLIS,
                10,
                TreatMissingData.NOT_BREACHING);
        alarm(
                "Lag",
                "follower-lag",
                "A follower is far behind the leader.",
                minute.server(ServerMetric.FOLLOWER_LAG, "Maximum"),
                GREATER_THAN_THRESHOLD,
                LAG_ENTRIES,
                5,
                TreatMissingData.NOT_BREACHING);
    }

    private void hosts() {
        NodeMetrics five = every(5);
        for (String disk : cluster.disks()) {
            String name = disk.equals("/") ? "" : disk.replace('/', '-');
            alarm(
                    "Disk" + name,
                    "disk-full" + name,
                    "disk-full",
                    "A node's disk at " + disk + " is over 80 % full.",
                    five.disk(disk, "Maximum"),
                    GREATER_THAN_THRESHOLD,
                    80,
                    1,
                    TreatMissingData.NOT_BREACHING);
        }
        alarm(
                "Memory",
                "memory-high",
                "A node uses more than 85 % of its memory.",
                five.memory("Maximum"),
                GREATER_THAN_THRESHOLD,
                85,
                3,
                TreatMissingData.NOT_BREACHING);
        alarm(
                "Cpu",
                "cpu-high",
                "A node's processors have been over 80 % busy for a quarter of an hour.",
                five.cpu("Maximum"),
                GREATER_THAN_THRESHOLD,
                80,
                3,
                TreatMissingData.NOT_BREACHING);
        if (cluster.burstable()) {
            alarm(
                    "Credits",
                    "cpu-credits",
                    "cpu-high",
                    "A node's CPU credits run out.",
                    five.credits(),
                    LESS_THAN_THRESHOLD,
                    50,
                    3,
                    TreatMissingData.NOT_BREACHING);
        }
    }

    private void audit() {
        NodeMetrics five = every(5);
        alarm(
                "AuditRequests",
                "audit-failing",
                "The audit device takes no requests, so the server refuses them.",
                five.server(ServerMetric.AUDIT_REQUEST_FAILURES, "Sum"),
                GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
                1,
                1,
                TreatMissingData.NOT_BREACHING);
        alarm(
                "AuditResponses",
                "audit-failing-responses",
                "audit-failing",
                "The audit device takes no answers, so the server holds them back.",
                five.server(ServerMetric.AUDIT_RESPONSE_FAILURES, "Sum"),
                GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
                1,
                1,
                TreatMissingData.NOT_BREACHING);
        // Functions log in each minute, so a cluster that serves is never silent.
        boolean home = cluster.side() == Side.HOME;
        alarm(
                "AuditSilence",
                "audit-silent",
                "Nothing of the audit log has arrived for half an hour.",
                home ? five.auditLines() : five.whileLed(five.auditLines(), 1, "audit lines"),
                LESS_THAN_THRESHOLD,
                1,
                6,
                home ? TreatMissingData.BREACHING : TreatMissingData.NOT_BREACHING);
    }

    private IMetric whileServing(NodeMetrics metrics, IMetric metric, double otherwise) {
        return cluster.side() == Side.HOME
                ? metric
                : metrics.whileLed(metric, otherwise, "while a node leads");
    }

    private NodeMetrics every(int minutes) {
        return new NodeMetrics(cluster, Duration.ofMinutes(minutes));
    }

    private Alarm alarm(
            String id,
            String purpose,
            String description,
            IMetric metric,
            ComparisonOperator when,
            double threshold,
            int periods,
            TreatMissingData missing) {
        return alarm(id, purpose, purpose, description, metric, when, threshold, periods, missing);
    }

    private Alarm alarm(
            String id,
            String purpose,
            String runbook,
            String description,
            IMetric metric,
            ComparisonOperator when,
            double threshold,
            int periods,
            TreatMissingData missing) {
        return pages.alarm(
                this,
                id,
                new Pages.Raise(
                        cluster.alarm(purpose),
                        cluster.cluster() + ": " + description,
                        runbook,
                        metric,
                        when,
                        threshold,
                        periods,
                        missing));
    }
}
