package io.vaultdr.aws;

import io.vaultdr.failover.Probing;
import io.vaultdr.model.PairId;

import software.amazon.awssdk.services.cloudwatch.CloudWatchClient;
import software.amazon.awssdk.services.cloudwatch.model.Dimension;
import software.amazon.awssdk.services.cloudwatch.model.MetricDatum;
import software.amazon.awssdk.services.cloudwatch.model.StandardUnit;

import java.time.Instant;

/**
 * Publishes {@code ServingReached} into the DR region, whose alarms can't read another region's
 * metrics. High resolution, since the alarms' period is a slot.
 */
public final class CloudWatchPublisher implements Probing.Publisher {
    private final CloudWatchClient cloudWatch;
    private final PairId pair;
    private final String vantage;

    /** Publishes for {@code pair} as seen from {@code vantage}. */
    public CloudWatchPublisher(CloudWatchClient cloudWatch, PairId pair, String vantage) {
        this.cloudWatch = cloudWatch;
        this.pair = pair;
        this.vantage = vantage;
    }

    @Override
    public void publish(Instant start, boolean reached) {
        MetricDatum datum =
                MetricDatum.builder()
                        .metricName("ServingReached")
                        .dimensions(dimension("Pair", pair.value()), dimension("Vantage", vantage))
                        .timestamp(start)
                        .value(reached ? 1.0 : 0.0)
                        .unit(StandardUnit.COUNT)
                        .storageResolution(1)
                        .build();
        AwsCalls.write(
                "publish ServingReached",
                () ->
                        cloudWatch.putMetricData(
                                request -> request.namespace("VaultDr").metricData(datum)));
    }

    private static Dimension dimension(String name, String value) {
        return Dimension.builder().name(name).value(value).build();
    }
}
