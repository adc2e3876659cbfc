package io.vaultdr.rehearsal.world;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vaultdr.rehearsal.Children;

import org.junit.jupiter.api.Test;

import java.io.BufferedReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/** A rehearsal killed with kill -9 leaves no process and no folder behind. */
class KilledParentIT {
    @Test
    void leavesNothingBehindWhenItIsKilled() throws Exception {
        Process parent =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "-Dvaultdr.root=" + System.getProperty("vaultdr.root"),
                                "-cp",
                                System.getProperty("java.class.path"),
                                KilledParentIT.class.getName())
                        .redirectError(ProcessBuilder.Redirect.INHERIT)
                        .start();
        String scratch;
        List<ProcessHandle> children;
        try (BufferedReader said = parent.inputReader()) {
            scratch = said.readLine();
            assertEquals("ready", said.readLine());
            children = parent.descendants().filter(ProcessHandle::isAlive).toList();
            assertTrue(children.size() >= 3, "guard, moto and a function: " + children);
        } finally {
            parent.destroyForcibly();
        }
        long end = System.nanoTime() + Duration.ofSeconds(20).toNanos();
        while (children.stream().anyMatch(ProcessHandle::isAlive)
                || Files.exists(Path.of(scratch))) {
            assertTrue(System.nanoTime() < end, "left behind: " + children + ", " + scratch);
            Thread.sleep(100);
        }
    }

    /** The parent: moto and one function in the middle of its work. */
    public static void main(String[] arguments) throws Exception {
        Path scratch = Files.createTempDirectory("killed-parent");
        Path hosts = Files.writeString(scratch.resolve("hosts"), "127.0.0.1 localhost\n");
        System.out.println(scratch);
        Children children = new Children(scratch);
        Gateway gateway = new Gateway();
        Path venv = Path.of(System.getProperty("vaultdr.root"), ".vault-dr", "venv");
        MotoServer moto = MotoServer.start(venv, scratch, gateway.port(), children::start);
        gateway.moto(moto.endpoint());
        LambdaHost host =
                new LambdaHost(
                        new LambdaHost.Setup(
                                scratch,
                                FunctionCode.in(scratch),
                                gateway.endpoint(),
                                region -> hosts,
                                children::start,
                                (function, line) -> {},
                                event -> {},
                                failed -> {},
                                1));
        FunctionSpec function =
                new FunctionSpec(
                        "sleeps",
                        "eu-west-1",
                        "arn:aws:lambda:eu-west-1:123456789012:function:sleeps",
                        FunctionZip.in(scratch),
                        TinyHandler.class.getName(),
                        256,
                        Duration.ofMinutes(5),
                        Map.of(),
                        "1",
                        Map.of("live", "1"),
                        OptionalInt.empty(),
                        0,
                        Optional.empty());
        String warm = host.invoke(function, "live", "{}", "test").payload();
        host.invokeLater(function, "live", "{\"do\":\"sleep\",\"millis\":\"200000\"}", "test");
        Thread.sleep(1000);
        System.out.println(warm.contains("\"pid\"") ? "ready" : warm);
        Thread.sleep(Duration.ofMinutes(5));
    }
}
