package io.vaultdr.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import io.vaultdr.aws.AwsClients;
import io.vaultdr.aws.S3Bucket;
import io.vaultdr.cluster.VaultSetup;
import io.vaultdr.model.Epoch;
import io.vaultdr.model.PairId;
import io.vaultdr.model.Secret;
import io.vaultdr.model.Side;
import io.vaultdr.promotion.LastSeen;
import io.vaultdr.promotion.NodeCommands;
import io.vaultdr.runtime.Json;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.snapshot.Archive;
import io.vaultdr.snapshot.Manifest;
import io.vaultdr.testing.BaoCluster;
import io.vaultdr.testing.BaoServer;
import io.vaultdr.testing.Eventually;
import io.vaultdr.testing.Moto;
import io.vaultdr.testing.TestLogins;
import io.vaultdr.vault.HttpVaultClients;
import io.vaultdr.vault.Login;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

import software.amazon.awssdk.core.sync.RequestBody;

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.BiFunction;
import java.util.stream.Stream;

/** A snapshot goes into a cluster of three real servers, one of them blank at first. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class RestoreIntoCases {
    private static final Clock CLOCK = Clock.systemUTC();
    private static final String REGION = "eu-central-1";
    private static final String BUCKET = "snapshots";
    private static final PairId PAIR = new PairId("payments");
    private static final Instant TAKEN = Instant.parse("2026-03-01T03:00:00Z");
    static final Duration PATIENCE = Duration.ofMinutes(2);

    @TempDir private Path scratch = Path.of("unset");
    private final Moto moto = Moto.start();
    private final AwsClients aws = moto.clients();
    private final HttpVaultClients clients =
            new HttpVaultClients(cluster -> Optional.empty(), HttpVaultClients.Limits.DEFAULT);
    final BaoCluster source = BaoCluster.running(1);
    final BaoCluster target = BaoCluster.blank(3, Optional.empty(), Optional.of(source.sealKey()));
    final List<String> asked = new ArrayList<>();
    StringWriter told = new StringWriter();
    String id = "";
    List<String> beside = List.of();

    @BeforeAll
    void takeASnapshot() throws Exception {
        aws.s3(REGION)
                .createBucket(
                        b ->
                                b.bucket(BUCKET)
                                        .createBucketConfiguration(
                                                c -> c.locationConstraint(REGION)));
        source.call("POST", "sys/mounts/vault-dr", Map.of("type", "kv-v2")).expect();
        source.call(
                        "POST",
                        "sys/storage/raft/autopilot/configuration",
                        Map.of("server_stabilization_time", "1s"))
                .expect();
        new TestLogins(
                        source,
                        aws.secretsManager(REGION),
                        "payments-vault-dr",
                        new VaultSetup(List.of(), false))
                .make(Login.Intent.VERIFY, Login.Intent.GROW);
        source.call("POST", "vault-dr/data/canary", Map.of("data", Map.of("nonce", "n-1")))
                .expect();
        byte[] archive;
        try (InputStream in =
                clients.at(cluster(), source.addresses().getFirst())
                        .snapshot(Secret.of(source.rootToken()), Duration.ofSeconds(10))) {
            archive = in.readAllBytes();
        }
        put(archive, "n-1");
    }

    @AfterAll
    void end() {
        target.close();
        source.close();
        moto.close();
    }

    @BeforeEach
    void oneBlankNode() throws Exception {
        target.nodes().forEach(BaoServer::wipe);
        target.nodes().getFirst().start();
        asked.clear();
        told = new StringWriter();
        try (Stream<Path> files = Files.list(scratch)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
    }

    int restore(BiFunction<URI, PrintWriter, NodeCommands> commands, boolean confirmed) {
        return into(commands)
                .restore(
                        id,
                        name -> {
                            assertEquals("payments-dr", name);
                            return confirmed;
                        },
                        PATIENCE);
    }

    RestoreInto into(BiFunction<URI, PrintWriter, NodeCommands> commands) {
        return new RestoreInto(
                "payments-dr",
                new RestoreInto.Tools(
                        cluster(),
                        PairSettings.Edition.OPENBAO,
                        clients,
                        Login.by(aws.secretsManager(REGION)),
                        List.of(
                                new S3Bucket(
                                        aws,
                                        new PairSettings.Bucket(REGION, BUCKET, Moto.ACCOUNT),
                                        PAIR,
                                        CLOCK)),
                        () -> beside,
                        () ->
                                Optional.of(
                                        new LastSeen(
                                                TAKEN.plusSeconds(90),
                                                OptionalLong.of(index + 50))),
                        commands,
                        ByHand.DOCUMENTS,
                        Optional.empty(),
                        CLOCK),
                scratch,
                new PrintWriter(told));
    }

    /** An operator who does what is asked, and starts the other nodes after the restart. */
    NodeCommands byHand(URI node, PrintWriter out) {
        assertEquals(target.addresses().getFirst(), node);
        NodeCommands hand = new ByHand(node, clients, Duration.ofMinutes(1), CLOCK, out);
        return (cluster, document, limit) -> {
            asked.add(document);
            Thread operator =
                    Thread.ofVirtual()
                            .start(
                                    () -> {
                                        Eventually.await(
                                                "being asked",
                                                Duration.ofSeconds(10),
                                                () -> told.toString().contains("▶ Restart"));
                                        target.nodes().getFirst().restart();
                                        target.nodes()
                                                .getFirst()
                                                .awaitHealth(200, Duration.ofSeconds(30));
                                        target.nodes().subList(1, 3).forEach(BaoServer::start);
                                    });
            List<NodeCommands.Run> runs = hand.run(cluster, document, limit);
            assertEquals(NodeCommands.Result.SUCCEEDED, runs.getFirst().result());
            try {
                operator.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            return runs;
        };
    }

    List<String> left() {
        try (Stream<Path> files = Files.list(scratch)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> !name.endsWith(".next"))
                    .toList();
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    String canary() {
        return target.leader()
                .call("GET", "vault-dr/data/canary", source.rootToken(), null)
                .expect()
                .data()
                .path("data")
                .path("nonce")
                .asText();
    }

    private PairSettings.Cluster cluster() {
        return new PairSettings.Cluster(
                REGION,
                target.addresses().getFirst(),
                target.addresses(),
                Optional.empty(),
                "payments-vault-dr",
                Optional.empty(),
                Optional.empty(),
                3,
                Optional.empty(),
                Optional.empty());
    }

    private long index;

    private void put(byte[] archive, String nonce) throws Exception {
        Archive.Sound sound =
                assertInstanceOf(
                        Archive.Sound.class, Archive.check(new ByteArrayInputStream(archive)));
        index = sound.index();
        id = Manifest.id(PAIR, TAKEN, Duration.ofMinutes(15));
        Manifest manifest =
                new Manifest(
                        id,
                        PAIR,
                        Side.HOME,
                        TAKEN,
                        Optional.of(Epoch.ZERO),
                        archive.length,
                        sound.sha256(),
                        sound.index(),
                        sound.term(),
                        clients.at(cluster(), source.addresses().getFirst())
                                .health()
                                .clusterId()
                                .orElseThrow(),
                        nonce,
                        new Manifest.RestoreNeeds(
                                "openbao",
                                "2.7.0",
                                "static",
                                Optional.empty(),
                                Map.of(),
                                List.of()));
        put(manifest.archiveKey(), archive);
        put(Manifest.key(id), Json.MAPPER.writeValueAsBytes(manifest));
    }

    private void put(String key, byte[] body) {
        aws.s3(REGION).putObject(r -> r.bucket(BUCKET).key(key), RequestBody.fromBytes(body));
    }
}
