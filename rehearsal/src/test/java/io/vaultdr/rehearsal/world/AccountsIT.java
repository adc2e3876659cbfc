package io.vaultdr.rehearsal.world;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vaultdr.aws.AwsClients;
import io.vaultdr.aws.S3Bucket;
import io.vaultdr.aws.S3ObjectVersions;
import io.vaultdr.aws.S3Proofs;
import io.vaultdr.infra.VaultDrApp;
import io.vaultdr.infra.config.ConfigFile;
import io.vaultdr.infra.config.ConfigFile.Loaded;
import io.vaultdr.model.Epoch;
import io.vaultdr.model.PairId;
import io.vaultdr.model.Side;
import io.vaultdr.runtime.Deadline;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.runtime.RetentionSettings;
import io.vaultdr.snapshot.Manifest;
import io.vaultdr.snapshot.MissingCopies;
import io.vaultdr.snapshot.Proof;
import io.vaultdr.snapshot.RetentionRun;
import io.vaultdr.snapshot.Serving;
import io.vaultdr.snapshot.Uploads;
import io.vaultdr.testing.Moto;
import io.vaultdr.testing.PartInMemory;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.BucketVersioningStatus;
import software.amazon.awssdk.services.s3.model.S3Exception;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A copy in another account: the functions' own calls, on moto with two accounts, through a gate
 * that holds each to the policies of the synthesised templates as S3 would. What it can't show is
 * that AWS evaluates them as the gate does.
 */
class AccountsIT {
    private static final PairId PAIR = new PairId("payments");
    private static final Clock CLOCK = Clock.systemUTC();
    private static final String HOME = "111122223333";
    private static final String THERE = "444455556666";
    private static final PairSettings.Bucket HOMES =
            bucket("eu-west-1", "vault-dr-payments-snapshots-111122223333-eu-west-1", HOME);
    private static final PairSettings.Bucket COPY =
            bucket("eu-central-1", "vault-dr-payments-snapshots-444455556666-eu-central-1", THERE);
    private static final byte[] ARCHIVE = "an archive".getBytes(StandardCharsets.UTF_8);

    @TempDir private static Path directory;
    private static Moto moto;
    private static AccountsGate gate;

    private static PairSettings.Bucket bucket(String region, String name, String account) {
        return new PairSettings.Bucket(region, name, account);
    }

    @BeforeAll
    static void startBothAccounts() throws IOException {
        Path root = Path.of(System.getProperty("vaultdr.root", ".."));
        String automatic = Files.readString(root.resolve("infra-cdk/examples/automatic.yaml"));
        Path file =
                Files.writeString(
                        directory.resolve("apart.yaml"),
                        automatic
                                .replaceAll("ca: .*", "")
                                .replace(
                                        "stage: automatic",
                                        "stage: automatic\n    copyAccount: '" + THERE + "'"));
        Path assembly = directory.resolve("cdk.out");
        switch (ConfigFile.load(file)) {
            case Loaded.Good(var config) ->
                    VaultDrApp.synth(
                            config, Files.createFile(directory.resolve("a.zip")), assembly);
            case Loaded.Bad(var mistakes) -> throw new AssertionError(mistakes.toString());
        }
        moto = Moto.start();
        gate = AccountsGate.before(moto.endpoint(), Template.read(assembly));
        System.setProperty("aws.endpointUrl", gate.endpoint().toString());
    }

    @AfterAll
    static void stop() {
        gate.close();
        moto.close();
    }

    @BeforeEach
    void emptyBuckets() {
        moto.reset();
        gate.denied().clear();
        for (PairSettings.Bucket bucket : List.of(HOMES, COPY)) {
            try (S3Client owner =
                    S3Client.builder()
                            .endpointOverride(moto.endpoint())
                            .region(Region.of(bucket.region()))
                            .credentialsProvider(credentials("owner"))
                            .httpClientBuilder(UrlConnectionHttpClient.builder())
                            .overrideConfiguration(
                                    o -> o.putHeader("x-moto-account-id", bucket.account()))
                            .build()) {
                owner.createBucket(
                        r ->
                                r.bucket(bucket.name())
                                        .createBucketConfiguration(
                                                c -> c.locationConstraint(bucket.region())));
                owner.putBucketVersioning(
                        r ->
                                r.bucket(bucket.name())
                                        .versioningConfiguration(
                                                v -> v.status(BucketVersioningStatus.ENABLED)));
            }
        }
    }

    private static StaticCredentialsProvider credentials(String key) {
        return StaticCredentialsProvider.create(AwsBasicCredentials.create(key, "secret"));
    }

