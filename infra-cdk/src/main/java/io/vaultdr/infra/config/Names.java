package io.vaultdr.infra.config;

import io.vaultdr.model.PairId;

import java.util.Map;

/**
 * Every name of a pair's resources, made in one place: stacks find one another by them, across
 * regions and accounts, without references.
 *
 * @param account the account that is spoken from
 * @param owners region → account of the snapshot bucket there
 */
public record Names(String prefix, PairId pair, String account, Map<String, String> owners) {
    /** The key of the traffic flag in its bucket. */
    public static final String FLAG_KEY = "traffic/dr";

    /** The metric whose datapoint is the traffic flag: 1 sends clients to DR, 0 home. */
    public static final String FLAG_METRIC = "ClientsToDr";

    /** {@code <prefix>-<pair>-<purpose>}. */
    public String of(String purpose) {
        return prefix + "-" + pair + "-" + purpose;
    }

    /** The ledger. */
    public String table() {
        return of("ledger");
    }

    /** The failover's state machine. */
    public String stateMachine() {
        return of("failover");
    }

    /** The state machine's ARN in {@code region}. */
    public String stateMachineArn(String region) {
        return arn("states", region, "stateMachine:" + stateMachine());
    }

    /** Whose the snapshot bucket of {@code region} is, and the key that encrypts it. */
    public String owner(String region) {
        return owners.getOrDefault(region, account);
    }

    /** Whether the snapshot bucket of {@code region} stands in the account spoken from. */
    public boolean owns(String region) {
        return owner(region).equals(account);
    }

    /** The snapshot bucket of {@code region}. */
    public String snapshots(String region) {
        return of("snapshots-" + owner(region) + "-" + region);
    }

    /** The alias of the key that encrypts snapshots, the same in each region. */
    public String snapshotKeyAlias() {
        return "alias/" + of("snapshots");
    }

    /** The bucket of the servers' binaries that restore snapshots. */
    public String servers(String region) {
        return of("servers-" + account + "-" + region);
    }

    /** The bucket of what was brought back out of a snapshot, for a day. */
    public String recovered(String region) {
        return of("recovered-" + account + "-" + region);
    }

    /** The bucket of drills' reports. */
    public String drills(String region) {
        return of("drills-" + account + "-" + region);
    }

    /** The alias of the key that signs drills' reports. */
    public String drillKeyAlias() {
        return "alias/" + of("drill");
    }

    /** The flag bucket of {@code region}. */
    public String flag(String region) {
        return of("flag-" + account + "-" + region);
    }

    /** The namespace of the metric that is the traffic flag; only who raises it may write there. */
    public String flagNamespace() {
        return of("traffic");
    }

    /** The alarm over that metric, the same in each region. */
    public String flagAlarm() {
        return of("clients-to-dr");
    }

    /** The topic that pages people. */
    public String pages() {
        return of("pages");
    }

    /** The topic's ARN in {@code region}. */
    public String pagesArn(String region) {
        return arn("sns", region, pages());
    }

    /** The SSM path of the certificate authorities. */
    public String caPath() {
        return "/" + prefix + "/" + pair + "/ca";
    }

    /** A function's ARN, without a qualifier. */
    public String functionArn(String region, String purpose) {
        return arn("lambda", region, "function:" + of(purpose));
    }

    /** The role of a function of this pair in {@code region}. */
    public String roleArn(String region, String purpose) {
        return "arn:aws:iam::" + account + ":role/" + of(purpose) + "-" + region;
    }

    /** The role of the function in {@code region} that probes every pair. */
    public String probeRoleArn(String region) {
        return "arn:aws:iam::" + account + ":role/" + prefix + "-probe-" + region;
    }

    /** The ARN of something in this account. */
    public String arn(String service, String region, String resource) {
        return "arn:aws:" + service + ":" + region + ":" + account + ":" + resource;
    }
}
