package io.vaultdr.runtime;

import io.vaultdr.aws.AutoScalingGroups;
import io.vaultdr.aws.AwsClients;
import io.vaultdr.aws.CloudWatchPublisher;
import io.vaultdr.aws.CloudWatchTrafficFlag;
import io.vaultdr.aws.DynamoDbEvidence;
import io.vaultdr.aws.DynamoDbLedger;
import io.vaultdr.aws.KmsSealKeys;
import io.vaultdr.aws.Route53Records;
import io.vaultdr.aws.S3Bucket;
import io.vaultdr.aws.S3FlagBucket;
import io.vaultdr.aws.S3Proofs;
import io.vaultdr.aws.SecretsManagerLogins;
import io.vaultdr.aws.SnsPager;
import io.vaultdr.aws.SsmCommands;
import io.vaultdr.aws.SsmParameters;
import io.vaultdr.aws.StandbyResources;
import io.vaultdr.aws.StepFunctionsExecutions;
import io.vaultdr.cluster.LoginSecrets;
import io.vaultdr.cluster.RotateLogins;
import io.vaultdr.cluster.VaultSetup;
import io.vaultdr.failover.Evaluation;
import io.vaultdr.failover.EvidenceLog;
import io.vaultdr.failover.Executions;
import io.vaultdr.failover.Gathering;
import io.vaultdr.failover.LeaderProbe;
import io.vaultdr.failover.Ledger;
import io.vaultdr.failover.Pager;
import io.vaultdr.failover.PairState;
import io.vaultdr.failover.Probing;
import io.vaultdr.failover.ReadinessCheck;
import io.vaultdr.model.Failure;
import io.vaultdr.model.Side;
import io.vaultdr.promotion.Capacity;
import io.vaultdr.promotion.NodeCommands;
import io.vaultdr.promotion.PilotLight;
import io.vaultdr.promotion.QuarantineMark;
import io.vaultdr.runtime.PairSettings.Flag;
import io.vaultdr.snapshot.Catalog;
import io.vaultdr.snapshot.Freshness;
import io.vaultdr.snapshot.MissingCopies;
import io.vaultdr.snapshot.Proofs;
import io.vaultdr.snapshot.SealKeys;
import io.vaultdr.snapshot.Serving;
import io.vaultdr.snapshot.SnapshotDryRun;
import io.vaultdr.snapshot.SnapshotRun;
import io.vaultdr.snapshot.SnapshotStore;
import io.vaultdr.snapshot.SnapshotTaker;
import io.vaultdr.traffic.TrafficFlag;
import io.vaultdr.traffic.WeightedRecords;
import io.vaultdr.vault.HttpVaultClients;
import io.vaultdr.vault.LeaderFinder;
import io.vaultdr.vault.Login;
import io.vaultdr.vault.VaultClients;

import software.amazon.awssdk.arns.Arn;
import software.amazon.awssdk.auth.credentials.EnvironmentVariableCredentialsProvider;

import java.nio.file.Path;
import java.time.Clock;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A pair's adapters, each made once and at first use: a function pays only for what it touches.
 * Nothing here decides anything.
 */
public final class Wiring {
    /** So many of the newest snapshots may have been taken without the ledger. */
    private static final int TELLING = 10;

    private final String region;
    private final PairSettings pair;
    private final Clock clock;
    private final AwsClients aws;
    private final Function<Side, Optional<String>> authorities;
    private final Map<Class<?>, Object> made = new HashMap<>();

    /**
     * The adapters of {@code pair}.
     *
     * @param region the region that the function runs in
     * @param caPath the SSM path under which each side's CA is; empty: the runtime's own
     */
    public Wiring(
            String region,
            PairSettings pair,
            Clock clock,
            AwsClients aws,
            Optional<String> caPath) {
        this(region, pair, clock, aws, authorities(region, aws, caPath));
    }

    /**
     * The adapters of {@code pair}, for a function that has read the certificates already.
     *
     * @param authorities a side's CA as PEM; empty: the runtime's own authorities
     */
    Wiring(
            String region,
            PairSettings pair,
            Clock clock,
            AwsClients aws,
            Function<Side, Optional<String>> authorities) {
        this.authorities = authorities;
        this.region = region;
        this.pair = pair;
        this.clock = clock;
        this.aws = aws;
    }

    /** The adapters of the pair that the function's environment names. */
    public static Wiring ofPair() {
        Settings.OfPair settings = Settings.ofPair(System.getenv());
        return new Wiring(
                settings.region(),
                settings.pair(),
                Clock.systemUTC(),
                awsClients(),
                settings.caPath());
    }

    /** Clients with the credentials that Lambda puts into the environment. */
    public static AwsClients awsClients() {
        return new AwsClients(EnvironmentVariableCredentialsProvider.create());
    }

