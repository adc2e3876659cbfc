package io.vaultdr.infra.setup;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vaultdr.model.PairId;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.testing.BaoCluster;
import io.vaultdr.testing.Clusters;
import io.vaultdr.testing.Environment;
import io.vaultdr.testing.Eventually;
import io.vaultdr.testing.Moto;
import io.vaultdr.testing.ServerProcess;
import io.vaultdr.vault.Login.Intent;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** The printed script as it is, run with the real commands against a real cluster and moto. */
abstract class SetupScriptCases {
    static final String HOME = "eu-west-1";
    static final String DR = "eu-central-1";
    @TempDir static Path directory;
    static Moto moto;
    static BaoCluster cluster;
    private static ServerProcess aws;
    static Path commands;

    record Run(int status, String output) {}

    @BeforeAll
    static void startAll() throws IOException {
        moto = Moto.start();
        cluster = BaoCluster.running(1);
        String python = Environment.program("python").toString();
        Path program =
                Path.of(
                        System.getProperty("vaultdr.root"),
                        "infra-cdk/src/test/python/aws_loaded_once.py");
        // Short, as the path of a socket has to be.
        Path socket = directory.resolve("s");
        aws =
                ServerProcess.start(
                        List.of(python, program.toString(), "serve", socket.toString()),
                        // Where it keeps the credentials of roles, as it is loaded: nobody else's.
                        Map.of("HOME", directory.toString()),
                        directory.resolve("aws.log"));
        Eventually.await(
                "the aws command is loaded",
                Duration.ofSeconds(30),
                () -> {
                    assertTrue(aws.alive(), aws::tail);
                    return Files.exists(socket);
                });
        commands = Files.createDirectory(directory.resolve("bin"));
        shim("bao", Environment.bao().toString());
        shim("aws", python + " -S -E " + program + " call " + socket);
    }

    /** Stands before the real command and writes down what a process list would show. */
    private static void shim(String command, String real) throws IOException {
        Path shim =
                Files.writeString(
                        commands.resolve(command),
                        "#!/bin/sh\nprintf '%s\\n' \"$0 $*\" >> '"
                                + directory.resolve("arguments")
                                + "'\nexec "
                                + real
                                + " \"$@\"\n");
        assertTrue(shim.toFile().setExecutable(true));
    }

    @AfterAll
    static void endAll() {
        aws.close();
        cluster.close();
        moto.close();
    }

    static PairSettings pair() {
        return settings(Optional.of(drCluster()));
    }

    static PairSettings alone() {
        return settings(Optional.empty());
    }

    static PairSettings.Cluster drCluster() {
        PairSettings.Cluster home = Clusters.of(cluster.addresses());
        return new PairSettings.Cluster(
                DR,
                home.address(),
                home.nodes(),
                Optional.empty(),
                "payments-dr/it's",
                Optional.empty(),
                Optional.empty(),
                1,
                Optional.empty(),
                Optional.empty());
    }

    static PairSettings settings(Optional<PairSettings.Cluster> dr) {
        return settings(PairSettings.Stage.APPROVAL, dr, List.of());
    }

    static PairSettings settings(
            PairSettings.Stage stage,
            Optional<PairSettings.Cluster> dr,
            List<PairSettings.Bucket> buckets) {
        return new PairSettings(
                new PairId("payments"),
                PairSettings.Edition.OPENBAO,
                stage,
                Moto.ACCOUNT,
                Clusters.of(cluster.addresses()),
                dr,
                buckets,
                List.of(),
                Optional.empty(),
                Optional.empty(),
                Duration.ofSeconds(10),
                Duration.ofMinutes(15),
                "arn:aws:sns:eu-west-1:123456789012:topic");
    }

    static Run run(PairSettings pair, Map<String, String> more) throws Exception {
        Path script =
                Files.writeString(
                        directory.resolve("setup.sh"),
                        SetupScript.of(pair, List.of("kv/team/*"), SetupScriptCases::roleArn));
        ProcessBuilder builder =
                new ProcessBuilder("/bin/sh", script.toString()).redirectErrorStream(true);
        Map<String, String> environment = builder.environment();
        environment.put("PATH", commands + ":" + environment.get("PATH"));
        environment.put("BAO_ADDR", cluster.leader().address().toString());
        environment.put("BAO_TOKEN", cluster.rootToken());
        environment.putAll(moto.environment(HOME));
        // There aws keeps the credentials of roles for an hour; another moto doesn't know them.
        environment.put("HOME", directory.toString());
        environment.putAll(more);
        Process process = builder.start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(process.waitFor(120, TimeUnit.SECONDS));
        return new Run(process.exitValue(), output);
    }

    static String roleArn(String region, String purpose) {
        return "arn:aws:iam::" + Moto.ACCOUNT + ":role/vd-payments-" + purpose + "-" + region;
    }

    static String stored(String region, String login, Intent intent) {
        return moto.clients()
                .secretsManager(region)
                .getSecretValue(it -> it.secretId(login + "/" + intent))
                .secretString();
    }
}
