package io.vaultdr.rehearsal.world;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

import io.vaultdr.runtime.Json;

import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.StreamSupport;

/**
 * Evaluates alarms as CloudWatch does: those of a period under a minute at each period's end,
 * others at each minute's. Actions follow a change of state only. A new alarm stays at
 * INSUFFICIENT_DATA until its metric has a datapoint or its whole range has gone by.
 */
final class AlarmClock {
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSZ").withZone(ZoneOffset.UTC);

    enum State {
        OK,
        ALARM,
        INSUFFICIENT_DATA
    }

    /** What becomes of a missing datapoint. */
    enum Missing {
        BREACHING,
        NOTBREACHING,
        IGNORE,
        MISSING
    }

    /** An alarm on one metric and a plain statistic: the only shape that our templates have. */
    record Alarm(
            String region,
            String name,
            String arn,
            String description,
            Metrics.Id metric,
            Duration period,
            String statistic,
            int evaluated,
            int toAlarm,
            String comparison,
            double threshold,
            Missing missing,
            Map<State, List<String>> actions) {

        /**
         * Reads a template's alarm.
         *
         * @throws IllegalArgumentException for another shape, such as a percentile or an anomaly
         */
        static Alarm of(String region, String name, String arn, JsonNode p, String where) {
            for (String other :
                    List.of(
                            "ExtendedStatistic",
                            "ThresholdMetricId",
                            "EvaluateLowSampleCountPercentile")) {
                if (p.has(other)) {
                    throw new IllegalArgumentException(
                            where + ": alarms with " + other + " aren't evaluated here");
                }
            }
            Map<String, String> dimensions = new TreeMap<>();
            p.path("Dimensions")
                    .forEach(
                            d -> dimensions.put(d.path("Name").asText(), d.path("Value").asText()));
            Alarm alarm =
                    new Alarm(
                            region,
                            name,
                            arn,
                            p.path("AlarmDescription").asText(""),
                            new Metrics.Id(
                                    region,
                                    p.path("Namespace").asText(),
                                    p.path("MetricName").asText(),
                                    Map.copyOf(dimensions)),
                            Duration.ofMillis(Math.round(p.path("Period").asDouble() * 1000)),
                            p.path("Statistic").asText(),
                            p.path("EvaluationPeriods").asInt(),
                            p.path("DatapointsToAlarm").asInt(p.path("EvaluationPeriods").asInt()),
                            p.path("ComparisonOperator").asText(),
                            p.path("Threshold").asDouble(),
                            Missing.valueOf(
                                    p.path("TreatMissingData")
                                            .asText("missing")
                                            .toUpperCase(Locale.ROOT)),
                            Map.of(
                                    State.ALARM, texts(p.path("AlarmActions")),
                                    State.OK, texts(p.path("OKActions")),
                                    State.INSUFFICIENT_DATA,
                                            texts(p.path("InsufficientDataActions"))));
            alarm.value(List.of(0.0));
            alarm.breaches(0);
            return alarm;
        }

        double value(List<Double> values) {
            var all = values.stream().mapToDouble(Double::doubleValue).summaryStatistics();
            return switch (statistic) {
                case "Maximum" -> all.getMax();
                case "Minimum" -> all.getMin();
                case "Average" -> all.getAverage();
                case "Sum" -> all.getSum();
                case "SampleCount" -> all.getCount();
                default ->
                        throw new IllegalArgumentException(
                                name + ": statistic " + statistic + " isn't evaluated here");
            };
        }

        boolean breaches(double value) {
            return switch (comparison) {
                case "LessThanThreshold" -> value < threshold;
                case "LessThanOrEqualToThreshold" -> value <= threshold;
                case "GreaterThanThreshold" -> value > threshold;
                case "GreaterThanOrEqualToThreshold" -> value >= threshold;
                default ->
                        throw new IllegalArgumentException(
                                name + ": comparison " + comparison + " isn't evaluated here");
            };
        }

        /** The next state, judged at {@code end}; {@code now} is kept where nothing can be said. */
        State judge(Metrics metrics, Instant end, State now) {
            int breaching = 0;
            int present = 0;
            for (int i = 0; i < evaluated; i++) {
                Instant until = end.minus(period.multipliedBy(i));
                List<Double> values = metrics.between(metric, until.minus(period), until);
                if (!values.isEmpty()) {
                    present++;
                    breaching += breaches(value(values)) ? 1 : 0;
                } else if (missing == Missing.BREACHING) {
                    breaching++;
                }
            }
            if (present == 0) {
                if (missing == Missing.IGNORE) {
                    return now;
                }
                if (missing == Missing.MISSING) {
                    return State.INSUFFICIENT_DATA;
                }
            }
            return breaching >= toAlarm ? State.ALARM : State.OK;
        }

        private static List<String> texts(JsonNode array) {
            return StreamSupport.stream(array.spliterator(), false).map(JsonNode::asText).toList();
        }
    }

