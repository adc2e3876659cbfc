package io.vaultdr.infra.config;

import io.vaultdr.infra.config.Config.Egress;
import io.vaultdr.infra.config.Config.Network;
import io.vaultdr.infra.config.Config.Pair;
import io.vaultdr.infra.config.Config.Prove;
import io.vaultdr.infra.config.Config.Servers;
import io.vaultdr.infra.config.Config.Traffic.Flag;
import io.vaultdr.infra.watch.ServerMetric;
import io.vaultdr.model.Side;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;

/**
 * What a configuration costs a month, without servers that are brought, stored bytes and traffic
 * between regions: list prices of us-east-1 in 2026, 730 hours, no free tier. It is for comparing
 * rungs, not for a budget.
 *
 * @param items what is paid for, each with its arithmetic
 */
public record Cost(List<Item> items) {
    private static final double SECONDS = 730 * 3_600;
    private static final double MINUTES = 730 * 60;
    private static final double SLOTS = SECONDS / 10;

    /** One GiB for a second, on arm64. */
    private static final double GIB_SECOND = 0.0000133334;

    private static final double REQUEST = 0.20 / 1_000_000;
    private static final double ALARM = 0.10;
    private static final double FAST_ALARM = 0.30;
    private static final double METRIC = 0.30;
    private static final double METRIC_CALL = 0.01 / 1_000;
    private static final double TABLE_WRITE = 0.625 / 1_000_000;
    private static final double TABLE_READ = 0.125 / 1_000_000;
    private static final double DASHBOARD = 3.00;

    /** Processors, memory, and disks by the cluster and by the path. */
    private static final int HOST_METRICS = 4;

    private static final double KEY = 1.00;
    private static final double NAT_HOUR = 0.045;
    private static final double ENDPOINT_HOUR = 0.01;

    private static final double VOLUME_GIB = 0.08;
    private static final double BALANCER_HOUR = 0.0225 + 0.006;
    private static final double SECRET = 0.40;

    /**
     * An endpoint of AWS, with HTTPS and the fast interval; a calculated check and one of an alarm
     * are plain ones.
     */
    private static final double FLAG_CHECK = 0.50 + 1.00 + 1.00;

    private static final double PLAIN_CHECK = 0.50;

    /**
     * One thing that is paid for.
     *
     * @param pair whose it is; empty: the deployment's
     */
    public record Item(Optional<String> pair, String what, String arithmetic, double usd) {
        @Override
        public String toString() {
            return String.format(
                    Locale.ROOT,
                    "%-12s %7.2f USD  %s: %s",
                    pair.orElse("deployment"),
                    usd,
                    what,
                    arithmetic);
        }
    }

    /** What {@code config} costs. */
    public static Cost of(Config config) {
        List<Item> items = new ArrayList<>();
        if (!config.probedPairs().isEmpty()) {
            vantages(config, items);
        }
        config.pairs().forEach(pair -> pair(config, pair, items));
        network(config, items);
        return new Cost(List.copyOf(items));
    }

    /** All together, in USD. */
    public double total() {
        return items.stream().mapToDouble(Item::usd).sum();
    }

    private static void vantages(Config config, List<Item> items) {
        int count = config.vantages().size();
        items.add(
                item(
                        Optional.empty(),
                        "probes",
                        count * (SECONDS * 0.5 * GIB_SECOND + MINUTES * REQUEST),
                        "%d vantages x (%.0f s x 0.5 GiB x %.10f + %.0f starts x 0.20/million)",
                        count,
                        SECONDS,
                        GIB_SECOND,
                        MINUTES));
        items.add(alarms(Optional.empty(), count * 4, "of vantages"));
    }

