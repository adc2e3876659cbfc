package io.vaultdr.cli;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;

import io.vaultdr.aws.AwsClients;
import io.vaultdr.aws.S3Bucket;
import io.vaultdr.aws.S3Proofs;
import io.vaultdr.model.Epoch;
import io.vaultdr.model.PairId;
import io.vaultdr.model.Side;
import io.vaultdr.runtime.Json;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.snapshot.Manifest;
import io.vaultdr.snapshot.Proof;
import io.vaultdr.testing.Moto;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import software.amazon.awssdk.auth.credentials.ProfileCredentialsProvider;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.model.BucketVersioningStatus;
import software.amazon.awssdk.services.s3.model.StorageClass;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Against moto, by the operator's credentials. */
class SnapshotsCommandIT {
    private static final PairId PAIR = new PairId("payments");
    private final Instant now = Instant.now().truncatedTo(ChronoUnit.MINUTES);
    private static final List<String> REGIONS = List.of("eu-west-1", "eu-central-1");

    private final Moto moto = Moto.start();
    private final AwsClients aws = moto.clients();
    @TempDir private Path folder = Path.of("");
    private String config = "";

    @BeforeEach
    void bucketsOfBothRegions() throws IOException {
        System.setProperty("aws.accessKeyId", "test");
        System.setProperty("aws.secretAccessKey", "test");
        String example =
                Files.readString(
                        Path.of(
                                System.getProperty("vaultdr.root"),
                                "infra-cdk/examples/backup.yaml"));
        assertTrue(example.contains("payments"), "the example has that pair");
        config = Files.writeString(folder.resolve("vault-dr.yaml"), example).toString();
        for (String region : REGIONS) {
            aws.s3(region)
                    .createBucket(
                            r ->
                                    r.bucket(bucket(region).name())
                                            .createBucketConfiguration(
                                                    c -> c.locationConstraint(region)));
            aws.s3(region)
                    .putBucketVersioning(
                            r ->
                                    r.bucket(bucket(region).name())
                                            .versioningConfiguration(
                                                    v -> v.status(BucketVersioningStatus.ENABLED)));
        }
    }

    @AfterEach
    void stop() {
        System.clearProperty("aws.accessKeyId");
        System.clearProperty("aws.secretAccessKey");
        System.clearProperty("aws.sharedCredentialsFile");
        System.clearProperty("aws.configFile");
        moto.close();
    }

    @Test
    void tellsWhatEachSnapshotIsWorthAndWhatComesOfIt() throws IOException {
        Manifest proven = put(2, StorageClass.STANDARD, "eu-west-1", "eu-central-1");
        Manifest refuted = put(1, StorageClass.STANDARD, "eu-west-1");
        new S3Proofs(aws, bucket("eu-west-1"), Clock.systemUTC())
                .write(proof(proven, Proof.Verdict.PROVEN, Optional.empty()));
        new S3Proofs(aws, bucket("eu-west-1"), Clock.systemUTC())
                .write(
                        proof(
                                refuted,
                                Proof.Verdict.REFUTED,
                                Optional.of(Proof.Reason.CANARY_MISSING)));

        Run text = Run.of("snapshots", "payments", "--config", config);
        Run json = Run.of("snapshots", "payments", "--config", config, "--json", "--limit", "1");

        JsonNode listing = Json.MAPPER.readTree(json.out());
        List<String> lines = text.out().lines().toList();
        assertAll(
                () -> assertEquals(Exit.EXPECTED, text.exit(), text::err),
                () -> assertTrue(lines.get(0).startsWith("ID"), text.out()),
                () -> assertTrue(lines.get(1).contains(refuted.id()), text.out()),
                () -> assertTrue(lines.get(1).contains("refuted: CANARY_MISSING"), text.out()),
                () -> assertTrue(lines.get(2).contains("proven"), text.out()),
                () -> assertTrue(lines.get(2).contains("eu-central-1 eu-west-1"), text.out()),
                () -> assertTrue(lines.get(2).contains("keep (NEWEST_PROVEN)"), text.out()),
                () -> assertTrue(lines.get(2).contains("1.5 GiB"), text.out()),
                () -> assertEquals(2, listing.path("count").asInt()),
                () -> assertTrue(listing.path("ledgerAnswers").asBoolean()),
                () -> assertEquals(1, listing.path("snapshots").size()),
                () -> assertEquals("REFUTED", listing.at("/snapshots/0/verdict").asText()));
    }

    @Test
    void saysWhenThereIsNone() {
        Run run = Run.of("snapshots", "payments", "--config", config);

        assertEquals(Exit.NEGATIVE, run.exit(), run.err());
        assertTrue(run.out().contains("no committed snapshot"), run.out());
    }