    /** The region that the function runs in. */
    public String region() {
        return region;
    }

    /** The pair's settings. */
    public PairSettings pair() {
        return pair;
    }

    /** What time it is. */
    public Clock clock() {
        return clock;
    }

    /** The SDK clients. */
    public AwsClients aws() {
        return aws;
    }

    /** The pair's ledger, in its DR region. */
    public Ledger ledger() {
        return once(
                Ledger.class,
                () ->
                        new DynamoDbLedger(
                                aws.dynamoDb(drRegion()), failover().table(), pair.pair()));
    }

    /** The probes' evidence, beside the ledger. */
    public EvidenceLog evidence() {
        return once(
                EvidenceLog.class,
                () ->
                        new DynamoDbEvidence(
                                aws.dynamoDb(drRegion()),
                                failover().table(),
                                pair.vantages().stream()
                                        .map(PairSettings.Vantage::region)
                                        .toList()));
    }

    /** The executions of the pair's failover. */
    public Executions executions() {
        return once(
                Executions.class,
                () ->
                        new StepFunctionsExecutions(
                                aws.stepFunctions(drRegion()),
                                failover().stateMachineArn(),
                                pair.pair()));
    }

    /** Probes the pair from the vantage that stands in this region. */
    public Probing probing() {
        return once(
                Probing.class,
                () -> {
                    boolean looks =
                            pair.vantages().stream()
                                    .filter(v -> v.region().equals(region))
                                    .anyMatch(v -> v.role() == PairSettings.Vantage.Role.DR);
                    Probing.Ports ports =
                            new Probing.Ports(
                                    new LeaderProbe(pair, leaders()),
                                    evidence(),
                                    ledger()::state,
                                    new CloudWatchPublisher(
                                            aws.cloudWatch(drRegion()), pair.pair(), region),
                                    looks ? Optional.of(readinessCheck()) : Optional.empty());
                    return new Probing(region, pair.slots(), clock, Sleep.on(clock), ports);
                });
    }

    private ReadinessCheck readinessCheck() {
        return new ReadinessCheck(
                region,
                pair,
                leaders(),
                new StandbyResources(capacity(), aws.secretsManager(drRegion()), dr().login()),
                drCatalog(),
                drProofs(),
                clock);
    }

    /** Reads what a verdict rests on. */
    public Gathering gathering() {
        return once(Gathering.class, () -> new Gathering(pair, ledger(), evidence(), clock));
    }

    /** Evaluates the pair. */
    public Evaluation evaluation() {
        return once(
                Evaluation.class,
                () ->
                        new Evaluation(
                                pair,
                                ledger(),
                                evidence(),
                                executions(),
                                pager(),
                                clock,
                                Sleep.on(clock)));
    }

    /** Pages through the topic of the function's own region. */
    public Pager pager() {
        return once(Pager.class, () -> new SnsPager(aws.sns(region), pair.topicArn()));
    }

    /** Clients of both clusters' nodes, with the CA that the deployment gave each side. */
    public VaultClients vaultClients() {
        return once(
                VaultClients.class,
                () -> HttpVaultClients.of(pair, authorities, HttpVaultClients.Limits.DEFAULT));
    }

    /** A side's CA as PEM; empty: the runtime's own authorities. */
    Function<Side, Optional<String>> authorities() {
        return authorities;
    }

    /** Finds a cluster's active node. */
    public LeaderFinder leaders() {
        return once(LeaderFinder.class, () -> new LeaderFinder(vaultClients()));
    }

    /** Logs in with the AppRole secrets of the function's own region, or as the function itself. */
    public Login login() {
        return once(
                Login.class,
                () -> Login.by(aws.secretsManager(region), aws.identity(region, clock)));
    }

    /** The committed snapshots in the DR region. */
    public Catalog drCatalog() {
        return once(Catalog.class, () -> new S3Bucket(aws, drBucket(), pair.pair(), clock));
    }

    /** Their proofs. */
    public Proofs drProofs() {
        return once(Proofs.class, () -> new S3Proofs(aws, drBucket(), clock));
    }

    private PairSettings.Bucket drBucket() {
        return pair.buckets().stream()
                .filter(bucket -> bucket.region().equals(drRegion()))
                .findFirst()
                .orElseThrow(
                        () ->
                                new Failure.Terminal(
                                        "wire pair " + pair.pair(),
                                        "none of its buckets is in " + drRegion(),
                                        "Copy snapshots to the DR region and deploy it"));
    }

    /** Runs documents on a cluster's instances. */
    public NodeCommands nodeCommands() {
        return once(NodeCommands.class, () -> new SsmCommands(aws::ssm, clock));
    }

