import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;

import io.vaultdr.aws.AwsClients;
import io.vaultdr.aws.S3ObjectVersions;
import io.vaultdr.model.Epoch;
import io.vaultdr.model.PairId;
import io.vaultdr.model.Side;
import io.vaultdr.runtime.Deadline;
import io.vaultdr.runtime.Json;
import io.vaultdr.runtime.PairSettings.Bucket;
import io.vaultdr.runtime.RetentionSettings;
import io.vaultdr.snapshot.Manifest;
import io.vaultdr.snapshot.Proof;
import io.vaultdr.snapshot.RetentionRun;
import io.vaultdr.snapshot.Serving;

import software.amazon.awssdk.auth.credentials.EnvironmentVariableCredentialsProvider;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Retention's code on as many objects as it is told: real plan, real S3 adapters, and a server that
 * plays two buckets from arithmetic and keeps nothing. Run by run.py; {@code sink SNAPSHOTS} is the
 * server, {@code run} the measurement.
 */
final class RetentionBench {
    private static final PairId PAIR = new PairId("payments");
    private static final Instant NEWEST = Instant.parse("2026-11-23T17:00:00Z");
    private static final int PAGE = 1000;

    public static void main(String[] arguments) throws IOException {
        if (arguments[0].equals("sink")) {
            sink(Integer.parseInt(arguments[1]));
        } else {
            run();
        }
    }

    private static void run() throws IOException {
        AwsClients clients = new AwsClients(EnvironmentVariableCredentialsProvider.create());
        List<S3ObjectVersions> buckets =
                List.of(
                                new Bucket("eu-west-1", "home", "123456789012"),
                                new Bucket("eu-central-1", "dr", "123456789012"))
                        .stream()
                        .map(bucket -> new S3ObjectVersions(clients, bucket, PAIR))
                        .toList();
        RetentionRun retention =
                new RetentionRun(
                        Side.HOME::equals,
                        () -> Serving.ALWAYS_HOME,
                        true,
                        new RetentionSettings(24, 48, 30, 8, 12, Optional.empty()),
                        buckets,
                        measures -> {});
        Clock clock = Clock.systemUTC();
        Deadline deadline = new Deadline(clock, clock.instant().plus(Duration.ofMinutes(15)));
        long start = System.nanoTime();
        retention.plan(deadline);
        double planned = seconds(start);
        start = System.nanoTime();
        RetentionRun.Report report = retention.run(false, deadline);
        double ran = seconds(start);
        long heap =
                ManagementFactory.getMemoryPoolMXBeans().stream()
                        .filter(pool -> pool.getType() == MemoryType.HEAP)
                        .map(MemoryPoolMXBean::getPeakUsage)
                        .mapToLong(usage -> usage.getUsed())
                        .sum();
        String resident =
                Files.readAllLines(Path.of("/proc/self/status")).stream()
                        .filter(line -> line.startsWith("VmHWM"))
                        .findFirst()
                        .orElse("VmHWM: 0 kB")
                        .replaceAll("\\D", "");
        System.out.println(
                Json.MAPPER.writeValueAsString(
                        Map.of(
                                "result",
                                report.result(),
                                "snapshots",
                                report.snapshots(),
                                "deleted",
                                report.deletedCount(),
                                "problems",
                                report.problems().size(),
                                "planSeconds",
                                planned,
                                "runSeconds",
                                ran,
                                "peakHeapMiB",
                                heap >> 20,
                                "residentMiB",
                                Long.parseLong(resident) >> 10)));
    }

    private static double seconds(long start) {
        return (System.nanoTime() - start) / 1e9;
    }

