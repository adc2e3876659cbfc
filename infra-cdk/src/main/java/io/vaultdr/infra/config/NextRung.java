package io.vaultdr.infra.config;

import io.vaultdr.infra.config.Config.Cluster;
import io.vaultdr.infra.config.Config.Pair;
import io.vaultdr.infra.config.Config.Traffic;
import io.vaultdr.infra.config.NetworkPaths.NetworkPath;
import io.vaultdr.model.PairId;
import io.vaultdr.runtime.PairSettings.Stage;
import io.vaultdr.runtime.PairSettings.Vantage;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What a pair's next rung of the ladder wants.
 *
 * @param keys what to write into the configuration, as path: meaning
 * @param paths network paths that come in addition; as far as the configuration can tell
 * @param permissions what roles may do in addition
 * @param monthly what comes on top each month, with its arithmetic; as far as the configuration can
 *     tell
 */
public record NextRung(
        PairId pair,
        Stage now,
        Stage next,
        List<String> keys,
        List<NetworkPath> paths,
        List<String> permissions,
        List<Cost.Item> monthly) {

    /** The next rung of each pair that isn't on the last one. */
    public static List<NextRung> of(Config config) {
        return config.pairs().stream().flatMap(pair -> of(config, pair).stream()).toList();
    }

    private static Optional<NextRung> of(Config config, Pair pair) {
        return switch (pair.stage()) {
            case BACKUP -> Optional.of(rung(config, pair, Stage.PROVEN));
            case PROVEN -> Optional.of(rung(config, pair, Stage.OBSERVE));
            case OBSERVE -> Optional.of(rung(config, pair, Stage.APPROVAL));
            case APPROVAL -> Optional.of(rung(config, pair, Stage.AUTOMATIC));
            case AUTOMATIC -> Optional.empty();
        };
    }

    private static NextRung rung(Config config, Pair pair, Stage next) {
        List<String> keys = new ArrayList<>();
        String at = "pairs." + pair.id() + ".";
        keys.add(at + "stage: " + next.name().toLowerCase(Locale.ROOT));
        switch (next) {
            case BACKUP -> throw new IllegalArgumentException("backup is the first rung");
            case PROVEN -> {
                if (pair.prove().isEmpty()) {
                    keys.add(at + "prove: " + ProveReader.EXPECTED);
                }
                if (pair.copyTo().isEmpty()) {
                    keys.add(
                            at
                                    + "copyTo: another region, where snapshots are proven too;"
                                    + " without it they are in "
                                    + pair.home().region());
                }
            }
            case OBSERVE -> observeKeys(pair, at, keys);
            case APPROVAL -> {
                if (pair.traffic().isEmpty()) {
                    keys.add(
                            at
                                    + "traffic: { zone, name, ttl, home, dr, flag }: the CNAME that"
                                    + " clients use, and its target on each side");
                }
            }
            case AUTOMATIC ->
                    keys.add(
                            at
                                    + "timings.acceptedLoss: how much may be lost without asking,"
                                    + " more than "
                                    + Kind.written(pair.snapshots().every()));
        }
        long outside =
                config.vantages().keySet().stream()
                        .filter(region -> Config.role(pair, region) != Vantage.Role.HOME)
                        .count();
        int wanted = next == Stage.PROVEN ? 0 : next == Stage.AUTOMATIC ? 2 : 1;
        if (outside < wanted) {
            keys.add(
                    "vantages: "
                            + wanted
                            + " regions outside "
                            + pair.home().region()
                            + " at least (now "
                            + outside
                            + "), each { vpc, subnets }"
                            + (next == Stage.AUTOMATIC
                                    ? "; the DR region and a third one"
                                    : "; the DR region is the natural one, home's own helps too"));
        }
        boolean known =
                pair.prove().isPresent()
                        && (next == Stage.PROVEN || (pair.dr().isPresent() && outside >= wanted));
        Optional<Config> then = known ? Optional.of(raised(config, pair, next)) : Optional.empty();
        return new NextRung(
                pair.id(),
                pair.stage(),
                next,
                List.copyOf(keys),
                then.map(it -> added(NetworkPaths.of(config), NetworkPaths.of(it)))
                        .orElse(List.of()),
                permissions(config, pair, next),
                then.map(it -> added(Cost.of(config).items(), Cost.of(it).items()))
                        .orElse(List.of()));
    }

    private static void observeKeys(Pair pair, String at, List<String> keys) {
        if (pair.home().instances().isEmpty()) {
            keys.add(at + "home.instances: { tag: value } of home's servers, for Systems Manager");
        }
        Optional<Cluster> dr = pair.dr();
        if (dr.isEmpty()) {
            keys.add(
                    at
                            + "dr: { region, address, nodes, login, vpc, instances,"
                            + " autoScalingGroup, voters } of the DR cluster: one running,"
                            + " uninitialised node; or dr.cluster, which has it made");
            return;
        }
        if (dr.get().instances().isEmpty()) {
            keys.add(at + "dr.instances: { tag: value } of its servers");
        }
        if (dr.get().autoScalingGroup().isEmpty()) {
            keys.add(at + "dr.autoScalingGroup: the group that its servers belong to");
        }
    }

    private static Config raised(Config config, Pair pair, Stage next) {
        return config.with(
                config.pairs().stream()
                        .map(it -> it.id().equals(pair.id()) ? pair.on(next) : it)
                        .toList());
    }

    private static <T> List<T> added(List<T> now, List<T> then) {
        return then.stream().filter(it -> !now.contains(it)).toList();
    }

    private static List<String> permissions(Config config, Pair pair, Stage next) {
        String names = config.prefix() + "-" + pair.id() + "-";
        Stream<String> all =
                switch (next) {
                    case BACKUP -> Stream.of();
                    case PROVEN ->
                            Stream.of(
                                    names
                                            + "prove-snapshot, from an isolated network: read"
                                            + " snapshots of "
                                            + pair.proofRegion()
                                            + " and the server's binary, use the seal's key, read"
                                            + " the secret <login>/prove, write proofs",
                                    names
                                            + "drill: invoke "
                                            + names
                                            + "take-snapshot, sign with its own key, write reports"
                                            + " that are locked",
                                    names + "freshness-check: describe the seal's key",
                                    names
                                            + "rotate-logins: write the secrets <login>/… of "
                                            + pair.proofRegion());
                    case OBSERVE ->
                            Stream.of(
                                    config.prefix()
                                            + "-probe in each vantage: read its settings (SSM),"
                                            + " write evidence to "
                                            + names
                                            + "ledger and metrics to the DR region",
                                    names
                                            + "evaluate-failover: read and write the ledger, start"
                                            + " executions of "
                                            + names
                                            + "failover, publish to "
                                            + names
                                            + "pages",
                                    names
                                            + "fence: run "
                                            + names
                                            + "stop on home's tagged instances (the daily dry run"
                                            + " does all but that)",
                                    names
                                            + "promote: run "
                                            + names
                                            + "restart and -wipe on the DR side's tagged instances,"
                                            + " read snapshots of the DR region",
                                    names + "grow: change the size of the DR Auto Scaling group",
                                    names
                                            + "verify, "
                                            + names
                                            + "grow: read the secrets <login>/verify and"
                                            + " <login>/grow of the DR region");
                    case APPROVAL ->
                            Stream.of(
                                    names
                                            + "redirect-traffic: "
                                            + raise(pair)
                                            + ", change the one weighted record (Route 53), read"
                                            + " changes",
                                    "people who answer: lambda:InvokeFunction on "
                                            + names
                                            + "control:operate; who only looks: on "
                                            + names
                                            + "control:read");
                    case AUTOMATIC ->
                            Stream.of(
                                    names
                                            + "redirect-traffic: "
                                            + raise(pair)
                                            + " in the witness region too");
                };
        return Stream.concat(all, ofMade(names, pair, next)).toList();
    }

    private static Stream<String> ofMade(String names, Pair pair, Stage next) {
        Optional<Cluster> dr = pair.dr().filter(it -> it.made().isPresent());
        if (next != Stage.OBSERVE || dr.isEmpty()) {
            return Stream.of();
        }
        Stream<String> care =
                Stream.of(
                        names
                                + "retire-peer: complete and hold the lifecycle hooks of "
                                + dr.get().autoScalingGroup().orElseThrow()
                                + ", read the secret <login>/retire of the DR region",
                        "the nodes' role: use the seal's key, read their settings, certificate and"
                                + " quarantine marks, find each other, write logs and metrics");
        return pair.on(next).bootsDrills()
                ? Stream.concat(
                        care,
                        Stream.of(
                                names
                                        + "drill-cluster: change the size of the drill's own group"
                                        + " and run "
                                        + names
                                        + "restart and -wipe on its instances, in a network without"
                                        + " a way out"))
                : care;
    }

    private static String raise(Pair pair) {
        return pair.traffic().filter(it -> it.flag() == Traffic.Flag.METRIC).isPresent()
                ? "put the flag's datapoint and see its alarm"
                : "put the flag object";
    }
}
