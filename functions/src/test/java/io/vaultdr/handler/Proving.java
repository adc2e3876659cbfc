package io.vaultdr.handler;

import io.vaultdr.aws.S3Artifacts;
import io.vaultdr.aws.S3Bucket;
import io.vaultdr.aws.S3Proofs;
import io.vaultdr.cluster.VaultSetup;
import io.vaultdr.model.Epoch;
import io.vaultdr.model.PairId;
import io.vaultdr.model.Secret;
import io.vaultdr.model.Side;
import io.vaultdr.runtime.Deadline;
import io.vaultdr.runtime.Directories;
import io.vaultdr.runtime.Json;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.runtime.ProofSettings;
import io.vaultdr.runtime.Wiring;
import io.vaultdr.runtime.WiringOfProof;
import io.vaultdr.snapshot.Artifacts;
import io.vaultdr.snapshot.Manifest;
import io.vaultdr.snapshot.Proof;
import io.vaultdr.snapshot.ProofRequest;
import io.vaultdr.snapshot.ProofRun;
import io.vaultdr.snapshot.SnapshotTaker;
import io.vaultdr.testing.BaoCluster;
import io.vaultdr.testing.Clusters;
import io.vaultdr.testing.Environment;
import io.vaultdr.testing.Moto;
import io.vaultdr.testing.TestLogins;
import io.vaultdr.vault.HttpVaultClients;
import io.vaultdr.vault.LeaderFinder;
import io.vaultdr.vault.Login;

import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.S3Client;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/** A real cluster whose snapshots are taken, moto as AWS, and what proves them. */
final class Proving implements AutoCloseable {
    static final String REGION = "us-east-1";
    static final PairId PAIR = new PairId("payments");
    static final PairSettings.Bucket BUCKET =
            new PairSettings.Bucket(REGION, "snapshots", Moto.ACCOUNT);
    static final String LOGIN = "payments-vault-dr";

    /** More than any server here uses; the tests' own JVM counts as 448 of it. */
    private static final String MEMORY_MIB = "3008";

    private static final Clock CLOCK = Clock.systemUTC();

    final Moto moto = Moto.start();
    final BaoCluster cluster;
    final Path scratch;
    final ProofSettings settings;
    final TestLogins logins;
    private int minute;

    Proving() {
        this(BaoCluster.running(1));
    }

    /**
     * Of a cluster that is initialised already. The program that proofs fetch is two lines that
     * become the server's: it has 180 MB, to be copied and hashed for each.
     */
    Proving(BaoCluster cluster) {
        this(cluster, Proving::becomes);
    }

    /** The program that proofs fetch is the server's own. */
    static Proving byTheProgramItself() {
        return new Proving(BaoCluster.running(1), _ -> Environment.bao());
    }