    /** The clients of a function, by its role. */
    private static AwsClients as(String account, String function, String region) {
        return new AwsClients(
                credentials(account + ".vault-dr-payments-" + function + "-" + region));
    }

    private static AwsClients taker(String region) {
        return as(HOME, "take-snapshot", region);
    }

    private static S3Bucket copy(AwsClients clients) {
        return new S3Bucket(clients, COPY, PAIR, CLOCK);
    }

    @Test
    void eachSideOfHomesAccountAddsSnapshotsAndNobodyIsDenied() {
        int minute = 0;
        for (String region : List.of("eu-west-1", "eu-central-1")) {
            S3Bucket copy = copy(taker(region));
            Manifest manifest = manifest(minute++);
            assertEquals(0, copy.sweep(Instant.now()));
            put(copy, manifest, ARCHIVE);
            assertTrue(copy.commit(manifest));
            assertFalse(copy.commit(other(manifest)), "another run was faster");
            assertEquals(Optional.of(manifest), copy.committed(manifest.id()));
            assertEquals(manifest.id(), copy.newestIds(1).getFirst());
            // An answer was lost, and the upload begun once more: what is there stays.
            put(copy, manifest, "another".getBytes(StandardCharsets.UTF_8));
            copy.begin(manifest.archiveKey()).abort();
            assertEquals("an archive", read(as(HOME, "promote", "eu-central-1"), manifest));
        }
        assertEquals(List.of(), gate.denied());
    }

    @Test
    void whoeverTakesOverHomesAccountCanOnlyAdd() {
        Manifest manifest = manifest(0);
        put(copy(taker("eu-west-1")), manifest, ARCHIVE);
        assertTrue(copy(taker("eu-west-1")).commit(manifest));
        String version =
                versions(as(THERE, "retention", "eu-central-1")).list().getFirst().versionId();
        for (String role : List.of("take-snapshot", "retention", "freshness-check")) {
            S3Client s3 = as(HOME, role, "eu-west-1").s3(COPY);
            String key = manifest.archiveKey();
            refused(() -> s3.deleteObject(r -> r.bucket(COPY.name()).key(key)));
            refused(() -> s3.deleteObject(r -> r.bucket(COPY.name()).key(key).versionId(version)));
            refused(() -> s3.getObjectAsBytes(r -> r.bucket(COPY.name()).key(key)));
            refused(() -> write(s3, key, ""));
            refused(() -> write(s3, Manifest.key(manifest.id()), ""));
            refused(() -> write(s3, Proof.key(manifest.id()), "*"));
            refused(() -> write(s3, "retention/accepted.json", "*"));
            refused(
                    () ->
                            s3.putObjectTagging(
                                    r ->
                                            r.bucket(COPY.name())
                                                    .key(key)
                                                    .tagging(t -> t.tagSet(List.of()))));
            refused(() -> s3.putBucketPolicy(r -> r.bucket(COPY.name()).policy("{}")));
            refused(() -> s3.deleteBucketLifecycle(r -> r.bucket(COPY.name())));
            refused(
                    () ->
                            s3.putBucketVersioning(
                                    r ->
                                            r.bucket(COPY.name())
                                                    .versioningConfiguration(
                                                            v ->
                                                                    v.status(
                                                                            BucketVersioningStatus
                                                                                    .SUSPENDED))));
        }
        assertEquals(2, versions(as(THERE, "retention", "eu-central-1")).list().size());
    }

    @Test
    void eachAccountsRetentionDeletesItsOwn() {
        for (int minute = 0; minute < 3; minute++) {
            Manifest manifest = manifest(minute);
            for (PairSettings.Bucket bucket : List.of(HOMES, COPY)) {
                S3Bucket store = new S3Bucket(taker("eu-west-1"), bucket, PAIR, CLOCK);
                put(store, manifest, ARCHIVE);
                assertTrue(store.commit(manifest));
            }
        }

        RetentionRun.Report there = retain(versions(as(THERE, "retention", "eu-central-1")));

        assertEquals(2, there.deletedCount(), there::toString);
        assertEquals(1, copy(taker("eu-west-1")).newestIds(9).size());
        S3ObjectVersions homes =
                new S3ObjectVersions(as(HOME, "retention", "eu-west-1"), HOMES, PAIR);
        assertEquals(6, homes.list().size());
        assertEquals(2, retain(homes).deletedCount());
        assertEquals(List.of(), gate.denied());
    }

