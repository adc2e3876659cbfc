package io.vaultdr.aws;

import io.vaultdr.model.Failure;
import io.vaultdr.model.Side;
import io.vaultdr.runtime.Deadline;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.traffic.WeightedRecords;

import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.route53.Route53Client;
import software.amazon.awssdk.services.route53.model.Change;
import software.amazon.awssdk.services.route53.model.ChangeAction;
import software.amazon.awssdk.services.route53.model.ChangeStatus;
import software.amazon.awssdk.services.route53.model.ResourceRecordSet;

import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/** Weighted records in Amazon Route 53, whose control plane stands in us-east-1 and may be away. */
public final class Route53Records implements WeightedRecords {
    private static final long ALL = 100;
    private static final Duration CALL = Duration.ofSeconds(8);
    private static final Duration POLL = Duration.ofSeconds(2);

    private final Route53Client route53;
    private final PairSettings.Traffic traffic;

    /** The records of {@code traffic}. */
    public Route53Records(Route53Client route53, PairSettings.Traffic traffic) {
        this.route53 = route53;
        this.traffic = traffic;
    }

    @Override
    public Weights read() {
        List<ResourceRecordSet> sets = sets();
        return new Weights(weight(of(sets, Side.HOME)), weight(of(sets, Side.DR)));
    }

    @Override
    public void turnTo(Side side, Deadline deadline) {
        List<ResourceRecordSet> sets = sets();
        String change = change(upsert(of(sets, side), ALL), upsert(of(sets, side.other()), 0));
        if (deadline.poll(POLL, () -> inSync(change) ? Optional.of(change) : Optional.empty())
                .isEmpty()) {
            throw new Failure.OutcomeUnknown(
                    "turn the weights of " + traffic.recordName(),
                    "change " + change + " is accepted and not everywhere yet",
                    "Look with: aws route53 get-change --id " + change);
        }
    }

    private String change(Change serving, Change other) {
        try {
            return route53.changeResourceRecordSets(
                            request ->
                                    request.hostedZoneId(traffic.hostedZoneId())
                                            .changeBatch(batch -> batch.changes(serving, other))
                                            .overrideConfiguration(c -> c.apiCallTimeout(CALL)))
                    .changeInfo()
                    .id();
        } catch (SdkException e) {
            throw AwsFailures.of(
                    "change the weights of " + traffic.recordName(),
                    e,
                    true,
                    "The same weights may be written again.");
        }
    }

    private boolean inSync(String change) {
        try {
            return route53.getChange(
                                    request ->
                                            request.id(change)
                                                    .overrideConfiguration(
                                                            c -> c.apiCallTimeout(CALL)))
                            .changeInfo()
                            .status()
                    == ChangeStatus.INSYNC;
        } catch (SdkException e) {
            throw AwsFailures.of(
                    "look after change " + change, e, true, "The change itself was accepted.");
        }
    }

    private List<ResourceRecordSet> sets() {
        try {
            return route53.listResourceRecordSets(
                            request ->
                                    request.hostedZoneId(traffic.hostedZoneId())
                                            .startRecordName(traffic.recordName())
                                            .overrideConfiguration(c -> c.apiCallTimeout(CALL)))
                    .resourceRecordSets();
        } catch (SdkException e) {
            throw AwsFailures.of(
                    "read the records of " + traffic.recordName(), e, false, "Read them again.");
        }
    }

    private ResourceRecordSet of(List<ResourceRecordSet> sets, Side side) {
        String identifier =
                side == Side.HOME ? traffic.homeSetIdentifier() : traffic.drSetIdentifier();
        return sets.stream()
                .filter(set -> set.name().equalsIgnoreCase(traffic.recordName() + "."))
                .filter(set -> Objects.equals(set.setIdentifier(), identifier))
                .findFirst()
                .orElseThrow(
                        () ->
                                new Failure.Terminal(
                                        "find the weighted record " + identifier,
                                        "zone " + traffic.hostedZoneId() + " has none of that name",
                                        "Deploy the Traffic stack of this pair"));
    }

    private static Change upsert(ResourceRecordSet set, long weight) {
        return Change.builder()
                .action(ChangeAction.UPSERT)
                .resourceRecordSet(set.toBuilder().weight(weight).build())
                .build();
    }

    private static long weight(ResourceRecordSet set) {
        return Objects.requireNonNullElse(set.weight(), 0L);
    }
}
