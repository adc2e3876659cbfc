package io.vaultdr.cli;

import io.vaultdr.aws.AwsClients;
import io.vaultdr.aws.S3Bucket;
import io.vaultdr.failover.Assessment;
import io.vaultdr.infra.config.Config;
import io.vaultdr.infra.config.PairSettingsMaker;
import io.vaultdr.model.Failure;
import io.vaultdr.model.Side;
import io.vaultdr.promotion.ByRestore;
import io.vaultdr.promotion.LastSeen;
import io.vaultdr.promotion.NodeCommands;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.runtime.Wiring;
import io.vaultdr.snapshot.SnapshotStore;
import io.vaultdr.vault.HttpVaultClients;
import io.vaultdr.vault.LeaderFinder;
import io.vaultdr.vault.Login;
import io.vaultdr.vault.VaultClients;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

import java.io.Console;
import java.io.PrintWriter;
import java.net.URI;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import java.util.function.BiFunction;
import java.util.stream.Stream;

/** {@code restore}: a whole snapshot into a cluster, or one secret out of it. */
@Command(
        name = "restore",
        header = "Restores a chosen snapshot into a cluster.",
        description = {
            "Into the one blank node of a cluster that doesn't serve: the node is initialised,"
                    + " takes the snapshot without force, is restarted, and the canary is read;"
                    + " then the others join. Before that it says what will be lost, and asks for"
                    + " the cluster's name. Ended in between, the same command goes on where it"
                    + " stopped. It uses your own AWS credentials and network.",
            "",
            "vault-dr restore payments-20261123T170000Z --into dr payments",
            "",
            "Step by step with bare commands: docs/runbooks/restore-by-hand.md"
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:restored, and as many nodes vote as the cluster has",
            "1:refused or not confirmed; nothing was done, and why is told",
            "2:the call can't be used; nothing was done",
            "3:AWS or a server didn't do it; repeat the command to go on"
        },
        mixinStandardHelpOptions = true)
final class RestoreCommand implements Callable<Integer> {
    @Spec private @Nullable CommandSpec spec;

    @Parameters(index = "0", paramLabel = "SNAPSHOT", description = "Its id.")
    private String snapshot = "";

    @Parameters(
            index = "1",
            paramLabel = "PAIR",
            description = "The pair's name in the configuration.")
    private String pair = "";

    @Option(
            names = "--into",
            paramLabel = "SIDE",
            required = true,
            description = "home or dr: whose blank node takes it.")
    private String into = "";

    @Option(
            names = "--config",
            paramLabel = "FILE",
            description = "The configuration. Default: ${DEFAULT-VALUE}")
    private Path config = Path.of("vault-dr.yaml");

    @Option(
            names = "--yes-restore-into",
            paramLabel = "NAME",
            description = "The cluster's name, PAIR-SIDE, instead of typing it when asked.")
    private @Nullable String name;

    @Option(
            names = "--by-hand",
            description =
                    "Restart and wipe nodes yourself when told, where Systems Manager's documents"
                            + " would do it. Always so for home.")
    private boolean byHand;

    @Option(
            names = "--minutes",
            paramLabel = "NUMBER",
            description = "How long the whole may take. Default: ${DEFAULT-VALUE}")
    private int minutes = 60;

    @Override
    public Integer call() {
        Side side = side();
        Configuration.Found found = Configuration.pair(config, pair);
        Config.Cluster cluster =
                side == Side.HOME
                        ? found.pair().home()
                        : found.pair()
                                .dr()
                                .orElseThrow(
                                        () ->
                                                new Unusable(
                                                        pair
                                                                + ": has no DR cluster, expected"
                                                                + " --into home"));
        String target = pair + "-" + side;
        if (name != null && !name.equals(target)) {
            throw new Unusable(
                    "--yes-restore-into " + name + ": expected " + target + ", the cluster's name");
        }
        PairSettings settings =
                PairSettingsMaker.settings(
                        Account.of(found.config(), cluster.region()), found.pair(), "");
        PrintWriter out = Objects.requireNonNull(spec).commandLine().getOut();
        return new RestoreInto(
                        target,
                        tools(found, settings, side, cluster),
                        Path.of(System.getProperty("vaultdr.root", "."), ".vault-dr", "restores"),
                        out)
                .restore(snapshot, this::confirmed, Duration.ofMinutes(minutes));
    }

