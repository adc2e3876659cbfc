package io.vaultdr.infra.config;

import io.vaultdr.infra.config.Config.Artifact;
import io.vaultdr.infra.config.Config.Cluster;
import io.vaultdr.infra.config.Config.Made;
import io.vaultdr.infra.config.Config.Pair;
import io.vaultdr.infra.config.Config.Server;
import io.vaultdr.infra.config.Config.Servers;
import io.vaultdr.infra.config.Config.Traffic;
import io.vaultdr.model.Side;
import io.vaultdr.runtime.PairSettings.AwsLogin;
import io.vaultdr.runtime.PairSettings.Edition;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Reads what clusters are made of, and refuses what can't work. */
final class ClusterReader {
    /** What the brought cluster has to name, and a made one mustn't. */
    private static final List<String> OF_BROUGHT =
            List.of("nodes", "instances", "autoScalingGroup", "voters");

    /** The port at which nodes answer, and the balancer too. */
    static final int API_PORT = 8200;

    /** AWS keeps five addresses of a subnet, the balancer takes one. */
    private static final int TAKEN = 6;

    /** From this version on OpenBao unseals by KMS only with a plugin. */
    private static final Version PLUGIN_SINCE = new Version(2, 7, 0, "2.7.0");

    private ClusterReader() {}

    /** What the pair's clusters have in common, under the key {@code cluster} of the pair. */
    static Servers servers(Section section) {
        Servers servers =
                new Servers(
                        nodes(section),
                        section.optional("instanceType", Kind.INSTANCE_TYPE).orElse("m7g.large"),
                        gibibytes(
                                section.optional("volume", Kind.size(8L << 30, 16_384L << 30))
                                        .orElse(50L << 30)),
                        section.section("seal").flatMap(ClusterReader::seal),
                        section.section("awsLogin").map(ClusterReader::awsLogin),
                        section.optional("licence", Kind.SECRET_NAME),
                        section.optional("breakGlass", Kind.ROLE),
                        section.optional("selfFence", Kind.YES_OR_NO).orElse(false),
                        section.optional("capacityReservation", Kind.YES_OR_NO).orElse(false));
        section.section("server").ifPresent(it -> server(it));
        section.finish();
        return servers;
    }

    private static int nodes(Section section) {
        int nodes = section.optional("nodes", Kind.number(1, 9)).orElse(5);
        if (nodes % 2 == 0) {
            section.mistake(
                    "nodes",
                    "'" + nodes + "'",
                    "3, 5 or 7: a quorum of "
                            + nodes
                            + " is "
                            + (nodes / 2 + 1)
                            + ", so the last node costs money and latency and no more of them may"
                            + " fail than of "
                            + (nodes - 1));
        } else if (nodes < 3 || nodes > 7) {
            section.mistake(
                    "nodes",
                    "'" + nodes + "'",
                    "3, 5 or 7: "
                            + (nodes < 3
                                    ? "a single node has no quorum to lose"
                                    : "each more voter has to write every entry, too"));
        }
        return nodes;
    }

    private static Optional<String> seal(Section section) {
        Optional<String> key = section.optional("kms", Kind.KMS_KEY);
        if (!section.has("kms")) {
            section.missing("kms", "the ARN of a multi-Region KMS key, or no 'seal' at all");
        }
        section.finish();
        return key;
    }

    private static AwsLogin awsLogin(Section section) {
        AwsLogin login =
                new AwsLogin(
                        section.optional("mount", Kind.AUTH_MOUNT).orElse("aws"),
                        section.optional("serverId", Kind.HOST));
        section.finish();
        return login;
    }

    private static int gibibytes(long bytes) {
        return Math.toIntExact(Math.ceilDiv(bytes, 1L << 30));
    }

    private static Server server(Section section) {
        Server server =
                new Server(
                        section.required("version", Kind.VERSION),
                        new Artifact(
                                section.optional("bucket", Kind.BUCKET),
                                section.required("key", Kind.OBJECT_KEY),
                                section.required("sha256", Kind.SHA256)),
                        section.section("sealPlugin").map(ProveReader::artifact));
        section.finish();
        return server;
    }

