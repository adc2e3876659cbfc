package io.vaultdr.infra.config;

import io.vaultdr.infra.config.Config.Cluster;
import io.vaultdr.infra.config.Config.Egress;
import io.vaultdr.infra.config.Config.Goals;
import io.vaultdr.infra.config.Config.Made;
import io.vaultdr.infra.config.Config.Network;
import io.vaultdr.infra.config.Config.Pair;
import io.vaultdr.infra.config.Config.Prove;
import io.vaultdr.infra.config.Config.Servers;
import io.vaultdr.infra.config.Config.Service;
import io.vaultdr.infra.config.Config.Snapshots;
import io.vaultdr.infra.config.Config.Timings;
import io.vaultdr.infra.config.Config.Traffic;
import io.vaultdr.model.PairId;
import io.vaultdr.model.Side;
import io.vaultdr.runtime.PairSettings.Edition;
import io.vaultdr.runtime.PairSettings.Failover.Strategy;
import io.vaultdr.runtime.PairSettings.Stage;
import io.vaultdr.runtime.PairSettings.Tag;
import io.vaultdr.runtime.PairSettings.Vantage;

import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;

import java.io.IOException;
import java.io.StringReader;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Reads a configuration file: YAML, checked as a whole, so that all mistakes are told at once with
 * their path, what was read and what is expected.
 */
public final class ConfigFile {
    /** What became of a file. */
    public sealed interface Loaded {
        /** Nothing is wrong. */
        record Good(Config config) implements Loaded {}

        /** What is wrong, by line; not empty. */
        record Bad(List<Mistake> mistakes) implements Loaded {}
    }

    private static final Duration MINUTE = Duration.ofMinutes(1);
    private static final Duration DAY = Duration.ofDays(1);

    private final Path file;
    private final List<Mistake> mistakes = new ArrayList<>();

    private ConfigFile(Path file) {
        this.file = file;
    }

    /**
     * Reads {@code file}.
     *
     * @throws IOException when it can't be read at all
     */
    public static Loaded load(Path file) throws IOException {
        return new ConfigFile(file).read(Files.readString(file));
    }

    private Loaded read(String text) {
        Config config = null;
        try {
            Node root = new Yaml(new LoaderOptions()).compose(new StringReader(text));
            if (root instanceof MappingNode mapping) {
                config = config(new Section("", mapping, mistakes));
            } else {
                mistakes.add(new Mistake(1, "file", "no mapping", "the key pairs, at least"));
            }
        } catch (MarkedYAMLException e) {
            mistakes.add(
                    new Mistake(
                            e.getProblemMark() == null ? 1 : e.getProblemMark().getLine() + 1,
                            "file",
                            String.valueOf(e.getProblem()),
                            "YAML"));
        }
        if (config != null && mistakes.isEmpty()) {
            return new Loaded.Good(config);
        }
        return new Loaded.Bad(
                mistakes.stream().sorted(Comparator.comparingInt(Mistake::line)).toList());
    }

    private Config config(Section root) {
        String prefix = root.optional("prefix", Kind.PREFIX).orElse("vault-dr");
        Optional<String> account = root.optional("account", Kind.ACCOUNT);
        Map<String, String> tags = tags(root.sectionOrEmpty("tags"));
        Optional<String> boundary = root.optional("permissionsBoundary", Kind.POLICY);
        Egress egress = root.optional("egress", Kind.oneOf(Egress.class)).orElse(Egress.NAT);
        Map<String, Network> vantages =
                new TreeMap<>(
                        root.sectionOrEmpty("vantages")
                                .each(Kind.REGION, (region, section) -> finishedNetwork(section)));
        Section pairs = root.requiredSection("pairs", "one pair at least, by its name");
        Map<PairId, Pair> read =
                pairs.each(
                        Kind.PAIR, (id, section) -> pair(prefix, id, section, vantages, account));
        if (pairs.good()) {
            ClusterReader.apart(List.copyOf(read.values()), pairs);
        }
        if (root.has("pairs") && pairs.keys().isEmpty()) {
            root.missing("pairs", "one pair at least, by its name");
        }
        root.finish();
        return new Config(
                file,
                prefix,
                account,
                tags,
                boundary,
                egress,
                vantages,
                read.values().stream()
                        .sorted(Comparator.comparing(pair -> pair.id().value()))
                        .toList());
    }

