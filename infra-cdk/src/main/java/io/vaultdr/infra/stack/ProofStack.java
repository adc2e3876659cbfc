package io.vaultdr.infra.stack;

import io.vaultdr.infra.config.Config;
import io.vaultdr.infra.config.Config.Network;
import io.vaultdr.infra.config.Config.Pair;
import io.vaultdr.infra.config.Config.Prove;
import io.vaultdr.infra.config.Names;
import io.vaultdr.infra.config.PairSettingsMaker;
import io.vaultdr.infra.config.Sizes;
import io.vaultdr.infra.construct.Buckets;
import io.vaultdr.infra.construct.IsolatedNetwork;
import io.vaultdr.infra.construct.Networks;
import io.vaultdr.infra.construct.Pages;
import io.vaultdr.infra.construct.PairFunctions;
import io.vaultdr.infra.construct.PairFunctions.Shape;
import io.vaultdr.infra.construct.VaultDrFunction;
import io.vaultdr.infra.construct.VaultDrFunction.Reach;
import io.vaultdr.infra.iam.Allowance;
import io.vaultdr.infra.iam.ProvePolicy;
import io.vaultdr.runtime.ProofSettings;

import software.amazon.awscdk.App;
import software.amazon.awscdk.RemovalPolicy;
import software.amazon.awscdk.services.cloudwatch.ComparisonOperator;
import software.amazon.awscdk.services.cloudwatch.TreatMissingData;
import software.amazon.awscdk.services.events.EventPattern;
import software.amazon.awscdk.services.kms.Alias;
import software.amazon.awscdk.services.kms.IKey;
import software.amazon.awscdk.services.kms.Key;
import software.amazon.awscdk.services.s3.BucketEncryption;
import software.amazon.awscdk.services.s3.LifecycleRule;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * Proves snapshots in the region that a failover restores from: each is restored by a real server
 * inside a function, in a network without a way out. The Backup stack of the same region has
 * bucket, key and topic.
 */
public final class ProofStack extends VaultDrStack {
    private static final Duration LONGEST = Duration.ofMinutes(15);

    private final Names names;
    private final Pair pair;
    private final Prove prove;
    private final String region;
    private final ProofSettings settings;
    private final PairFunctions functions;

    public ProofStack(App app, String name, Config config, Pair pair, Path zip) {
        super(
                app,
                name,
                config,
                PairSettingsMaker.names(config, pair).account(),
                pair.proofRegion(),
                "Proofs of " + pair.id() + "'s snapshots, in isolation",
                false);
        this.names = PairSettingsMaker.names(config, pair);
        this.pair = pair;
        this.prove = pair.proving().orElseThrow();
        this.region = pair.proofRegion();
        this.settings = PairSettingsMaker.proof(config, pair);
        Pages pages = Pages.named(this, names.pagesArn(region));
        this.functions =
                new PairFunctions(
                        config,
                        pair,
                        region,
                        zip,
                        pages,
                        pages.undelivered(this, names.of("undelivered-proof")));
        if (Stream.concat(Stream.of(prove.server()), prove.sealPlugin().stream())
                .anyMatch(it -> it.bucket().isEmpty())) {
            // Public binaries, checked by their hash: nothing that wants a key.
            Buckets.build(
                    Buckets.builder(this, "Servers", names.servers(region))
                            .encryption(BucketEncryption.S3_MANAGED));
        }
        Reach reach = reach();
        proveSnapshot(reach);
        if (!prove.recover().isEmpty()) {
            restoreSecret(reach);
        }
        alarms(pages);
    }

    private Reach reach() {
        return prove.network().map(this::brought).orElseGet(this::isolated);
    }

    private Reach brought(Network network) {
        Networks networks = new Networks(this);
        return new Reach(networks.vpc(network), networks.subnets(network), Set.of());
    }

    /** Its endpoints let through what the functions in it may do, and nothing else. */
    private Reach isolated() {
        List<ProvePolicy> policies =
                Stream.of(false, true)
                        .filter(recovers -> !recovers || !prove.recover().isEmpty())
                        .map(recovers -> new ProvePolicy(names, settings, recovers))
                        .toList();
        return new IsolatedNetwork(
                        this,
                        "Network",
                        names,
                        region,
                        "proof",
                        all(policies, ProvePolicy::objects),
                        all(policies, ProvePolicy::seal),
                        all(policies, ProvePolicy::secrets))
                .reach();
    }