    /** The DR side's Auto Scaling group. */
    public Capacity capacity() {
        return once(
                Capacity.class,
                () ->
                        new AutoScalingGroups(
                                aws.autoScaling(drRegion()),
                                dr().autoScalingGroup()
                                        .orElseThrow(
                                                () ->
                                                        new Failure.Terminal(
                                                                "wire pair " + pair.pair(),
                                                                "its DR side names no Auto Scaling"
                                                                        + " group",
                                                                "Configure it and deploy"))));
    }

    /** Starts the DR side's first node; empty where one stands by. */
    public Optional<PilotLight> pilotLight() {
        return failover().strategy() == PairSettings.Failover.Strategy.PILOT_LIGHT
                ? Optional.of(new PilotLight(dr(), capacity(), leaders()))
                : Optional.empty();
    }

    /** Home's Auto Scaling group, where the configuration names it. */
    public Optional<Capacity> homeCapacity() {
        return pair.home()
                .autoScalingGroup()
                .map(group -> new AutoScalingGroups(aws.autoScaling(pair.home().region()), group));
    }

    /** The traffic flags; none where nothing is turned. */
    public List<TrafficFlag> trafficFlags() {
        return flags().map(this::trafficFlag).toList();
    }

    private TrafficFlag trafficFlag(Flag flag) {
        return switch (flag) {
            case Flag.InBucket object -> flagBucket(object);
            case Flag.InMetric metric ->
                    new CloudWatchTrafficFlag(aws.cloudWatch(metric.region()), metric);
        };
    }

    /** The quarantine marks, one beside each flag that is an object; otherwise none. */
    public List<QuarantineMark> quarantineMarks() {
        return flags().filter(Flag.InBucket.class::isInstance)
                .map(Flag.InBucket.class::cast)
                .<QuarantineMark>map(this::flagBucket)
                .toList();
    }

    private S3FlagBucket flagBucket(Flag.InBucket flag) {
        return new S3FlagBucket(aws.s3(flag.region()), flag);
    }

    private Stream<Flag> flags() {
        return pair.traffic().stream().flatMap(traffic -> traffic.flags().stream());
    }

    /** The weighted records; none where nothing is turned. */
    public Optional<WeightedRecords> weightedRecords() {
        return pair.traffic().map(traffic -> new Route53Records(aws.route53(), traffic));
    }

    /** Every bucket of the pair that may be looked into, home's first. */
    public List<SnapshotStore> snapshotStores() {
        return pair.seen().stream()
                .<SnapshotStore>map(bucket -> new S3Bucket(aws, bucket, pair.pair(), clock))
                .toList();
    }

    private MissingCopies.Owed owed(Optional<RetentionSettings> keep) {
        if (!pair.apart()) {
            return MissingCopies.Owed.ALL;
        }
        int last =
                keep.map(RetentionSettings::last)
                        .orElseThrow(
                                () ->
                                        new Failure.Terminal(
                                                "wire pair " + pair.pair(),
                                                "RETENTION doesn't say what stays in every bucket",
                                                "Deploy it again"));
        return MissingCopies.Owed.last(
                last,
                pair.buckets().stream()
                        .filter(bucket -> !bucket.account().equals(pair.account()))
                        .map(PairSettings.Bucket::region)
                        .collect(Collectors.toSet()));
    }

    /**
     * Takes snapshots of the cluster in this region.
     *
     * @param keep what stays; needed where buckets stand in several accounts
     */
    public SnapshotRun snapshotRun(Optional<RetentionSettings> keep) {
        Side side = side();
        return new SnapshotRun(
                side,
                this::serving,
                new SnapshotTaker(
                        pair,
                        side,
                        leaders(),
                        node -> login().to(pair.cluster(side), node, Login.Intent.SNAPSHOT),
                        () ->
                                login().versions(
                                                pair.cluster(side).login(),
                                                VaultSetup.intents(pair)),
                        snapshotStores(),
                        scratch(),
                        clock,
                        () -> UUID.randomUUID().toString().replace("-", "")),
                new MissingCopies(snapshotStores(), proofs(), owed(keep), scratch()),
                PairMetrics.embedded(pair.pair()));
    }

    /** All of {@link #snapshotRun} that leaves nothing behind. */
    public SnapshotDryRun snapshotDryRun() {
        Side side = side();
        return new SnapshotDryRun(
                side, pair.cluster(side), this::serving, leaders(), login(), snapshotStores());
    }

    /**
     * Watches the ages of this region's newest snapshots, and all copies.
     *
     * @param seal what opens the snapshots, where they are proven
     * @param keep what stays; needed where buckets stand in several accounts
     */
    public Freshness freshness(
            Optional<ProofSettings.Seal> seal, Optional<RetentionSettings> keep) {
        return new Freshness(
                region,
                new Freshness.Watched(
                        snapshotStores(),
                        proofs(),
                        seal.filter(it -> it.type().equals("awskms"))
                                .map(ProofSettings.Seal::key)
                                .map(this::sealKey),
                        pair.snapshotEvery(),
                        owed(keep)),
                this::serving,
                clock,
                PairMetrics.embedded(pair.pair()));
    }

