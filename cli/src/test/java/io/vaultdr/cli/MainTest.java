package io.vaultdr.cli;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

import picocli.CommandLine;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

class MainTest {
    @Test
    void helpTellsCommandsAndExitCodes() {
        Run run = Run.of("--help");
        assertAll(
                () -> assertEquals(Exit.EXPECTED, run.exit()),
                () -> assertTrue(run.out().contains("Exit codes"), run.out()),
                () -> assertTrue(run.out().contains("snapshot"), run.out()),
                () -> assertEquals("", run.err()));
    }

    /** Each command explains itself, so that nobody has to read code to use it. */
    @TestFactory
    Stream<DynamicTest> everyCommandHasAHeaderAndDescribesAllOfItsOptions() {
        return all(Main.commandLine(
                        new PrintWriter(new StringWriter()), new PrintWriter(new StringWriter())))
                .map(
                        command ->
                                DynamicTest.dynamicTest(
                                        command.getCommandSpec().qualifiedName(),
                                        () -> explained(command)));
    }

    @Test
    void anUnknownCommandIsOneLineAndAHint() {
        Run run = Run.of("rehears");
        assertAll(
                () -> assertEquals(Exit.UNUSABLE, run.exit()),
                () -> assertEquals(2, run.err().lines().count(), run.err()),
                () -> assertFalse(run.err().contains("\tat "), run.err()));
    }

    @Test
    void aMissingFileIsSaid() {
        Run run = Run.of("snapshot", "check", "/nowhere/at.all");
        assertAll(
                () -> assertEquals(Exit.UNUSABLE, run.exit()),
                () -> assertTrue(run.err().contains("/nowhere/at.all: no such file"), run.err()),
                () -> assertEquals(1, run.err().lines().count(), run.err()));
    }

    @Test
    void aFolderIsNoArchive(@TempDir Path folder) {
        Run run = Run.of("snapshot", "check", folder.toString());
        assertAll(
                () -> assertEquals(Exit.UNUSABLE, run.exit()),
                () -> assertTrue(run.err().contains("a folder"), run.err()));
    }

    @Test
    void whatIsNoArchiveIsBadWithReasonAndOffset(@TempDir Path folder) throws Exception {
        Path file = Files.writeString(folder.resolve("x.snap"), "not an archive");
        Run run = Run.of("snapshot", "check", file.toString());
        assertAll(
                () -> assertEquals(Exit.NEGATIVE, run.exit()),
                () -> assertTrue(run.out().contains("reason  not gzip"), run.out()),
                () -> assertTrue(run.out().contains("offset  "), run.out()));
    }

    private static void explained(CommandLine command) {
        assertTrue(command.getCommandSpec().usageMessage().header().length > 0, "no header");
        Stream.concat(
                        command.getCommandSpec().options().stream(),
                        command.getCommandSpec().positionalParameters().stream())
                .forEach(
                        argument ->
                                assertTrue(argument.description().length > 0, argument::toString));
    }

    private static Stream<CommandLine> all(CommandLine command) {
        return Stream.concat(
                Stream.of(command),
                command.getSubcommands().values().stream().flatMap(MainTest::all));
    }
}
