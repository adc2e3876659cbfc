package io.vaultdr.infra.config;

import io.vaultdr.cluster.VaultSetup;
import io.vaultdr.model.PairId;
import io.vaultdr.model.Side;
import io.vaultdr.runtime.PairSettings.AwsLogin;
import io.vaultdr.runtime.PairSettings.Edition;
import io.vaultdr.runtime.PairSettings.Failover.Prefer;
import io.vaultdr.runtime.PairSettings.Failover.Strategy;
import io.vaultdr.runtime.PairSettings.Stage;
import io.vaultdr.runtime.PairSettings.Tag;
import io.vaultdr.runtime.PairSettings.Vantage;
import io.vaultdr.runtime.ProofSettings.Seal;
import io.vaultdr.runtime.RetentionSettings;
import io.vaultdr.vault.Login.Intent;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * All that a deployment is told, valid in itself. {@link ConfigFile} reads it.
 *
 * @param file where it was read
 * @param prefix what every name begins with
 * @param account the AWS account id; empty: the one that {@code cdk deploy} is signed in to
 * @param tags put on everything that takes tags
 * @param permissionsBoundary the ARN of the policy that bounds every role
 * @param egress how functions in a VPC reach AWS
 * @param vantages region → network of the regions that probe every pair
 * @param pairs the pairs, by name
 */
