package io.vaultdr.cli;

import com.fasterxml.jackson.databind.JsonNode;

import io.vaultdr.aws.AwsClients;
import io.vaultdr.aws.S3Bucket;
import io.vaultdr.failover.Assessment;
import io.vaultdr.failover.PairState;
import io.vaultdr.infra.config.Config;
import io.vaultdr.infra.config.Names;
import io.vaultdr.infra.config.PairSettingsMaker;
import io.vaultdr.model.Failure;
import io.vaultdr.model.Secret;
import io.vaultdr.model.Side;
import io.vaultdr.promotion.ByRestore;
import io.vaultdr.promotion.LastSeen;
import io.vaultdr.promotion.NodeCommands;
import io.vaultdr.runtime.Json;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.runtime.Wiring;
import io.vaultdr.snapshot.SnapshotStore;
import io.vaultdr.vault.HttpVaultClients;
import io.vaultdr.vault.LeaderFinder;
import io.vaultdr.vault.Login;
import io.vaultdr.vault.VaultClient;
import io.vaultdr.vault.VaultClients;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

import software.amazon.awssdk.core.exception.SdkException;

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
        header = "Restores a chosen snapshot into a cluster, or one secret out of it.",
        description = {
            "Into the one blank node of a cluster that doesn't serve: the node is initialised,"
                    + " takes the snapshot without force, is restarted, and the canary is read;"
                    + " then the others join. Before that it says what will be lost, and asks for"
                    + " the cluster's name. Ended in between, the same command goes on where it"
                    + " stopped. It uses your own AWS credentials and network.",
            "",
            "vault-dr restore payments-20261123T170000Z --into dr payments",
            "",
            "With --only, one KV secret is brought back with its versions, without touching the"
                    + " live cluster: a function restores the snapshot in isolation and leaves the"
                    + " secret encrypted for a day. It goes into a file of mode 600, or back to its"
                    + " path with your own token from BAO_TOKEN or VAULT_TOKEN. The configuration's"
                    + " prove.recover says which paths may be read so.",
            "",
            "vault-dr restore --only secret/team/db --from payments-20261123T170000Z --to db.json"
                    + " payments",
            "",
            "Step by step with bare commands: docs/runbooks/restore-by-hand.md"
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:restored, and as many nodes vote as the cluster has; or the secret is where it"
                    + " should be",
            "1:refused or not confirmed; nothing was done, and why is told",
            "2:the call can't be used; nothing was done",
            "3:AWS or a server didn't do it; repeat the command to go on"
        },
        mixinStandardHelpOptions = true)
final class RestoreCommand implements Callable<Integer> {
    @Spec private @Nullable CommandSpec spec;

    @Parameters(
            arity = "1..2",
            paramLabel = "[SNAPSHOT] PAIR",
            description =
                    "With --into the snapshot's id first; then the pair's name in the"
                            + " configuration.")
    private List<String> names = List.of();

    @Option(
            names = "--into",
            paramLabel = "SIDE",
            description = "home or dr: whose blank node takes it.")
    private @Nullable String into;

    @Option(
            names = "--only",
            paramLabel = "PATH",
            description = "A KV secret, its engine included, instead of everything.")
    private @Nullable String only;

    @Option(names = "--from", paramLabel = "SNAPSHOT", description = "Out of which snapshot.")
    private @Nullable String from;

    @Option(
            names = "--to",
            paramLabel = "FILE|-",
            description = "A new file for the secret; - is standard output.")
    private @Nullable String to;

    @Option(
            names = "--write-back",
            description =
                    "Write the secret's newest version to its path in the cluster that serves,"
                            + " after showing which keys differ.")
    private boolean writeBack;

    @Option(names = "--show-values", description = "Show values of what differs too.")
    private boolean showValues;

    @Option(
            names = "--yes-write-back",
            paramLabel = "PATH",
            description = "The path, instead of typing it when asked.")
    private @Nullable String yesWriteBack;