    private Side side() {
        return switch (into) {
            case "home" -> Side.HOME;
            case "dr" -> Side.DR;
            default -> throw new Unusable("--into " + into + ": expected home or dr");
        };
    }

    private RestoreInto.Tools tools(
            Configuration.Found found, PairSettings settings, Side side, Config.Cluster cluster) {
        AwsClients aws = Account.clients();
        Clock clock = Clock.systemUTC();
        Wiring wiring = new Wiring(cluster.region(), settings, clock, aws, Optional.empty());
        VaultClients clients =
                HttpVaultClients.of(
                        settings,
                        one ->
                                one == Side.HOME
                                        ? found.pair().home().ca()
                                        : found.pair().dr().flatMap(Config.Cluster::ca),
                        HttpVaultClients.Limits.DEFAULT);
        PairSettings.Cluster target = PairSettingsMaker.cluster(cluster);
        List<S3Bucket> stores =
                settings.buckets().stream()
                        // What is near is fetched first.
                        .sorted(Comparator.comparing(b -> !b.region().equals(cluster.region())))
                        .map(bucket -> new S3Bucket(aws, bucket, settings.pair(), clock))
                        .toList();
        boolean documents = side == Side.DR && settings.failover().isPresent() && !byHand;
        BiFunction<URI, PrintWriter, NodeCommands> hand =
                (node, out) -> new ByHand(node, clients, Duration.ofMinutes(minutes), clock, out);
        return new RestoreInto.Tools(
                target,
                settings.edition(),
                clients,
                Login.by(aws.secretsManager(cluster.region())),
                stores,
                () -> lastSeen(settings, wiring, clients, stores),
                documents ? (_, _) -> wiring.nodeCommands() : hand,
                documents
                        ? ByRestore.Documents.of(settings.failover().orElseThrow())
                        : ByHand.DOCUMENTS,
                documents && target.autoScalingGroup().isPresent()
                        ? Optional.of(wiring.capacity())
                        : Optional.empty(),
                clock);
    }

    /** What ledger, buckets and servers last showed; each that doesn't answer is left out. */
    private static Optional<LastSeen> lastSeen(
            PairSettings settings,
            Wiring wiring,
            VaultClients clients,
            List<? extends SnapshotStore> stores) {
        LeaderFinder leaders = new LeaderFinder(clients);
        return Stream.<Callable<Optional<LastSeen>>>of(
                        () ->
                                settings.failover().isEmpty()
                                        ? Optional.empty()
                                        : wiring.ledger()
                                                .assessment()
                                                .flatMap(RestoreCommand::ofLedger),
                        () ->
                                stores.getFirst().newest(1).stream()
                                        .findFirst()
                                        .map(
                                                newest ->
                                                        new LastSeen(
                                                                newest.takenAt(),
                                                                OptionalLong.of(newest.index()))),
                        () -> ofServers(settings.home(), leaders),
                        () -> settings.dr().flatMap(dr -> ofServers(dr, leaders)))
                .map(RestoreCommand::quietly)
                .flatMap(Optional::stream)
                .reduce(LastSeen::or);
    }

    private static Optional<LastSeen> ofLedger(Assessment assessment) {
        return assessment.lastServed().map(at -> new LastSeen(at, assessment.lastIndex()));
    }

    private static Optional<LastSeen> ofServers(
            PairSettings.Cluster cluster, LeaderFinder leaders) {
        return leaders.find(cluster, Duration.ofSeconds(5))
                        instanceof LeaderFinder.Finding.Active(var node, _)
                ? Optional.of(
                        new LastSeen(Clock.systemUTC().instant(), node.leader().committedIndex()))
                : Optional.empty();
    }

    private static Optional<LastSeen> quietly(Callable<Optional<LastSeen>> look) {
        try {
            return look.call();
        } catch (Failure e) {
            // The others tell; what nobody knows is said so.
            return Optional.empty();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private boolean confirmed(String cluster) {
        if (name != null) {
            return true;
        }
        Console console =
                Optional.ofNullable(System.console())
                        .filter(Console::isTerminal)
                        .orElseThrow(
                                () ->
                                        new Unusable(
                                                "restore without --yes-restore-into: expected a"
                                                        + " terminal to ask on"));
        return cluster.equals(
                console.readLine(
                        "All of this goes into %s, and what was written since is lost. Type the"
                                + " cluster's name to go on: ",
                        cluster));
    }
}
