package io.vaultdr.infra.config;

import io.vaultdr.cluster.VaultSetup;
import io.vaultdr.infra.config.Config.Cluster;
import io.vaultdr.infra.config.Config.Destination;
import io.vaultdr.infra.config.Config.Egress;
import io.vaultdr.infra.config.Config.Network;
import io.vaultdr.infra.config.Config.Pair;
import io.vaultdr.infra.config.Config.Prove;
import io.vaultdr.model.Side;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.runtime.PairSettings.Failover.Strategy;
import io.vaultdr.runtime.PairSettings.Flag;

import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * What each function in a VPC has to reach. Functions outside any VPC reach AWS by themselves and
 * nothing else, so they aren't listed.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-cross-region-privatelink-support.html">Services
 *     that an endpoint of another region reaches</a>
 */
public final class NetworkPaths {
    /** Services with a gateway endpoint, which costs nothing. */
    private static final Set<String> GATEWAY = Set.of("s3", "dynamodb");

    private final Config config;
    private final List<NetworkPath> paths = new ArrayList<>();

    /**
     * A way that has to be open.
     *
     * @param function the function's name
     * @param region where it runs
     * @param vpc the VPC it stands in
     * @param to a host, or an AWS service and its region
     * @param port the TCP port
     * @param way what opens it
     */
    public record NetworkPath(
            String function, String region, String vpc, String to, int port, String way) {
        @Override
        public String toString() {
            return function + " in " + region + " (" + vpc + ") -> " + to + ":" + port + ": " + way;
        }
    }

    private NetworkPaths(Config config) {
        this.config = config;
    }

    /** The ways of all functions, by function and region. */
    public static List<NetworkPath> of(Config config) {
        NetworkPaths all = new NetworkPaths(config);
        config.pairs().forEach(all::pair);
        if (!config.probedPairs().isEmpty()) {
            config.vantages().forEach(all::probe);
        }
        return List.copyOf(all.paths);
    }

    private void pair(Pair pair) {
        takeSnapshot(pair, pair.home());
        rotateLogins(pair, pair.home());
        askWhoCalls(pair, pair.home());
        pair.proving().ifPresent(prove -> prove(pair, prove));
        for (String region : pair.clusterRegions()) {
            pair.madeIn(region)
                    .ifPresent(
                            side -> {
                                nodes(pair, side);
                                care(pair, side);
                            });
        }
        if (!pair.probed()) {
            return;
        }
        takeSnapshot(pair, pair.drCluster());
        rotateLogins(pair, pair.drCluster());
        askWhoCalls(pair, pair.drCluster());
        Cluster dr = pair.drCluster();
        String home = pair.home().region();
        Source fence = source(pair, "fence", dr);
        servers(fence, pair.home());
        service(fence, "dynamodb", dr.region());
        service(fence, "ssm", home);
        if (pair.home().autoScalingGroup().isPresent()) {
            service(fence, "autoscaling", home);
        }
        settings(pair).traffic().stream()
                .flatMap(it -> it.flags().stream())
                .filter(Flag.InBucket.class::isInstance)
                .forEach(flag -> service(fence, "s3", flag.region()));
        authorities(pair, fence);
        Source promote = source(pair, "promote", dr);
        servers(promote, dr);
        List.of("dynamodb", "s3", "ssm").forEach(it -> service(promote, it, dr.region()));
        if (pair.strategy() == Strategy.PILOT_LIGHT) {
            service(promote, "autoscaling", dr.region());
        }
        Source verify = source(pair, "verify", dr);
        servers(verify, dr);
        List.of("dynamodb", "secretsmanager").forEach(it -> service(verify, it, dr.region()));
        authorities(pair, verify);
        Source grow = source(pair, "grow", dr);
        servers(grow, dr);
        List.of("autoscaling", "dynamodb", "secretsmanager")
                .forEach(it -> service(grow, it, dr.region()));
        authorities(pair, grow);
    }

    /** The functions that look after a made cluster. */
    private void care(Pair pair, Side side) {
        Cluster cluster = pair.cluster(side);
        String region = cluster.region();
        Source retire = source(pair, "retire-peer", cluster);
        servers(retire, cluster);
        List.of("autoscaling", "secretsmanager", "sns").forEach(it -> service(retire, it, region));
        if (pair.probed()) {
            service(retire, "dynamodb", pair.drCluster().region());
        }
        authorities(pair, retire);
        if (side == Side.HOME) {
            Source initialize = source(pair, "initialize-cluster", cluster);
            servers(initialize, cluster);
            pair.clusterRegions().forEach(it -> service(initialize, "secretsmanager", it));
            List.of("sns", "ssm").forEach(it -> service(initialize, it, region));
        }
    }

    /** By the route tables that the configuration names for their subnets. */
    private void nodes(Pair pair, Side side) {
        Cluster cluster = pair.cluster(side);
        String region = cluster.region();
        NodeSettings node = NodeSettings.of(config.inAccount("000000000000"), pair, side);
        Source source =
                new Source(
                        Names.group(config.prefix(), pair.id(), side) + " (nodes)",
                        region,
                        cluster.network().vpc());
        List.of(
                        "ec2",
                        "ec2messages",
                        "kms",
                        "logs",
                        "monitoring",
                        "secretsmanager",
                        "sns",
                        "ssm",
                        "ssmmessages")
                .forEach(it -> service(source, it, region));
        node.quarantine().forEach(mark -> service(source, "s3", mark.region()));
        for (Destination to : cluster.made().orElseThrow().reaches()) {
            add(source, to.range().toString(), to.port(), "as cluster.reaches says");
        }
    }

