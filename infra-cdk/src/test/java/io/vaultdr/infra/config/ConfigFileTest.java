package io.vaultdr.infra.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vaultdr.infra.Examples;
import io.vaultdr.infra.config.Config.Pair;
import io.vaultdr.infra.config.ConfigFile.Loaded;
import io.vaultdr.runtime.PairSettings.AwsLogin;
import io.vaultdr.runtime.PairSettings.Stage;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

class ConfigFileTest {
    private static final String SMALLEST =
            """
            pairs:
              payments:
                stage: backup
                home:
                  region: eu-west-1
                  address: https://vault.internal:8200
                  vpc: vpc-0a1b
                  login: { approle: payments-vault-dr }
            """;

    @TempDir private Path directory;

    private Loaded load(String yaml) throws IOException {
        Path file = directory.resolve("vault-dr.yaml");
        Files.writeString(file, yaml);
        return ConfigFile.load(file);
    }

    private Config good(String yaml) throws IOException {
        return switch (load(yaml)) {
            case Loaded.Good(Config config) -> config;
            case Loaded.Bad(List<Mistake> mistakes) ->
                    throw new AssertionError(mistakes.toString());
        };
    }

    private List<String> mistakes(String yaml) throws IOException {
        return switch (load(yaml)) {
            case Loaded.Good good -> List.of();
            case Loaded.Bad(List<Mistake> mistakes) ->
                    mistakes.stream().map(Mistake::toString).toList();
        };
    }

    @Test
    void theSmallestFileIsWhole() throws IOException {
        Config config = good(SMALLEST);
        Pair pair = config.pair("payments").orElseThrow();
        assertEquals("vault-dr", config.prefix());
        assertEquals(Stage.BACKUP, pair.stage());
        assertEquals(List.of(URI.create("https://vault.internal:8200")), pair.home().nodes());
        assertEquals(Duration.ofHours(1), pair.snapshots().every());
        assertEquals(Duration.ofHours(3), pair.timings().snapshotMaxAge());
        assertEquals(List.of("eu-west-1"), pair.bucketRegions());
        assertEquals(Optional.empty(), config.account());
    }

    @Test
    void everyExampleIsRight() {
        assertEquals(10, Examples.names().count());
        Examples.names().forEach(Examples::load);
    }

    @Test
    void readsTheCertificateAuthorityBesideTheFile() {
        Pair pair = Examples.load("automatic").pair("payments").orElseThrow();
        assertTrue(pair.home().ca().orElseThrow().startsWith("-----BEGIN CERTIFICATE-----"));
    }

    @Test
    void tellsAllMistakesAtOnceWithLinePathValueAndWhatIsExpected() throws IOException {
        assertEquals(
                List.of(
                        "line 1: prefx: read an unknown key, expected 'prefix' perhaps",
                        "line 3: pairs.Payments: read the key 'Payments', expected a pair's name: 1"
                                + " to 16 of a-z, 0-9 and inner hyphens, starting with a letter",
                        "line 4: pairs.Payments.stage: read 'backups', expected backup or proven or"
                                + " observe or approval or automatic",
                        "line 5: pairs.Payments.home.login: read nothing, expected { approle: the"
                                + " prefix of its secrets }",
                        "line 5: pairs.Payments.home.vpc: read nothing, expected a VPC id such as"
                                + " vpc-0a1b",
                        "line 6: pairs.Payments.home.region: read 'Ireland', expected an AWS region"
                                + " such as eu-west-1",
                        "line 7: pairs.Payments.home.address: read 'http://vault.internal:8200',"
                            + " expected https://host:port without a path (plain http would send"
                            + " tokens readable)"),
                mistakes(
                        """
                        prefx: x
                        pairs:
                          Payments:
                            stage: backups
                            home:
                              region: Ireland
                              address: http://vault.internal:8200
                        """));
    }

