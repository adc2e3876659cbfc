package io.vaultdr.runtime;

import io.vaultdr.aws.AutoScalingNodes;
import io.vaultdr.aws.SecretsManagerLogins;
import io.vaultdr.aws.SecretsManagerSecret;
import io.vaultdr.cluster.InitializeCluster;
import io.vaultdr.cluster.LoginSecrets;
import io.vaultdr.cluster.RetirePeer;
import io.vaultdr.cluster.StoredSecret;
import io.vaultdr.cluster.VaultSetup;
import io.vaultdr.doctor.Looks;
import io.vaultdr.failover.PairState;
import io.vaultdr.model.Failure;
import io.vaultdr.model.Side;

import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What the functions that tend to a made cluster use beside the pair's {@link Wiring}. */
public final class WiringOfCluster {
    /** Delivery's 30 s and what stopping and starting take. */
    private static final Duration WIPING = Duration.ofSeconds(90);

    private final Wiring wiring;

    /** The adapters for the made cluster in the region of {@code wiring}. */
    public WiringOfCluster(Wiring wiring) {
        this.wiring = wiring;
    }

    /** Those of the pair that the function's environment describes. */
    public static WiringOfCluster ofEnvironment() {
        return new WiringOfCluster(Wiring.ofPair());
    }

    /** The pair's metrics. */
    public PairMetrics metrics() {
        return PairMetrics.embedded(wiring.pair().pair());
    }

    /** Sees this region's instances in and out. */
    public RetirePeer retirePeer() {
        Side side = side();
        return new RetirePeer(
                wiring.pair(),
                side,
                new RetirePeer.Ports(
                        wiring.leaders(),
                        wiring.login(),
                        new AutoScalingNodes(
                                wiring.aws().autoScaling(wiring.region()),
                                wiring.pair().cluster(side).autoScalingGroup().orElseThrow()),
                        this::incident,
                        wiring.pager()),
                metrics(),
                wiring.clock());
    }

    /** RetirePeer's looks. */
    public Looks looksOfRetirePeer() {
        return new WiringOfDoctor(wiring).retirePeer();
    }

    /** InitializeCluster's looks. */
    public Looks looksOfInitializeCluster() {
        return new WiringOfDoctor(wiring).initializeCluster();
    }

    /** Initialises home's cluster, whose region this has to be. */
    public InitializeCluster initializeCluster() {
        PairSettings pair = wiring.pair();
        if (side() != Side.HOME) {
            throw new Failure.Terminal(
                    "wire pair " + pair.pair(),
                    wiring.region() + " is the DR side, which is never initialised by itself",
                    "Deploy this function in home's region only");
        }
        PairSettings.Made made = pair.home().made().orElseThrow();
        return new InitializeCluster(
                pair,
                new VaultSetup(
                        Settings.optionalPart(System.getenv(), "SETUP", Recovered.class)
                                .map(Recovered::recover)
                                .orElse(List.of()),
                        true),
                new InitializeCluster.Ports(
                        wiring.leaders(),
                        wiring.vaultClients(),
                        wiring.login(),
                        () -> wipe(made),
                        secret(wiring.region(), made.initialisation()),
                        places(pair).stream()
                                .map(region -> secret(region, made.recoveryKeys()))
                                .toList(),
                        VaultSetup.places(pair).stream()
                                .filter(place -> !place.copy())
                                .map(place -> logins(pair, place))
                                .toList(),
                        wiring.pager()),
                metrics(),
                wiring.clock());
    }

    /** What the function is told of {@code restore --only}. */
    record Recovered(List<String> recover) {}

    private static List<String> places(PairSettings pair) {
        return Stream.concat(Stream.of(pair.home()), pair.dr().stream())
                .map(PairSettings.Cluster::region)
                .toList();
    }

    private String wipe(PairSettings.Made made) {
        return wiring.nodeCommands().run(wiring.pair().home(), made.wipeDocument(), WIPING).stream()
                .map(run -> run.instance() + " " + run.detail())
                .collect(Collectors.joining(", "));
    }

    private StoredSecret secret(String region, String name) {
        return new SecretsManagerSecret(region, wiring.aws().secretsManager(region), name);
    }

    private LoginSecrets logins(PairSettings pair, VaultSetup.Place place) {
        return new SecretsManagerLogins(
                place.region(),
                wiring.aws().secretsManager(place.region()),
                place.login(),
                VaultSetup.intents(pair));
    }

    private boolean incident() {
        return wiring.pair().failover().isPresent()
                && wiring.ledger().state().phase() instanceof PairState.Phase.Changing;
    }

    private Side side() {
        return wiring.sideHere()
                .filter(side -> wiring.pair().cluster(side).made().isPresent())
                .orElseThrow(
                        () ->
                                new Failure.Terminal(
                                        "wire pair " + wiring.pair().pair(),
                                        "no cluster in " + wiring.region() + " was made",
                                        "Deploy this function only where the app made one"));
    }
}
