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

import software.amazon.awssdk.services.route53.model.Change;
import software.amazon.awssdk.services.route53.model.ChangeAction;
import software.amazon.awssdk.services.route53.model.RRType;
import software.amazon.awssdk.services.route53.model.ResourceRecord;
import software.amazon.awssdk.services.route53.model.ResourceRecordSet;

import java.time.Clock;
import java.time.Duration;
import java.util.List;

/** Flag and weights in moto. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class TrafficIT {
    private static final String NAME = "vault.example.com";

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
        S3TrafficFlag flag =
                new S3TrafficFlag(
                        aws.s3("eu-central-1"), new Flag("eu-central-1", "flag-dr", "traffic/dr"));
        assertFalse(flag.raised());

        flag.raise();
        flag.raise();

        assertTrue(flag.raised());
    }

    @Test
    void aBucketThatIsntThereIsTerminal() {
        S3TrafficFlag flag =
                new S3TrafficFlag(
                        aws.s3("eu-north-1"), new Flag("eu-north-1", "nowhere", "traffic/dr"));

        assertThrows(Failure.Terminal.class, flag::raise);
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
