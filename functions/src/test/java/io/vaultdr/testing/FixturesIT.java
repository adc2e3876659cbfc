package io.vaultdr.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.S3Exception;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;

class FixturesIT {
    @Test
    void threeNodesElectAnotherLeaderWhenTheirsIsKilled() {
        try (BaoCluster cluster = BaoCluster.running(3)) {
            BaoServer first = cluster.leader();
            first.kill();
            assertEquals(0, first.health());
            assertFalse(first.address().equals(cluster.leader().address()));
            first.start().awaitHealth(429, Duration.ofSeconds(20));
        }
    }

    @Test
    void motoKeepsWhatAClientPuts() {
        try (Moto moto = Moto.start()) {
            moto.clients()
                    .secretsManager("eu-west-1")
                    .createSecret(request -> request.name("a/b").secretString("kept"));
            assertEquals(
                    "kept",
                    moto.clients()
                            .secretsManager("eu-west-1")
                            .getSecretValue(request -> request.secretId("a/b"))
                            .secretString());
        }
    }

    @Test
    void motoLetsOneOfManyConditionalWritesHaveIt() {
        int writers = 16;
        try (Moto moto = Moto.start();
                var threads = Executors.newFixedThreadPool(writers)) {
            S3Client s3 = moto.clients().s3("us-east-1");
            s3.createBucket(b -> b.bucket("claims"));
            for (int round = 0; round < 5; round++) {
                String key = "claim-" + round;
                List<Future<Boolean>> claims =
                        IntStream.range(0, writers)
                                .mapToObj(_ -> threads.submit(() -> claims(s3, key)))
                                .toList();
                assertEquals(1, claims.stream().filter(FixturesIT::had).count());
            }
        }
    }

    private static boolean claims(S3Client s3, String key) {
        try {
            s3.putObject(
                    r -> r.bucket("claims").key(key).ifNoneMatch("*"), RequestBody.fromString("x"));
            return true;
        } catch (S3Exception e) {
            assertEquals(412, e.statusCode());
            return false;
        }
    }

    private static boolean had(Future<Boolean> claim) {
        try {
            return claim.get(30, TimeUnit.SECONDS);
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void aServerEndsWithTheJvmThatStartedIt(@TempDir Path directory) throws Exception {
        Path log = directory.resolve("log");
        Process jvm =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "-cp",
                                System.getProperty("java.class.path"),
                                Parent.class.getName(),
                                log.toString())
                        .inheritIO()
                        .start();
        long child =
                Eventually.get(
                        "the child's process id",
                        Duration.ofSeconds(30),
                        () -> read(log.resolveSibling("pid")));
        assertTrue(ProcessHandle.of(child).isPresent());

        jvm.destroyForcibly();

        Eventually.await(
                "the child's end",
                Duration.ofSeconds(10),
                () -> ProcessHandle.of(child).filter(ProcessHandle::isAlive).isEmpty());
    }

    private static java.util.Optional<Long> read(Path file) {
        try {
            return Files.exists(file) && Files.size(file) > 0
                    ? java.util.Optional.of(Long.parseLong(Files.readString(file)))
                    : java.util.Optional.empty();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    /** A JVM that starts a child and then waits to be killed. */
    static final class Parent {
        public static void main(String[] arguments) throws Exception {
            Path log = Path.of(arguments[0]);
            ServerProcess child = ServerProcess.start(List.of("sleep", "600"), Map.of(), log);
            Path written = Files.writeString(log.resolveSibling("pid.new"), "" + child.pid());
            Files.move(written, log.resolveSibling("pid"));
            Thread.sleep(Duration.ofMinutes(10));
        }
    }
}
