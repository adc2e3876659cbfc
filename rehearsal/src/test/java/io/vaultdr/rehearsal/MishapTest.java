package io.vaultdr.rehearsal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;

class MishapTest {
    private static final Path SCRATCH = Path.of("/tmp/rehearsal");

    @Test
    void tellsAFullDiskInALine() {
        var thrown =
                new IllegalStateException(
                        "apply",
                        new UncheckedIOException(new IOException("No space left on device")));

        List<String> lines = Mishap.lines(thrown, SCRATCH);

        assertEquals(1, lines.size());
        assertTrue(lines.getFirst().startsWith("the disk of /tmp is full: "), lines.getFirst());
    }

    @Test
    void tellsATakenPortInALine() {
        var thrown =
                new AssertionError(
                        "server home-1 ended:\nError: listen tcp 127.0.0.1:8200: bind: address"
                                + " already in use\nsee the log");

        assertEquals(
                List.of(
                        "a port was taken before its server could use it (Error: listen tcp"
                                + " 127.0.0.1:8200: bind: address already in use). Play again: free"
                                + " ports are chosen anew"),
                Mishap.lines(thrown, SCRATCH));
    }

    @Test
    void tellsAnythingElseCauseByCause() {
        var thrown = new IllegalStateException("one", new IOException("two"));

        assertEquals(
                List.of(
                        "could not be played: java.lang.IllegalStateException: one",
                        "  because of java.io.IOException: two"),
                Mishap.lines(thrown, SCRATCH));
    }
}