    private static Path becomes(Path scratch) {
        try {
            return Files.writeString(
                    scratch.resolve("becomes-bao"),
                    "#!/bin/sh\nexec %s \"$@\"\n".formatted(Environment.bao()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Proving(BaoCluster cluster, UnaryOperator<Path> programIn) {
        this.cluster = cluster;
        logins =
                new TestLogins(
                        cluster,
                        moto.clients().secretsManager(REGION),
                        LOGIN,
                        new VaultSetup(List.of("secret/team/*"), false));
        try {
            scratch = Files.createTempDirectory("proving");
            s3().createBucket(it -> it.bucket(BUCKET.name()));
            s3().createBucket(it -> it.bucket("servers"));
            secret(
                    "seal",
                    Base64.getEncoder().encodeToString(Files.readAllBytes(cluster.sealKey())));
            settings =
                    new ProofSettings(
                            BUCKET,
                            artifact("bao", programIn.apply(scratch)),
                            Optional.empty(),
                            Optional.empty(),
                            new ProofSettings.Seal("static", "seal", Optional.of("k1")),
                            LOGIN,
                            64 << 20,
                            Duration.ofMinutes(15),
                            Optional.of(new PairSettings.Bucket(REGION, "recovered", Moto.ACCOUNT)),
                            List.of("secret/team/*"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        cluster.mountKv("vault-dr");
        cluster.mountKv("secret");
        logins.make(Login.Intent.PROVE);
    }

    S3Client s3() {
        return moto.clients().s3(REGION);
    }

    void secret(String name, String value) {
        moto.clients().secretsManager(REGION).createSecret(it -> it.name(name).secretString(value));
    }

    ProofSettings.Artifact artifact(String key, Path file) {
        try {
            s3().putObject(it -> it.bucket("servers").key(key), RequestBody.fromFile(file));
            return new ProofSettings.Artifact("servers", key, sha256(Files.readAllBytes(file)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The server's program where a proof of this scratch space keeps it. */
    Path program(ProofSettings settings) {
        return new S3Artifacts(s3(), scratch.resolve("artifacts")).fetch(settings.server())
                        instanceof Artifacts.Fetched.At(Path program)
                ? program
                : missing();
    }

    private static Path missing() {
        throw new AssertionError("the server's program is not in its bucket");
    }

    static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    PairSettings pair() {
        return new PairSettings(
                PAIR,
                PairSettings.Edition.OPENBAO,
                PairSettings.Stage.PROVEN,
                "123456789012",
                Clusters.of(cluster.addresses()),
                Optional.empty(),
                List.of(BUCKET),
                List.of(),
                Optional.empty(),
                Optional.empty(),
                Duration.ofSeconds(10),
                Duration.ofMinutes(1),
                "arn:aws:sns:us-east-1:123456789012:pages");
    }

    S3Bucket store() {
        return new S3Bucket(moto.clients(), BUCKET, PAIR, CLOCK);
    }

    S3Proofs proofs() {
        return new S3Proofs(moto.clients(), BUCKET, CLOCK);
    }

    Optional<Proof> proof(String id) {
        return proofs().of(id);
    }

    /** Takes a real snapshot of the next minute, into the bucket. */
    Manifest take() {
        Instant scheduled = Instant.parse("2026-11-23T17:00:00Z").plusSeconds(60L * minute++);
        SnapshotTaker taker =
                new SnapshotTaker(
                        pair(),
                        Side.HOME,
                        new LeaderFinder(
                                new HttpVaultClients(
                                        any -> Optional.empty(), HttpVaultClients.Limits.DEFAULT)),
                        node ->
                                new Login.Session(
                                        node,
                                        Secret.of(
                                                cluster.call(
                                                                "POST",
                                                                "auth/token/create",
                                                                Map.of("policies", "root"))
                                                        .body()
                                                        .path("auth")
                                                        .path("client_token")
                                                        .asText()),
                                        Optional.empty()),
                        () ->
                                Login.by(moto.clients().secretsManager(REGION))
                                        .versions(LOGIN, Login.Intent.of(false)),
                        List.of(store()),
                        scratch,
                        CLOCK,
                        () -> UUID.randomUUID().toString().replace("-", ""));
        return taker.take(scheduled, Optional.of(Epoch.ZERO), minutes(2))
                        instanceof SnapshotTaker.Taken.Committed taken
                ? taken.manifest()
                : failed();
    }

    private static Manifest failed() {
        throw new AssertionError("no snapshot was taken");
    }

    /** The same snapshot once more under another id, with its archive and manifest changed. */
    Manifest variant(
            Manifest of,
            String name,
            UnaryOperator<com.fasterxml.jackson.databind.node.ObjectNode> manifest,
            UnaryOperator<byte[]> archive) {
        com.fasterxml.jackson.databind.node.ObjectNode json = Json.MAPPER.valueToTree(of);
        json.put("id", "payments-" + name);
        Manifest changed;
        try {
            changed = Json.MAPPER.treeToValue(manifest.apply(json), Manifest.class);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        byte[] bytes =
                s3().getObjectAsBytes(it -> it.bucket(BUCKET.name()).key(of.archiveKey()))
                        .asByteArray();
        s3().putObject(
                        it -> it.bucket(BUCKET.name()).key(changed.archiveKey()),
                        RequestBody.fromBytes(archive.apply(bytes)));
        store().commit(changed);
        return changed;
    }

    static Deadline minutes(int count) {
        return new Deadline(CLOCK, CLOCK.instant().plus(Duration.ofMinutes(count)));
    }

    WiringOfProof wiring() {
        return wiring(settings, MEMORY_MIB);
    }

    WiringOfProof wiring(ProofSettings other, String memoryMib) {
        return new WiringOfProof(
                new Wiring(REGION, pair(), CLOCK, moto.clients(), Optional.empty()),
                other,
                Map.of("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", memoryMib),
                scratch);
    }

    /** Proves it as it was configured at first, without an event. */
    Proof prove(Manifest snapshot, Consumer<String> entered) {
        return prove(snapshot, wiring(), entered);
    }

    Proof prove(Manifest snapshot, WiringOfProof wiring, Consumer<String> entered) {
        ProofRun.Report report =
                wiring.proofRun(entered)
                        .run(new ProofRequest.Asked(snapshot.id()), "test", minutes(3));
        Proof proof = report.proof().orElseThrow(() -> new AssertionError(report.toString()));
        if (!proof(snapshot.id()).equals(Optional.of(proof))) {
            throw new AssertionError("the bucket says " + proof(snapshot.id()));
        }
        leavesNothing();
        return proof;
    }

    /** No server runs any more, and nothing of it is left. */
    void leavesNothing() {
        List<ProcessHandle> left = servers();
        if (!left.isEmpty() || Files.exists(scratch.resolve("isolated"))) {
            throw new AssertionError("left: " + left);
        }
    }

    /** The isolated servers that run. */
    List<ProcessHandle> servers() {
        return ProcessHandle.allProcesses()
                .filter(
                        it ->
                                it.info()
                                        .commandLine()
                                        .filter(c -> c.contains(scratch.toString()))
                                        .isPresent())
                .toList();
    }

    @Override
    public void close() {
        cluster.close();
        moto.close();
        Directories.delete(scratch);
    }
}