    /**
     * A cluster that is made, under the key {@code cluster} of its side.
     *
     * @param pair the pair's section, which may name the server for both sides
     * @param side its side's section
     */
    static Optional<Made> made(Section pair, Section side) {
        Optional<Section> own = side.section("cluster");
        if (own.isEmpty()) {
            return Optional.empty();
        }
        for (String key : OF_BROUGHT) {
            if (side.has(key)) {
                side.mistake(key, "'" + key + "' beside 'cluster'", "not both: the stack makes it");
            }
        }
        if (!pair.has("cluster")) {
            pair.missing(
                    "cluster",
                    "{ server: { version, key, sha256 } } at least: what "
                            + own.get().at("")
                            + " is made of");
        }
        Section section = own.get();
        Map<String, Cidr> subnets = new TreeMap<>();
        Section zones = section.requiredSection("subnets", "zone: address range, three at least");
        for (String zone : zones.keys()) {
            subnets.put(zone, zones.required(zone, Kind.CIDR));
        }
        Optional<Server> shared =
                pair.isMapping("cluster")
                        ? pair.section("cluster").flatMap(ClusterReader::shared)
                        : Optional.empty();
        Optional<Server> server = section.section("server").map(it -> server(it)).or(() -> shared);
        if (server.isEmpty() && pair.isMapping("cluster")) {
            section.missing(
                    "server",
                    "{ version, key, sha256 } here, or under the pair's 'cluster' for both sides");
        }
        List<Cidr> clients = section.list("clients", Kind.CIDR);
        if (clients.isEmpty()) {
            section.missing("clients", "the address ranges of those who may connect");
        }
        List<Cidr> functions = section.list("functions", Kind.CIDR);
        Made made =
                new Made(
                        section.required("zone", Kind.ZONE),
                        subnets,
                        routeTables(section, zones),
                        clients,
                        functions.isEmpty() ? clients : functions,
                        section.list("reaches", Kind.DESTINATION),
                        section.required("tls", Kind.SECRET_NAME),
                        server.orElseGet(
                                () ->
                                        new Server(
                                                Kind.VERSION.placeholder(),
                                                new Artifact(Optional.empty(), "", ""),
                                                Optional.empty())));
        section.finish();
        return Optional.of(made);
    }

    /** What was read, and judged, with the pair already. */
    private static Optional<Server> shared(Section cluster) {
        return cluster.isMapping("server")
                ? cluster.section("server").map(it -> server(it.silent()))
                : Optional.empty();
    }

    /** One for all zones, or one for each. */
    private static Map<String, String> routeTables(Section section, Section zones) {
        Map<String, String> tables = new TreeMap<>();
        if (section.isMapping("routeTable")) {
            Section each = section.requiredSection("routeTable", "zone: route table");
            for (String zone : zones.keys()) {
                tables.put(zone, each.required(zone, Kind.ROUTE_TABLE));
            }
            each.finish();
        } else {
            String one = section.required("routeTable", Kind.ROUTE_TABLE);
            zones.keys().forEach(zone -> tables.put(zone, one));
        }
        return tables;
    }