    @Test
    void namesABucketThatDoesNotAnswer() throws IOException {
        put(1, StorageClass.STANDARD, "eu-west-1");
        aws.s3("eu-central-1").deleteBucket(r -> r.bucket(bucket("eu-central-1").name()));

        Run run = Run.of("snapshots", "payments", "--config", config);

        assertEquals(Exit.EXPECTED, run.exit(), run.err());
        assertTrue(run.out().contains("bucket in eu-central-1 doesn't answer"), run.out());
    }

    /** A pair on a rung with a ledger, whose table is gone as its region may be. */
    @Test
    void listsWhatBucketsSayWhileTheLedgerIsAway() throws IOException {
        String example =
                Files.readString(
                                Path.of(
                                        System.getProperty("vaultdr.root"),
                                        "infra-cdk/examples/observe.yaml"))
                        .replace("111122223333", "123456789012")
                        .replaceAll("ca: .*", "")
                        .replace(
                                "keep: { last: 24, daily: 60 }, lock: { days: 30 }",
                                "keep: { last: 1 }");
        Path file = Files.writeString(folder.resolve("observe.yaml"), example);
        Manifest former = put(4, new Epoch(2), StorageClass.STANDARD, "eu-west-1", "eu-central-1");
        Manifest older = put(3, new Epoch(3), StorageClass.STANDARD, "eu-west-1", "eu-central-1");
        Manifest newest = put(2, new Epoch(3), StorageClass.STANDARD, "eu-west-1");
        for (Manifest proven : List.of(former, older, newest)) {
            new S3Proofs(aws, bucket("eu-west-1"), Clock.systemUTC())
                    .write(proof(proven, Proof.Verdict.PROVEN, Optional.empty()));
        }

        Run text = Run.of("snapshots", "payments", "--config", file.toString());
        Run json = Run.of("snapshots", "payments", "--config", file.toString(), "--json");

        List<String> lines = text.out().lines().toList();
        JsonNode listing = Json.MAPPER.readTree(json.out());
        assertAll(
                () -> assertEquals(Exit.EXPECTED, text.exit(), text::err),
                () -> assertTrue(lines.get(0).contains("ledger doesn't answer"), text.out()),
                () -> assertTrue(lines.get(0).contains("as if lineage 3 served"), text.out()),
                () -> assertTrue(lines.get(2).contains("keep (NEWEST_PROVEN)"), text.out()),
                () -> assertTrue(lines.get(3).contains("delete (NOT_WANTED)"), text.out()),
                () -> assertTrue(lines.get(4).contains("keep (NEWEST_PROVEN)"), text.out()),
                () -> assertEquals(false, listing.path("ledgerAnswers").asBoolean(true)),
                () -> assertEquals(3, listing.path("count").asInt()));
    }

    /** moto lets one account into the other's bucket: that S3 wouldn't isn't shown here. */
    @Test
    void listsBothAccountsAndWhatEachOnesRetentionDoes() throws IOException {
        String there = "444455556666";
        PairSettings.Bucket copy =
                new PairSettings.Bucket(
                        "eu-central-1",
                        "vault-dr-payments-snapshots-" + there + "-eu-central-1",
                        there);
        signIn(there);
        AwsClients operator = new AwsClients(ProfileCredentialsProvider.create("copy"));
        operator.s3(copy.region())
                .createBucket(
                        r ->
                                r.bucket(copy.name())
                                        .createBucketConfiguration(
                                                c -> c.locationConstraint(copy.region())));
        operator.s3(copy.region())
                .putBucketVersioning(
                        r ->
                                r.bucket(copy.name())
                                        .versioningConfiguration(
                                                v -> v.status(BucketVersioningStatus.ENABLED)));
        String example =
                Files.readString(
                                Path.of(
                                        System.getProperty("vaultdr.root"),
                                        "infra-cdk/examples/copy-account.yaml"))
                        .replace("111122223333", Moto.ACCOUNT)
                        .replace("stage: proven", "stage: backup")
                        .replaceAll("snapshots: .*", "snapshots: { keep: { last: 1 } }");
        Path file = Files.writeString(folder.resolve("apart.yaml"), example);
        Manifest both = put(2, StorageClass.STANDARD, "eu-west-1");
        Manifest newest = put(1, StorageClass.STANDARD);
        for (Manifest manifest : List.of(both, newest)) {
            operator.s3(copy)
                    .putObject(
                            r -> r.bucket(copy.name()).key(manifest.archiveKey()),
                            RequestBody.fromString("archive"));
            new S3Bucket(operator, copy, PAIR, Clock.systemUTC()).commit(manifest);
        }

        Run text =
                Run.of(
                        "snapshots",
                        "payments",
                        "--config",
                        file.toString(),
                        "--copy-profile",
                        "copy");

        List<String> lines = text.out().lines().toList();
        assertAll(
                () -> assertEquals(Exit.EXPECTED, text.exit(), text::err),
                () -> assertTrue(lines.get(1).contains("keep (LAST)"), text.out()),
                () ->
                        assertTrue(
                                lines.get(2)
                                        .contains(
                                                "keep in eu-west-1, delete in eu-central-1 (LAST,"
                                                        + " NOT_WANTED)"),
                                text.out()));
    }

