package io.vaultdr.cli;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Files;
import java.nio.file.Path;

class RehearseCommandTest {
    @Test
    void aScenarioThatDoesntExistStartsNothing() {
        assertEquals(Exit.UNUSABLE, Run.of("rehearse", "region-lost").exit());
    }

    @Test
    void aReportThatIsAFileIsSaidBeforeAnythingStarts(@TempDir Path folder) throws Exception {
        Path file = Files.writeString(folder.resolve("report"), "");
        Run run = Run.of("rehearse", "--report", file.toString());
        assertAll(
                () -> assertEquals(Exit.UNUSABLE, run.exit()),
                () -> assertTrue(run.err().contains("expected a folder"), run.err()));
    }

    @Test
    void listsWithoutPlaying() {
        assertEquals(Exit.EXPECTED, Run.of("rehearse", "--list").exit());
    }
}
