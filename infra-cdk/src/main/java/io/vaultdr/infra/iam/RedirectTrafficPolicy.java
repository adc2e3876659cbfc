package io.vaultdr.infra.iam;

import io.vaultdr.infra.config.Names;
import io.vaultdr.runtime.PairSettings.Flag;
import io.vaultdr.runtime.PairSettings.Traffic;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Puts the flags, then turns the weights. */
public record RedirectTrafficPolicy(Names names, Optional<Traffic> traffic, String region)
        implements Policy {
    @Override
    public List<Allowance> allowances() {
        List<Allowance> all = new ArrayList<>();
        all.add(Allowances.changeLedger(names, region));
        all.add(Allowances.pageOrLook(names, region));
        traffic.ifPresent(it -> turn(it, all));
        return all;
    }

    private static void turn(Traffic traffic, List<Allowance> all) {
        for (Flag flag : traffic.flags()) {
            String bucket = "arn:aws:s3:::" + flag.bucket();
            // Without the right to list, an object that isn't there is answered like a forbidden
            // one.
            all.add(Allowance.on(bucket, "s3:ListBucket"));
            all.add(Allowance.on(bucket + "/" + flag.key(), "s3:GetObject", "s3:PutObject"));
        }
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
