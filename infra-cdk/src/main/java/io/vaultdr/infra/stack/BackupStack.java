package io.vaultdr.infra.stack;

import io.vaultdr.cluster.VaultSetup;
import io.vaultdr.infra.config.Config;
import io.vaultdr.infra.config.Config.Cluster;
import io.vaultdr.infra.config.Config.Pair;
import io.vaultdr.infra.config.Config.Prove;
import io.vaultdr.infra.config.Names;
import io.vaultdr.infra.config.PairSettingsMaker;
import io.vaultdr.infra.config.Sizes;
import io.vaultdr.infra.config.Warnings;
import io.vaultdr.infra.construct.Certificates;
import io.vaultdr.infra.construct.Networks;
import io.vaultdr.infra.construct.Pages;
import io.vaultdr.infra.construct.PairFunctions;
import io.vaultdr.infra.construct.PairFunctions.Shape;
import io.vaultdr.infra.construct.ServerDocument;
import io.vaultdr.infra.construct.SnapshotBucket;
import io.vaultdr.infra.construct.Times;
import io.vaultdr.infra.construct.VaultDrFunction;
import io.vaultdr.infra.construct.VaultDrFunction.Reach;
import io.vaultdr.infra.iam.CopyGrants;
import io.vaultdr.infra.iam.FreshnessCheckPolicy;
import io.vaultdr.infra.iam.RetentionPolicy;
import io.vaultdr.infra.iam.RotateLoginsPolicy;
import io.vaultdr.infra.iam.TakeSnapshotPolicy;

import software.amazon.awscdk.Annotations;
import software.amazon.awscdk.App;
import software.amazon.awscdk.services.cloudwatch.ComparisonOperator;
import software.amazon.awscdk.services.cloudwatch.Metric;
import software.amazon.awscdk.services.cloudwatch.TreatMissingData;
import software.amazon.awscdk.services.events.CronOptions;
import software.amazon.awscdk.services.events.Schedule;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/**
 * A pair's snapshots in one region: bucket and key, the function that takes them where a cluster
 * is, the check of their age, and who is told. With a copy in another account that region's bucket,
 * key, Retention and check stand there, and what only reaches for them stays in home's.
 */
public final class BackupStack extends VaultDrStack {
    public BackupStack(App app, String name, Config config, Pair pair, String region, Path zip) {
        super(
                app,
                name,
                config,
                PairSettingsMaker.names(config, pair).account(),
                region,
                "Snapshots of " + pair.id() + " in " + region,
                true);
        Names names = PairSettingsMaker.names(config, pair);
        Pages pages = Pages.create(this, names.pages(), pair.pages());
        if (pair.made()) {
            pages.allowRules(names, region);
        }
        PairFunctions functions =
                new PairFunctions(
                        config,
                        pair,
                        region,
                        zip,
                        pages,
                        pages.undelivered(this, names.of("undelivered-backup")));
        if (!pair.inCopyAccount()) {
            Certificates.create(this, names.caPath(), pair);
        }
        Optional<Cluster> cluster = cluster(pair, region);
        cluster.ifPresent(
                it -> {
                    Reach reach = Reach.to(new Networks(this), it);
                    takeSnapshot(functions, names, pair, it, reach);
                    rotateLogins(functions, pages, config, pair, it, reach);
                });
        if (names.owns(region)) {
            if (names.existingKey(region).isEmpty()) {
                SnapshotBucket bucket =
                        new SnapshotBucket(this, "Snapshots", names, region, pair.snapshots());
                if (pair.inCopyAccount()) {
                    bucket.grant(CopyGrants.of(config, pair));
                }
            }
            if (cluster.isPresent() || pair.inCopyAccount()) {
                retention(functions, pages, names, pair);
            }
            freshnessCheck(functions, pages, config, pair, region);
        }
        pages.alarm(
                this,
                "DryRunFailed",
                Pages.Raise.onAny(
                        names.of("dry-run-failed"),
                        "A function of "
                                + pair.id()
                                + " didn't get to its last call in its daily dry run.",
                        "dry-run-failed",
                        metric(names, "DryRunFailed", "Sum", 5)));
        Warnings.of(pair).forEach(it -> Annotations.of(this).addWarningV2("vault-dr", it));
        if (pair.probed() && region.equals(pair.home().region())) {
            ServerDocument.stop(this, names.of("stop"), pair.service().unit());
        }
    }