    /** In a network without a way out; its own one brings what it needs. */
    private void prove(Pair pair, Prove prove) {
        String region = pair.proofRegion();
        List<String> functions =
                prove.recover().isEmpty()
                        ? List.of("prove-snapshot")
                        : List.of("prove-snapshot", "restore-secret");
        List<String> services =
                prove.seal().keyId().isPresent()
                        ? List.of("s3", "secretsmanager")
                        : List.of("s3", "secretsmanager", "kms");
        for (String function : functions) {
            Source source =
                    new Source(
                            config.prefix() + "-" + pair.id() + "-" + function,
                            region,
                            prove.network().map(Network::vpc).orElse("its own, isolated"));
            for (String service : services) {
                add(
                        source,
                        service + "." + region + ".amazonaws.com",
                        443,
                        prove.network().isEmpty()
                                ? "an endpoint that the stack makes"
                                : service.equals("s3")
                                        ? "a gateway endpoint, which is free"
                                        : "an interface endpoint for " + service);
            }
        }
    }

    private void takeSnapshot(Pair pair, Cluster cluster) {
        Source source = source(pair, "take-snapshot", cluster);
        servers(source, cluster);
        service(source, "secretsmanager", cluster.region());
        pair.bucketRegions().forEach(region -> service(source, "s3", region));
        if (pair.probed()) {
            service(source, "dynamodb", pair.drCluster().region());
        }
        authorities(pair, source);
    }

    /** Where functions log in by their AWS role, it is the servers that ask STS. */
    private void askWhoCalls(Pair pair, Cluster cluster) {
        if (cluster.awsLogin().isPresent()) {
            add(
                    new Source(
                            "the servers of " + pair.id(),
                            cluster.region(),
                            cluster.network().vpc()),
                    "sts." + cluster.region() + ".amazonaws.com",
                    443,
                    "a NAT gateway, or an interface endpoint for sts");
        }
    }

    private void rotateLogins(Pair pair, Cluster cluster) {
        Source source = source(pair, "rotate-logins", cluster);
        servers(source, cluster);
        VaultSetup.places(settings(pair)).stream()
                .filter(place -> !place.copy())
                .forEach(place -> service(source, "secretsmanager", place.region()));
        pair.bucketRegions().forEach(region -> service(source, "s3", region));
        if (pair.probed()) {
            service(source, "dynamodb", pair.drCluster().region());
        }
        authorities(pair, source);
    }

    private void probe(String region, Network network) {
        Source source = new Source(config.prefix() + "-probe", region, network.vpc());
        service(source, "ssm", region);
        for (Pair pair : config.probedPairs()) {
            servers(source, pair.home());
            servers(source, pair.drCluster());
            String dr = pair.drCluster().region();
            service(source, "dynamodb", dr);
            service(source, "monitoring", dr);
            if (region.equals(dr)) {
                List.of("autoscaling", "s3", "secretsmanager")
                        .forEach(it -> service(source, it, dr));
            }
        }
    }

    private record Source(String function, String region, String vpc) {}

    private Source source(Pair pair, String purpose, Cluster cluster) {
        return new Source(
                config.prefix() + "-" + pair.id() + "-" + purpose,
                cluster.region(),
                cluster.network().vpc());
    }

    private PairSettings settings(Pair pair) {
        return PairSettingsMaker.settings(config.inAccount("000000000000"), pair, "");
    }

    private void authorities(Pair pair, Source source) {
        if (pair.home().ca().isPresent() || pair.dr().flatMap(Cluster::ca).isPresent()) {
            service(source, "ssm", source.region());
        }
    }

    private void servers(Source source, Cluster cluster) {
        Set<URI> all = new TreeSet<>(cluster.nodes());
        all.add(cluster.address());
        String vpc = cluster.network().vpc();
        String letIn =
                cluster.made().isPresent()
                        ? "its addresses have to be in cluster.functions of " + cluster.region()
                        : vpc.equals(source.vpc())
                                ? "its security group has to be let in by the servers'"
                                : "the servers' security group by address range";
        String way =
                vpc.equals(source.vpc())
                        ? letIn
                        : "peering or a transit gateway to "
                                + vpc
                                + " in "
                                + cluster.region()
                                + ", and "
                                + letIn;
        for (URI server : all) {
            add(source, server.getHost(), server.getPort(), way);
        }
        // A standby names its leader by its own address.
        cluster.made()
                .ifPresent(
                        made ->
                                made.subnets()
                                        .values()
                                        .forEach(
                                                range ->
                                                        add(
                                                                source,
                                                                range.toString(),
                                                                cluster.address().getPort(),
                                                                way)));
    }

    private void service(Source source, String service, String region) {
        boolean near = region.equals(source.region());
        String host = service + "." + region + ".amazonaws.com";
        String way;
        if (near && GATEWAY.contains(service)) {
            way = "a gateway endpoint, which is free" + (nat() ? ", or the NAT" : "");
        } else if (near) {
            way = nat() ? "the NAT" : "an interface endpoint for " + service;
        } else if (nat()) {
            way = "the NAT";
        } else if (service.equals("s3")) {
            way = "an interface endpoint for S3 of " + region + " (cross-region)";
        } else {
            way =
                    "no endpoint reaches "
                            + service
                            + " of another region: a NAT, or peering to a VPC in "
                            + region
                            + " with an interface endpoint";
        }
        add(source, host, 443, way);
    }

    private boolean nat() {
        return config.egress() == Egress.NAT;
    }

    private void add(Source source, String to, int port, String way) {
        NetworkPath path =
                new NetworkPath(source.function(), source.region(), source.vpc(), to, port, way);
        if (!paths.contains(path)) {
            paths.add(path);
        }
    }
}
