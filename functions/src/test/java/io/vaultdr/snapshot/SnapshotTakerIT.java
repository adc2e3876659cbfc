package io.vaultdr.snapshot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vaultdr.aws.AwsClients;
import io.vaultdr.aws.S3Bucket;
import io.vaultdr.model.Epoch;
import io.vaultdr.model.Failure;
import io.vaultdr.model.PairId;
import io.vaultdr.model.Secret;
import io.vaultdr.model.Side;
import io.vaultdr.runtime.Deadline;
import io.vaultdr.runtime.PairMetrics;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.snapshot.SnapshotTaker.Taken;
import io.vaultdr.testing.BaoCluster;
import io.vaultdr.testing.BaoServer;
import io.vaultdr.testing.Eventually;
import io.vaultdr.testing.GarbageServer;
import io.vaultdr.testing.Moto;
import io.vaultdr.vault.HttpVaultClients;
import io.vaultdr.vault.LeaderFinder;
import io.vaultdr.vault.Login;
import io.vaultdr.vault.VaultClient;
import io.vaultdr.vault.VaultClients;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import software.amazon.awssdk.services.s3.model.CreateBucketConfiguration;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.UnaryOperator;
import java.util.random.RandomGenerator;

/** Against three real servers, and moto as two regions. */
class SnapshotTakerIT {
    private static final Clock CLOCK = Clock.systemUTC();
    private static final Instant MINUTE = Instant.parse("2026-11-23T17:00:07Z");
    private static final String ID = "payments-20261123T170000Z";
    private static final Optional<Epoch> LINEAGE = Optional.of(Epoch.ZERO);
    private static final Path SCRATCH = Path.of(System.getProperty("java.io.tmpdir", "/tmp"));

    /** More than three parts, so that something is under way when something happens. */
    private static final int CONTENT_MIB = 28;

    private static BaoCluster cluster;
    private static Moto moto;

    private PairSettings pair;
    private SnapshotStore home;
    private SnapshotStore dr;

    @BeforeAll
    static void start() {
        cluster = BaoCluster.running(3);
        moto = Moto.start();
        cluster.call("POST", "sys/mounts/vault-dr", Map.of("type", "kv-v2")).expect();
        Eventually.await(
                "the engine is ready",
                Duration.ofSeconds(20),
                () ->
                        cluster.call("POST", "vault-dr/data/ready", Map.of("data", Map.of("n", 1)))
                                        .status()
                                == 200);
        byte[] random = new byte[700 * 1024];
        for (int i = 0; i < CONTENT_MIB; i++) {
            RandomGenerator.getDefault().nextBytes(random);
            cluster.call(
                            "POST",
                            "vault-dr/data/filler/" + i,
                            Map.of("data", Map.of("bytes", random)))
                    .expect();
        }
    }

    @AfterAll
    static void stop() {
        moto.close();
        cluster.close();
    }

    @BeforeEach
    void emptyBuckets() {
        moto.reset();
        PairSettings.Cluster homeCluster =
                new PairSettings.Cluster(
                        "eu-west-1",
                        cluster.addresses().getFirst(),
                        cluster.addresses(),
                        Optional.empty(),
                        "payments",
                        Optional.empty(),
                        Optional.empty(),
                        3,
                        Optional.empty(),
                        Optional.empty());
        List<PairSettings.Bucket> buckets =
                List.of(
                        new PairSettings.Bucket("eu-west-1", "snapshots-home", Moto.ACCOUNT),
                        new PairSettings.Bucket("eu-central-1", "snapshots-dr", Moto.ACCOUNT));
        pair =
                new PairSettings(
                        new PairId("payments"),
                        PairSettings.Edition.OPENBAO,
                        PairSettings.Stage.BACKUP,
                        "123456789012",
                        homeCluster,
                        Optional.empty(),
                        buckets,
                        List.of(),
                        Optional.empty(),
                        Optional.empty(),
                        Duration.ofSeconds(10),
                        Duration.ofMinutes(1),
                        "arn:aws:sns:eu-west-1:123456789012:pages");
        AwsClients clients = moto.clients();
        for (PairSettings.Bucket bucket : buckets) {
            clients.s3(bucket.region())
                    .createBucket(
                            r ->
                                    r.bucket(bucket.name())
                                            .createBucketConfiguration(
                                                    CreateBucketConfiguration.builder()
                                                            .locationConstraint(bucket.region())
                                                            .build()));
        }
        home = new S3Bucket(clients, buckets.getFirst(), pair.pair(), CLOCK);
        dr = new S3Bucket(clients, buckets.getLast(), pair.pair(), CLOCK);
    }

