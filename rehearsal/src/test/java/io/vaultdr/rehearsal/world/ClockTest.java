package io.vaultdr.rehearsal.world;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;

import io.vaultdr.rehearsal.world.AlarmClock.Alarm;
import io.vaultdr.rehearsal.world.AlarmClock.State;
import io.vaultdr.runtime.Json;

import org.junit.jupiter.api.Test;

import java.time.Instant;
import java.util.List;
import java.util.Map;

/** Alarms and schedules against a clock that the test moves. */
class ClockTest {
    private static final Instant START = Instant.parse("2026-03-01T10:00:00Z");
    private static final Metrics.Id REACHED =
            new Metrics.Id("eu-central-1", "VaultDr", "ServingReached", Map.of("Pair", "payments"));

    private final Metrics metrics = new Metrics();

    @Test
    void alarmsOnceWhenAllTwelveSlotsBreachAndAgainOnlyAfterAChange() throws Exception {
        AlarmClock clock = new AlarmClock(metrics, List.of(alarm("breaching")), START);
        put(-1, 1);
        assertEquals(List.of(State.OK), changes(clock, 0));

        for (int slot = 0; slot < 11; slot++) {
            put(slot, 0);
            assertEquals(List.of(), changes(clock, slot + 1), "slot " + slot);
        }
        put(11, 0);
        assertEquals(List.of(State.ALARM), changes(clock, 12));
        put(12, 0);
        assertEquals(List.of(), changes(clock, 13));
        put(13, 1);
        assertEquals(List.of(State.OK), changes(clock, 14));
    }

    @Test
    void countsMissingDataAsTheAlarmSays() throws Exception {
        put(-1, 1);
        AlarmClock breaching = new AlarmClock(metrics, List.of(alarm("breaching")), START);
        AlarmClock missing = new AlarmClock(metrics, List.of(alarm("missing")), START);
        AlarmClock ignoring = new AlarmClock(metrics, List.of(alarm("ignore")), START);
        AlarmClock quiet = new AlarmClock(metrics, List.of(alarm("notBreaching")), START);
        for (AlarmClock clock : List.of(breaching, missing, ignoring, quiet)) {
            assertEquals(List.of(State.OK), changes(clock, 0));
        }

        assertEquals(List.of(State.ALARM), changes(breaching, 12));
        assertEquals(List.of(State.INSUFFICIENT_DATA), changes(missing, 12));
        assertEquals(List.of(), changes(ignoring, 12));
        assertEquals(List.of(), changes(quiet, 12));
    }

    @Test
    void refusesAlarmsOfOtherShapes() throws Exception {
        ObjectNode math = (ObjectNode) Json.MAPPER.readTree("{\"Metrics\":[]}");

        assertThrows(
                IllegalArgumentException.class, () -> Alarm.of("r", "n", "arn", math, "stack/id"));
    }

    @Test
    void givesFunctionsTheEventThatCloudWatchGives() throws Exception {
        AlarmClock clock = new AlarmClock(metrics, List.of(alarm("breaching")), START);
        put(-1, 1);

        var event = Json.MAPPER.readTree(clock.evaluate(START).getFirst().forFunction());

        assertEquals("aws.cloudwatch", event.path("source").asText());
        assertEquals("OK", event.at("/alarmData/state/value").asText());
        assertEquals("INSUFFICIENT_DATA", event.at("/alarmData/previousState/value").asText());
        assertEquals(
                "payments",
                event.at("/alarmData/configuration/metrics/0/metricStat/metric/dimensions/Pair")
                        .asText());
    }

    @Test
    void readsCronAndRateAsEventBridgeDoes() {
        assertTrue(Schedule.of("cron(* * * * ? *)").isEveryMinute());
        assertTrue(Schedule.of("rate(1 minute)").isEveryMinute());
        Schedule quarters = Schedule.of("cron(0/15 * * * ? *)");
        assertTrue(quarters.firesAt(START));
        assertTrue(quarters.firesAt(START.plusSeconds(45 * 60)));
        assertFalse(quarters.firesAt(START.plusSeconds(60)));
        assertTrue(Schedule.of("cron(0 10 ? * 1 *)").firesAt(START), "a Sunday is day 1");
        assertTrue(Schedule.of("rate(5 minutes)").firesAt(START));
        assertFalse(Schedule.of("rate(5 minutes)").firesAt(START.plusSeconds(60)));
        assertThrows(IllegalArgumentException.class, () -> Schedule.of("cron(0 10 L * ? *)"));
        assertThrows(IllegalArgumentException.class, () -> Schedule.of("at(2026-01-01T00:00:00)"));
    }

    @Test
    void readsMetricsFromEmbeddedFormatAndFromPutMetricData() {
        var line =
                Metrics.ofLine(
                        "eu-west-1",
                        "{\"_aws\":{\"Timestamp\":1000,\"CloudWatchMetrics\":[{\"Namespace\":"
                                + "\"VaultDr\",\"Dimensions\":[[\"Pair\"]],\"Metrics\":["
                                + "{\"Name\":\"A\"}]}]},\"Pair\":\"payments\",\"A\":[1,2]}",
                        START);
        var form =
                Metrics.ofForm(
                        "eu-west-1",
                        Gateway.query(
                                "Namespace=VaultDr&MetricData.member.1.MetricName=A"
                                    + "&MetricData.member.1.Value=7.0"
                                    + "&MetricData.member.1.Timestamp=2026-03-01T10%3A00%3A00Z"
                                    + "&MetricData.member.1.Dimensions.member.1.Name=Pair"
                                    + "&MetricData.member.1.Dimensions.member.1.Value=payments"),
                        START);

        assertEquals(List.of(1.0, 2.0), line.stream().map(WorldEvent.MetricPut::value).toList());
        assertEquals(Instant.ofEpochSecond(1), line.getFirst().timestamp());
        assertEquals(7.0, form.getFirst().value());
        assertEquals(Map.of("Pair", "payments"), form.getFirst().dimensions());
        assertEquals(List.of(), Metrics.ofLine("eu-west-1", "no metric", START));
    }

    private void put(int slot, double value) {
        metrics.add(REACHED, START.plusSeconds(10L * slot), value);
    }

    private static List<State> changes(AlarmClock clock, int slot) {
        return clock.evaluate(START.plusSeconds(10L * slot)).stream()
                .map(AlarmClock.Change::to)
                .toList();
    }

    private static Alarm alarm(String missing) throws Exception {
        return Alarm.of(
                "eu-central-1",
                "unreached",
                "arn:" + missing,
                Json.MAPPER.readTree(
                        """
                        {"Namespace":"VaultDr","MetricName":"ServingReached","Period":10,
                         "Statistic":"Maximum","EvaluationPeriods":12,"DatapointsToAlarm":12,
                         "ComparisonOperator":"LessThanThreshold","Threshold":1,
                         "TreatMissingData":"%s","Dimensions":[{"Name":"Pair","Value":"payments"}]}
                        """
                                .formatted(missing)),
                "stack/id");
    }
}
