package io.vaultdr.snapshot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vaultdr.aws.AwsClients;
import io.vaultdr.aws.S3Bucket;
import io.vaultdr.model.Failure;
import io.vaultdr.model.Secret;
import io.vaultdr.model.Side;
import io.vaultdr.runtime.Deadline;
import io.vaultdr.snapshot.SnapshotTaker.Taken;
import io.vaultdr.testing.BaoServer;
import io.vaultdr.testing.GarbageServer;
import io.vaultdr.vault.LeaderFinder;
import io.vaultdr.vault.Login;
import io.vaultdr.vault.VaultClient;
import io.vaultdr.vault.VaultClients;

import org.junit.jupiter.api.Test;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/** Leaders, tokens and buckets that fail or dawdle while a snapshot is taken. */
class SnapshotTroubleIT extends TakerCases {
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
                takerBy(
                        clients(),
                        node -> {
                            Login.Session session = session(node);
                            node.revokeSelf(session.token());
                            return session;
                        });

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
                takerBy(
                        clients,
                        node -> {
                            Login.Session session = session(node);
                            token.set(session.token());
                            return session;
                        });

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

    private SnapshotTaker takerBy(
            VaultClients clients, Function<VaultClient, Login.Session> login) {
        return new SnapshotTaker(
                pair,
                Side.HOME,
                new LeaderFinder(clients),
                login,
                Map::of,
                List.of(home, dr),
                SCRATCH,
                CLOCK,
                TakerCases::nonce);
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

    private static void stepDown() {
        cluster.call("PUT", "sys/step-down", null).expect();
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