    @Test
    void commitsACheckedSnapshotInBothBuckets() throws IOException {
        Taken.Committed taken = committed(taker(home, dr).take(MINUTE, LINEAGE, minutes(2)));

        assertEquals(List.of("eu-west-1", "eu-central-1"), taken.regions());
        assertEquals(List.of(), taken.degraded());
        Manifest manifest = taken.manifest();
        assertEquals(ID, manifest.id());
        assertEquals("static", manifest.needs().sealType());
        assertEquals(Map.of("snapshot", "accessor"), manifest.needs().login());
        assertTrue(manifest.bytes() > 4L * Transfer.PART / 2, manifest + " is small");
        for (SnapshotStore store : List.of(home, dr)) {
            assertEquals(List.of(manifest), store.newest(5));
            Archive.Sound sound = assertInstanceOf(Archive.Sound.class, check(store, manifest));
            assertEquals(manifest.sha256(), sound.sha256());
            assertEquals(manifest.index(), sound.index());
            assertEquals(3, sound.servers().size());
        }
        VaultClient leader = clients().at(pair.home(), cluster.leader().address());
        assertEquals(
                manifest.nonce(),
                leader.readKv(Secret.of(cluster.rootToken()), "vault-dr", "canary")
                        .orElseThrow()
                        .data()
                        .get("nonce"));
    }

    @Test
    void takesOneSnapshotForAMinuteThatIsScheduledTwice() {
        committed(taker(home, dr).take(MINUTE, LINEAGE, minutes(2)));

        Taken again = taker(home, dr).take(MINUTE.plusSeconds(30), LINEAGE, minutes(2));

        assertEquals(new Taken.Already(ID, List.of()), again);
        assertEquals(1, home.newest(5).size());
    }

    @Test
    void takesOneSnapshotWhenTwoRunAtOnce() {
        CompletableFuture<Taken> other =
                CompletableFuture.supplyAsync(
                        () -> taker(home, dr).take(MINUTE, LINEAGE, minutes(2)));
        Taken one = taker(home, dr).take(MINUTE, LINEAGE, minutes(2));
        Taken two = other.join();

        assertEquals(1, home.newest(5).size());
        assertEquals(home.newest(5), dr.newest(5));
        assertTrue(
                one instanceof Taken.Committed ^ two instanceof Taken.Committed,
                "one commits: " + one + ", " + two);
    }

    @Test
    void servesTheOtherBucketWhileOneIsAwayAndCopiesLater() throws IOException {
        Taken.Committed taken = committed(taker(home, away(dr)).take(MINUTE, LINEAGE, minutes(2)));

        assertEquals(List.of("eu-west-1"), taken.regions());
        assertEquals(1, taken.degraded().size(), taken.degraded().toString());
        assertTrue(taken.degraded().getFirst().contains("eu-central-1"));
        assertEquals(List.of(), dr.newest(5));
        assertEquals(1, copies().find().size());

        List<String> uncopied = copies().copy(minutes(1));

        assertEquals(List.of(), uncopied);
        assertEquals(home.newest(5), dr.newest(5));
        assertInstanceOf(Archive.Sound.class, check(dr, taken.manifest()));
    }

    @Test
    void copiesNothingThatWasDamagedInTheBucket() {
        Manifest manifest =
                committed(taker(home, away(dr)).take(MINUTE, LINEAGE, minutes(2))).manifest();
        moto.clients()
                .s3("eu-west-1")
                .putObject(
                        r -> r.bucket("snapshots-home").key(manifest.archiveKey()),
                        software.amazon.awssdk.core.sync.RequestBody.fromBytes(
                                Archives.sound(1000).stored()));

        List<String> uncopied = copies().copy(minutes(1));

        assertEquals(1, uncopied.size());
        assertTrue(uncopied.getFirst().contains("hash"), uncopied.getFirst());
        assertEquals(List.of(), dr.newest(5));
        assertEquals(0, uploadsUnderWay());
    }