    private Supplier<SealKeys.State> sealKey(String arn) {
        KmsSealKeys keys = new KmsSealKeys(aws.kms(Arn.fromString(arn).region().orElse(region)));
        return () -> keys.state(arn);
    }

    /** The proofs of {@link #snapshotStores}; none below the rung {@code proven}. */
    List<Proofs> proofs() {
        return proven()
                ? pair.seen().stream()
                        .<Proofs>map(bucket -> new S3Proofs(aws, bucket, clock))
                        .toList()
                : List.of();
    }

    /** Whether this pair's snapshots are proven. */
    public boolean proven() {
        return pair.stage().compareTo(PairSettings.Stage.PROVEN) >= 0;
    }

    /**
     * What serves now, as the ledger says. In the copy's account nobody can ask it, and the newest
     * snapshot tells the lineage.
     */
    public Serving serving() {
        if (pair.seen().size() < pair.buckets().size()) {
            return new Serving(
                    Side.HOME,
                    Serving.lineage(
                            snapshotStores().stream()
                                    .flatMap(store -> store.newest(TELLING).stream())));
        }
        if (pair.failover().isEmpty()) {
            return Serving.ALWAYS_HOME;
        }
        PairState state = ledger().state();
        return new Serving(state.serving(), state.lineage());
    }

    /** Rotates the logins of the cluster in this region. */
    public RotateLogins rotateLogins() {
        Side side = side();
        PairSettings.Cluster cluster = pair.cluster(side);
        List<LoginSecrets> secrets =
                VaultSetup.places(pair).stream()
                        .filter(it -> !it.copy())
                        .<LoginSecrets>map(
                                it ->
                                        new SecretsManagerLogins(
                                                it.region(),
                                                aws.secretsManager(it.region()),
                                                it.login(),
                                                VaultSetup.intents(pair)))
                        .toList();
        return new RotateLogins(
                VaultSetup.rotated(pair),
                cluster,
                side,
                this::serving,
                leaders(),
                login(),
                new SecretsManagerLogins(
                        region,
                        aws.secretsManager(region),
                        cluster.login(),
                        VaultSetup.intents(pair)),
                secrets.stream().filter(it -> !it.region().equals(region)).toList(),
                snapshotStores().stream()
                        .sorted(Comparator.comparing(it -> !it.region().equals(region)))
                        .toList(),
                clock,
                PairMetrics.embedded(pair.pair()));
    }

    Side side() {
        return sideHere()
                .orElseThrow(
                        () ->
                                new Failure.Terminal(
                                        "wire pair " + pair.pair(),
                                        "none of its clusters is in " + region,
                                        "Deploy this function only where a cluster is"));
    }

    /** The side whose cluster is in this region. */
    Optional<Side> sideHere() {
        return Stream.of(Side.values())
                .filter(side -> side == Side.HOME || pair.dr().isPresent())
                .filter(side -> pair.cluster(side).region().equals(region))
                .findFirst();
    }

    /** Where a function may put large files. */
    public Path scratch() {
        return Path.of(System.getProperty("java.io.tmpdir"), "vault-dr");
    }

    private static Function<Side, Optional<String>> authorities(
            String region, AwsClients aws, Optional<String> caPath) {
        SsmParameters parameters = new SsmParameters(aws.ssm(region));
        return side -> caPath.flatMap(path -> parameters.find(path + "/" + side));
    }

    /** What only exists from the rung {@code observe} on. */
    public PairSettings.Failover failover() {
        return pair.failover()
                .orElseThrow(
                        () ->
                                new Failure.Terminal(
                                        "wire pair " + pair.pair(),
                                        "its settings have no failover part",
                                        "Raise its stage to observe or higher and deploy it"));
    }

    /** The DR cluster. */
    public PairSettings.Cluster dr() {
        return pair.dr()
                .orElseThrow(
                        () ->
                                new Failure.Terminal(
                                        "wire pair " + pair.pair(),
                                        "its settings have no DR cluster",
                                        "Configure the pair's dr part and deploy it"));
    }

    private String drRegion() {
        return dr().region();
    }

    /** Not a concurrent map's computeIfAbsent: making one adapter may ask for another. */
    private synchronized <T> T once(Class<T> type, Supplier<T> make) {
        Object adapter = made.get(type);
        if (adapter == null) {
            adapter = make.get();
            made.put(type, adapter);
        }
        return type.cast(adapter);
    }
}
