import io.vaultdr.aws.AwsClients;
import io.vaultdr.aws.S3Bucket;
import io.vaultdr.model.Epoch;
import io.vaultdr.model.PairId;
import io.vaultdr.model.Secret;
import io.vaultdr.model.Side;
import io.vaultdr.runtime.Deadline;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.snapshot.Archive;
import io.vaultdr.snapshot.SnapshotStore;
import io.vaultdr.snapshot.SnapshotTaker;
import io.vaultdr.vault.HttpVaultClients;
import io.vaultdr.vault.LeaderFinder;
import io.vaultdr.vault.Login;
import io.vaultdr.vault.VaultClient;
import io.vaultdr.vault.VaultClients;

import software.amazon.awssdk.auth.credentials.EnvironmentVariableCredentialsProvider;

import java.io.BufferedReader;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryType;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/**
 * Takes snapshots as TakeSnapshot does, less the login by AppRole: real server, real check, real S3
 * adapters. Reads commands from standard input, {@code take} or {@code check FILE}, and answers
 * each with a line of JSON. Run by run.py.
 */
final class SnapshotBench {
    private static final Clock CLOCK = Clock.systemUTC();

    private long start;
    private long read;

    public static void main(String[] arguments) throws IOException {
        new SnapshotBench()
                .serve(URI.create(arguments[0]), Secret.of(System.getenv("VAULT_TOKEN")));
    }

    private void serve(URI address, Secret token) throws IOException {
        SnapshotTaker taker = taker(address, token);
        BufferedReader commands =
                new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = commands.readLine(); line != null; line = commands.readLine()) {
            for (var pool : ManagementFactory.getMemoryPoolMXBeans()) {
                pool.resetPeakUsage();
            }
            long cpu = cpu();
            start = System.nanoTime();
            long bytes =
                    line.startsWith("check ") ? check(Path.of(line.substring(6))) : take(taker);
            long end = System.nanoTime();
            System.out.printf(
                    "{\"seconds\":%.3f,\"readSeconds\":%.3f,\"cpuSeconds\":%.3f,"
                            + "\"heapMiB\":%.1f,\"bytes\":%d}%n",
                    (end - start) / 1e9,
                    read == 0 ? 0 : (read - start) / 1e9,
                    (cpu() - cpu) / 1e9,
                    heapPeak() / 1048576.0,
                    bytes);
        }
    }

    private static long take(SnapshotTaker taker) {
        Deadline deadline = new Deadline(CLOCK, CLOCK.instant().plus(Duration.ofMinutes(5)));
        return switch (taker.take(Instant.now(), Optional.of(Epoch.ZERO), deadline)) {
            case SnapshotTaker.Taken.Committed taken when taken.degraded().isEmpty() ->
                    taken.bytes();
            case SnapshotTaker.Taken other -> throw new IllegalStateException(other.toString());
        };
    }

    private static long check(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            return switch (Archive.check(in)) {
                case Archive.Sound sound -> sound.bytes();
                case Archive.Bad bad -> throw new IllegalStateException(bad.toString());
            };
        }
    }

    private SnapshotTaker taker(URI address, Secret token) {
        PairSettings.Cluster home =
                new PairSettings.Cluster(
                        "eu-west-1",
                        address,
                        List.of(address),
                        Optional.empty(),
                        "bench",
                        Optional.empty(),
                        Optional.empty(),
                        1,
                        Optional.empty(),
                        Optional.empty());
        List<PairSettings.Bucket> buckets =
                List.of(
                        new PairSettings.Bucket("eu-west-1", "home", "123456789012"),
                        new PairSettings.Bucket("eu-central-1", "dr", "123456789012"));
        PairSettings pair =
                new PairSettings(
                        new PairId("bench"),
                        PairSettings.Edition.OPENBAO,
                        PairSettings.Stage.BACKUP,
                        "123456789012",
                        home,
                        Optional.empty(),
                        buckets,
                        List.of(),
                        Optional.empty(),
                        Optional.empty(),
                        Duration.ofSeconds(10),
                        Duration.ofSeconds(1),
                        "arn:aws:sns:eu-west-1:123456789012:none");
        AwsClients aws = new AwsClients(EnvironmentVariableCredentialsProvider.create());
        List<SnapshotStore> stores =
                buckets.stream()
                        .<SnapshotStore>map(bucket -> new S3Bucket(aws, bucket, pair.pair(), CLOCK))
                        .toList();
        VaultClients real =
                new HttpVaultClients(cluster -> Optional.empty(), HttpVaultClients.Limits.DEFAULT);
        return new SnapshotTaker(
                pair,
                Side.HOME,
                new LeaderFinder((cluster, node) -> timed(real.at(cluster, node))),
                node -> new Login.Session(node, token, Optional.empty()),
                Map::of,
                stores,
                Path.of(System.getProperty("java.io.tmpdir")),
                CLOCK,
                () -> UUID.randomUUID().toString().replace("-", ""));
    }

    /** Notes when the stream ends; the token is the bench's and must outlive a run. */
    private VaultClient timed(VaultClient node) {
        return (VaultClient)
                Proxy.newProxyInstance(
                        VaultClient.class.getClassLoader(),
                        new Class<?>[] {VaultClient.class},
                        (self, method, arguments) -> {
                            if (method.getName().equals("revokeSelf")) {
                                return null;
                            }
                            try {
                                Object answer = method.invoke(node, arguments);
                                return answer instanceof InputStream in ? noting(in) : answer;
                            } catch (InvocationTargetException e) {
                                throw e.getCause();
                            }
                        });
    }

    private InputStream noting(InputStream in) {
        return new FilterInputStream(in) {
            @Override
            public int read(byte[] buffer, int offset, int length) throws IOException {
                int count = super.read(buffer, offset, length);
                if (count < 0) {
                    read = System.nanoTime();
                }
                return count;
            }
        };
    }

    private static long cpu() {
        return ((com.sun.management.OperatingSystemMXBean)
                        ManagementFactory.getOperatingSystemMXBean())
                .getProcessCpuTime();
    }

    private static long heapPeak() {
        return ManagementFactory.getMemoryPoolMXBeans().stream()
                .filter(pool -> pool.getType() == MemoryType.HEAP)
                .mapToLong(pool -> pool.getPeakUsage().getUsed())
                .sum();
    }
}