    /** What is only wrong together with something else of the pair. */
    static void together(Pair pair, Section section) {
        Optional<Servers> servers = pair.servers();
        if (servers.isEmpty()) {
            return;
        }
        List<Side> sides = new ArrayList<>();
        if (pair.home().made().isPresent()) {
            sides.add(Side.HOME);
        }
        if (pair.dr().flatMap(Cluster::made).isPresent()) {
            sides.add(Side.DR);
        }
        if (sides.isEmpty()) {
            section.mistake(
                    "cluster",
                    "a cluster to make on neither side",
                    "home.cluster or dr.cluster, { zone, subnets, routeTable, clients, tls }");
            return;
        }
        for (Side side : sides) {
            side(pair, side, servers.get(), section);
        }
        if (!sides.contains(Side.HOME) && servers.get().sealKey().isEmpty()) {
            section.mistake(
                    "cluster",
                    "no seal, and a home that exists already",
                    "seal: { kms: ARN }, the key that home seals with: no other one opens its"
                            + " snapshots");
        }
        seal(pair, servers.get(), section);
        edition(pair, servers.get(), section);
        if (sides.size() == 2) {
            bothSides(pair, section);
        }
        if (servers.get().selfFence()
                && pair.traffic().filter(it -> it.flag() == Traffic.Flag.OBJECT).isEmpty()) {
            section.mistake(
                    "cluster.selfFence",
                    "true, without traffic and a flag that is an object",
                    "traffic.flag: object, since nodes read the quarantine mark beside it, or no"
                            + " selfFence: a node that finds no mark to read would stop");
        }
    }

    private static void side(Pair pair, Side side, Servers servers, Section section) {
        Cluster cluster = pair.cluster(side);
        Made made = cluster.made().orElseThrow();
        String at = side.name().toLowerCase(Locale.ROOT);
        if (cluster.address().getPort() != API_PORT) {
            section.mistake(
                    at,
                    "address " + cluster.address(),
                    "port "
                            + API_PORT
                            + ": the balancer passes it through, and functions follow a standby to"
                            + " its leader at the same port");
        }
        if (made.subnets().size() < 3) {
            section.mistake(
                    at,
                    "cluster.subnets in " + made.subnets().size() + " zones",
                    "three at least: "
                            + (made.subnets().size() < 2
                                    ? "the zone that goes takes the cluster with it"
                                    : "of two zones one holds the quorum of "
                                            + servers.nodes()
                                            + " nodes, and is the one that goes"));
        }
        for (String zone : made.subnets().keySet()) {
            if (!zone.matches(cluster.region() + "[a-z]")) {
                section.mistake(
                        at,
                        "cluster.subnets." + zone,
                        "a zone of " + cluster.region() + ", such as " + cluster.region() + "a");
            }
        }
        made.subnets()
                .forEach(
                        (zone, range) -> {
                            long free = range.size() - TAKEN;
                            if (range.bits() < 16 || range.bits() > 28) {
                                section.mistake(
                                        at,
                                        "cluster.subnets." + zone + " " + range,
                                        "/16 to /28, which is what a subnet may be");
                            } else if (free < servers.nodes() + 1) {
                                section.mistake(
                                        at,
                                        "cluster.subnets." + zone + " " + range,
                                        (servers.nodes() + 1 + TAKEN)
                                                + " addresses at least: all nodes and one more,"
                                                + " the balancer, and five that AWS keeps");
                            }
                        });
        List<Map.Entry<String, Cidr>> ranges = List.copyOf(made.subnets().entrySet());
        for (int i = 0; i < ranges.size(); i++) {
            for (int j = i + 1; j < ranges.size(); j++) {
                overlap(
                        section,
                        at,
                        "cluster.subnets." + ranges.get(i).getKey(),
                        ranges.get(i).getValue(),
                        "cluster.subnets." + ranges.get(j).getKey(),
                        ranges.get(j).getValue());
            }
        }
    }

    private static void seal(Pair pair, Servers servers, Section section) {
        servers.sealKey()
                .ifPresent(
                        key -> {
                            boolean second = pair.bucketRegions().size() > 1;
                            if (second && !key.contains(":key/mrk-")) {
                                section.mistake(
                                        "cluster.seal",
                                        "'" + key + "', which isn't multi-Region",
                                        "a key whose id begins with mrk-, with a replica in "
                                                + pair.bucketRegions().getLast()
                                                + ": no other key opens there what this one"
                                                + " sealed, and a key can't be made multi-Region"
                                                + " later");
                            }
                            if (pair.bucketRegions().stream()
                                    .noneMatch(region -> key.contains(":" + region + ":"))) {
                                section.mistake(
                                        "cluster.seal",
                                        "'" + key + "'",
                                        "a key in " + String.join(" or ", pair.bucketRegions()));
                            }
                        });
    }