    /** Two buckets with the same {@code snapshots}, a quarter of an hour apart, all proven. */
    private static void sink(int snapshots) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 100);
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        AtomicLong deleted = new AtomicLong();
        server.createContext("/", exchange -> answer(exchange, snapshots, deleted));
        server.start();
        System.out.println(server.getAddress().getPort());
        System.out.flush();
        // The parent ends it.
        while (System.in.read() >= 0) {
            Thread.onSpinWait();
        }
    }

    private static void answer(HttpExchange exchange, int snapshots, AtomicLong deleted)
            throws IOException {
        exchange.getRequestBody().readAllBytes();
        String path = exchange.getRequestURI().getPath();
        String query = Optional.ofNullable(exchange.getRequestURI().getRawQuery()).orElse("");
        if (query.contains("object-lock")) {
            send(exchange, 404, error("ObjectLockConfigurationNotFoundError"));
        } else if (query.contains("versions")) {
            send(exchange, 200, page(query, snapshots));
        } else if (query.contains("delete")) {
            deleted.incrementAndGet();
            send(exchange, 200, "<DeleteResult/>");
        } else if (path.contains("/manifests/") || path.contains("/proofs/")) {
            String id = path.replaceAll(".*/", "").replaceAll("\\..*", "");
            Manifest manifest = manifest(id);
            send(
                    exchange,
                    200,
                    Json.MAPPER.writeValueAsString(
                            path.contains("/proofs/") ? proof(manifest) : manifest));
        } else {
            send(exchange, 404, error("NoSuchKey"));
        }
    }

    private static String error(String code) {
        return "<Error><Code>" + code + "</Code></Error>";
    }

    private static void send(HttpExchange exchange, int status, String body) throws IOException {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", "application/xml");
        exchange.sendResponseHeaders(status, bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }

    private static String page(String query, int snapshots) {
        String folder = query.replaceAll(".*prefix=([a-z]+).*", "$1");
        int from =
                query.contains("key-marker=")
                        ? Integer.parseInt(query.replaceAll(".*version-id-marker=(\\d+).*", "$1"))
                        : 0;
        int to = Math.min(snapshots, from + PAGE);
        StringBuilder xml = new StringBuilder("<ListVersionsResult><IsTruncated>");
        xml.append(to < snapshots).append("</IsTruncated>");
        xml.append("<NextKeyMarker>k</NextKeyMarker><NextVersionIdMarker>").append(to);
        xml.append("</NextVersionIdMarker>");
        for (int i = from; i < to; i++) {
            String id =
                    Manifest.id(
                            PAIR,
                            NEWEST.minus(Duration.ofMinutes(15L * (snapshots - i))),
                            Duration.ofMinutes(1));
            Manifest manifest = manifest(id);
            String key =
                    switch (folder) {
                        case "manifests" -> Manifest.key(id);
                        case "proofs" -> Proof.key(id);
                        default -> manifest.archiveKey();
                    };
            xml.append("<Version><Key>").append(key).append("</Key><VersionId>v").append(i);
            xml.append("</VersionId><IsLatest>true</IsLatest><LastModified>2026-11-01T00:00:00Z");
            xml.append("</LastModified><Size>1</Size><StorageClass>STANDARD</StorageClass>");
            xml.append("</Version>");
        }
        return xml.append("</ListVersionsResult>").toString();
    }

    private static Manifest manifest(String id) {
        String time = id.substring(id.lastIndexOf('-') + 1);
        return new Manifest(
                id,
                PAIR,
                Side.HOME,
                Instant.parse(
                        time.replaceAll(
                                "(\\d{4})(\\d\\d)(\\d\\d)T(\\d\\d)(\\d\\d)(\\d\\d)Z",
                                "$1-$2-$3T$4:$5:$6Z")),
                Optional.of(Epoch.ZERO),
                1 << 30,
                "0".repeat(64),
                4711,
                3,
                "5f0c7d6e-0000-0000-0000-000000000000",
                "0123456789abcdef0123456789abcdef",
                new Manifest.RestoreNeeds(
                        "openbao",
                        "2.7.2",
                        "awskms",
                        Optional.empty(),
                        Map.of("snapshot", "5f0c7d6e-0000-0000-0000-000000000000"),
                        List.of("/var/log/audit.log")));
    }

    private static Proof proof(Manifest manifest) {
        return new Proof(
                manifest.id(),
                PAIR,
                Proof.Verdict.PROVEN,
                Optional.empty(),
                Optional.empty(),
                manifest.takenAt().plusSeconds(90),
                "eu-central-1",
                1,
                Optional.of(manifest.sha256()),
                Optional.of(manifest.index()),
                Optional.of(manifest.clusterId()),
                Optional.of(new Proof.Counts(5, 3, 20, 40, 900, true)),
                List.of(new Proof.StageTime("restore", Duration.ofSeconds(7))),
                Optional.empty(),
                Map.of("server", "2.7.2"));
    }
}