    /** An alarm that changed its state. */
    record Change(Alarm alarm, State from, State to, Instant at, String reason) {
        /** The event that CloudWatch gives to a function. */
        String forFunction() {
            ObjectNode event = Json.MAPPER.createObjectNode();
            event.put("source", "aws.cloudwatch");
            event.put("alarmArn", alarm.arn);
            event.put("accountId", MotoServer.ACCOUNT);
            event.put("time", TIME.format(at));
            event.put("region", alarm.region);
            ObjectNode data = event.putObject("alarmData");
            data.put("alarmName", alarm.name);
            data.putObject("state")
                    .put("value", to.name())
                    .put("reason", reason)
                    .put("timestamp", TIME.format(at));
            data.putObject("previousState")
                    .put("value", from.name())
                    .put("timestamp", TIME.format(at));
            ObjectNode configuration = data.putObject("configuration");
            configuration.put("description", alarm.description);
            ObjectNode metric = configuration.putArray("metrics").addObject();
            metric.put("id", UUID.randomUUID().toString()).put("returnData", true);
            ObjectNode stat = metric.putObject("metricStat");
            stat.put("period", alarm.period.toSeconds()).put("stat", alarm.statistic);
            ObjectNode of = stat.putObject("metric");
            of.put("namespace", alarm.metric.namespace()).put("name", alarm.metric.name());
            ObjectNode dimensions = of.putObject("dimensions");
            alarm.metric.dimensions().forEach(dimensions::put);
            return event.toString();
        }

        /** The message that CloudWatch publishes to a topic. */
        String forTopic() {
            ObjectNode message = Json.MAPPER.createObjectNode();
            message.put("AlarmName", alarm.name);
            message.put("AlarmDescription", alarm.description);
            message.put("AWSAccountId", MotoServer.ACCOUNT);
            message.put("NewStateValue", to.name());
            message.put("NewStateReason", reason);
            message.put("StateChangeTime", TIME.format(at));
            message.put("Region", alarm.region);
            message.put("AlarmArn", alarm.arn);
            message.put("OldStateValue", from.name());
            return message.toString();
        }
    }

    private final Metrics metrics;
    private final Instant begin;
    private final List<Alarm> alarms;
    private final Map<String, State> states = new TreeMap<>();

    /** A clock for {@code alarms} that were made at {@code begin}. */
    AlarmClock(Metrics metrics, List<Alarm> alarms, Instant begin) {
        this.metrics = metrics;
        this.alarms = List.copyOf(alarms);
        this.begin = begin;
    }

    /** Evaluates the alarms whose turn it is at {@code time}, the end of a slot. */
    synchronized List<Change> evaluate(Instant time) {
        List<Change> changes = new ArrayList<>();
        for (Alarm alarm : alarms) {
            long every = Math.min(alarm.period.toMillis(), 60_000);
            boolean due = time.toEpochMilli() % every == 0;
            Duration range = alarm.period.multipliedBy(alarm.evaluated);
            if (!due || (!metrics.has(alarm.metric) && begin.plus(range).isAfter(time))) {
                continue;
            }
            State from = states.getOrDefault(alarm.arn, State.INSUFFICIENT_DATA);
            State to = alarm.judge(metrics, time, from);
            if (to != from) {
                states.put(alarm.arn, to);
                String reason =
                        alarm.statistic
                                + " of "
                                + alarm.metric.name()
                                + " over "
                                + alarm.evaluated
                                + " periods of "
                                + alarm.period
                                + ", "
                                + alarm.toAlarm
                                + " to alarm, threshold "
                                + alarm.threshold;
                changes.add(new Change(alarm, from, to, time, reason));
            }
        }
        return changes;
    }
}
