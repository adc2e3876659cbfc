package io.vaultdr.cli;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Files;
import java.nio.file.Path;

class SetupCommandTest {
    private static final String EXAMPLES =
            System.getProperty("vaultdr.root") + "/infra-cdk/examples/";

    @Test
    void printsAScriptForAPairWhoseConfigurationNamesNoAccount() {
        Run run = Run.of("setup", "payments", "--config", EXAMPLES + "backup.yaml");
        assertAll(
                () -> assertEquals(Exit.EXPECTED, run.exit(), run.err()),
                () -> assertTrue(run.out().startsWith("#!/bin/sh\n"), run.out()));
    }

    @Test
    void tellsEveryMistakeOfTheConfiguration(@TempDir Path folder) throws Exception {
        Path file =
                Files.writeString(
                        folder.resolve("bad.yaml"),
                        "pairs:\n  payments:\n    stage: bakcup\n    home: {region: eu}\n");
        Run run = Run.of("setup", "payments", "--config", file.toString());
        assertAll(
                () -> assertEquals(Exit.UNUSABLE, run.exit()),
                () -> assertTrue(run.err().contains("pairs.payments.stage"), run.err()),
                () -> assertTrue(run.err().contains("pairs.payments.home.region"), run.err()));
    }
}