    /** A profile {@code copy} of that account, by a role. */
    private void signIn(String account) throws IOException {
        System.setProperty(
                "aws.sharedCredentialsFile",
                Files.writeString(
                                folder.resolve("credentials"),
                                "[base]\naws_access_key_id = test\naws_secret_access_key = test\n")
                        .toString());
        System.setProperty(
                "aws.configFile",
                Files.writeString(
                                folder.resolve("config"),
                                "[profile copy]\nregion = eu-central-1\nsource_profile = base\n"
                                        + "role_arn = arn:aws:iam::"
                                        + account
                                        + ":role/operator\n")
                        .toString());
    }

    @Test
    void thawsWhatIsFrozenAndSaysHowLongItTakes() throws IOException {
        Manifest deep = put(90, StorageClass.DEEP_ARCHIVE, "eu-west-1", "eu-central-1");
        Manifest warm = put(1, StorageClass.STANDARD, "eu-west-1", "eu-central-1");

        Run expedited =
                Run.of("snapshots", "thaw", deep.id(), "--config", config, "--tier", "expedited");
        Run first = Run.of("snapshots", "thaw", deep.id(), "--config", config, "--tier", "bulk");
        Run again = Run.of("snapshots", "thaw", deep.id(), "--config", config);
        Run needless = Run.of("snapshots", "thaw", warm.id(), "--config", config);
        Run unknown = Run.of("snapshots", "thaw", "payments-20200101T000000Z", "--config", config);

        assertAll(
                () -> assertEquals(Exit.UNUSABLE, expedited.exit()),
                () -> assertTrue(expedited.err().contains("DEEP_ARCHIVE"), expedited.err()),
                () -> assertEquals(Exit.EXPECTED, first.exit(), first::err),
                () -> assertTrue(first.out().contains("up to 48 hours"), first.out()),
                () -> assertTrue(first.out().contains("about $"), first.out()),
                () -> assertEquals(Exit.EXPECTED, again.exit(), again::err),
                () -> assertTrue(again.out().contains("brought back"), again.out()),
                () -> assertEquals(Exit.EXPECTED, needless.exit(), needless::err),
                () -> assertTrue(needless.out().contains("at once"), needless.out()),
                () -> assertEquals(Exit.NEGATIVE, unknown.exit(), unknown::err));
    }

    @Test
    void refusesWhatItCannotUseInALine() {
        for (List<String> arguments :
                List.of(
                        List.of("snapshots"),
                        List.of("snapshots", "payments", "--config", config, "--limit=-1"),
                        List.of("snapshots", "thaw", "payments", "--config", config),
                        List.of("snapshots", "orders", "--config", config),
                        List.of("retention", "payments", "--config", config),
                        List.of("retention", "payments", "--config", config, "--now", "--dry-run"),
                        List.of("retention", "accept", "payments", "--config", config))) {
            Run run = Run.of(arguments.toArray(String[]::new));
            assertEquals(Exit.UNUSABLE, run.exit(), arguments::toString);
            assertTrue(!run.err().contains("\tat "), run.err());
            assertTrue(run.err().contains("expected") || run.err().contains("wants"), run.err());
        }
    }

    private Manifest put(int daysAgo, StorageClass kind, String... regions) {
        return put(daysAgo, Epoch.ZERO, kind, regions);
    }

    private Manifest put(int daysAgo, Epoch lineage, StorageClass kind, String... regions) {
        Instant at = now.minus(Duration.ofDays(daysAgo));
        Manifest manifest =
                new Manifest(
                        Manifest.id(PAIR, at, Duration.ofMinutes(1)),
                        PAIR,
                        Side.HOME,
                        at,
                        Optional.of(lineage),
                        3L << 29,
                        "00",
                        4711,
                        1,
                        "cluster",
                        "nonce",
                        new Manifest.RestoreNeeds(
                                "openbao",
                                "2.7.2",
                                "static",
                                Optional.empty(),
                                Map.of(),
                                List.of()));
        for (String region : regions) {
            aws.s3(region)
                    .putObject(
                            r ->
                                    r.bucket(bucket(region).name())
                                            .key(manifest.archiveKey())
                                            .storageClass(kind),
                            RequestBody.fromString("archive"));
            new S3Bucket(aws, bucket(region), PAIR, Clock.systemUTC()).commit(manifest);
        }
        return manifest;
    }

    private Proof proof(Manifest manifest, Proof.Verdict verdict, Optional<Proof.Reason> reason) {
        return Proof.bare(
                manifest.id(), PAIR, verdict, reason, Optional.empty(), now, "eu-west-1", 1);
    }

    private static PairSettings.Bucket bucket(String region) {
        return new PairSettings.Bucket(
                region, "vault-dr-payments-snapshots-" + Moto.ACCOUNT + "-" + region, Moto.ACCOUNT);
    }
}