    private static Map<String, String> tags(Section section) {
        Map<String, String> tags = new TreeMap<>();
        for (String key : section.keys()) {
            tags.put(key, section.required(key, Kind.TEXT));
        }
        return tags;
    }

    private static Network network(Section section) {
        return new Network(section.required("vpc", Kind.VPC), section.list("subnets", Kind.SUBNET));
    }

    /** A network that is all that its section holds. */
    static Network finishedNetwork(Section section) {
        Network network = network(section);
        section.finish();
        return network;
    }

    private Pair pair(
            String prefix,
            PairId id,
            Section section,
            Map<String, Network> vantages,
            Optional<String> account) {
        Edition edition =
                section.optional("edition", Kind.oneOf(Edition.class)).orElse(Edition.OPENBAO);
        Stage stage = section.required("stage", Kind.oneOf(Stage.class));
        boolean probed = stage.compareTo(Stage.OBSERVE) >= 0;

        Strategy strategy =
                section.optional("strategy", Kind.oneOf(Strategy.class))
                        .orElse(Strategy.WARM_STANDBY);
        Optional<Servers> servers = section.section("cluster").map(ClusterReader::servers);

        Section homeSection = section.requiredSection("home", "the cluster that serves");
        SideReader sides = new SideReader(prefix, id, stage, section, servers);
        Cluster home = cluster(homeSection, sides, Side.HOME);
        Optional<Cluster> dr = section.section("dr").map(it -> cluster(it, sides, Side.DR));
        Optional<String> copyTo =
                section.optional("copyTo", Kind.REGION).or(() -> dr.map(Cluster::region));
        Optional<String> copyAccount = section.optional("copyAccount", Kind.ACCOUNT);
        copyAccount.ifPresent(copy -> ofAnother(section, copy, copyTo, account));
        String name = edition.name().toLowerCase(Locale.ROOT);
        Section serviceSection = section.sectionOrEmpty("service");
        Service service =
                new Service(
                        serviceSection.optional("unit", Kind.UNIT).orElse(name),
                        serviceSection
                                .optional("dataDirectory", Kind.DIRECTORY)
                                .orElse("/opt/" + name + "/data"));
        serviceSection.finish();
        Snapshots snapshots = SnapshotsReader.read(section.sectionOrEmpty("snapshots"));
        Optional<Prove> prove = section.section("prove").map(it -> ProveReader.read(it, snapshots));
        Goals goals = goals(section.sectionOrEmpty("goals"), snapshots, prove);
        Optional<Traffic> traffic = section.section("traffic").map(ConfigFile::traffic);
        Timings timings = timings(section.sectionOrEmpty("timings"), stage, snapshots);
        List<String> pages = section.list("pages", Kind.PAGE);

        if (stage.compareTo(Stage.PROVEN) >= 0 && !section.has("prove")) {
            section.missing(
                    "prove", ProveReader.EXPECTED + ", since the stage is " + written(stage));
        }
        if (probed && !section.has("dr")) {
            section.missing("dr", "the DR cluster, since the stage is " + written(stage));
        }
        if (stage == Stage.APPROVAL || stage == Stage.AUTOMATIC) {
            if (!section.has("traffic")) {
                section.missing(
                        "traffic", "the clients' record, since the stage is " + written(stage));
            }
        }
        Pair pair =
                new Pair(
                        id,
                        edition,
                        stage,
                        strategy,
                        servers,
                        home,
                        dr,
                        copyTo,
                        copyAccount,
                        false,
                        service,
                        snapshots,
                        prove,
                        goals,
                        traffic,
                        timings,
                        pages);
        if (section.good()) {
            together(pair, section, vantages);
            LoginReader.together(pair, section, account);
            SnapshotsReader.together(pair, section);
        }
        section.finish();
        return pair;
    }

    /** A copy in another account wants a region, and home's account by its number. */
    private static void ofAnother(
            Section section, String copy, Optional<String> copyTo, Optional<String> account) {
        if (copyTo.isEmpty()) {
            section.mistake(
                    "copyAccount",
                    "'" + copy + "' without copyTo",
                    "copyTo as well: the region of the copy there");
        }
        if (account.isEmpty()) {
            section.mistake(
                    "copyAccount",
                    "'" + copy + "' without account",
                    "'account' at the top as well: which one is home's mustn't hang on who is"
                            + " signed in");
        }
        account.filter(copy::equals)
                .ifPresent(
                        same ->
                                section.mistake(
                                        "copyAccount",
                                        "'" + same + "'",
                                        "another account than 'account', or no copyAccount"));
    }