    private static void pair(Config config, Pair pair, List<Item> items) {
        Optional<String> name = Optional.of(pair.id().value());
        int regions = pair.bucketRegions().size();
        int clusters = pair.probed() ? 2 : 1;
        double runs = SECONDS / pair.snapshots().every().toSeconds();
        items.add(item(name, "snapshot keys", regions * KEY, "%d regions x %.2f", regions, KEY));
        double taken = 1_769 / 1_024.0;
        items.add(
                item(
                        name,
                        "snapshots",
                        runs * (30 * taken * GIB_SECOND),
                        "%.0f a month x 30 s x %.2f GiB x %.10f",
                        runs,
                        taken,
                        GIB_SECOND));
        items.add(
                item(
                        name,
                        "freshness",
                        regions * MINUTES * (0.5 * 0.5 * GIB_SECOND + REQUEST),
                        "%d regions x %.0f runs x (0.5 s x 0.5 GiB x %.10f + 0.20/million)",
                        regions,
                        MINUTES,
                        GIB_SECOND));
        items.add(
                item(
                        name,
                        "metrics",
                        (regions * 6 + clusters * 7) * METRIC,
                        "(%d regions x 6 + %d clusters x 7) x %.2f",
                        regions,
                        clusters,
                        METRIC));
        // Beside each cluster, or in each account.
        int keepers = pair.copyAccount().isPresent() ? 2 : clusters;
        items.add(
                item(
                        name,
                        "retention",
                        keepers * 730 * (10 * GIB_SECOND + REQUEST),
                        "%d of them x 730 runs x (10 s x 1 GiB x %.10f + 0.20/million)",
                        keepers,
                        GIB_SECOND));
        items.add(
                item(
                        name,
                        "rotating logins",
                        clusters * 730 * (10 * 0.5 * GIB_SECOND + REQUEST),
                        "%d clusters x 730 runs x (10 s x 0.5 GiB x %.10f + 0.20/million)",
                        clusters,
                        GIB_SECOND));
        // Queue and dry run of each stack; too old and degraded of each bucket, frozen of each
        // Retention, unrotated of each cluster; three for each function that runs by the clock.
        int stacks = regions + (pair.copyAccount().isPresent() && pair.probed() ? 1 : 0);
        items.add(
                alarms(
                        name,
                        stacks * 2 + regions * 5 + clusters * 7 + keepers * 4,
                        "of snapshots"));
        items.add(item(name, "dashboard", DASHBOARD, "%.2f", DASHBOARD));
        pair.proving().ifPresent(prove -> proof(pair, prove, runs, name, items));
        pair.servers().ifPresent(servers -> clusters(pair, servers, name, items));
        for (Side side : pair.madeSides()) {
            nodes(pair, side, name, items);
        }
        if (pair.probed()) {
            failover(config, pair, name, items);
        }
    }

    /** What is watched of a made cluster's nodes. */
    private static void nodes(Pair pair, Side side, Optional<String> name, List<Item> items) {
        int metrics = ServerMetric.of(pair.edition()).size() + HOST_METRICS;
        items.add(
                item(
                        name,
                        "metrics of " + side + "'s nodes",
                        metrics * METRIC,
                        "%d x %.2f",
                        metrics,
                        METRIC));
        boolean burstable = pair.servers().orElseThrow().instanceType().startsWith("t");
        // The nodes' own, of which home has one more, and that of a new image.
        int alarms = (side == Side.HOME ? 17 : 16) + (burstable ? 1 : 0) + 1;
        items.add(alarms(name, alarms, "of " + side + "'s nodes"));
    }

