package io.vaultdr.handler;

import static software.amazon.lambda.powertools.logging.argument.StructuredArguments.entry;

import io.vaultdr.failover.Assessment;
import io.vaultdr.model.PairId;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import software.amazon.lambda.powertools.metrics.Metrics;
import software.amazon.lambda.powertools.metrics.MetricsFactory;
import software.amazon.lambda.powertools.metrics.model.DimensionSet;
import software.amazon.lambda.powertools.metrics.model.MetricUnit;

/** Publishes an evaluation: a line of log, and a count by diagnosis and one by verdict. */
final class EvaluationReport {
    private static final Logger LOG = LoggerFactory.getLogger(EvaluationReport.class);

    private EvaluationReport() {}

    static void publish(PairId pair, Assessment made) {
        LOG.info(
                "evaluated",
                entry("pair", pair.value()),
                entry("slot", made.slot()),
                entry("side", made.side().toString()),
                entry("diagnosis", made.diagnosis()),
                entry("evidence", made.evidence()),
                entry("gates", made.gates()),
                entry("verdict", made.verdict()),
                entry("wouldHave", made.wouldHave()));
        Metrics metrics = MetricsFactory.getMetricsInstance();
        String verdict = made.verdict().replaceAll(":.*", "");
        count(
                metrics,
                "DiagnosisMade",
                DimensionSet.of("Pair", pair.value(), "Diagnosis", made.diagnosis()));
        count(metrics, "VerdictReached", DimensionSet.of("Pair", pair.value(), "Verdict", verdict));
    }

    private static void count(Metrics metrics, String name, DimensionSet dimensions) {
        metrics.flushMetrics(
                own -> {
                    own.setNamespace("VaultDr");
                    own.setDefaultDimensions(dimensions);
                    own.addMetric(name, 1, MetricUnit.COUNT);
                });
    }
}