public record Config(
        Path file,
        String prefix,
        Optional<String> account,
        Map<String, String> tags,
        Optional<String> permissionsBoundary,
        Egress egress,
        Map<String, Network> vantages,
        List<Pair> pairs) {

    /** How functions in a VPC reach AWS. */
    public enum Egress {
        NAT,
        ENDPOINTS
    }

    /**
     * Where a function stands that talks to servers.
     *
     * @param subnets empty: the VPC's private subnets, looked up at deployment
     */
    public record Network(String vpc, List<String> subnets) {}

    /**
     * A pair.
     *
     * @param strategy what stands in the DR region before a promotion
     * @param servers what the clusters that are made have in common; empty: both are brought
     * @param copyTo the region of the second bucket: the DR side's where there is one
     * @param copyAccount the account that this bucket, its key, its Retention and the prover stand
     *     in; empty: home's
     * @param inCopyAccount whether this is the pair as that account is told of it
     * @param pages mail addresses and https URLs that are told when a person is needed
     */
    public record Pair(
            PairId id,
            Edition edition,
            Stage stage,
            Strategy strategy,
            Optional<Servers> servers,
            Cluster home,
            Optional<Cluster> dr,
            Optional<String> copyTo,
            Optional<String> copyAccount,
            boolean inCopyAccount,
            Service service,
            Snapshots snapshots,
            Optional<Prove> prove,
            Goals goals,
            Optional<Traffic> traffic,
            Timings timings,
            List<String> pages) {

        /** Whether the pair's home is probed, which begins with the rung {@code observe}. */
        public boolean probed() {
            return stage.compareTo(Stage.OBSERVE) >= 0;
        }

        /** How the pair's snapshots are proven, which begins with the rung {@code proven}. */
        public Optional<Prove> proving() {
            return prove.filter(it -> stage.compareTo(Stage.PROVEN) >= 0);
        }

        /** The region whose bucket a failover restores from: there snapshots are proven. */
        public String proofRegion() {
            return bucketRegions().getLast();
        }

        /** The prefix of the logins' secrets in {@link #proofRegion}. */
        public String proofLogin() {
            return dr.orElse(home).login();
        }

        /** Where drills run and report: beside the proofs, as long as that is home's account. */
        public String drillRegion() {
            return copyAccount.isPresent() && !probed() ? home.region() : proofRegion();
        }

        /** Where home's account has a Backup stack. */
        public List<String> backupRegions() {
            return bucketRegions().stream()
                    .filter(
                            region ->
                                    copyAccount.isEmpty()
                                            || region.equals(home.region())
                                            || probed())
                    .toList();
        }

        /**
         * The pair as the account of its copy is told of it, where there is one: it proves and
         * keeps, and knows neither ledger nor DR cluster.
         */
        public Pair there() {
            return copyAccount.isEmpty()
                    ? this
                    : with(
                            stage.compareTo(Stage.PROVEN) < 0 ? stage : Stage.PROVEN,
                            Optional.empty(),
                            true);
        }

        /** The same pair on another rung. */
        Pair on(Stage other) {
            return with(other, dr, inCopyAccount);
        }

        private Pair with(Stage otherStage, Optional<Cluster> otherDr, boolean from) {
            return new Pair(
                    id,
                    edition,
                    otherStage,
                    strategy,
                    servers.filter(it -> !from),
                    from ? home.brought() : home,
                    otherDr,
                    copyTo,
                    copyAccount,
                    from,
                    service,
                    snapshots,
                    prove,
                    goals,
                    traffic.filter(it -> otherDr.isPresent()),
                    timings,
                    pages);
        }

        /** The DR cluster of a pair that is probed. */
        public Cluster drCluster() {
            return dr.orElseThrow();
        }

        /** Whether its drills boot a cluster: where DR's is made, its image and key are there. */
        public boolean bootsDrills() {
            return proving().isPresent()
                    && probed()
                    && dr.flatMap(Cluster::made).isPresent()
                    && proofRegion().equals(drCluster().region());
        }

        /** Whether the CDK app makes a cluster of the pair. */
        public boolean made() {
            return home.made().isPresent() || dr.flatMap(Cluster::made).isPresent();
        }

        /** The side whose cluster is made in {@code region}, if one is. */
        public Optional<Side> madeIn(String region) {
            return Stream.of(Side.values())
                    .filter(side -> side == Side.HOME || probed())
                    .filter(side -> cluster(side).made().isPresent())
                    .filter(side -> cluster(side).region().equals(region))
                    .findFirst();
        }

        /**
         * Where a Cluster stack stands: in every region of a home that is made, since its seal's
         * key and its recovery keys are wanted there in any case; otherwise beside a DR cluster.
         */
        public List<String> clusterRegions() {
            return bucketRegions().stream()
                    .filter(region -> home.made().isPresent() || madeIn(region).isPresent())
                    .toList();
        }

        /** How few instances a made cluster has: home is whole, DR is what the strategy says. */
        public int fewest(Side side) {
            return switch (side) {
                case HOME -> servers.orElseThrow().nodes();
                case DR -> strategy == Strategy.PILOT_LIGHT ? 0 : 1;
            };
        }

        /** How many instances are reserved in each zone of a made DR cluster, if any are. */
        public int reservedPerZone() {
            return Math.ceilDiv(
                    servers.orElseThrow().nodes(), drCluster().made().orElseThrow().zones());
        }

        /** The logins that its clusters get. */
        public List<Intent> logins() {
            return new VaultSetup(proving().map(Prove::recover).orElse(List.of()), made())
                    .intents();
        }

        /** Where a made cluster's audit device writes, the same on every node. */
        public String auditFile() {
            return "/var/log/" + edition.name().toLowerCase(Locale.ROOT) + "/audit.log";
        }

        /** The sides whose cluster is made. */
        public List<Side> madeSides() {
            return Stream.of(Side.HOME, Side.DR)
                    .filter(
                            side ->
                                    (side == Side.HOME ? Optional.of(home) : dr)
                                            .flatMap(Cluster::made)
                                            .isPresent())
                    .toList();
        }

        /** The cluster on {@code side}. */
        public Cluster cluster(Side side) {
            return side == Side.HOME ? home : drCluster();
        }

        /** The regions that hold snapshots, home's first. */
        public List<String> bucketRegions() {
            return copyTo.map(copy -> List.of(home.region(), copy)).orElse(List.of(home.region()));
        }
    }

    /**
     * A cluster.
     *
     * @param ca its certificate authority in PEM; empty: one that Java trusts
     * @param awsLogin how functions log in by their own AWS role; empty: by AppRole
     * @param made what it is made of; empty: it exists already
     */
    public record Cluster(
            String region,
            URI address,
            List<URI> nodes,
            Optional<String> serverName,
            Optional<String> ca,
            String login,
            Network network,
            Optional<String> autoScalingGroup,
            Optional<Tag> instances,
            int voters,
            Optional<AwsLogin> awsLogin,
            Optional<Made> made) {

        /** The same, as an account is told of it where nothing is made of it. */
        Cluster brought() {
            return new Cluster(
                    region,
                    address,
                    nodes,
                    serverName,
                    ca,
                    login,
                    network,
                    autoScalingGroup,
                    instances,
                    voters,
                    awsLogin,
                    Optional.empty());
        }
    }

    /**
     * What the clusters have in common that the CDK app makes of a pair.
     *
     * @param nodes how many each has when it is complete
     * @param instanceType a type with an arm64 processor
     * @param volumeGiB the size of each node's volume
     * @param sealKey the ARN of a multi-Region key that exists; empty: one is made
     * @param awsLogin how functions log in by their own AWS role; empty: by AppRole
     * @param licence the secret that holds Vault Enterprise's licence
     * @param breakGlass the ARN of the role that may read recovery keys and delete the seal key;
     *     empty: each region gets one
     * @param selfFence whether a node of home stops by itself when it can read no quarantine mark
     * @param capacityReservation whether the DR side's instances are reserved
     */
    public record Servers(
            int nodes,
            String instanceType,
            int volumeGiB,
            Optional<String> sealKey,
            Optional<AwsLogin> awsLogin,
            Optional<String> licence,
            Optional<String> breakGlass,
            boolean selfFence,
            boolean capacityReservation) {}

    /**
     * A cluster that the CDK app makes.
     *
     * @param zone the hosted zone of the address' record
     * @param subnets availability zone → address range of the subnet that is made there for nodes
     * @param routeTables availability zone → the route table of that subnet
     * @param clients who may talk to the load balancer
     * @param functions where this project's functions and vantages stand, which ask single nodes
     * @param reaches what the servers themselves may reach besides AWS, such as databases
     * @param tls the secret that holds the servers' certificate and its key
     * @param server what its nodes run
     */
    public record Made(
            String zone,
            Map<String, Cidr> subnets,
            Map<String, String> routeTables,
            List<Cidr> clients,
            List<Cidr> functions,
            List<Destination> reaches,
            String tls,
            Server server) {

        /** How many zones it spreads over. */
        public int zones() {
            return subnets.size();
        }
    }

    /** An address range, at one TCP port. */
    public record Destination(Cidr range, int port) {}

    /**
     * What a node runs.
     *
     * @param version as the server calls itself
     * @param binary the server, for Linux on arm64
     * @param sealPlugin its seal plugin, where it needs one
     */
    public record Server(Version version, Artifact binary, Optional<Artifact> sealPlugin) {}

    /** How the server runs on the nodes, the same on both sides. */
    public record Service(String unit, String dataDirectory) {}

    /**
     * How snapshots are taken and kept.
     *
     * @param largest the bytes of the largest snapshot: functions get memory and scratch space by
     *     it
     * @param keep what stays for how long, and in which class
     * @param lock how long nobody may delete a version
     * @param existing region → the bucket that is there already; where a region has none, one is
     *     made
     */
    public record Snapshots(
            Duration every,
            long largest,
            RetentionSettings keep,
            Optional<Lock> lock,
            Map<String, Existing> existing) {}

    /**
     * A bucket that somebody else made, and the key of its default encryption.
     *
     * @param key the key's ARN
     */
    public record Existing(String bucket, String key) {}

    /** Object lock: the default retention of a bucket. */
    public record Lock(int days, Mode mode) {
        /** Who may shorten it. */
        public enum Mode {
            /** Whoever is allowed to bypass it. */
            GOVERNANCE,
            /** Nobody, the account's root user and AWS included. */
            COMPLIANCE
        }
    }

    /**
     * How snapshots are proven.
     *
     * @param server the binary that restores them, for Linux on arm64
     * @param sealPlugin its seal plugin, where it needs one
     * @param licence the secret that holds a licence
     * @param seal what opens the snapshots
     * @param maxAge the age from which on the newest proven snapshot is too old
     * @param prefer which snapshot a promotion restores
     * @param network where the prover stands; empty: in an isolated VPC that the stack makes
     * @param recover the KV paths that {@code restore --only} may read; empty: none
     */
    public record Prove(
            Artifact server,
            Optional<Artifact> sealPlugin,
            Optional<String> licence,
            Seal seal,
            Duration maxAge,
            Prefer prefer,
            Optional<Network> network,
            List<String> recover) {}

    /**
     * A file in a bucket of the region where snapshots are proven.
     *
     * @param bucket empty: the bucket that the stack makes for servers
     */
    public record Artifact(Optional<String> bucket, String key, String sha256) {}

    /**
     * What drills are measured by.
     *
     * @param rpo how old the newest proven snapshot may be
     * @param rto how long the steps may take
     */
    public record Goals(Duration rpo, Duration rto) {}

    /** The record that clients use, and what it points to on each side. */
    public record Traffic(String zone, String name, int ttl, String home, String dr, Flag flag) {
        /** What the traffic flag is. */
        public enum Flag {
            /** An object that Route 53's health checkers read, in a bucket of its own. */
            OBJECT,
            /** A datapoint under an alarm: nothing is readable without a signature, but slower. */
            METRIC
        }
    }

    /** The waiting times and limits of a failover. */
    public record Timings(
            Duration coolDown,
            Duration askAgainAfter,
            Duration approvalTimeout,
            Duration acceptedLoss,
            Duration snapshotMaxAge) {}

    /** The same configuration in {@code id}, unless it names an account itself. */
    public Config inAccount(String id) {
        return new Config(
                file,
                prefix,
                account.or(() -> Optional.of(id)),
                tags,
                permissionsBoundary,
                egress,
                vantages,
                pairs);
    }

    /**
     * The policy that bounds roles in the account {@code in}: where it isn't home's, the one of the
     * same name there, since no account takes another's.
     */
    public Optional<String> boundary(String in) {
        return account.filter(in::equals).isPresent()
                ? permissionsBoundary
                : permissionsBoundary.map(arn -> arn.replaceFirst("::\\d{12}:", "::" + in + ":"));
    }

    /** The same configuration with other pairs. */
    Config with(List<Pair> others) {
        return new Config(
                file, prefix, account, tags, permissionsBoundary, egress, vantages, others);
    }

    /** The pair called {@code name}. */
    public Optional<Pair> pair(String name) {
        return pairs.stream().filter(pair -> pair.id().value().equals(name)).findFirst();
    }

    /** The pairs that are probed. */
    public List<Pair> probedPairs() {
        return pairs.stream().filter(Pair::probed).toList();
    }

    /** Whose region a vantage of {@code pair} is. */
    public static Vantage.Role role(Pair pair, String region) {
        if (region.equals(pair.home().region())) {
            return Vantage.Role.HOME;
        }
        return pair.dr().filter(dr -> dr.region().equals(region)).isPresent()
                ? Vantage.Role.DR
                : Vantage.Role.WITNESS;
    }

    /** The first region, by name, that probes and is neither home nor DR of {@code pair}. */
    public Optional<String> witness(Pair pair) {
        return vantages.keySet().stream()
                .filter(region -> role(pair, region) == Vantage.Role.WITNESS)
                .findFirst();
    }
}
