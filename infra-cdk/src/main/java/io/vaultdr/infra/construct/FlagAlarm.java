package io.vaultdr.infra.construct;

import io.vaultdr.runtime.PairSettings.Flag;

import software.amazon.awscdk.services.cloudwatch.Alarm;
import software.amazon.awscdk.services.cloudwatch.ComparisonOperator;
import software.amazon.awscdk.services.cloudwatch.Metric;
import software.amazon.awscdk.services.cloudwatch.TreatMissingData;
import software.constructs.Construct;

/**
 * The alarm of a traffic flag that is a metric. One datapoint turns it, and it stays; where both
 * values came within a minute, the DR side is meant. Route 53 takes standard resolution and simple
 * statistics only, copies these settings when the health check is made, and afterwards reads the
 * metric, never the alarm's state: a change here has to change the health check too.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-updating-cloudwatch-alarm-settings.html">Updating
 *     health checks when you change alarm settings</a>
 */
public final class FlagAlarm extends Construct {
    public FlagAlarm(Construct scope, String id, Flag.InMetric flag) {
        super(scope, id);
        Alarm.Builder.create(this, "Alarm")
                .alarmName(flag.alarm())
                .alarmDescription(
                        "In alarm, home's record is unhealthy and clients go to the DR side. It"
                                + " pages nobody. Runbook: docs/runbooks/weights-not-turned.md")
                .metric(
                        Metric.Builder.create()
                                .namespace(flag.namespace())
                                .metricName(flag.metric())
                                .period(Times.minutes(1))
                                .statistic("Maximum")
                                .build())
                .comparisonOperator(ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD)
                .threshold(1)
                .evaluationPeriods(1)
                .treatMissingData(TreatMissingData.IGNORE)
                .build();
    }
}
