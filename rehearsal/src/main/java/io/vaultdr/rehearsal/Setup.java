package io.vaultdr.rehearsal;

import io.vaultdr.infra.config.Config;
import io.vaultdr.infra.config.PairSettingsMaker;
import io.vaultdr.infra.setup.SetupScript;
import io.vaultdr.rehearsal.world.ProcessStarter;
import io.vaultdr.rehearsal.world.World;
import io.vaultdr.testing.Environment;

import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.secretsmanager.SecretsManagerClient;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Prepares home as a customer does: with the very script that {@code vault-dr setup} prints. */
final class Setup {
    private static final Duration LIMIT = Duration.ofMinutes(5);

    private Setup() {}

    /**
     * Runs the script.
     *
     * @param leader the address of the node that leads, past all links
     * @param aws where AWS calls go
     */
    static void run(
            Config config,
            Fleet fleet,
            URI leader,
            URI aws,
            Path directory,
            ProcessStarter processes)
            throws IOException {
        Config.Pair pair = config.pair(Configuration.PAIR).orElseThrow();
        Path script =
                Files.writeString(
                        directory.resolve("setup.sh"),
                        SetupScript.of(
                                PairSettingsMaker.settings(config, pair, "none"),
                                pair.proving().map(Config.Prove::recover).orElse(List.of()),
                                PairSettingsMaker.names(config, pair)::roleArn));
        Path output = directory.resolve("setup.log");
        var shell =
                Operator.signedIn(new ProcessBuilder("/bin/sh", script.toString()), aws)
                        .redirectErrorStream(true)
                        .redirectOutput(output.toFile());
        Path bao = Environment.bao().getParent();
        Path programs = Environment.program("aws").getParent();
        shell.environment()
                .putAll(
                        Map.of(
                                "PATH",
                                bao + ":" + programs + ":" + System.getenv("PATH"),
                                "BAO_ADDR",
                                leader.toString(),
                                "BAO_TOKEN",
                                fleet.rootToken(),
                                "BAO_CACERT",
                                fleet.tls().ca().toString()));
        Process process = processes.start(shell);
        try {
            if (!process.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS) || process.exitValue() != 0) {
                process.destroyForcibly();
                throw new IllegalStateException(
                        "setup.sh failed; it said: " + Files.readString(output));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while setup.sh ran", e);
        }
    }

    /**
     * What a customer brings for proofs: the server's binary, and the seal's key as a secret.
     *
     * @param sealKey in base64
     */
    static void bringServer(World world, String sealKey) {
        try (S3Client s3 = world.aws().at(S3Client.builder(), Configuration.DR).build();
                SecretsManagerClient secrets =
                        world.aws().at(SecretsManagerClient.builder(), Configuration.DR).build()) {
            s3.putObject(
                    it ->
                            it.bucket(
                                            Stage.function(
                                                    "servers-"
                                                            + Configuration.ACCOUNT
                                                            + "-"
                                                            + Configuration.DR))
                                    .key(Configuration.SERVER),
                    Environment.bao());
            secrets.createSecret(it -> it.name(Configuration.SEAL_KEY).secretString(sealKey));
        }
    }

    /** The hash of the server's binary, as a customer writes it down. */
    static String serverHash() {
        try (InputStream in = Files.newInputStream(Environment.bao())) {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            in.transferTo(new DigestOutputStream(OutputStream.nullOutputStream(), digest));
            return HexFormat.of().formatHex(digest.digest());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java runtime has SHA-256", e);
        }
    }
}
