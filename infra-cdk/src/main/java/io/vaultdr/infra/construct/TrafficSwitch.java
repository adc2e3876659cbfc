package io.vaultdr.infra.construct;

import io.vaultdr.infra.config.Config;
import io.vaultdr.runtime.PairSettings.Flag;
import io.vaultdr.runtime.PairSettings.Traffic;

import software.amazon.awscdk.services.route53.CfnHealthCheck;
import software.amazon.awscdk.services.route53.CfnHealthCheck.AlarmIdentifierProperty;
import software.amazon.awscdk.services.route53.CfnHealthCheck.HealthCheckConfigProperty;
import software.amazon.awscdk.services.route53.CfnRecordSet;
import software.constructs.Construct;

import java.util.ArrayList;
import java.util.List;

/**
 * Weighted records, 100 to home and 0 to the DR side, of which only home's has a health check. The
 * check reads nothing but the flags: it fails as soon as one of them stands, and all clients go to
 * the DR side, without any call to Route 53.
 */
public final class TrafficSwitch extends Construct {
    public TrafficSwitch(Construct scope, String id, Traffic settings, Config.Traffic traffic) {
        super(scope, id);
        List<String> absent = new ArrayList<>();
        List<CfnRecordSet> heard = new ArrayList<>();
        for (Flag flag : settings.flags()) {
            CfnHealthCheck check = flagAbsent(flag);
            absent.add(check.getAttrHealthCheckId());
            if (flag instanceof Flag.InBucket) {
                heard.add(heard(flag, check, settings));
            }
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
        heard.forEach(homeMayServe.getNode()::addDependency);
        CfnRecordSet home =
                record("Home", settings, settings.homeSetIdentifier(), traffic, traffic.home())
                        .weight(100)
                        .healthCheckId(homeMayServe.getAttrHealthCheckId())
                        .build();
        CfnRecordSet dr =
                record("Dr", settings, settings.drSetIdentifier(), traffic, traffic.dr())
                        .weight(0)
                        .build();
        // Alone, home's record is answered whatever its check says; DR's may come when the checks
        // have data.
        dr.getNode().addDependency(home);
    }

    /**
     * A record that clients don't ask for and that names the check of {@code flag}. A new inverted
     * check is unhealthy until it has data (one of an alarm, healthy), and counted at once it would
     * turn clients: when a witness is added to a pair that serves, or a check replaced.
     * CloudFormation goes on when this record is in sync on all name servers, up to a minute, in
     * which checkers that ask every ten seconds have answered.
     *
     * @see <a
     *     href="https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html">What
     *     a new health check counts as</a>
     */
    private CfnRecordSet heard(Flag flag, CfnHealthCheck check, Traffic settings) {
        return CfnRecordSet.Builder.create(this, "FlagHeard-" + flag.region())
                .hostedZoneId(settings.hostedZoneId())
                .name("_flag-" + flag.region() + "." + settings.recordName())
                .type("TXT")
                .ttl("300")
                .resourceRecords(List.of("\"" + check.getAttrHealthCheckId() + "\""))
                .build();
    }

    /** Healthy while the flag is not there; a region that doesn't answer has none to show. */
    private CfnHealthCheck flagAbsent(Flag flag) {
        return CfnHealthCheck.Builder.create(this, "FlagAbsent-" + flag.region())
                .healthCheckConfig(
                        switch (flag) {
                            case Flag.InBucket object -> objectAbsent(object);
                            case Flag.InMetric metric -> alarmOff(metric);
                        })
                .build();
    }

    private static HealthCheckConfigProperty objectAbsent(Flag.InBucket flag) {
        return HealthCheckConfigProperty.builder()
                .type("HTTPS")
                .fullyQualifiedDomainName(flag.bucket() + ".s3." + flag.region() + ".amazonaws.com")
                .port(443)
                .resourcePath("/" + flag.key())
                .enableSni(true)
                .inverted(true)
                .requestInterval(10)
                // An object can't be there by mistake: the first sight counts.
                .failureThreshold(1)
                .build();
    }

    /**
     * An alarm in any region will do, and ALARM is unhealthy without inversion. Between datapoints
     * there is nothing to read, since Route 53 doesn't look at the alarm's state: any other answer
     * than the last one would send clients home a minute after they were turned.
     */
    private static HealthCheckConfigProperty alarmOff(Flag.InMetric flag) {
        return HealthCheckConfigProperty.builder()
                .type("CLOUDWATCH_METRIC")
                .alarmIdentifier(
                        AlarmIdentifierProperty.builder()
                                .name(flag.alarm())
                                .region(flag.region())
                                .build())
                .insufficientDataHealthStatus("LastKnownStatus")
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