    @Test
    void keepsVaultWritableWhileABucketIsSlowAndTheLeaderStepsDown() throws Exception {
        AtomicBoolean done = new AtomicBoolean();
        CompletableFuture<Duration> longestGap =
                CompletableFuture.supplyAsync(() -> longestGapOfWrites(done));
        SnapshotStore slow = slowed(dr, Duration.ofMillis(2500));
        CompletableFuture<Taken> run =
                CompletableFuture.supplyAsync(
                        () -> taker(home, slow).take(MINUTE, LINEAGE, minutes(2)));
        Thread.sleep(1500);
        stepDown();

        Taken taken = run.join();
        done.set(true);

        assertEquals(2, committed(taken).regions().size());
        // An election takes up to three seconds here; the slow bucket took longer than that.
        Duration gap = longestGap.join();
        assertTrue(gap.compareTo(Duration.ofSeconds(5)) < 0, "no write for " + gap);
    }

    @Test
    void takesItAgainFromTheNextLeaderWhenOneDiesInTheMiddle() throws IOException {
        BaoServer leader = cluster.leader();
        AtomicBoolean killed = new AtomicBoolean();
        SnapshotTaker taker =
                taker(
                        intercepted(
                                stream ->
                                        after(
                                                stream,
                                                5_000_000,
                                                () -> {
                                                    if (!killed.getAndSet(true)) {
                                                        leader.kill();
                                                    }
                                                })),
                        home,
                        dr);
        try {
            Manifest manifest = committed(taker.take(MINUTE, LINEAGE, minutes(2))).manifest();

            assertTrue(killed.get());
            assertEquals(List.of(manifest), home.newest(5));
            assertInstanceOf(Archive.Sound.class, check(dr, manifest));
            assertEquals(0, uploadsUnderWay());
        } finally {
            leader.start();
            leader.awaitHealth(429, Duration.ofSeconds(30));
        }
    }

    @Test
    void refusesAStreamOfALeaderThatSteppedDownMeanwhile() {
        AtomicBoolean down = new AtomicBoolean();
        SnapshotTaker taker =
                taker(
                        intercepted(
                                stream ->
                                        after(
                                                stream,
                                                1,
                                                () -> {
                                                    if (!down.getAndSet(true)) {
                                                        stepDown();
                                                    }
                                                })),
                        home,
                        dr);

        committed(taker.take(MINUTE, LINEAGE, minutes(2)));

        assertTrue(down.get());
        assertEquals(1, home.newest(5).size());
    }

    @Test
    void listsNothingWhenTheTokenDiesBeforeTheStream() {
        SnapshotTaker taker =
                new SnapshotTaker(
                        pair,
                        Side.HOME,
                        new LeaderFinder(clients()),
                        node -> {
                            Login.Session session = session(node);
                            node.revokeSelf(session.token());
                            return session;
                        },
                        Map::of,
                        List.of(home, dr),
                        SCRATCH,
                        CLOCK,
                        SnapshotTakerIT::nonce);

        assertThrows(Failure.class, () -> taker.take(MINUTE, LINEAGE, minutes(1)));

        assertEquals(List.of(), home.newest(5));
        assertEquals(0, uploadsUnderWay());
    }

    @Test
    void keepsWhatTheServerStreamsToItsEndAfterTheTokenDied() throws IOException {
        AtomicReference<Secret> token = new AtomicReference<>();
        AtomicBoolean revoked = new AtomicBoolean();
        VaultClients clients =
                intercepted(
                        stream ->
                                after(
                                        stream,
                                        5_000_000,
                                        () -> {
                                            cluster.call(
                                                            "POST",
                                                            "auth/token/revoke",
                                                            Map.of("token", token.get().reveal()))
                                                    .expect();
                                            revoked.set(true);
                                        }));
        SnapshotTaker taker =
                new SnapshotTaker(
                        pair,
                        Side.HOME,
                        new LeaderFinder(clients),
                        node -> {
                            Login.Session session = session(node);
                            token.set(session.token());
                            return session;
                        },
                        Map::of,
                        List.of(home, dr),
                        SCRATCH,
                        CLOCK,
                        SnapshotTakerIT::nonce);

        Manifest manifest = committed(taker.take(MINUTE, LINEAGE, minutes(2))).manifest();

        assertTrue(revoked.get());
        assertInstanceOf(Archive.Sound.class, check(home, manifest));
        assertInstanceOf(Archive.Sound.class, check(dr, manifest));
    }

    @Test
    void servesTheOtherBucketWhileOneHangs() throws IOException {
        try (GarbageServer silent = GarbageServer.start(GarbageServer.Manner.SILENCE)) {
            SnapshotStore hanging = bucketBehind(silent);

            Taken.Committed taken =
                    committed(taker(home, hanging).take(MINUTE, LINEAGE, minutes(2)));

            assertEquals(List.of("eu-west-1"), taken.regions());
            assertTrue(taken.degraded().getFirst().contains("eu-central-1"), "" + taken.degraded());
            assertTrue(silent.connections() > 0);
        }
    }