    private static void proof(
            Pair pair, Prove prove, double runs, Optional<String> name, List<Item> items) {
        double memory =
                Sizes.proofMemory(Math.min(pair.snapshots().largest(), Sizes.LARGEST_PROVABLE))
                        / 1_024.0;
        double sweeps = MINUTES / PairSettingsMaker.SWEEP.toMinutes();
        items.add(
                item(
                        name,
                        "proofs",
                        runs * 60 * memory * GIB_SECOND,
                        "%.0f a month x 60 s x %.2f GiB x %.10f",
                        runs,
                        memory,
                        GIB_SECOND));
        items.add(
                item(
                        name,
                        "looking for unproven snapshots",
                        sweeps * (1 * memory * GIB_SECOND + REQUEST),
                        "%.0f runs x (1 s x %.2f GiB x %.10f + 0.20/million)",
                        sweeps,
                        memory,
                        GIB_SECOND));
        boolean kms = prove.seal().keyId().isEmpty();
        if (prove.network().isEmpty()) {
            int endpoints = kms ? 2 : 1;
            items.add(
                    item(
                            name,
                            "the isolated network's endpoints, in one zone",
                            endpoints * 730 * ENDPOINT_HOUR,
                            "%d x 730 h x %.3f",
                            endpoints,
                            ENDPOINT_HOUR));
        }
        items.add(item(name, "drills' signing key", KEY, "1 x %.2f", KEY));
        int regions = pair.bucketRegions().size();
        items.add(
                item(
                        name,
                        "proofs' and drills' metrics",
                        (regions * 2 + 7) * METRIC,
                        "(%d regions x 2 + 7) x %.2f",
                        regions,
                        METRIC));
        // Each region: too old, the seal's key. Two queues; three, two and two for the functions;
        // refuted, undecided, large, a drill that failed or has no report.
        int functions = prove.recover().isEmpty() ? 5 : 7;
        items.add(
                alarms(name, regions * (kms ? 2 : 1) + 2 + functions + 5, "of proofs and drills"));
        if (pair.bootsDrills()) {
            // KMS, Secrets Manager, Systems Manager and its messages, EC2, Auto Scaling.
            items.add(
                    item(
                            name,
                            "the endpoints of the drills' own network, in one zone",
                            6 * 730 * ENDPOINT_HOUR,
                            "%d x 730 h x %.3f",
                            6,
                            ENDPOINT_HOUR));
            // Two of the function, and instances that were left over.
            items.add(alarms(name, 3, "of drills that boot a cluster"));
        }
    }

    /** What clusters cost that are made. */
    private static void clusters(
            Pair pair, Servers servers, Optional<String> name, List<Item> items) {
        for (String region : pair.clusterRegions()) {
            pair.madeIn(region).ifPresent(side -> servers(pair, side, servers, name, items));
        }
        int regions = pair.clusterRegions().size();
        int made =
                (int)
                        pair.clusterRegions().stream()
                                .filter(it -> pair.madeIn(it).isPresent())
                                .count();
        int initialized = pair.home().made().isPresent() ? 1 : 0;
        items.add(
                item(
                        name,
                        "care of clusters",
                        (made * MINUTES + initialized * MINUTES / 5)
                                * (2 * 0.5 * GIB_SECOND + REQUEST),
                        "(%d clusters x %.0f runs + %d x %.0f) x (2 s x 0.5 GiB x %.10f +"
                                + " 0.20/million)",
                        made,
                        MINUTES,
                        initialized,
                        MINUTES / 5,
                        GIB_SECOND));
        items.add(
                item(
                        name,
                        "clusters' metrics",
                        (made * 3 + initialized * 2) * METRIC,
                        "(%d clusters x 3 + %d x 2) x %.2f",
                        made,
                        initialized,
                        METRIC));
        // A queue, RetirePeer's three and three over what it finds; InitializeCluster's and two.
        items.add(alarms(name, made * 7 + initialized * 5, "of clusters"));
        if (servers.sealKey().isEmpty()) {
            items.add(item(name, "seal's keys", regions * KEY, "%d regions x %.2f", regions, KEY));
        }
        if (pair.home().made().isPresent()) {
            int logins = pair.logins().size();
            items.add(
                    item(
                            name,
                            "secrets",
                            (regions * (logins + 1) + 1) * SECRET,
                            "(%d regions x (%d logins and recovery keys) + 1) x %.2f",
                            regions,
                            logins,
                            SECRET));
        }
    }

    private static void servers(
            Pair pair, Side side, Servers servers, Optional<String> name, List<Item> items) {
        String where = pair.cluster(side).region();
        int running = pair.fewest(side);
        int paid =
                side == Side.DR && servers.capacityReservation()
                        ? pair.reservedPerZone() * pair.drCluster().made().orElseThrow().zones()
                        : running;
        OptionalDouble hour = InstancePrice.ofHour(servers.instanceType());
        items.add(
                hour.isPresent()
                        ? item(
                                name,
                                (paid > running ? "instances, reserved, in " : "instances in ")
                                        + where,
                                paid * 730 * hour.getAsDouble(),
                                "%d %s x 730 h x %.5f",
                                paid,
                                servers.instanceType(),
                                hour.getAsDouble())
                        : item(
                                name,
                                "instances in " + where + ", not counted",
                                0,
                                "%d %s, whose price isn't known here",
                                paid,
                                servers.instanceType()));
        items.add(
                item(
                        name,
                        "volumes in " + where,
                        running * servers.volumeGiB() * VOLUME_GIB,
                        "%d x %d GiB x %.2f",
                        running,
                        servers.volumeGiB(),
                        VOLUME_GIB));
        items.add(
                item(
                        name,
                        "balancer in " + where,
                        730 * BALANCER_HOUR,
                        "730 h x (0.0225 + one unit 0.006)"));
    }