    /** The cluster that stands in {@code region}, for the functions that talk to one. */
    private static Optional<Cluster> cluster(Pair pair, String region) {
        return region.equals(pair.home().region())
                ? Optional.of(pair.home())
                : pair.dr().filter(dr -> pair.probed());
    }

    private void takeSnapshot(
            PairFunctions functions, Names names, Pair pair, Cluster cluster, Reach reach) {
        VaultDrFunction function =
                functions.function(
                        this,
                        "TakeSnapshot",
                        "take-snapshot",
                        owing(
                                pair,
                                Shape.inside(
                                                "Takes a snapshot of "
                                                        + pair.id()
                                                        + ", if this side serves",
                                                Duration.ofMinutes(15),
                                                new TakeSnapshotPolicy(
                                                        names, pair, cluster.region()),
                                                reach)
                                        // One whole core: hashing keeps up with the network.
                                        .sized(1_769, Sizes.scratch(pair.snapshots().largest()))
                                        .hashing()));
        Duration every = pair.snapshots().every();
        function.schedule(schedule(every), every);
        // On the side that doesn't serve the scheduled run ends before it reaches the servers.
        function.dryRunDaily("live");
    }

    /** What stays everywhere is what buckets of several accounts owe each other. */
    private static Shape owing(Pair pair, Shape shape) {
        return pair.copyAccount().isPresent()
                ? shape.told("RETENTION", pair.snapshots().keep())
                : shape;
    }

    private void retention(PairFunctions functions, Pages pages, Names names, Pair pair) {
        VaultDrFunction function =
                functions.function(
                        this,
                        "Retention",
                        "retention",
                        Shape.outside(
                                        "Deletes what nothing keeps of "
                                                + pair.id()
                                                + "'s snapshots"
                                                + (pair.copyAccount().isPresent()
                                                        ? " in this account"
                                                        : ", if this side serves"),
                                        Duration.ofMinutes(15),
                                        new RetentionPolicy(names, pair))
                                .sized(1_024, 512)
                                .told("RETENTION", pair.snapshots().keep()));
        function.schedule(
                Schedule.cron(CronOptions.builder().minute("23").build()), Duration.ofHours(1));
        // Each hour it only waits where something doesn't answer, or where the other side serves.
        function.dryRunDaily("live");
        pages.alarm(
                this,
                "Frozen",
                new Pages.Raise(
                        names.of("retention-frozen"),
                        "Snapshots of "
                                + pair.id()
                                + " have shrunk suspiciously: nothing is deleted until a person"
                                + " has looked.",
                        "retention-frozen",
                        metric(names, "RetentionFrozen", "Maximum", 60),
                        ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
                        1,
                        1,
                        TreatMissingData.IGNORE));
    }

    private void rotateLogins(
            PairFunctions functions,
            Pages pages,
            Config config,
            Pair pair,
            Cluster cluster,
            Reach reach) {
        Names names = PairSettingsMaker.names(config, pair);
        VaultDrFunction function =
                functions.function(
                        this,
                        "RotateLogins",
                        "rotate-logins",
                        Shape.inside(
                                "Renews the secret ids of the logins to "
                                        + pair.id()
                                        + ", if this side serves",
                                Duration.ofMinutes(5),
                                new RotateLoginsPolicy(
                                        names,
                                        pair,
                                        VaultSetup.places(
                                                PairSettingsMaker.settings(
                                                        config, pair, pages.arn())),
                                        cluster),
                                reach));
        function.schedule(
                Schedule.cron(CronOptions.builder().minute("37").build()), Duration.ofHours(1));
        function.dryRunDaily("live");
        pages.alarm(
                this,
                "LoginsUnrotated",
                new Pages.Raise(
                        names.of("logins-unrotated"),
                        "Logins to "
                                + pair.id()
                                + " are old, or not the same in every region, and RotateLogins"
                                + " can't put it right.",
                        "logins-unrotated",
                        metric(names, "LoginProblems", "Maximum", 60),
                        ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
                        1,
                        3,
                        TreatMissingData.NOT_BREACHING));
    }