    /** The DR bucket as it is seen where packets to its region get lost. */
    private SnapshotStore bucketBehind(GarbageServer server) {
        String endpoint = System.setProperty("aws.endpointUrl", server.address().toString());
        try {
            AwsClients clients = moto.clients();
            // An SDK client asks for its endpoint when it is made.
            clients.s3("eu-central-1");
            return new S3Bucket(clients, pair.buckets().getLast(), pair.pair(), CLOCK);
        } finally {
            System.setProperty("aws.endpointUrl", endpoint);
        }
    }

    private MissingCopies copies() {
        return new MissingCopies(List.of(home, dr), List.of(), MissingCopies.Owed.ALL, SCRATCH);
    }

    @Test
    void takesWithoutTheLedgerAndSaysSo() {
        List<PairMetrics.Measure> published = new ArrayList<>();
        SnapshotRun run =
                new SnapshotRun(
                        Side.HOME,
                        () -> {
                            throw new Failure.Retryable(
                                    "read the ledger", "no answer", "Ask again");
                        },
                        taker(home, dr),
                        copies(),
                        published::addAll);

        SnapshotRun.Report report = run.run(MINUTE, minutes(2));

        assertEquals("COMMITTED", report.outcome());
        assertTrue(report.degraded().getFirst().contains("lineage is unknown"), "" + report);
        assertEquals(Optional.empty(), home.newest(1).getFirst().lineage());
        assertTrue(published.contains(PairMetrics.Measure.count("SnapshotDegraded", 1)));
    }

    @Test
    void givesUpInTimeAndCleansUp() {
        SnapshotTaker taker =
                taker(slowed(home, Duration.ofSeconds(2)), slowed(dr, Duration.ofSeconds(2)));
        Deadline soon = new Deadline(CLOCK, CLOCK.instant().plusSeconds(3));

        Failure failure = assertThrows(Failure.class, () -> taker.take(MINUTE, LINEAGE, soon));

        assertTrue(String.valueOf(failure.getMessage()).contains("time"), failure.getMessage());
        assertEquals(List.of(), home.newest(5));
        assertEquals(List.of(), dr.newest(5));
        assertEquals(0, uploadsUnderWay());
    }

    @Test
    void listsNothingOfAKilledRunAndSweepsItsUploads() {
        Uploads.Upload abandoned =
                home.begin(
                        Manifest.archiveKey(
                                Manifest.id(pair.pair(), CLOCK.instant(), Duration.ofMinutes(1)),
                                "abandoned"));
        abandoned.put(
                1,
                new Uploads.Content() {
                    @Override
                    public long length() {
                        return 5;
                    }

                    @Override
                    public InputStream open() {
                        return new java.io.ByteArrayInputStream(new byte[5]);
                    }
                });

        assertEquals(List.of(), home.newest(5));
        assertEquals(0, home.sweep(CLOCK.instant().minusSeconds(600)), "may be under way");
        assertEquals(1, home.sweep(CLOCK.instant().plusSeconds(600)));
        assertEquals(0, uploadsUnderWay());
    }

    @Test
    void listsNewestFirst() {
        SnapshotTaker taker = taker(home);
        for (int minute = 0; minute < 3; minute++) {
            committed(taker.take(MINUTE.plus(Duration.ofMinutes(minute)), LINEAGE, minutes(1)));
        }

        assertEquals(
                List.of("payments-20261123T170200Z", "payments-20261123T170100Z"),
                home.newestIds(2));
    }

    private SnapshotTaker taker(SnapshotStore... stores) {
        return taker(clients(), stores);
    }

    private SnapshotTaker taker(VaultClients clients, SnapshotStore... stores) {
        return new SnapshotTaker(
                pair,
                Side.HOME,
                new LeaderFinder(clients),
                SnapshotTakerIT::session,
                () -> Map.of("snapshot", "accessor"),
                List.of(stores),
                SCRATCH,
                CLOCK,
                SnapshotTakerIT::nonce);
    }

    private static String nonce() {
        return UUID.randomUUID().toString().replace("-", "");
    }

    private static HttpVaultClients clients() {
        return new HttpVaultClients(cluster -> Optional.empty(), HttpVaultClients.Limits.DEFAULT);
    }

