package io.vaultdr.infra.watch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;

import org.junit.jupiter.api.Test;

import java.nio.file.Files;
import java.util.Set;
import java.util.TreeSet;

/** What is shipped for those who run Prometheus. */
class PrometheusTest {
    /** What every rule of a server's metrics may ask for beside {@link ServerMetric}s. */
    private static final Set<String> EVENTS =
            Set.of("vault_core_leadership_lost_count", "vault_core_leadership_setup_failed_count");

    @Test
    void everyAlertHasASummaryASeverityAndARunbookThatIsThere() {
        int alerts = 0;
        for (JsonNode group : Prometheus.yaml("alerts.yaml").get("groups")) {
            for (JsonNode rule : group.get("rules")) {
                alerts++;
                String name = rule.get("alert").asText();
                assertTrue(
                        Set.of("page", "info").contains(rule.at("/labels/severity").asText()),
                        name);
                assertTrue(rule.at("/annotations/summary").asText().length() > 10, name);
                String runbook = rule.at("/annotations/runbook").asText();
                assertTrue(runbook.startsWith("docs/runbooks/"), name);
                assertTrue(Files.exists(Prometheus.ROOT.resolve(runbook)), name + ": " + runbook);
            }
        }
        assertTrue(alerts >= 10, "alerts: " + alerts);
    }

    @Test
    void alertsAskForTheSameMetricsAsCloudWatch() {
        Set<String> known = new TreeSet<>(EVENTS);
        for (ServerMetric metric : ServerMetric.values()) {
            known.add(metric.served());
        }
        Set<String> unknown = new TreeSet<>(Prometheus.metrics());
        unknown.removeAll(known);
        assertEquals(Set.of(), unknown);
    }

    @Test
    void scrapesEachNodeAsOftenAsSummariesWant() {
        JsonNode job = Prometheus.yaml("scrape.yaml").at("/scrape_configs/0");
        assertEquals("15s", job.get("scrape_interval").asText());
        assertEquals("/v1/sys/metrics", job.get("metrics_path").asText());
        assertEquals("prometheus", job.at("/params/format/0").asText());
        assertEquals("https", job.get("scheme").asText());
        assertTrue(job.has("authorization"), "the listener for clients tells nobody else");
    }
}