    private void freshnessCheck(
            PairFunctions functions, Pages pages, Config config, Pair pair, String region) {
        Names names = PairSettingsMaker.names(config, pair);
        Shape shape =
                Shape.outside(
                        "Says how old the newest snapshots of " + pair.id() + " are",
                        Duration.ofSeconds(50),
                        new FreshnessCheckPolicy(names, pair, region));
        VaultDrFunction function =
                functions.function(
                        this,
                        "FreshnessCheck",
                        "freshness-check",
                        owing(
                                pair,
                                pair.proving().isPresent()
                                        ? shape.told("PROOF", PairSettingsMaker.proof(config, pair))
                                        : shape));
        function.schedule(VaultDrFunction.EVERY_MINUTE, Duration.ofMinutes(1));
        pair.proving().ifPresent(prove -> proofAlarms(pages, names, pair, prove, region));
        pages.alarm(
                this,
                "TooOld",
                new Pages.Raise(
                        names.of("snapshot-too-old"),
                        "The newest snapshot of "
                                + pair.id()
                                + " in "
                                + region
                                + " is older than it may be, or nobody could tell.",
                        "snapshot-too-old",
                        metric(names, "SnapshotAgeSeconds", "Maximum", 1),
                        ComparisonOperator.GREATER_THAN_THRESHOLD,
                        pair.timings().snapshotMaxAge().toSeconds(),
                        5,
                        TreatMissingData.BREACHING));
        pages.alarm(
                this,
                "Degraded",
                new Pages.Raise(
                        names.of("snapshot-degraded"),
                        "Snapshots of "
                                + pair.id()
                                + " don't reach every bucket, or were taken without the ledger.",
                        "snapshot-degraded",
                        metric(names, "SnapshotDegraded", "Maximum", 1),
                        ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
                        1,
                        5,
                        TreatMissingData.NOT_BREACHING));
    }

    /** What is raised when proofs stop, or would fail from now on. */
    private void proofAlarms(Pages pages, Names names, Pair pair, Prove prove, String region) {
        pages.alarm(
                this,
                "ProofTooOld",
                new Pages.Raise(
                        names.of("proof-too-old"),
                        "The newest proven snapshot of "
                                + pair.id()
                                + " in "
                                + region
                                + " is older than it may be, or nobody could tell.",
                        "proof-too-old",
                        metric(names, "ProvenAgeSeconds", "Maximum", 1),
                        ComparisonOperator.GREATER_THAN_THRESHOLD,
                        prove.maxAge().toSeconds(),
                        5,
                        TreatMissingData.BREACHING));
        if (prove.seal().keyId().isEmpty()) {
            pages.alarm(
                    this,
                    "SealKeyUnusable",
                    new Pages.Raise(
                            names.of("seal-key-unusable"),
                            "The key that opens every snapshot of "
                                    + pair.id()
                                    + " is disabled, is to be deleted, or can't be looked at.",
                            "seal-key-unusable",
                            metric(names, "SealKeyUsable", "Minimum", 1),
                            ComparisonOperator.LESS_THAN_THRESHOLD,
                            1,
                            5,
                            TreatMissingData.NOT_BREACHING));
        }
    }

    /** One of the pair's metrics, over some minutes. */
    static Metric metric(Names names, String name, String statistic, int minutes) {
        return Metric.Builder.create()
                .namespace("VaultDr")
                .metricName(name)
                .dimensionsMap(Map.of("Pair", names.pair().value()))
                .statistic(statistic)
                .period(Times.minutes(minutes))
                .build();
    }

    /** On the minutes or hours that are multiples of {@code every}. */
    static Schedule schedule(Duration every) {
        long minutes = every.toMinutes();
        CronOptions.Builder cron = CronOptions.builder();
        return Schedule.cron(
                minutes < 60
                        ? cron.minute("0/" + minutes).build()
                        : minutes == 60
                                ? cron.minute("0").build()
                                : cron.minute("0").hour("0/" + minutes / 60).build());
    }
}