    /** What is only wrong together with something else. */
    private static void together(Pair pair, Section section, Map<String, Network> vantages) {
        String home = pair.home().region();
        pair.dr()
                .map(Cluster::region)
                .filter(home::equals)
                .ifPresent(same -> section.mistake("dr", same, "another region than home's"));
        pair.copyTo()
                .filter(home::equals)
                .ifPresent(same -> section.mistake("copyTo", same, "another region than home's"));
        pair.dr()
                .filter(dr -> pair.copyTo().filter(copy -> !copy.equals(dr.region())).isPresent())
                .ifPresent(
                        dr ->
                                section.mistake(
                                        "copyTo",
                                        pair.copyTo().orElseThrow(),
                                        "the DR side's region " + dr.region() + ", or no copyTo"));
        pair.prove().ifPresent(prove -> ProveReader.together(pair, prove, section));
        ClusterReader.together(pair, section);
        if (!pair.probed()) {
            return;
        }
        long outside =
                vantages.keySet().stream()
                        .filter(region -> Config.role(pair, region) != Vantage.Role.HOME)
                        .count();
        int wanted = pair.stage() == Stage.AUTOMATIC ? 2 : 1;
        if (outside < wanted) {
            section.mistake(
                    "stage",
                    written(pair.stage()) + " with " + outside + " vantages outside " + home,
                    wanted
                            + " at least under 'vantages': one can't tell a lost region from a"
                            + " lost link");
        }
        if (pair.timings().snapshotMaxAge().compareTo(pair.snapshots().every()) <= 0) {
            section.mistake(
                    "timings",
                    "snapshotMaxAge " + Kind.written(pair.timings().snapshotMaxAge()),
                    "more than snapshots.every, " + Kind.written(pair.snapshots().every()));
        }
    }

    /** What both sides of a pair are read with. */
    private record SideReader(
            String prefix, PairId id, Stage stage, Section pair, Optional<Servers> servers) {}

    private Cluster cluster(Section section, SideReader with, Side side) {
        URI address = section.required("address", Kind.ADDRESS);
        LoginReader login =
                LoginReader.read(section.requiredSection("login", LoginReader.EXPECTED));
        String region = section.required("region", Kind.REGION);
        Optional<String> serverName = section.optional("serverName", Kind.HOST);
        Optional<String> ca = section.optional("ca", Kind.TEXT).flatMap(path -> pem(section, path));
        Network network = network(section);
        Optional<Made> made = ClusterReader.made(with.pair(), section);
        Cluster cluster =
                made.isPresent()
                        ? new Cluster(
                                region,
                                address,
                                List.of(address),
                                // Nodes are asked by their own addresses, which change.
                                serverName.or(() -> Optional.of(address.getHost())),
                                ca,
                                login.approle(),
                                network,
                                Optional.of(Names.group(with.prefix(), with.id(), side)),
                                Optional.of(Names.instances(with.id(), side)),
                                with.servers().map(Servers::nodes).orElse(1),
                                with.servers().flatMap(Servers::awsLogin).or(login::aws),
                                made)
                        : brought(
                                section,
                                with.stage(),
                                side,
                                new Cluster(
                                        region,
                                        address,
                                        List.of(address),
                                        serverName,
                                        ca,
                                        login.approle(),
                                        network,
                                        Optional.empty(),
                                        Optional.empty(),
                                        1,
                                        login.aws(),
                                        Optional.empty()));
        section.finish();
        return cluster;
    }