    private static Login.Session session(VaultClient node) {
        String token =
                cluster.call("POST", "auth/token/create", Map.of("policies", List.of("root")))
                        .expect()
                        .body()
                        .path("auth")
                        .path("client_token")
                        .asText();
        return new Login.Session(node, Secret.of(token), Optional.of("accessor"));
    }

    private static void stepDown() {
        cluster.call("PUT", "sys/step-down", null).expect();
    }

    private static Taken.Committed committed(Taken taken) {
        return assertInstanceOf(Taken.Committed.class, taken);
    }

    private static Deadline minutes(int minutes) {
        return new Deadline(CLOCK, CLOCK.instant().plus(Duration.ofMinutes(minutes)));
    }

    private static Archive check(SnapshotStore store, Manifest manifest) throws IOException {
        try (InputStream archive = store.open(manifest)) {
            return Archive.check(archive);
        }
    }

    private long uploadsUnderWay() {
        return pair.buckets().stream()
                .mapToLong(
                        bucket ->
                                moto.clients()
                                        .s3(bucket.region())
                                        .listMultipartUploads(r -> r.bucket(bucket.name()))
                                        .uploads()
                                        .size())
                .sum();
    }

    /** Writes as fast as it can until {@code done}; the longest time without a success. */
    private static Duration longestGapOfWrites(AtomicBoolean done) {
        long longest = 0;
        long last = System.nanoTime();
        int written = 0;
        while (!done.get()) {
            for (BaoServer node : cluster.nodes()) {
                try {
                    int status =
                            node.call(
                                            "POST",
                                            "vault-dr/data/writer",
                                            cluster.rootToken(),
                                            Map.of("data", Map.of("n", written)))
                                    .status();
                    if (status == 200) {
                        longest = Math.max(longest, System.nanoTime() - last);
                        last = System.nanoTime();
                        written++;
                        break;
                    }
                } catch (UncheckedIOException e) {
                    // Whoever doesn't answer is passed over: the next node is asked.
                }
            }
        }
        return Duration.ofNanos(Math.max(longest, System.nanoTime() - last));
    }

    /** A bucket whose calls fail as those of a dead region do. */
    private static SnapshotStore away(SnapshotStore store) {
        return SnapshotStore.class.cast(
                Proxy.newProxyInstance(
                        SnapshotStore.class.getClassLoader(),
                        new Class<?>[] {SnapshotStore.class},
                        (self, method, arguments) -> {
                            if (method.getName().equals("region")) {
                                return store.region();
                            }
                            throw new Failure.Retryable("call S3", "no answer", "Try again");
                        }));
    }

    /** A bucket that takes its time for every part. */
    private static SnapshotStore slowed(SnapshotStore store, Duration part) {
        return proxy(
                SnapshotStore.class,
                store,
                Map.of(
                        "begin",
                        upload ->
                                proxy(
                                        Uploads.Upload.class,
                                        (Uploads.Upload) upload,
                                        Map.of(
                                                "put",
                                                answer -> {
                                                    sleep(part);
                                                    return answer;
                                                }))));
    }

    private static VaultClients intercepted(UnaryOperator<InputStream> stream) {
        VaultClients real = clients();
        return (cluster, node) ->
                proxy(
                        VaultClient.class,
                        real.at(cluster, node),
                        Map.of("snapshot", answer -> stream.apply((InputStream) answer)));
    }

    /** Passes calls on, and the answers of some methods through a function. */
    private static <T> T proxy(Class<T> type, T real, Map<String, UnaryOperator<Object>> answers) {
        Map<String, UnaryOperator<Object>> changed = new HashMap<>(answers);
        return type.cast(
                Proxy.newProxyInstance(
                        type.getClassLoader(),
                        new Class<?>[] {type},
                        (self, method, arguments) -> {
                            try {
                                Object answer = method.invoke(real, arguments);
                                return changed.getOrDefault(
                                                method.getName(), UnaryOperator.identity())
                                        .apply(answer);
                            } catch (InvocationTargetException e) {
                                throw e.getCause();
                            }
                        }));
    }

    private static InputStream after(InputStream stream, long bytes, Runnable action) {
        return new FilterInputStream(stream) {
            private long read;

            @Override
            public int read(byte[] buffer, int offset, int length) throws IOException {
                int count = super.read(buffer, offset, length);
                read += count;
                if (read >= bytes && read - count < bytes) {
                    action.run();
                }
                return count;
            }
        };
    }

    private static void sleep(Duration time) {
        try {
            Thread.sleep(time);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
