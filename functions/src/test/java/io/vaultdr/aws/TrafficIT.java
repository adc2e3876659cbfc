package io.vaultdr.aws;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vaultdr.model.Failure;
import io.vaultdr.model.Side;
import io.vaultdr.runtime.Deadline;
import io.vaultdr.runtime.PairSettings.Flag;
import io.vaultdr.runtime.PairSettings.Traffic;
import io.vaultdr.testing.Moto;
import io.vaultdr.traffic.WeightedRecords.Weights;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

import software.amazon.awssdk.services.cloudwatch.CloudWatchClient;
import software.amazon.awssdk.services.cloudwatch.model.ComparisonOperator;
import software.amazon.awssdk.services.cloudwatch.model.Datapoint;
import software.amazon.awssdk.services.cloudwatch.model.StateValue;
import software.amazon.awssdk.services.cloudwatch.model.Statistic;
import software.amazon.awssdk.services.route53.model.Change;
import software.amazon.awssdk.services.route53.model.ChangeAction;
import software.amazon.awssdk.services.route53.model.RRType;
import software.amazon.awssdk.services.route53.model.ResourceRecord;
import software.amazon.awssdk.services.route53.model.ResourceRecordSet;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;

/** Flag and weights in moto. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class TrafficIT {
    private static final String NAME = "vault.example.com";
    private static final String ALARM = "vault-dr-payments-clients-to-dr";

    private final Moto moto = Moto.start();
    private final AwsClients aws = moto.clients();
    private final Deadline deadline =
            new Deadline(Clock.systemUTC(), Clock.systemUTC().instant().plusSeconds(20));

    @AfterAll
    void end() {
        moto.close();
    }

    @Test
    void turnsBothWeightsAndLeavesTheRestAsItStands() {
        String zone = zone();
        change(zone, record("home", 100).toBuilder().healthCheckId("check-1").build());
        change(zone, record("dr", 0));
        Route53Records records = records(zone);
        assertEquals(new Weights(100, 0), records.read());

        records.turnTo(Side.DR, deadline);

        assertEquals(new Weights(0, 100), records.read());
        assertTrue(records.read().turnedTo(Side.DR));
        ResourceRecordSet home =
                aws
                        .route53()
                        .listResourceRecordSets(r -> r.hostedZoneId(zone))
                        .resourceRecordSets()
                        .stream()
                        .filter(set -> "home".equals(set.setIdentifier()))
                        .findFirst()
                        .orElseThrow();
        assertEquals("check-1", home.healthCheckId());
        assertEquals(5, home.ttl());
        assertEquals("home.example.com", home.resourceRecords().getFirst().value());
    }

    @Test
    void aRecordThatIsntThereIsNamed() {
        Route53Records records = records(zone());

        Failure failure = assertThrows(Failure.Terminal.class, records::read);

        assertTrue(failure.toString().contains("find the weighted record home"), failure::toString);
    }

    @Test
    void raisesAFlagAgainAndAgain() {
        aws.s3("eu-central-1")
                .createBucket(
                        b ->
                                b.bucket("flag-dr")
                                        .createBucketConfiguration(
                                                c -> c.locationConstraint("eu-central-1")));
        S3FlagBucket flag = bucket("eu-central-1", "flag-dr");
        assertFalse(flag.raised());

        flag.raise();
        flag.raise();

        assertTrue(flag.raised());
    }

    @Test
    void aBucketThatIsntThereIsTerminal() {
        S3FlagBucket flag = bucket("eu-north-1", "nowhere");

        assertThrows(Failure.Terminal.class, flag::raise);
    }

    @Test
    void raisesAMetricByOneDatapointInItsOwnNamespace() {
        CloudWatchTrafficFlag flag = metric("eu-north-1");
        Instant before = Instant.now().minus(Duration.ofMinutes(2));

        flag.raise();
        flag.raise();

        assertEquals(
                List.of(1.0),
                aws
                        .cloudWatch("eu-north-1")
                        .getMetricStatistics(
                                r ->
                                        r.namespace("vault-dr-payments-traffic")
                                                .metricName("ClientsToDr")
                                                .startTime(before)
                                                .endTime(before.plus(Duration.ofMinutes(4)))
                                                .period(3_600)
                                                .statistics(Statistic.MAXIMUM))
                        .datapoints()
                        .stream()
                        .map(Datapoint::maximum)
                        .toList());
    }

    @Test
    void aMetricIsRaisedWhileItsAlarmSaysSo() {
        CloudWatchTrafficFlag flag = metric("eu-central-1");
        CloudWatchClient cloudWatch = aws.cloudWatch("eu-central-1");
        cloudWatch.putMetricAlarm(
                r ->
                        r.alarmName(ALARM)
                                .namespace("vault-dr-payments-traffic")
                                .metricName("ClientsToDr")
                                .statistic(Statistic.MAXIMUM)
                                .period(60)
                                .evaluationPeriods(1)
                                .threshold(1.0)
                                .comparisonOperator(
                                        ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD));

        for (StateValue state :
                List.of(StateValue.INSUFFICIENT_DATA, StateValue.ALARM, StateValue.OK)) {
            cloudWatch.setAlarmState(
                    r -> r.alarmName(ALARM).stateValue(state).stateReason("a test"));

            assertEquals(state == StateValue.ALARM, flag.raised(), state.toString());
        }
    }

    @Test
    void anAlarmThatIsntThereIsNamed() {
        CloudWatchTrafficFlag flag = metric("eu-west-2");

        Failure failure = assertThrows(Failure.Terminal.class, flag::raised);

        assertTrue(failure.toString().contains(ALARM), failure::toString);
    }

    private S3FlagBucket bucket(String region, String name) {
        return new S3FlagBucket(aws.s3(region), new Flag.InBucket(region, name, "traffic/dr"));
    }

    private CloudWatchTrafficFlag metric(String region) {
        return new CloudWatchTrafficFlag(
                aws.cloudWatch(region),
                new Flag.InMetric(region, "vault-dr-payments-traffic", "ClientsToDr", ALARM));
    }

    private String zone() {
        return aws.route53()
                .createHostedZone(
                        z ->
                                z.name("example.com")
                                        .callerReference("r" + Duration.ofNanos(System.nanoTime())))
                .hostedZone()
                .id()
                .replace("/hostedzone/", "");
    }

    private void change(String zone, ResourceRecordSet set) {
        aws.route53()
                .changeResourceRecordSets(
                        r ->
                                r.hostedZoneId(zone)
                                        .changeBatch(
                                                b ->
                                                        b.changes(
                                                                Change.builder()
                                                                        .action(ChangeAction.UPSERT)
                                                                        .resourceRecordSet(set)
                                                                        .build())));
    }

    private static ResourceRecordSet record(String identifier, long weight) {
        return ResourceRecordSet.builder()
                .name(NAME)
                .type(RRType.CNAME)
                .setIdentifier(identifier)
                .weight(weight)
                .ttl(5L)
                .resourceRecords(
                        List.of(
                                ResourceRecord.builder()
                                        .value(identifier + ".example.com")
                                        .build()))
                .build();
    }

    private Route53Records records(String zone) {
        return new Route53Records(aws.route53(), new Traffic(zone, NAME, "home", "dr", List.of()));
    }
}
