package io.vaultdr.infra.config;

import io.vaultdr.infra.config.Config.Existing;
import io.vaultdr.model.PairId;
import io.vaultdr.model.Side;
import io.vaultdr.runtime.PairSettings.Tag;

import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Every name of a pair's resources, made in one place: stacks find one another by them, across
 * regions and accounts, without references.
 *
 * @param account the account that is spoken from
 * @param owners region → account of the snapshot bucket there
 * @param existing region → the snapshot bucket that isn't made by a stack
 */
public record Names(
        String prefix,
        PairId pair,
        String account,
        Map<String, String> owners,
        Map<String, Existing> existing) {
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
        return existing.containsKey(region)
                ? existing.get(region).bucket()
                : of("snapshots-" + owner(region) + "-" + region);
    }

    /** The ARN of the key of a snapshot bucket that no stack makes. */
    public Optional<String> existingKey(String region) {
        return Optional.ofNullable(existing.get(region)).map(Existing::key);
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

    /** The tag by which a made cluster's instances are found, on each side its own value. */
    public static Tag instances(PairId pair, Side side) {
        return new Tag(INSTANCES, pair + "-" + named(side));
    }

    /** The instance tag that names the SSM parameter with a node's settings. */
    public static final String NODE_TAG = "vault-dr:node";

    private static final String INSTANCES = "vault-dr";

    /** The tag of a drill's own instances. */
    public static Tag drillInstances(PairId pair) {
        return new Tag(INSTANCES, pair + "-drill");
    }

    /** The Auto Scaling group of a drill's own cluster. */
    public String drillGroup() {
        return of("drill-nodes");
    }

    /** The SSM parameter that a drill's own nodes read their settings from. */
    public String drillNodeSettings() {
        return path("node-drill");
    }

    /** The role of a drill's own nodes in {@code region}. */
    public String drillNodeRole(String region) {
        return of("drill-node-" + region);
    }

    /** That role's ARN. */
    public String drillNodeRoleArn(String region) {
        return "arn:aws:iam::" + account + ":role/" + drillNodeRole(region);
    }

    /** The Auto Scaling group of a made cluster, its launch template and its balancer. */
    public static String group(String prefix, PairId pair, Side side) {
        return prefix + "-" + pair + "-" + named(side);
    }

    /** The same, of this pair. */
    public String group(Side side) {
        return group(prefix, pair, side);
    }

    /** The SSM parameter that a node of {@code side} reads its settings from. */
    public String nodeSettings(Side side) {
        return path("node-" + named(side));
    }

    /**
     * The SSM parameter of each region that holds the id of the image that nodes start from. Image
     * Builder's own role writes below {@code /imagebuilder} only.
     */
    public String image() {
        return "/imagebuilder" + path("image");
    }

    /** The role of a made cluster's instances in {@code region}, and their instance profile. */
    public String nodeRole(String region) {
        return of("node-" + region);
    }

    /** That role's ARN. */
    public String nodeRoleArn(String region) {
        return "arn:aws:iam::" + account + ":role/" + nodeRole(region);
    }

    /** The role that may read recovery keys, where the configuration names none. */
    public String breakGlassRole(String region) {
        return of("break-glass-" + region);
    }

    /** The alias of the key that seals a made cluster, the same in each region. */
    public String sealKeyAlias() {
        return "alias/" + of("seal");
    }

    /** The secret of the recovery keys, of the same name in each region. */
    public String recoveryKeys() {
        return prefix + "/" + pair + "/recovery-keys";
    }

    /** The secret of home's region that tells how far the initialisation came. */
    public String initialisation() {
        return prefix + "/" + pair + "/initialisation";
    }

    /** The hook that holds a new instance until its node votes. */
    public String launchHook() {
        return of("launch");
    }

    /** The hook that holds an instance until its node may go. */
    public String terminationHook() {
        return of("terminate");
    }

    private String path(String last) {
        return "/" + prefix + "/" + pair + "/" + last;
    }

    private static String named(Side side) {
        return side.name().toLowerCase(Locale.ROOT);
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
        return path("ca");
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
