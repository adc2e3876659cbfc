package io.vaultdr.runtime;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;

class DirectoriesTest {
    @TempDir private Path root = Path.of("unset");

    @Test
    void allBelowGoesAndWhatALinkNamesStays() throws IOException {
        Path kept = Files.createDirectory(root.resolve("kept"));
        Files.writeString(kept.resolve("a"), "");
        Path gone = root.resolve("gone");
        Files.writeString(Files.createDirectories(gone.resolve("deep")).resolve("b"), "");
        Files.createSymbolicLink(gone.resolve("link"), kept);

        Directories.delete(gone);
        Directories.delete(gone);

        assertFalse(Files.exists(gone));
        assertTrue(Files.exists(kept.resolve("a")));
    }

    @Test
    void aLinkGoesAlsoWhenItNamesNothing() throws IOException {
        Path link = Files.createSymbolicLink(root.resolve("link"), root.resolve("nothing"));

        Directories.delete(link);

        assertFalse(Files.exists(link, LinkOption.NOFOLLOW_LINKS));
    }
}
