package io.vaultdr.infra;

import io.github.cdklabs.cdknag.AwsSolutionsChecks;
import io.vaultdr.infra.config.Config;
import io.vaultdr.infra.config.Config.Pair;
import io.vaultdr.infra.config.ConfigFile;
import io.vaultdr.infra.config.ConfigFile.Loaded;
import io.vaultdr.infra.config.Mistake;
import io.vaultdr.infra.config.Names;
import io.vaultdr.infra.config.PairSettingsMaker;
import io.vaultdr.infra.stack.BackupStack;
import io.vaultdr.infra.stack.ClusterStack;
import io.vaultdr.infra.stack.DrillStack;
import io.vaultdr.infra.stack.FailoverStack;
import io.vaultdr.infra.stack.FlagStack;
import io.vaultdr.infra.stack.ImageStack;
import io.vaultdr.infra.stack.ProofStack;
import io.vaultdr.infra.stack.TrafficStack;
import io.vaultdr.infra.stack.VantageStack;
import io.vaultdr.infra.stack.WatchStack;

import software.amazon.awscdk.App;
import software.amazon.awscdk.AppProps;
import software.amazon.awscdk.Aspects;
import software.amazon.awscdk.Stack;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The CDK app: reads one configuration and makes all stacks of it, each for one region. */
public final class VaultDrApp {
    private static final Path FUNCTIONS = Path.of("../functions/target/vault-dr-functions.zip");

    private VaultDrApp() {}

    /**
     * A stack that was synthesised.
     *
     * @param template its template, JSON
     */
    public record SynthesisedStack(String name, String region, Path template) {}

    /**
     * Synthesises all stacks, without any call to AWS; a VPC without subnets in the configuration
     * gets placeholders.
     *
     * @param config a configuration that names its account
     * @param functionsZip the zip that Maven built
     * @param outdir where templates and assets go
     */
    public static List<SynthesisedStack> synth(Config config, Path functionsZip, Path outdir) {
        App app = app(outdir, false);
        List<Stack> stacks = stacks(app, config, functionsZip);
        app.synth();
        return stacks.stream()
                .map(
                        stack ->
                                new SynthesisedStack(
                                        stack.getStackName(),
                                        stack.getRegion(),
                                        outdir.resolve(stack.getTemplateFile())))
                .toList();
    }

    /** An app that writes to {@code outdir}. */
    static App app(Path outdir, boolean checked) {
        App app =
                new App(
                        AppProps.builder()
                                .outdir(outdir.toString())
                                .analyticsReporting(false)
                                .context(FLAGS)
                                .build());
        if (checked) {
            check(app);
        }
        return app;
    }

    private static final Map<String, Object> FLAGS =
            Map.of(
                    // One permission per alarm, since several call the same function.
                    "@aws-cdk/aws-cloudwatch-actions:changeLambdaPermissionLogicalIdForLambdaAction",
                    true,
                    "@aws-cdk/aws-lambda:recognizeLayerVersion",
                    true,
                    "@aws-cdk/aws-lambda:recognizeVersionProps",
                    true,
                    "@aws-cdk/core:checkSecretUsage",
                    true,
                    "@aws-cdk/core:stackRelativeExports",
                    true);

    private static void check(App app) {
        Aspects.of(app).add(AwsSolutionsChecks.Builder.create().verbose(true).build());
    }

    /** The stacks of {@code config}, in the order in which a first deployment goes well. */
    static List<Stack> stacks(App app, Config config, Path zip) {
        if (!Files.isRegularFile(zip)) {
            throw new IllegalArgumentException(
                    zip + ": not there, expected the functions' zip; build it with mvn package");
        }
        List<Stack> stacks = new ArrayList<>();
        for (Pair pair : config.pairs()) {
            Names names = PairSettingsMaker.names(config, pair);
            for (String region : pair.backupRegions()) {
                stacks.add(
                        new BackupStack(
                                app, names.of("backup-" + region), config, pair, region, zip));
            }
            if (pair.servers().isPresent()) {
                stacks.add(new ImageStack(app, names.of("image"), config, pair));
            }
            for (String region : pair.clusterRegions()) {
                stacks.add(
                        new ClusterStack(
                                app, names.of("cluster-" + region), config, pair, region, zip));
            }
            Pair there = pair.there();
            if (there.inCopyAccount()) {
                String region = pair.proofRegion();
                stacks.add(
                        new BackupStack(
                                app, names.of("copy-" + region), config, there, region, zip));
            }
            if (pair.proving().isPresent()) {
                stacks.add(new ProofStack(app, names.of("proof"), config, there, zip));
                stacks.add(new DrillStack(app, names.of("drill"), config, pair, zip));
            }
            stacks.add(new WatchStack(app, names.of("watch"), config, pair));
            if (pair.probed()) {
                stacks.add(new FailoverStack(app, names.of("failover"), config, pair, zip));
                if (pair.traffic().isPresent()) {
                    Stack traffic = new TrafficStack(app, names.of("traffic"), config, pair);
                    stacks.add(traffic);
                    config.witness(pair)
                            .map(
                                    region ->
                                            new FlagStack(
                                                    app,
                                                    names.of("traffic-" + region),
                                                    config,
                                                    pair,
                                                    region))
                            .ifPresent(
                                    witness -> {
                                        stacks.add(witness);
                                        witness.before(traffic);
                                    });
                }
            }
        }
        if (!config.probedPairs().isEmpty()) {
            for (String region : config.vantages().keySet()) {
                stacks.add(
                        new VantageStack(
                                app, config.prefix() + "-vantage-" + region, config, region, zip));
            }
        }
        return stacks;
    }

    /**
     * What {@code cdk} runs. The configuration is named by {@code -c config=FILE}, else {@code
     * vault-dr.yaml}; the account is the configuration's or the one that {@code cdk} is signed in
     * to.
     */
    public static void main(String[] arguments) {
        App app =
                new App(AppProps.builder().analyticsReporting(false).postCliContext(FLAGS).build());
        Path file =
                Path.of(
                        Optional.ofNullable(app.getNode().tryGetContext("config"))
                                .map(Object::toString)
                                .orElse("vault-dr.yaml"));
        Path zip =
                Optional.ofNullable(app.getNode().tryGetContext("functions"))
                        .map(context -> Path.of(context.toString()))
                        .orElse(FUNCTIONS);
        switch (loaded(file)) {
            case Loaded.Bad(List<Mistake> mistakes) -> {
                System.err.println(file + ":");
                mistakes.forEach(mistake -> System.err.println("  " + mistake));
                System.exit(1);
            }
            case Loaded.Good(Config config) -> {
                Optional<String> signedIn =
                        Optional.ofNullable(System.getenv("CDK_DEFAULT_ACCOUNT"));
                Optional<String> account = config.account().or(() -> signedIn);
                if (account.isEmpty()) {
                    System.err.println(
                            file
                                    + ": account: read nothing, expected 12 digits, or AWS"
                                    + " credentials from which cdk finds it out");
                    System.exit(1);
                }
                stacks(app, config.inAccount(account.orElseThrow()), zip);
                check(app);
                app.synth();
            }
        }
    }

    private static Loaded loaded(Path file) {
        try {
            return ConfigFile.load(file);
        } catch (IOException e) {
            return new Loaded.Bad(
                    List.of(
                            new Mistake(
                                    1,
                                    "file",
                                    "nothing (" + e + ")",
                                    "a configuration; name another with -c config=FILE")));
        }
    }
}
