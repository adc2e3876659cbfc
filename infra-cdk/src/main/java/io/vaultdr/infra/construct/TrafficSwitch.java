package io.vaultdr.infra.construct;

import io.vaultdr.infra.config.Config;
import io.vaultdr.runtime.PairSettings.Flag;
import io.vaultdr.runtime.PairSettings.Traffic;

import software.amazon.awscdk.services.route53.CfnHealthCheck;
import software.amazon.awscdk.services.route53.CfnHealthCheck.HealthCheckConfigProperty;
import software.amazon.awscdk.services.route53.CfnRecordSet;
import software.constructs.Construct;

import java.util.ArrayList;
import java.util.List;

/**
 * Weighted records, 100 to home and 0 to the DR side, of which only home's has a health check. The
 * check reads nothing but the flags, inverted: it fails as soon as one of them is there, and all
 * clients go to the DR side, without any call to Route 53.
 */
public final class TrafficSwitch extends Construct {
    public TrafficSwitch(Construct scope, String id, Traffic settings, Config.Traffic traffic) {
        super(scope, id);
        List<String> absent = new ArrayList<>();
        for (Flag flag : settings.flags()) {
            absent.add(flagAbsent(flag).getAttrHealthCheckId());
        }
        CfnHealthCheck homeMayServe =
                CfnHealthCheck.Builder.create(this, "HomeMayServe")
                        .healthCheckConfig(
                                HealthCheckConfigProperty.builder()
                                        .type("CALCULATED")
                                        .childHealthChecks(absent)
                                        .healthThreshold(absent.size())
                                        .build())
                        .build();
        CfnRecordSet home =
                record("Home", settings, settings.homeSetIdentifier(), traffic, traffic.home())
                        .weight(100)
                        .healthCheckId(homeMayServe.getAttrHealthCheckId())
                        .build();
        CfnRecordSet dr =
                record("Dr", settings, settings.drSetIdentifier(), traffic, traffic.dr())
                        .weight(0)
                        .build();
        // A new inverted check is unhealthy until it has data. Alone, home's record is answered all
        // the same; until it is in sync everywhere the checks have data, and then DR's may come.
        dr.getNode().addDependency(home);
    }

    /** Healthy while the flag is not there; a region that doesn't answer has none to show. */
    private CfnHealthCheck flagAbsent(Flag flag) {
        return CfnHealthCheck.Builder.create(this, "FlagAbsent-" + flag.region())
                .healthCheckConfig(
                        HealthCheckConfigProperty.builder()
                                .type("HTTPS")
                                .fullyQualifiedDomainName(
                                        flag.bucket() + ".s3." + flag.region() + ".amazonaws.com")
                                .port(443)
                                .resourcePath("/" + flag.key())
                                .enableSni(true)
                                .inverted(true)
                                .requestInterval(10)
                                // An object can't be there by mistake: the first sight counts.
                                .failureThreshold(1)
                                .build())
                .build();
    }

    private CfnRecordSet.Builder record(
            String id, Traffic settings, String set, Config.Traffic traffic, String target) {
        return CfnRecordSet.Builder.create(this, id)
                .hostedZoneId(settings.hostedZoneId())
                .name(settings.recordName())
                .type("CNAME")
                .ttl(Integer.toString(traffic.ttl()))
                .setIdentifier(set)
                .resourceRecords(List.of(target));
    }
}
