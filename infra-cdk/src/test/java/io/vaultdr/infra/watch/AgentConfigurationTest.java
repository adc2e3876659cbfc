package io.vaultdr.infra.watch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

import io.vaultdr.model.Side;
import io.vaultdr.runtime.PairSettings.Edition;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;

/** What a node's agent is told. */
class AgentConfigurationTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    private static JsonNode told(WatchedCluster cluster) {
        try {
            return JSON.readTree(AgentConfiguration.of(cluster).json());
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static List<String> texts(JsonNode array) {
        List<String> texts = new ArrayList<>();
        array.forEach(it -> texts.add(it.asText()));
        return texts;
    }

    @Test
    void letsOnlyNamedMetricsLeaveTheNode() {
        JsonNode scrape = told(Watched.cluster(Side.HOME)).at("/prometheus/scrape_configs/0");
        JsonNode keep = scrape.at("/metric_relabel_configs/0");
        assertEquals("keep", keep.get("action").asText());
        assertEquals(
                ServerMetric.of(Edition.OPENBAO).stream().map(ServerMetric::served).toList(),
                List.of(keep.get("regex").asText().split("\\|")));
        assertEquals("127.0.0.1:8202", scrape.at("/static_configs/0/targets/0").asText());
        assertEquals("payments-home", scrape.at("/static_configs/0/labels/Cluster").asText());
    }

    @Test
    void declaresEachOfThemOnceAndByItsQuantile() {
        JsonNode declarations =
                told(Watched.cluster(Side.DR))
                        .at("/agent/logs/metrics_collected/prometheus/emf_processor")
                        .get("metric_declaration");
        List<String> declared = new ArrayList<>();
        for (JsonNode declaration : declarations) {
            assertEquals("[[\"Cluster\"]]", declaration.get("dimensions").toString());
            String matcher = declaration.get("label_matcher").asText();
            for (String selector : texts(declaration.get("metric_selectors"))) {
                declared.add(selector + " " + matcher);
            }
        }
        assertEquals(
                new TreeSet<>(declared).size(), declared.size(), "declared twice: " + declared);
        assertTrue(declared.contains("^vault_raft_commitTime$ ^0.99$"), declared.toString());
        assertTrue(declared.contains("^vault_raft_leader_lastContact$ ^0.5$"));
        assertTrue(declared.contains("^vault_core_active$ .+"));
        assertEquals(ServerMetric.of(Edition.OPENBAO).size(), declared.size());
    }

    @Test
    void knowsReplicationOnlyWhereTheServerHasIt() {
        assertFalse(told(Watched.cluster(Side.HOME)).toString().contains("replication"));
        assertTrue(
                told(Watched.cluster(Side.HOME, Edition.VAULT, "m7g.large"))
                        .toString()
                        .contains("vault_replication_wal_last_dr_wal"));
    }

    @Test
    void shipsTheAuditLogAndNamesNoInstanceInMetrics() {
        JsonNode agent = told(Watched.cluster(Side.HOME)).get("agent");
        JsonNode file = agent.at("/logs/logs_collected/files/collect_list/0");
        assertEquals("/var/log/openbao/audit.log", file.get("file_path").asText());
        assertEquals("/vault-dr/payments-home/audit", file.get("log_group_name").asText());
        assertEquals("{instance_id}", file.get("log_stream_name").asText());
        for (JsonNode collected : agent.at("/metrics/metrics_collected")) {
            assertEquals(
                    texts(collected.get("measurement")),
                    texts(collected.get("drop_original_metrics")));
            assertEquals("payments-home", collected.at("/append_dimensions/Cluster").asText());
        }
        assertEquals(
                List.of("/", "/opt/openbao/data"),
                texts(agent.at("/metrics/metrics_collected/disk/resources")));
    }

    @Test
    void saysWhatIsTooLongForAParameter() {
        WatchedCluster cluster = Watched.cluster(Side.HOME);
        WatchedCluster endless =
                new WatchedCluster(
                        cluster.names(),
                        cluster.side(),
                        cluster.region(),
                        cluster.edition(),
                        cluster.group(),
                        "/" + "long".repeat(1_000),
                        cluster.disks(),
                        cluster.instanceType());
        String failure =
                assertThrows(
                                IllegalStateException.class,
                                () -> AgentConfiguration.of(endless).json())
                        .toString();
        assertTrue(failure.contains("expected 4096 at the most"), failure);
    }
}
