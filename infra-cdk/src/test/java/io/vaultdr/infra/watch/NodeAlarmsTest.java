package io.vaultdr.infra.watch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;

import io.vaultdr.infra.Bare;
import io.vaultdr.infra.construct.Pages;
import io.vaultdr.model.Side;
import io.vaultdr.runtime.PairSettings.Edition;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import software.amazon.awscdk.services.cloudwatch.Metric;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The alarms of made clusters, in a stack of nothing else. */
class NodeAlarmsTest {
    private static final Pattern RUNBOOK = Pattern.compile("docs/runbooks/[a-z-]+\\.md$");

    private static Map<String, JsonNode> alarms(WatchedCluster cluster) {
        Map<String, JsonNode> alarms = new TreeMap<>();
        Bare.resources(
                        cluster.region(),
                        stack ->
                                new NodeAlarms(
                                        stack,
                                        "Alarms",
                                        cluster,
                                        Pages.named(
                                                stack,
                                                "arn:aws:sns:"
                                                        + cluster.region()
                                                        + ":111122223333:vault-dr-payments-pages"),
                                        Metric.Builder.create()
                                                .namespace("AWS/NetworkELB")
                                                .metricName("UnHealthyHostCount")
                                                .build()))
                .forEach(
                        (id, resource) ->
                                alarms.put(
                                        resource.at("/Properties/AlarmName").asText(),
                                        resource.get("Properties")));
        return alarms;
    }

    @ParameterizedTest
    @EnumSource(Side.class)
    void everyOnePagesAndHasARunbook(Side side) {
        Map<String, JsonNode> alarms = alarms(Watched.cluster(side));
        assertTrue(alarms.size() > 14, alarms.keySet().toString());
        alarms.forEach(
                (name, alarm) -> {
                    String description = alarm.get("AlarmDescription").asText();
                    Matcher runbook = RUNBOOK.matcher(description);
                    assertTrue(runbook.find(), description);
                    Path file =
                            Path.of(System.getProperty("vaultdr.root", ".."))
                                    .resolve(runbook.group());
                    assertTrue(Files.exists(file), file.toString());
                    assertEquals(1, alarm.get("AlarmActions").size(), name);
                    assertEquals(1, alarm.get("OKActions").size(), name);
                });
    }

    @Test
    void asksOfTheDrSideOnlyWhatABlankStandbyCanAnswer() {
        Map<String, JsonNode> home = alarms(Watched.cluster(Side.HOME));
        Map<String, JsonNode> dr = alarms(Watched.cluster(Side.DR));
        assertEquals("breaching", of(home, "home-no-leader").get("TreatMissingData").asText());
        assertFalse(dr.containsKey("vault-dr-payments-dr-no-leader"));
        for (String purpose : List.of("node-sealed", "targets-unhealthy", "audit-silent")) {
            assertFalse(of(home, "home-" + purpose).has("Metrics"), purpose);
            JsonNode metrics = of(dr, "dr-" + purpose).get("Metrics");
            assertTrue(
                    metrics.get(0).get("Expression").asText().startsWith("IF(FILL(led, 0) >= 1,"),
                    metrics.toString());
        }
        for (JsonNode alarm : dr.values()) {
            assertEquals("notBreaching", alarm.get("TreatMissingData").asText());
        }
    }

    private static JsonNode of(Map<String, JsonNode> alarms, String name) {
        return Objects.requireNonNull(alarms.get("vault-dr-payments-" + name), name);
    }

    @Test
    void countsElectionsByRaftsTermWhichNoScrapeMisses() {
        JsonNode metrics = of(alarms(Watched.cluster(Side.HOME)), "home-elections").get("Metrics");
        assertEquals("after - before", metrics.get(0).get("Expression").asText());
        for (JsonNode metric : List.of(metrics.get(1), metrics.get(2))) {
            assertEquals(
                    "vault_raft_storage_stats_term",
                    metric.at("/MetricStat/Metric/MetricName").asText());
            assertEquals(900, metric.at("/MetricStat/Period").asInt());
        }
    }

    @Test
    void watchesEachDiskAndCreditsOnlyWhereThereAreAny() {
        Set<String> large = alarms(Watched.cluster(Side.HOME)).keySet();
        assertTrue(large.contains("vault-dr-payments-home-disk-full"));
        assertTrue(large.contains("vault-dr-payments-home-disk-full-opt-openbao-data"));
        assertFalse(large.contains("vault-dr-payments-home-cpu-credits"));
        assertTrue(
                alarms(Watched.cluster(Side.HOME, Edition.OPENBAO, "t4g.medium"))
                        .containsKey("vault-dr-payments-home-cpu-credits"));
    }

    @ParameterizedTest
    @EnumSource(Side.class)
    void namesThoseThatStopARefresh(Side side) {
        WatchedCluster cluster = Watched.cluster(side);
        assertTrue(alarms(cluster).keySet().containsAll(NodeAlarms.unwell(cluster)));
        assertTrue(NodeAlarms.unwell(cluster).size() <= 10);
    }
}
