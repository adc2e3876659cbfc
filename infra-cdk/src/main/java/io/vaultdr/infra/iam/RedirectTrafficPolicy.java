package io.vaultdr.infra.iam;

import io.vaultdr.infra.config.Names;
import io.vaultdr.runtime.PairSettings.Flag;
import io.vaultdr.runtime.PairSettings.Traffic;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Raises the flags, then turns the weights. */
public record RedirectTrafficPolicy(Names names, Optional<Traffic> traffic, String region)
        implements Policy {
    @Override
    public List<Allowance> allowances() {
        List<Allowance> all = new ArrayList<>();
        all.add(Allowances.changeLedger(names, region));
        all.add(Allowances.pageOrLook(names, region));
        traffic.ifPresent(it -> turn(names, it, all));
        return all;
    }

    private static List<Allowance> raise(Names names, Flag flag) {
        return switch (flag) {
            case Flag.InBucket(String _, String name, String key) -> {
                String bucket = "arn:aws:s3:::" + name;
                // Without the right to list, an object that isn't there is answered like a
                // forbidden one.
                yield List.of(
                        Allowance.on(bucket, "s3:ListBucket"),
                        Allowance.on(bucket + "/" + key, "s3:GetObject", "s3:PutObject"));
            }
            case Flag.InMetric(String region, String namespace, String _, String alarm) ->
                    List.of(
                            Allowances.putMetrics(namespace)
                                    .when("StringEquals", "aws:RequestedRegion", region),
                            Allowance.on(
                                    names.arn("cloudwatch", region, "alarm:" + alarm),
                                    "cloudwatch:DescribeAlarms"));
        };
    }

    private static void turn(Names names, Traffic traffic, List<Allowance> all) {
        traffic.flags().forEach(flag -> all.addAll(raise(names, flag)));
        String zone = "arn:aws:route53:::hostedzone/" + traffic.hostedZoneId();
        all.add(Allowance.on(zone, "route53:ListResourceRecordSets"));
        all.add(
                Allowance.on(zone, "route53:ChangeResourceRecordSets")
                        .when(
                                "ForAllValues:StringEquals",
                                "route53:ChangeResourceRecordSetsNormalizedRecordNames",
                                List.of(traffic.recordName()))
                        .when(
                                "ForAllValues:StringEquals",
                                "route53:ChangeResourceRecordSetsRecordTypes",
                                List.of("CNAME"))
                        .when(
                                "ForAllValues:StringEquals",
                                "route53:ChangeResourceRecordSetsActions",
                                List.of("UPSERT")));
        all.add(
                Allowance.onPattern(
                        "arn:aws:route53:::change/*",
                        "A change gets its id when it is made",
                        "route53:GetChange"));
    }
}