    @Test
    void proofsComeBackHomeAndNoneGoesThere() {
        AwsClients taker = taker("eu-west-1");
        Manifest manifest = manifest(0);
        S3Bucket home = new S3Bucket(taker, HOMES, PAIR, CLOCK);
        for (S3Bucket store : List.of(home, copy(taker))) {
            put(store, manifest, ARCHIVE);
            assertTrue(store.commit(manifest));
        }
        S3Proofs prover = new S3Proofs(as(THERE, "prove-snapshot", "eu-central-1"), COPY, CLOCK);
        var claim = prover.claim(manifest.id(), "one", Instant.now().plusSeconds(60));
        prover.write(proof(manifest));
        prover.release(claim.orElseThrow());
        S3Proofs homes = new S3Proofs(taker, HOMES, CLOCK);
        S3Proofs copies = new S3Proofs(taker, COPY, CLOCK);

        List<String> left =
                new MissingCopies(
                                List.of(home, copy(taker)),
                                List.of(homes, copies),
                                MissingCopies.Owed.last(24, Set.of(COPY.region())),
                                directory)
                        .copy(new Deadline(CLOCK, Instant.now().plusSeconds(60)));

        assertEquals(List.of(), left);
        assertEquals(copies.of(manifest.id()), homes.of(manifest.id()));
        for (String looker : List.of("freshness-check", "take-snapshot")) {
            assertTrue(
                    new S3Proofs(as(HOME, looker, "eu-west-1"), COPY, CLOCK)
                            .of(manifest.id())
                            .isPresent());
        }
        assertEquals(List.of(), gate.denied());
    }

    /** A bucket of that name whose owner is another: what was meant for the copy stays at home. */
    @Test
    void nothingIsPutIntoAStrangersBucket() {
        PairSettings.Bucket stolen = bucket(COPY.region(), COPY.name(), "999988887777");
        S3Client s3 = taker("eu-west-1").s3(stolen);

        refused(() -> write(s3, "manifests/x.json", "*"));
        assertTrue(gate.denied().getFirst().contains("999988887777"), gate.denied().toString());
    }

    private static RetentionRun.Report retain(S3ObjectVersions bucket) {
        return new RetentionRun(
                        _ -> true,
                        () -> Serving.ALWAYS_HOME,
                        false,
                        new RetentionSettings(1, 0, 0, 0, 0, Optional.empty()),
                        List.of(bucket),
                        _ -> {})
                .run(false, new Deadline(CLOCK, Instant.now().plusSeconds(60)));
    }

    private static S3ObjectVersions versions(AwsClients clients) {
        return new S3ObjectVersions(clients, COPY, PAIR);
    }

    private static void write(S3Client s3, String key, String ifNoneMatch) {
        s3.putObject(
                r -> {
                    r.bucket(COPY.name()).key(key);
                    if (!ifNoneMatch.isEmpty()) {
                        r.ifNoneMatch(ifNoneMatch);
                    }
                },
                RequestBody.fromString("forged"));
    }

    private static void refused(Executable call) {
        assertEquals(403, assertThrows(S3Exception.class, call).statusCode());
    }

    private static String read(AwsClients clients, Manifest manifest) {
        try (InputStream bytes = copy(clients).open(manifest)) {
            return new String(bytes.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static void put(S3Bucket store, Manifest manifest, byte[] archive) {
        Uploads.Upload upload = store.begin(manifest.archiveKey());
        upload.complete(List.of(upload.put(1, new PartInMemory(archive))));
    }

    private static Manifest manifest(int minute) {
        return manifest(minute, "nonce" + minute);
    }

    private static Manifest other(Manifest manifest) {
        return manifest(manifest.takenAt().atZone(java.time.ZoneOffset.UTC).getMinute(), "other");
    }

    private static Manifest manifest(int minute, String nonce) {
        Instant at = Instant.parse("2026-11-23T17:00:00Z").plusSeconds(60L * minute);
        return new Manifest(
                Manifest.id(PAIR, at, Duration.ofMinutes(1)),
                PAIR,
                Side.HOME,
                at,
                Optional.of(Epoch.ZERO),
                ARCHIVE.length,
                "00",
                4711,
                1,
                "cluster",
                nonce,
                new Manifest.RestoreNeeds(
                        "openbao", "2.7.2", "static", Optional.empty(), Map.of(), List.of()));
    }

    private static Proof proof(Manifest manifest) {
        return Proof.bare(
                manifest.id(),
                PAIR,
                Proof.Verdict.PROVEN,
                Optional.empty(),
                Optional.empty(),
                Instant.parse("2026-11-23T17:05:00Z"),
                COPY.region(),
                1);
    }
}
