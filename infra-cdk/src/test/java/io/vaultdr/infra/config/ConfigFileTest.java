package io.vaultdr.infra.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vaultdr.infra.Examples;
import io.vaultdr.infra.config.Config.Pair;
import io.vaultdr.infra.config.ConfigFile.Loaded;
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
        assertEquals(5, Examples.names().count());
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
                "stage: backup | stage: backup, snapshots: { keepDays: 3, lockDays: 9 }",
                "stage: backup | stage: backup, snapshots: { scratchMiB: 20000 }",
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
