package io.vaultdr.cli;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.nio.file.Files;
import java.nio.file.Path;

class ConfigCommandTest {
    private static final String EXAMPLES =
            System.getProperty("vaultdr.root") + "/infra-cdk/examples/";

    @ParameterizedTest
    @CsvSource({"backup, proven", "proven, observe", "observe, approval", "approval, automatic"})
    void aGoodOneTellsPathsCostAndTheNextRung(String example, String next) {
        Run run = Run.of("config", "check", EXAMPLES + example + ".yaml");
        assertAll(
                () -> assertEquals(Exit.EXPECTED, run.exit(), run.out()),
                () ->
                        assertTrue(
                                run.out().contains("vault-dr-payments-take-snapshot in "),
                                run.out()),
                () -> assertTrue(run.out().contains("USD a month"), run.out()),
                () ->
                        assertTrue(
                                run.out().contains("The next rung of payments: " + next),
                                run.out()));
    }

    @Test
    void theLastRungHasNoNext() {
        Run run = Run.of("config", "check", EXAMPLES + "automatic.yaml");
        assertAll(
                () -> assertEquals(Exit.EXPECTED, run.exit(), run.out()),
                () -> assertTrue(!run.out().contains("next rung"), run.out()));
    }

    @Test
    void saysWhatComplianceModeMeans(@TempDir Path folder) throws Exception {
        Path file =
                Files.writeString(
                        folder.resolve("locked.yaml"),
                        Files.readString(Path.of(EXAMPLES + "backup.yaml"))
                                + "    snapshots: { lock: { days: 30, mode: compliance } }\n");
        Run run = Run.of("config", "check", file.toString());
        assertAll(
                () -> assertEquals(Exit.EXPECTED, run.exit(), run.out()),
                () ->
                        assertTrue(
                                run.out().contains("Mind: pairs.payments.snapshots.lock"),
                                run.out()));
    }

    @Test
    void aBadOneTellsAllMistakesAtOnce(@TempDir Path folder) throws Exception {
        Path file =
                Files.writeString(
                        folder.resolve("bad.yaml"),
                        "pairs:\n  payments:\n    stage: bakcup\n    home: {region: eu}\n");
        Run run = Run.of("config", "check", file.toString());
        assertAll(
                () -> assertEquals(Exit.NEGATIVE, run.exit()),
                () -> assertTrue(run.out().contains("pairs.payments.stage"), run.out()),
                () -> assertTrue(run.out().contains("pairs.payments.home.region"), run.out()));
    }
}