    private static void failover(
            Config config, Pair pair, Optional<String> name, List<Item> items) {
        int vantages = config.vantages().size();
        items.add(
                item(
                        name,
                        "probes' metrics",
                        vantages * (METRIC + SLOTS * METRIC_CALL),
                        "%d vantages x (%.2f + %.0f calls x 0.01/1000)",
                        vantages,
                        METRIC,
                        SLOTS));
        items.add(
                item(
                        name,
                        "probes' alarms",
                        vantages * FAST_ALARM,
                        "%d vantages x %.2f",
                        vantages,
                        FAST_ALARM));
        // A claim and an observation of each slot; the evaluation reads a window of each vantage.
        items.add(
                item(
                        name,
                        "evidence",
                        vantages * (2 * SLOTS * TABLE_WRITE + 10 * MINUTES * TABLE_READ),
                        "%d vantages x (2 x %.0f writes x 0.625/million + 10 x %.0f reads x"
                                + " 0.125/million)",
                        vantages,
                        SLOTS,
                        MINUTES));
        items.add(
                item(
                        name,
                        "evaluation",
                        MINUTES * (1 * 0.5 * GIB_SECOND + REQUEST),
                        "%.0f runs x (1 s x 0.5 GiB x %.10f + 0.20/million)",
                        MINUTES,
                        GIB_SECOND));
        items.add(alarms(name, 25, "of functions and the workflow"));
        if (pair.traffic().isPresent()) {
            boolean metric = pair.traffic().orElseThrow().flag() == Flag.METRIC;
            int flags = config.witness(pair).isPresent() ? 2 : 1;
            double check = metric ? PLAIN_CHECK : FLAG_CHECK;
            items.add(
                    item(
                            name,
                            "health checks",
                            flags * check + PLAIN_CHECK,
                            "%d flags x %.2f + %.2f",
                            flags,
                            check,
                            PLAIN_CHECK));
            // The metric is paid by the hours in which it has a datapoint: next to none.
            if (metric) {
                items.add(alarms(name, flags, "of traffic flags"));
            }
        }
    }

    private static void network(Config config, List<Item> items) {
        Set<Network> networks = new LinkedHashSet<>();
        config.pairs()
                .forEach(
                        pair -> {
                            networks.add(pair.home().network());
                            if (pair.probed()) {
                                networks.add(pair.drCluster().network());
                            }
                        });
        if (!config.probedPairs().isEmpty()) {
            networks.addAll(config.vantages().values());
        }
        int count = (int) networks.stream().map(Network::vpc).distinct().count();
        if (config.egress() == Egress.NAT) {
            items.add(
                    item(
                            Optional.empty(),
                            "NAT, where the VPC has none yet",
                            count * 730 * NAT_HOUR,
                            "%d VPCs x 730 h x %.3f",
                            count,
                            NAT_HOUR));
            return;
        }
        long endpoints =
                NetworkPaths.of(config).stream()
                        .filter(path -> path.way().startsWith("an interface endpoint"))
                        .map(path -> path.vpc() + path.to())
                        .distinct()
                        .count();
        items.add(
                item(
                        Optional.empty(),
                        "interface endpoints, where the VPC has none yet, in one zone",
                        endpoints * 730 * ENDPOINT_HOUR,
                        "%d x 730 h x %.3f",
                        endpoints,
                        ENDPOINT_HOUR));
    }

    private static Item alarms(Optional<String> pair, int count, String whose) {
        return item(pair, "alarms " + whose, count * ALARM, "%d x %.2f", count, ALARM);
    }

    // The annotation that it asks for would be one more dependency.
    @SuppressWarnings("AnnotateFormatMethod")
    private static Item item(
            Optional<String> pair, String what, double usd, String arithmetic, Object... numbers) {
        return new Item(pair, what, String.format(Locale.ROOT, arithmetic, numbers), usd);
    }
}
