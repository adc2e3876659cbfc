package io.vaultdr.rehearsal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.BufferedReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

class ChildrenIT {
    /** As a function that runs a server of its own. */
    private static final ProcessBuilder STARTS_ANOTHER =
            new ProcessBuilder("/bin/sh", "-c", "sleep 600 & wait");

    /** Started as a JVM of its own, to be killed. */
    static final class Parent {
        public static void main(String[] arguments) throws Exception {
            var children = new Children(Path.of(arguments[0]));
            System.out.println(children.start(STARTS_ANOTHER).pid());
            Thread.sleep(600_000);
        }
    }

    @Test
    void nothingOutlivesAParentThatIsKilled(@TempDir Path directory) throws Exception {
        Path scratch = Files.createDirectory(directory.resolve("scratch"));
        Files.writeString(scratch.resolve("data"), "x");
        Process parent =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "-cp",
                                System.getProperty("java.class.path"),
                                Parent.class.getName(),
                                scratch.toString())
                        .redirectError(ProcessBuilder.Redirect.INHERIT)
                        .start();
        try (BufferedReader out = parent.inputReader()) {
            ProcessHandle child = ProcessHandle.of(Long.parseLong(out.readLine())).orElseThrow();
            assertTrue(child.isAlive());
            eventually(() -> child.descendants().findAny().isPresent());
            ProcessHandle grandchild = child.descendants().findAny().orElseThrow();

            parent.destroyForcibly().waitFor();

            eventually(() -> !child.isAlive());
            eventually(() -> !grandchild.isAlive());
            eventually(() -> !Files.exists(scratch));
        } finally {
            parent.destroyForcibly();
        }
    }

    @Test
    void closingEndsEverythingAndForgetsWhatEndedBefore(@TempDir Path directory) throws Exception {
        Path scratch = Files.createDirectory(directory.resolve("scratch"));
        Process longOne;
        ProcessHandle another;
        try (var children = new Children(scratch)) {
            Process shortOne = children.start(new ProcessBuilder("true"));
            longOne = children.start(STARTS_ANOTHER);
            assertEquals(0, shortOne.waitFor());
            eventually(() -> children.running().size() == 1);
            Process running = longOne;
            eventually(() -> running.descendants().findAny().isPresent());
            another = longOne.descendants().findAny().orElseThrow();
        }
        assertTrue(longOne.waitFor(5, TimeUnit.SECONDS));
        ProcessHandle last = another;
        eventually(() -> !last.isAlive());
        assertFalse(Files.exists(scratch));
    }

    private static void eventually(BooleanSupplier condition) throws InterruptedException {
        Instant end = Instant.now().plus(Duration.ofSeconds(10));
        while (!condition.getAsBoolean()) {
            assertTrue(Instant.now().isBefore(end), "not within ten seconds");
            Thread.sleep(20);
        }
    }
}
