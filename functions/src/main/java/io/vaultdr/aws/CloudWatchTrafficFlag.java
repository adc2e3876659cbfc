package io.vaultdr.aws;

import io.vaultdr.model.Failure;
import io.vaultdr.runtime.PairSettings.Flag;
import io.vaultdr.traffic.TrafficFlag;

import software.amazon.awssdk.services.cloudwatch.CloudWatchClient;
import software.amazon.awssdk.services.cloudwatch.model.AlarmType;
import software.amazon.awssdk.services.cloudwatch.model.MetricAlarm;
import software.amazon.awssdk.services.cloudwatch.model.MetricDatum;
import software.amazon.awssdk.services.cloudwatch.model.StateValue;

import java.time.Duration;
import java.util.List;

/**
 * A traffic flag as a datapoint: 1 sends clients to DR, 0 home, which only a person puts. An alarm
 * over the metric is what a health check of Route 53 is based on, and what tells whether the flag
 * stands.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html">How
 *     Route 53 reads an alarm's metric</a>
 */
public final class CloudWatchTrafficFlag implements TrafficFlag {
    /** A region that is away must not hold up the other one's flag. */
    private static final Duration LIMIT = Duration.ofSeconds(4);

    private final CloudWatchClient cloudWatch;
    private final Flag.InMetric flag;

    /** The flag in {@code flag}; {@code cloudWatch} is a client of its region. */
    public CloudWatchTrafficFlag(CloudWatchClient cloudWatch, Flag.InMetric flag) {
        this.cloudWatch = cloudWatch;
        this.flag = flag;
    }

    @Override
    public String place() {
        return flag.region() + " (" + flag.alarm() + ")";
    }

    /**
     * Whether the alarm is in ALARM, where it stays without further datapoints. It follows a
     * datapoint within a minute or two.
     */
    @Override
    public boolean raised() {
        List<MetricAlarm> found =
                AwsCalls.read(
                                "look at the alarm in " + place(),
                                () ->
                                        cloudWatch.describeAlarms(
                                                request ->
                                                        request.alarmNames(flag.alarm())
                                                                .alarmTypes(AlarmType.METRIC_ALARM)
                                                                .overrideConfiguration(
                                                                        c ->
                                                                                c.apiCallTimeout(
                                                                                        LIMIT))))
                        .metricAlarms();
        if (found.isEmpty()) {
            throw new Failure.Terminal(
                    "look at the alarm in " + place(),
                    "it is not there, so that a datapoint would turn nobody from this region",
                    "Deploy the pair's traffic stacks");
        }
        return found.getFirst().stateValue() == StateValue.ALARM;
    }

    @Override
    public void raise() {
        MetricDatum turned = MetricDatum.builder().metricName(flag.metric()).value(1.0).build();
        AwsCalls.write(
                "raise the flag in " + place(),
                () ->
                        cloudWatch.putMetricData(
                                request ->
                                        request.namespace(flag.namespace())
                                                .metricData(turned)
                                                .overrideConfiguration(
                                                        c -> c.apiCallTimeout(LIMIT))));
    }
}