    private static final String PROVE =
            """
                prove:
                  server: { key: bao, sha256: %s }
                  seal: { kms: "arn:aws:kms:eu-west-1:111122223333:key/mrk-1" }
            """
                    .formatted("a".repeat(64));

    private static String proven(String from, String to) {
        return (SMALLEST.replace("stage: backup", "stage: proven") + PROVE).replace(from, to);
    }

    @Test
    void proofHasGoodDefaults() throws IOException {
        Pair pair = good(proven("", "")).pair("payments").orElseThrow();
        assertEquals("eu-west-1", pair.proofRegion());
        assertEquals(Duration.ofHours(4), pair.proving().orElseThrow().maxAge());
        assertEquals(Duration.ofHours(4), pair.goals().rpo());
        assertEquals(List.of(), pair.proving().orElseThrow().recover());
    }

    @Test
    void whatIsOnlySaidAboutProofChangesNothingOnTheRungBelow() throws IOException {
        Pair pair = good(proven("stage: proven", "stage: backup")).pair("payments").orElseThrow();
        assertEquals(Optional.empty(), pair.proving());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "key: bao, | '' | pairs.payments.prove.server.key",
                "sha256: aaaa | sha256: AAAA | pairs.payments.prove.server.sha256",
                "seal: { kms | sael: { kms | pairs.payments.prove.seal",
                "seal: { kms | seal: { static: { key: s, id: k }, kms | both kms and static",
                "kms:eu-west-1 | kms:eu-central-1 | the key in eu-west-1, where snapshots are"
                        + " proven",
                "key/mrk-1 | alias/mrk-1 | the ARN of a KMS key",
                "server: { | licence: l, server: { | OpenBao takes no licence",
                "server: { | maxAge: 1h, server: { | more than snapshots.every, 1h",
                "server: { | recover: [/etc], server: { | a KV path, its mount first",
                "server: { | network: { subnets: subnet-0a1b }, server: { | prove.network.vpc",
            })
    void saysWhatIsWrongWithAProof(String from, String to, String said) throws IOException {
        // Nested flow mappings keep their place: keys are put before others on the same level.
        String yaml = proven(from, to.replace(", server: {", "\n      server: {"));
        assertTrue(
                mistakes(yaml).stream().anyMatch(it -> it.contains(said)), () -> said + " " + yaml);
    }

    @Test
    void aSnapshotThatNoFunctionCanRestoreIsNotProvableHere() throws IOException {
        String yaml = proven("login:", "login:") + "    snapshots: { largest: 4GiB }\n";
        assertEquals(
                List.of(
                        "line 2: pairs.payments.snapshots.largest: read 4GiB, expected at most"
                                + " 3242MiB, since a proof takes three times that and 0.5 GiB of a"
                                + " function's 10,240 MiB: not provable here. Stay on the rung"
                                + " backup and restore by hand from time to time"
                                + " (docs/runbooks/restore-by-hand.md)"),
                mistakes(yaml));
    }

    @Test
    void archivingWhatGoesSoonNamesWhatThatCosts() throws IOException {
        String yaml =
                SMALLEST
                        + "    snapshots: { keep: { daily: 60, monthly: 24 }, archive: { class:"
                        + " DEEP_ARCHIVE, after: 30d } }\n";
        assertEquals(
                List.of(
                        "line 9: pairs.payments.snapshots.archive: read after 30d, so that what"
                                + " only 'keep.daily: 60' holds goes after 30 days in DEEP_ARCHIVE,"
                                + " expected 180 days there, which are paid in any case: the"
                                + " missing 150 cost 0.0049 USD for each GB of each snapshot;"
                                + " archive later, or keep longer"),
                mistakes(yaml));
        good(yaml.replace("after: 30d", "after: 60d"));
    }

    @Test
    void complianceModeIsSaidBeforeItIsDeployed() throws IOException {
        String yaml = SMALLEST + "    snapshots: { lock: { days: 30, mode: compliance } }\n";
        List<String> warnings = Warnings.of(good(yaml).pairs().getFirst());
        assertEquals(1, warnings.size());
        assertTrue(warnings.getFirst().contains("neither the account's root user"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "address: https://vault.internal:8200 | address: https://vault.internal",
                "address: https://vault.internal:8200 | address: https://vault.internal:8200/ui",
                "address: https://vault.internal:8200 | address: https://u:p@vault.internal:8200",
                "address: https://vault.internal:8200 | address: [a, b]",
                "vpc: vpc-0a1b | vpc: subnet-0a1b",
                "stage: backup | stage: Backup",
                "region: eu-west-1 | region:",
                "region: eu-west-1 | region: eu-west-1, region: eu-west-2",
                "stage: backup | stage: backup, copyTo: eu-west-1",
                "stage: backup | stage: backup, edition: consul",
                "stage: backup | stage: backup, pages: nobody",
                "stage: backup | stage: backup, snapshots: { every: 7m }",
                "stage: backup | stage: backup, snapshots: { every: 90m }",
                "stage: backup | stage: backup, snapshots: { every: 7h }",
                "stage: backup | stage: backup, snapshots: { every: often }",
                "stage: backup | stage: backup, snapshots: { keep: { daily: 3 }, lock: { days: 9 }"
                        + " }",
                "stage: backup | stage: backup, snapshots: { lock: { days: 9, mode: legal } }",
                "stage: backup | stage: backup, snapshots: { keep: { last: 0 } }",
                "stage: backup | stage: backup, snapshots: { largest: 20GiB }",
                "stage: backup | stage: backup, snapshots: { largest: 1GB }",
                "stage: backup | stage: backup, snapshots: { archive: { class: GLACIER_IR, after:"
                        + " 30d } }",
                "stage: backup | stage: backup, snapshots: { archive: { class: STANDARD_IA, after:"
                        + " 9d } }",
                "stage: backup | stage: proven",
                "stage: backup | stage: backup, goals: { rpo: soon }",
                "stage: backup | stage: backup, service: { dataDirectory: / }",
                "stage: backup | stage: backup, service: { dataDirectory: /opt }",
                "stage: backup | stage: backup, service: { unit: 'a; reboot' }",
                "vpc: vpc-0a1b | vpc: vpc-0a1b, ca: nowhere.pem",
                "vpc: vpc-0a1b | vpc: vpc-0a1b, instances: { a: b, c: d }",
            })
    void refusesWhatCouldNotWork(String right, String wrong) throws IOException {
        String yaml =
                SMALLEST.replace(
                        right, wrong.replace(", ", wrong.contains("{") ? ", " : "\n      "));
        yaml = wrong.startsWith("stage") ? indented(wrong) : yaml;
        assertEquals(1, mistakes(yaml).size(), mistakes(yaml).toString());
    }

    /** A further key of the pair, in place of the stage's line. */
    private static String indented(String wrong) {
        return SMALLEST.replace(
                "stage: backup", wrong.replaceFirst(", ", "\n    ").replace("[", "[ "));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "[]", "pairs: {", "pairs:", "pairs: {}", "- a", "\tpairs: x"})
    void saysWhatIsMissingWhereThereIsNoConfiguration(String yaml) throws IOException {
        assertTrue(mistakes(yaml).size() >= 1, yaml);
    }

    @Test
    void eachRungSaysWhatItWants() throws IOException {
        String observe = SMALLEST.replace("backup", "observe");
        assertEquals(
                List.of(
                        "pairs.payments.prove: read nothing, expected { server: { key, sha256 },"
                                + " seal: { kms: ARN } }: what restores each snapshot, since the"
                                + " stage is observe",
                        "pairs.payments.dr: read nothing, expected the DR cluster, since the stage"
                                + " is observe",
                        "pairs.payments.home.instances: read nothing, expected { tag: value } by"
                                + " which its servers are found"),
                mistakes(observe).stream().map(it -> it.replaceAll("^line \\d+: ", "")).toList());
        String automatic =
                Files.readString(Examples.DIRECTORY.resolve("approval.yaml"))
                        .replace("stage: approval", "stage: automatic")
                        .replaceAll("ca: .*", "");
        assertEquals(
                List.of(
                        "pairs.payments.timings.acceptedLoss: read nothing, expected how much may"
                                + " be lost without asking anybody; more than snapshots.every, 15m,"
                                + " since that much is lost at the worst"),
                mistakes(automatic).stream().map(it -> it.replaceAll("^line \\d+: ", "")).toList());
        assertEquals(
                List.of(
                        "pairs.payments.stage: read automatic with 1 vantages outside eu-west-1,"
                                + " expected 2 at least under 'vantages': one can't tell a lost"
                                + " region from a lost link"),
                mistakes(automatic.replace("approvalTimeout: 2h", "acceptedLoss: 20m")).stream()
                        .map(it -> it.replaceAll("^line \\d+: ", ""))
                        .toList());
    }

    @Test
    void aTrafficFlagIsAnObjectUnlessAMetricIsAskedFor() throws IOException {
        String object =
                Files.readString(Examples.DIRECTORY.resolve("approval.yaml"))
                        .replaceAll("ca: .*", "");
        String metric = object.replace("traffic:\n", "traffic:\n      flag: metric\n");

        assertEquals(Config.Traffic.Flag.OBJECT, flag(object));
        assertEquals(Config.Traffic.Flag.METRIC, flag(metric));
        assertEquals(
                List.of(
                        "pairs.payments.traffic.flag: read 'alarm', expected object or metric",
                        "pairs.payments.traffic.ttl: read '0', expected a whole number from 5 to"
                                + " 60"),
                mistakes(metric.replace("flag: metric", "flag: alarm").replace("ttl: 15", "ttl: 0"))
                        .stream()
                        .map(it -> it.replaceAll("^line \\d+: ", ""))
                        .toList());
    }

    private Config.Traffic.Flag flag(String yaml) throws IOException {
        return good(yaml).pairs().getFirst().traffic().orElseThrow().flag();
    }

    @Test
    void aCopyInAnotherAccountWantsARegionAndTwoAccountsByTheirNumbers() throws IOException {
        String copy = "stage: backup\n    copyAccount: ";
        assertEquals(
                List.of(
                        "line 3: pairs.payments.copyAccount: read '444455556666' without copyTo,"
                                + " expected copyTo as well: the region of the copy there",
                        "line 3: pairs.payments.copyAccount: read '444455556666' without account,"
                                + " expected 'account' at the top as well: which one is home's"
                                + " mustn't hang on who is signed in"),
                mistakes(SMALLEST.replace("stage: backup", copy + "'444455556666'")).stream()
                        .map(it -> it.replaceAll("^line \\d+", "line 3"))
                        .toList());
        String whole = "account: '444455556666'\n" + SMALLEST;
        assertEquals(
                1,
                mistakes(
                                whole.replace(
                                        "stage: backup",
                                        copy + "'444455556666'\n    copyTo: eu-central-1"))
                        .size());
        assertEquals(
                1,
                mistakes(
                                whole.replace(
                                        "stage: backup",
                                        copy + "4444-5555-6666\n    copyTo: eu-central-1"))
                        .size());
        Config good =
                good(
                        whole.replace(
                                "stage: backup",
                                copy + "'111122223333'\n    copyTo: eu-central-1"));
        assertEquals(Optional.of("111122223333"), good.pairs().getFirst().copyAccount());
        assertTrue(
                Warnings.of(good.pairs().getFirst()).getFirst().contains("snapshots.lock"),
                "who writes there is believed");
    }

    @Test
    void aLoginByAwsWantsVaultAnAccountAndBothSidesAlike() throws IOException {
        String orders = Files.readString(Examples.DIRECTORY.resolve("vault.yaml"));
        String aws = ", aws: { serverId: vault.orders.example.com }";
        int dr = orders.lastIndexOf(aws);
        assertEquals(
                List.of("another login by aws than home's"),
                read(orders.substring(0, dr) + orders.substring(dr + aws.length())));
        assertEquals(
                List.of("orders/vault-licence", "openbao with a login by aws"),
                read(orders.replaceFirst("edition: vault", "edition: openbao")));
        assertEquals(
                List.of("a login by aws without account"),
                read(orders.replace("account: \"111122223333\"", "")));
        assertEquals(
                List.of("'a b'"), read(orders.replaceFirst("aws: \\{", "aws: { mount: 'a b',")));
        assertEquals(
                Optional.of(new AwsLogin("aws", Optional.of("vault.orders.example.com"))),
                Examples.load("vault").pair("orders").orElseThrow().home().awsLogin());
    }

    @Test
    void aBucketThatIsThereHasTheKeyOfItsRegionAndHoldsSnapshots() throws IOException {
        String existing = "stage: backup\n    snapshots: { existing: { ";
        String kms = "key: 'arn:aws:kms:eu-west-1:111122223333:key/1' } } }";
        assertEquals(
                List.of("a bucket in us-east-1"),
                read(
                        SMALLEST.replace(
                                "stage: backup",
                                existing
                                        + "us-east-1: { bucket: ours, "
                                        + kms.replace("eu-west-1", "us-east-1"))));
        assertEquals(
                List.of("arn:aws:kms:us-east-1:111122223333:key/1 for a bucket in eu-west-1"),
                read(
                        SMALLEST.replace(
                                "stage: backup",
                                existing
                                        + "eu-west-1: { bucket: ours, "
                                        + kms.replace("eu-west-1", "us-east-1"))));
        Config good =
                good(
                        SMALLEST.replace(
                                "stage: backup", existing + "eu-west-1: { bucket: ours, " + kms));
        assertTrue(
                Warnings.of(good.pairs().getFirst()).getFirst().contains("to be versioned"),
                "what nothing here sets is said");
        assertEquals(
                List.of("a bucket in eu-central-1 with copyAccount"),
                read(
                        "account: '111122223333'\n"
                                + SMALLEST.replace(
                                        "stage: backup",
                                        existing
                                                + "eu-central-1: { bucket: ours, "
                                                + kms.replace("eu-west-1", "eu-central-1")
                                                + "\n    copyTo: eu-central-1"
                                                + "\n    copyAccount: '444455556666'")));
    }

    /** What each mistake was read as. */
    private List<String> read(String yaml) throws IOException {
        return mistakes(yaml).stream()
                .map(it -> it.replaceAll(".*: read (.*), expected .*", "$1"))
                .toList();
    }

    @Test
    void saysWhatTheAccountOfTheCopyNeeds() {
        CopyAccount copy = CopyAccount.of(Examples.load("copy-account")).getFirst();
        String needs = String.join("\n", copy.needs());
        assertEquals("444455556666", copy.account());
        for (String need :
                List.of(
                        "vault-dr-payments-copy-eu-central-1 and vault-dr-payments-proof",
                        "COPY_PROFILE",
                        "s3://vault-dr-payments-servers-444455556666-eu-central-1",
                        "key/mrk-1234abcd12ab34cd56ef1234567890ab: kms:DescribeKey",
                        "arn:aws:iam::444455556666:role/vault-dr-payments-prove-snapshot-eu-central-1"
                            + " and",
                        "role/vault-dr-payments-freshness-check-eu-central-1")) {
            assertTrue(needs.contains(need), needs);
        }
        assertEquals(List.of(), CopyAccount.of(Examples.load("automatic")));
    }

    @Test
    void bothSidesInOneRegionAreNoDisasterRecovery() throws IOException {
        String yaml =
                Files.readString(Examples.DIRECTORY.resolve("automatic.yaml"))
                        .replaceAll("ca: .*", "")
                        .replace("region: eu-central-1", "region: eu-west-1");
        assertTrue(
                mistakes(yaml).stream()
                        .anyMatch(it -> it.contains("expected another region than home's")));
    }
}