    private static List<Allowance> all(
            List<ProvePolicy> policies, Function<ProvePolicy, List<Allowance>> part) {
        return policies.stream().map(part).flatMap(List::stream).distinct().toList();
    }

    private void proveSnapshot(Reach reach) {
        VaultDrFunction function =
                functions.function(
                        this,
                        "ProveSnapshot",
                        "prove-snapshot",
                        shape("Restores snapshots and reads them back", false, reach));
        function.on("Event", s3("Object Created", "manifests/"), "a snapshot is committed");
        // Thawing takes hours, and nothing waits for it.
        function.on(
                "Thawed",
                s3("Object Restore Completed", "archives/"),
                "an archive is back from a Glacier class");
        // An event may be lost, or its run die: the newest that isn't proven yet is looked for.
        Duration every = settings.sweepEvery();
        function.schedule(BackupStack.schedule(every), every);
        function.dryRunDaily("live");
    }

    /** What S3 tells EventBridge of objects in the bucket that is proven from. */
    private EventPattern s3(String detailType, String prefix) {
        return EventPattern.builder()
                .source(List.of("aws.s3"))
                .detailType(List.of(detailType))
                .detail(
                        new TreeMap<>(
                                Map.of(
                                        "bucket",
                                        Map.of("name", List.of(settings.bucket().name())),
                                        "object",
                                        Map.of("key", List.of(Map.of("prefix", prefix))))))
                .build();
    }

    private void restoreSecret(Reach reach) {
        Buckets.build(
                Buckets.builder(this, "Recovered", names.recovered(region))
                        .encryption(BucketEncryption.KMS)
                        .encryptionKey(
                                names.existingKey(region)
                                        .<IKey>map(it -> Key.fromKeyArn(this, "SnapshotKey", it))
                                        .orElseGet(
                                                () ->
                                                        Alias.fromAliasName(
                                                                this,
                                                                "SnapshotKey",
                                                                names.snapshotKeyAlias())))
                        .bucketKeyEnabled(true)
                        // What is gone after a day has to be gone.
                        .versioned(false)
                        .removalPolicy(RemovalPolicy.DESTROY)
                        .lifecycleRules(
                                List.of(
                                        LifecycleRule.builder()
                                                .id("a-day")
                                                .expiration(software.amazon.awscdk.Duration.days(1))
                                                .abortIncompleteMultipartUploadAfter(
                                                        software.amazon.awscdk.Duration.days(1))
                                                .build())));
        functions
                .function(
                        this,
                        "RestoreSecret",
                        "restore-secret",
                        shape("Brings single secrets back out of a snapshot", true, reach))
                .dryRunDaily("live");
    }

    private Shape shape(String description, boolean recovers, Reach reach) {
        long largest = settings.largestSnapshotBytes();
        return Shape.inside(description, LONGEST, new ProvePolicy(names, settings, recovers), reach)
                .sized(Sizes.proofMemory(largest), Sizes.proofScratch(largest))
                // What the function takes for itself; the rest is the server's.
                .hashing("-Xmx256m")
                .told("PROOF", settings);
    }

    private void alarms(Pages pages) {
        pages.alarm(
                this,
                "Refuted",
                Pages.Raise.onAny(
                        names.of("proof-refuted"),
                        "A snapshot of "
                                + pair.id()
                                + " can't be restored, or doesn't hold what it should.",
                        "proof-refuted",
                        BackupStack.metric(names, "ProofRefuted", "Sum", 5)));
        pages.alarm(
                this,
                "Undecided",
                new Pages.Raise(
                        names.of("proof-undecided"),
                        "Something that is no snapshot's fault keeps snapshots of "
                                + pair.id()
                                + " from being proven.",
                        "proof-undecided",
                        BackupStack.metric(names, "ProofUndecided", "Sum", 60),
                        ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
                        // The first is tried again by itself.
                        2,
                        1,
                        TreatMissingData.NOT_BREACHING));
        pages.alarm(
                this,
                "Large",
                new Pages.Raise(
                        names.of("proof-large"),
                        "A proof of "
                                + pair.id()
                                + " took 70 % of its function's memory: snapshots grow towards"
                                + " what is provable there.",
                        "proof-large",
                        BackupStack.metric(names, "ProofMemoryUse", "Maximum", 60),
                        ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
                        70,
                        1,
                        TreatMissingData.NOT_BREACHING));
    }
}
