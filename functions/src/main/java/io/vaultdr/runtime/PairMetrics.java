package io.vaultdr.runtime;

import io.vaultdr.model.PairId;

import software.amazon.lambda.powertools.metrics.MetricsFactory;
import software.amazon.lambda.powertools.metrics.model.MetricUnit;

import java.util.List;

/** Where a pair's metrics go. */
public interface PairMetrics {
    /** A metric's name ({@code NounOutcome} and unit), value and unit. */
    record Measure(String name, double value, MetricUnit unit) {
        /** A number without a unit. */
        public static Measure count(String name, double value) {
            return new Measure(name, value, MetricUnit.COUNT);
        }
    }

    /** Publishes them together. */
    void publish(List<Measure> measures);

    /**
     * Embedded metrics on the function's own log, so in its own region: namespace {@code VaultDr},
     * one dimension, {@code Pair}.
     */
    static PairMetrics embedded(PairId pair) {
        return measures ->
                MetricsFactory.getMetricsInstance()
                        .flushMetrics(
                                metrics -> {
                                    metrics.setNamespace("VaultDr");
                                    metrics.clearDefaultDimensions();
                                    metrics.addDimension("Pair", pair.value());
                                    measures.forEach(
                                            measure ->
                                                    metrics.addMetric(
                                                            measure.name(),
                                                            measure.value(),
                                                            measure.unit()));
                                });
    }
}