    @Option(
            names = "--by",
            paramLabel = "NAME",
            description =
                    "Who asks, as the function's log shall show it. Default: ${DEFAULT-VALUE}")
    private String by = System.getProperty("user.name", "");

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

    @Mixin private CopyProfile copyProfile = new CopyProfile();

    @Override
    public Integer call() {
        if (only != null) {
            return secret(only);
        }
        if (names.size() != 2 || into == null) {
            throw new Unusable(
                    "expected SNAPSHOT --into home|dr PAIR, or --only PATH --from SNAPSHOT PAIR");
        }
        String snapshot = names.getFirst();
        String pair = names.getLast();
        Side side = side(into);
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
        return new RestoreInto(
                        target,
                        tools(found, settings, side, cluster),
                        Path.of(System.getProperty("vaultdr.root", "."), ".vault-dr", "restores"),
                        out())
                .restore(
                        snapshot,
                        asked ->
                                name != null
                                        || typed(
                                                "All of this goes into %s, and what was written"
                                                    + " since is lost. Type the cluster's name to"
                                                    + " go on: ",
                                                "--yes-restore-into", asked),
                        Duration.ofMinutes(minutes));
    }

    private int secret(String path) {
        if (names.size() != 1 || from == null || (to != null) == writeBack) {
            throw new Unusable(
                    "--only: expected --from SNAPSHOT, the PAIR alone, and either --to FILE or"
                            + " --write-back");
        }
        if (yesWriteBack != null && !yesWriteBack.equals(path)) {
            throw new Unusable("--yes-write-back " + yesWriteBack + ": expected " + path);
        }
        Optional<Secret> token = writeBack ? Optional.of(token()) : Optional.empty();
        Configuration.Found found = Configuration.pair(config, names.getFirst());
        Optional<RestoreOnly.Recovered> recovered =
                recovered(found, path, Objects.requireNonNull(from));
        if (recovered.isEmpty()) {
            return Exit.NEGATIVE;
        }
        RestoreOnly.Recovered secret = recovered.get();
        RestoreOnly restore = new RestoreOnly(out());
        if (token.isEmpty()) {
            return "-".equals(to)
                    ? restore.toOutput(secret)
                    : restore.toFile(secret, Path.of(Objects.requireNonNull(to)));
        }
        return restore.writeBack(
                secret,
                serving(found),
                token.get(),
                showValues,
                asked ->
                        yesWriteBack != null
                                || typed(
                                        "It is written as a new version. Type %s to go on: ",
                                        "--yes-write-back", asked));
    }

    /** From the environment, since arguments are seen by everybody on the machine. */
    private static Secret token() {
        return Stream.of("BAO_TOKEN", "VAULT_TOKEN")
                .flatMap(variable -> Optional.ofNullable(System.getenv(variable)).stream())
                .filter(value -> !value.isBlank())
                .map(Secret::of)
                .findFirst()
                .orElseThrow(
                        () ->
                                new Unusable(
                                        "--write-back: expected a token that may write there in"
                                                + " BAO_TOKEN or VAULT_TOKEN"));
    }

