package io.vaultdr.infra.watch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vaultdr.runtime.PairSettings.Edition;
import io.vaultdr.testing.BaoCluster;
import io.vaultdr.testing.BaoServer;
import io.vaultdr.testing.Eventually;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What real servers call their telemetry: three of them, with the telemetry that the boot script
 * writes, from a quiet leader to one that answers nobody.
 */
class ServerMetricIT {
    private static final Duration SOON = Duration.ofSeconds(45);
    private static final String TELEMETRY =
            "telemetry { prometheus_retention_time = \"30s\" disable_hostname = true }\n";

    /** Nobody makes a server fail to begin to lead without breaking it: read from its source. */
    private static final Set<String> UNSEEN = Set.of("vault_core_leadership_setup_failed_count");

    private static BaoCluster cluster;

    @BeforeAll
    static void start() {
        cluster = BaoCluster.running(3, TELEMETRY);
    }

    @AfterAll
    static void end() {
        cluster.close();
    }

    /** The sample lines of one node, by metric: what stands before the value. */
    private static Map<String, String> samples(BaoServer node) {
        try (HttpClient client = HttpClient.newHttpClient()) {
            HttpResponse<String> answer =
                    client.send(
                            HttpRequest.newBuilder(
                                            URI.create(
                                                    node.address()
                                                            + "/v1/sys/metrics?format=prometheus"))
                                    .header("X-Vault-Token", cluster.rootToken())
                                    .timeout(Duration.ofSeconds(10))
                                    .build(),
                            HttpResponse.BodyHandlers.ofString());
            Map<String, String> samples = new TreeMap<>();
            if (answer.statusCode() != 200) {
                // A standby whose leader is away can't look at the token; it will again.
                return samples;
            }
            answer.body()
                    .lines()
                    .filter(line -> !line.startsWith("#"))
                    .forEach(
                            line -> {
                                int space = line.lastIndexOf(' ');
                                samples.put(line.substring(0, space), line.substring(space + 1));
                            });
            return samples;
        } catch (IOException e) {
            throw new AssertionError(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }

    private static Set<String> names(Map<String, String> samples) {
        Set<String> names = new TreeSet<>();
        samples.keySet().forEach(it -> names.add(it.replaceAll("\\{.*", "")));
        return names;
    }

    @Test
    void servesEachByItsNameInTheStateThatItBelongsTo() {
        BaoServer leader = cluster.leader();
        Set<String> served = new TreeSet<>();
        Eventually.await(
                "a leader's telemetry",
                SOON,
                () -> {
                    served.addAll(names(samples(leader)));
                    return served.contains(ServerMetric.FOLLOWER_LAG.served())
                            && served.contains(ServerMetric.COMMIT_TIME.served())
                            && served.contains(ServerMetric.LAST_CONTACT.served())
                            && served.contains(ServerMetric.LEASES.served());
                });
        Map<String, String> quiet = samples(leader);
        for (ServerMetric metric : ServerMetric.values()) {
            metric.quantile()
                    .ifPresent(
                            quantile ->
                                    assertTrue(
                                            quiet.containsKey(
                                                    metric.served()
                                                            + "{quantile=\""
                                                            + quantile
                                                            + "\"}"),
                                            metric.served()));
        }
        List<BaoServer> others = cluster.standbys();
        leader.freeze();
        try {
            Eventually.await(
                    "a standby that misses the leader",
                    SOON,
                    () -> {
                        others.forEach(node -> served.addAll(names(samples(node))));
                        return served.contains(ServerMetric.ECHO_ERRORS.served());
                    });
        } finally {
            leader.thaw();
        }
        Eventually.await(
                "a leader that has lost it",
                SOON,
                () -> {
                    served.addAll(names(samples(leader)));
                    return served.contains("vault_core_leadership_lost_count");
                });
        Set<String> missing = new TreeSet<>(Prometheus.metrics());
        ServerMetric.of(Edition.OPENBAO).forEach(it -> missing.add(it.served()));
        missing.removeAll(served);
        missing.removeAll(UNSEEN);
        assertEquals(Set.of(), missing);
    }

    @Test
    void forgetsWithinHalfAMinuteWhatASeriesSaidUnderItsFirstName() {
        BaoServer leader = cluster.leader();
        // Before it knew its cluster's name it said "sealed"; alarms look at the smallest of all.
        Eventually.await(
                "one series of vault_core_unsealed",
                SOON,
                () -> {
                    List<String> values =
                            samples(leader).entrySet().stream()
                                    .filter(it -> it.getKey().startsWith("vault_core_unsealed"))
                                    .map(Map.Entry::getValue)
                                    .toList();
                    return values.equals(List.of("1"));
                });
    }
}