    /** The cluster that exists, with what only such a one is asked for. */
    private static Cluster brought(Section section, Stage stage, Side side, Cluster read) {
        List<URI> nodes = section.list("nodes", Kind.ADDRESS);
        Optional<Tag> instances = section.section("instances").flatMap(ConfigFile::instances);
        boolean probed = stage.compareTo(Stage.OBSERVE) >= 0;
        boolean dr = side == Side.DR;
        if (probed && !section.has("instances")) {
            section.missing("instances", "{ tag: value } by which its servers are found");
        }
        if (probed && dr && !section.has("autoScalingGroup")) {
            section.missing("autoScalingGroup", "the group that its servers belong to");
        }
        if (dr && probed && !section.has("voters")) {
            section.missing("voters", "how many voting nodes it grows to, such as 3 or 5");
        }
        return new Cluster(
                read.region(),
                read.address(),
                nodes.isEmpty() ? read.nodes() : nodes,
                read.serverName(),
                read.ca(),
                read.login(),
                read.network(),
                section.optional("autoScalingGroup", Kind.TEXT),
                instances,
                section.optional("voters", Kind.number(1, 7))
                        .orElse(nodes.isEmpty() ? 1 : nodes.size()),
                read.awsLogin(),
                Optional.empty());
    }

    private Optional<String> pem(Section section, String relative) {
        Path path = file.toAbsolutePath().resolveSibling(relative);
        try {
            String pem = Files.readString(path).strip();
            if (!pem.contains("-----BEGIN CERTIFICATE-----")) {
                section.mistake("ca", "'" + relative + "' without a certificate", "a PEM file");
            } else if (pem.length() > 8192) {
                section.mistake(
                        "ca",
                        "'" + relative + "' of " + pem.length() + " characters",
                        "8192 at the most, the authority only");
            } else {
                return Optional.of(pem);
            }
        } catch (IOException e) {
            section.mistake(
                    "ca", "'" + relative + "', which can't be read", "a PEM file beside the YAML");
        }
        return Optional.empty();
    }

    private static Optional<Tag> instances(Section section) {
        if (section.keys().size() != 1) {
            section.mistake("", section.keys().size() + " tags", "one tag: value");
            return Optional.empty();
        }
        String key = section.keys().iterator().next();
        return Optional.of(new Tag(key, section.required(key, Kind.TEXT)));
    }

    private static Traffic traffic(Section section) {
        Traffic traffic =
                new Traffic(
                        section.required("zone", Kind.ZONE),
                        section.required("name", Kind.HOST),
                        section.optional("ttl", Kind.number(5, 60)).orElse(30),
                        section.required("home", Kind.HOST),
                        section.required("dr", Kind.HOST),
                        section.optional("flag", Kind.oneOf(Traffic.Flag.class))
                                .orElse(Traffic.Flag.OBJECT));
        if (section.good() && traffic.home().equals(traffic.dr())) {
            section.mistake("dr", traffic.dr(), "another name than home's");
        }
        section.finish();
        return traffic;
    }

    private static Goals goals(Section section, Snapshots snapshots, Optional<Prove> prove) {
        Goals goals =
                new Goals(
                        section.optional("rpo", Kind.duration(MINUTE, Duration.ofDays(7)))
                                .orElse(
                                        prove.map(Prove::maxAge)
                                                .orElse(snapshots.every().multipliedBy(4))),
                        section.optional("rto", Kind.duration(MINUTE, DAY))
                                .orElse(Duration.ofMinutes(10)));
        section.finish();
        return goals;
    }

    private static Timings timings(Section section, Stage stage, Snapshots snapshots) {
        if (stage == Stage.AUTOMATIC && !section.has("acceptedLoss")) {
            section.missing(
                    "acceptedLoss",
                    "how much may be lost without asking anybody; more than snapshots.every, "
                            + Kind.written(snapshots.every())
                            + ", since that much is lost at the worst");
        }
        Timings timings =
                new Timings(
                        section.optional("coolDown", Kind.duration(MINUTE, DAY))
                                .orElse(Duration.ofMinutes(30)),
                        section.optional("askAgainAfter", Kind.duration(MINUTE, DAY))
                                .orElse(Duration.ofHours(1)),
                        section.optional("approvalTimeout", Kind.duration(MINUTE, DAY))
                                .orElse(Duration.ofHours(1)),
                        section.optional("acceptedLoss", Kind.duration(Duration.ZERO, DAY))
                                .orElse(snapshots.every()),
                        section.optional(
                                        "snapshotMaxAge", Kind.duration(MINUTE, Duration.ofDays(7)))
                                .orElse(snapshots.every().multipliedBy(3)));
        section.finish();
        return timings;
    }

    private static String written(Stage stage) {
        return stage.name().toLowerCase(Locale.ROOT);
    }
}