    /** Empty, and said so, where the snapshot has nothing there. */
    private Optional<RestoreOnly.Recovered> recovered(
            Configuration.Found found, String path, String snapshot) {
        String region = found.pair().proofRegion();
        Names own = PairSettingsMaker.names(Account.of(found.config(), region), found.pair());
        JsonNode answer =
                new ControlFunction(own.of("restore-secret"), region)
                        .invoke(
                                "live",
                                Json.MAPPER
                                        .createObjectNode()
                                        .put("snapshot", snapshot)
                                        .put("path", path)
                                        .put("requestedBy", by),
                                false);
        if (answer.path("outcome").asText().equals("NOTHING_THERE")) {
            out().println(answer.path("detail").asText());
            out().flush();
            return Optional.empty();
        }
        if (!answer.path("outcome").asText().equals("RECOVERED")) {
            throw new Failure.Terminal(
                    "recover " + path + " from " + snapshot,
                    answer.path("outcome").asText("no outcome")
                            + " "
                            + answer.path("reason").asText()
                            + ": "
                            + answer.path("detail").asText(),
                    "The log of function restore-secret says more");
        }
        String bucket = answer.path("bucket").asText();
        String key = answer.path("key").asText();
        try {
            return Optional.of(
                    RestoreOnly.parse(
                            Account.clients()
                                    .s3(region)
                                    .getObjectAsBytes(r -> r.bucket(bucket).key(key))
                                    .asByteArray()));
        } catch (SdkException e) {
            throw new Failure.Terminal(
                    "read s3://" + bucket + "/" + key,
                    String.valueOf(e.getMessage()),
                    "It lies there for a day: you need s3:GetObject on it and kms:Decrypt on its"
                            + " key",
                    e);
        }
    }

    private VaultClient serving(Configuration.Found found) {
        VaultClients clients = clients(found);
        LeaderFinder leaders = new LeaderFinder(clients);
        return Stream.concat(Stream.of(found.pair().home()), found.pair().dr().stream())
                .map(PairSettingsMaker::cluster)
                .map(cluster -> leaders.find(cluster, Duration.ofSeconds(5)))
                .filter(LeaderFinder.Finding.Active.class::isInstance)
                .map(active -> ((LeaderFinder.Finding.Active) active).node())
                .findFirst()
                .orElseThrow(
                        () ->
                                new Failure.Retryable(
                                        "find the active node of " + found.pair().id(),
                                        "no node of its clusters is active",
                                        "Check from here the way to its nodes; --to FILE needs"
                                                + " none"));
    }

    private static VaultClients clients(Configuration.Found found) {
        PairSettings.Cluster home = PairSettingsMaker.cluster(found.pair().home());
        return new HttpVaultClients(
                cluster ->
                        cluster.equals(home)
                                ? found.pair().home().ca()
                                : found.pair().dr().flatMap(Config.Cluster::ca),
                HttpVaultClients.Limits.DEFAULT);
    }

    private static Side side(String into) {
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
        VaultClients clients = clients(found);
        PairSettings.Cluster target = PairSettingsMaker.cluster(cluster);
        List<S3Bucket> stores =
                settings.buckets().stream()
                        // What is near is fetched first.
                        .sorted(Comparator.comparing(b -> !b.region().equals(cluster.region())))
                        .map(
                                bucket ->
                                        new S3Bucket(
                                                copyProfile.of(bucket, settings, aws),
                                                bucket,
                                                settings.pair(),
                                                clock))
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
                () -> beside(settings, wiring),
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

    /** A ledger that doesn't answer stands in nobody's way: its region may be what was lost. */
    private static List<String> beside(PairSettings settings, Wiring wiring) {
        if (settings.stage().compareTo(PairSettings.Stage.APPROVAL) < 0) {
            return List.of();
        }
        try {
            PairState state = wiring.ledger().state();
            if (!(state.phase() instanceof PairState.Phase.Settled)) {
                return List.of("An incident is open: see './vault-dr status'; end it first.");
            }
            return state.pause().isEmpty()
                    ? List.of(
                            "The pair may fail over by itself meanwhile: './vault-dr pause "
                                    + settings.pair()
                                    + " --reason …' first.")
                    : List.of();
        } catch (Failure e) {
            return List.of();
        }
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

    /** Whether a person types {@code expected} when asked. */
    private static boolean typed(String question, String instead, String expected) {
        Console console =
                Optional.ofNullable(System.console())
                        .filter(Console::isTerminal)
                        .orElseThrow(
                                () ->
                                        new Unusable(
                                                "restore without "
                                                        + instead
                                                        + ": expected a terminal to ask on"));
        return expected.equals(console.readLine(question, expected));
    }

    private PrintWriter out() {
        return Objects.requireNonNull(spec).commandLine().getOut();
    }
}