    private static void edition(Pair pair, Servers servers, Section section) {
        boolean vault = pair.edition() == Edition.VAULT;
        if (!vault && servers.awsLogin().isPresent()) {
            section.mistake(
                    "cluster.awsLogin",
                    "a login by AWS roles",
                    "none: OpenBao has no such auth method built in; its functions log in by"
                            + " AppRole");
        }
        if (!vault && servers.licence().isPresent()) {
            section.mistake(
                    "cluster.licence",
                    servers.licence().orElseThrow(),
                    "none: OpenBao takes no licence");
        }
        for (Side side : Side.values()) {
            Optional<Made> made =
                    side == Side.HOME ? pair.home().made() : pair.dr().flatMap(Cluster::made);
            made.map(Made::server)
                    .filter(server -> !vault && server.sealPlugin().isEmpty())
                    .filter(server -> server.version().compareTo(PLUGIN_SINCE) >= 0)
                    .ifPresent(
                            server ->
                                    section.mistake(
                                            "cluster",
                                            "server OpenBao "
                                                    + server.version()
                                                    + " without sealPlugin",
                                            "server.sealPlugin: { key, sha256 } of"
                                                    + " openbao-plugin-kms-aws: from 2.7 on OpenBao"
                                                    + " unseals by KMS only with it"));
        }
    }

    private static void bothSides(Pair pair, Section section) {
        Made home = pair.home().made().orElseThrow();
        Made dr = pair.dr().flatMap(Cluster::made).orElseThrow();
        if (dr.server().version().compareTo(home.server().version()) < 0) {
            section.mistake(
                    "dr",
                    "cluster.server " + dr.server().version(),
                    home.server().version()
                            + " or newer, as home is: an older server may not understand what a"
                            + " newer one has stored");
        }
        home.subnets()
                .forEach(
                        (zone, range) ->
                                dr.subnets()
                                        .forEach(
                                                (other, its) ->
                                                        overlap(
                                                                section,
                                                                "dr",
                                                                "cluster.subnets." + other,
                                                                its,
                                                                "home.cluster.subnets." + zone,
                                                                range)));
    }

    private static void overlap(
            Section section, String at, String key, Cidr range, String where, Cidr taken) {
        if (range.overlaps(taken)) {
            section.mistake(
                    at,
                    key + " " + range,
                    "addresses that aren't in "
                            + where
                            + " ("
                            + taken
                            + "): a fence tells nodes apart by them");
        }
    }

    /** What pairs do to each other that make subnets in one VPC. */
    static void apart(List<Pair> pairs, Section section) {
        Map<String, Map<String, Cidr>> taken = new HashMap<>();
        for (Pair pair : pairs) {
            List<Cluster> clusters = new ArrayList<>(List.of(pair.home()));
            pair.dr().ifPresent(clusters::add);
            for (Cluster cluster : clusters) {
                Map<String, Cidr> others =
                        taken.computeIfAbsent(cluster.network().vpc(), vpc -> new TreeMap<>());
                Map<String, Cidr> own = new TreeMap<>();
                cluster.made()
                        .ifPresent(
                                made ->
                                        made.subnets()
                                                .forEach(
                                                        (zone, range) ->
                                                                own.put(
                                                                        pair.id() + " in " + zone,
                                                                        range)));
                own.forEach(
                        (name, range) ->
                                others.forEach(
                                        (other, its) -> {
                                            if (range.overlaps(its)) {
                                                section.mistake(
                                                        pair.id().value(),
                                                        "cluster.subnets: "
                                                                + range
                                                                + " in "
                                                                + cluster.network().vpc(),
                                                        "addresses that aren't taken by "
                                                                + other
                                                                + ", "
                                                                + its);
                                            }
                                        }));
                others.putAll(own);
            }
        }
    }
}
