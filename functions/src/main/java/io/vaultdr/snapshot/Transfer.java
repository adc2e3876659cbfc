package io.vaultdr.snapshot;

import io.vaultdr.model.Failure;
import io.vaultdr.runtime.Deadline;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * One archive on its way from a stream into buckets.
 *
 * <p>The stream is read at full speed into scratch space. Behind it one pass checks the archive,
 * and an upload per bucket sends parts straight from scratch space, so that memory is flat, a slow
 * bucket holds nobody up, and what failed is sent again without asking the stream's source. No
 * upload is completed before {@link #commit}; {@link #close} gives all others up.
 */
final class Transfer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Transfer.class);

    /** 10,000 parts of this size hold 78 GiB, more than scratch space can. */
    static final int PART = 8 * 1024 * 1024;

    /** Parts of one bucket that are under way at once. */
    private static final int LANES = 3;

    private static final int ATTEMPTS = 2;

    /** How long a bucket waits for the one before it to be committed first. */
    private static final Duration TURN = Duration.ofSeconds(20);

    private final String key;
    private final Deadline deadline;
    private final Scratch scratch;
    private final CompletableFuture<Optional<Manifest>> verdict = new CompletableFuture<>();
    private final List<Landing> landings = new ArrayList<>();
    private volatile boolean over;

    /** What became of the archive in one bucket. */
    sealed interface Landed {
        /** The bucket holds it and its manifest. */
        record Committed() implements Landed {}

        /** Another run had committed this id before. */
        record Anticipated() implements Landed {}

        /** The bucket doesn't hold it. */
        record Missed(String why) implements Landed {}
    }

    private record Landing(Uploads bucket, CompletableFuture<Landed> landed) {}

    private Transfer(String key, Deadline deadline, Scratch scratch) {
        this.key = key;
        this.deadline = deadline;
        this.scratch = scratch;
    }

    /**
     * Begins to upload into {@code buckets}, under {@code key}, what {@link #receive} will read.
     *
     * @param directory where scratch space is
     */
    static Transfer into(
            List<? extends Uploads> buckets, String key, Path directory, Deadline deadline) {
        Transfer transfer = new Transfer(key, deadline, Scratch.in(directory, PART));
        CompletableFuture<Landed> before =
                CompletableFuture.completedFuture(new Landed.Missed("nobody is before the first"));
        for (Uploads bucket : buckets) {
            CompletableFuture<Landed> landed = new CompletableFuture<>();
            CompletableFuture<Landed> turn = before;
            Thread.ofVirtual()
                    .name("upload to " + bucket.region())
                    .start(() -> landed.complete(transfer.land(bucket, turn)));
            transfer.landings.add(new Landing(bucket, landed));
            before = landed;
        }
        return transfer;
    }

    /**
     * Reads {@code stream} to its end, and says what one pass found of it.
     *
     * @throws Failure where it breaks off, takes too long, or doesn't fit
     */
    Archive receive(InputStream stream) {
        CompletableFuture<Archive> check = new CompletableFuture<>();
        Thread.ofPlatform()
                .daemon()
                .name("archive-check")
                .start(
                        () -> {
                            try (InputStream all = scratch.follow()) {
                                check.complete(Archive.check(all));
                            } catch (IOException | RuntimeException | Error e) {
                                check.completeExceptionally(e);
                            }
                        });
        scratch.fill(stream, deadline);
        try {
            return check.get(deadline.left().toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            throw outOfTime("check the archive");
        } catch (ExecutionException e) {
            throw new Failure.Retryable(
                    "check the archive",
                    "scratch space can't be read (" + e.getCause() + ")",
                    "Nothing of it is kept",
                    e);
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
    }

    /**
     * Completes each upload and commits it with {@code manifest}; what became of each bucket, in
     * their order. Waits for all of them, but not beyond the deadline.
     */
    List<Landed> commit(Manifest manifest) {
        verdict.complete(Optional.of(manifest));
        List<Landed> all = new ArrayList<>();
        for (Landing landing : landings) {
            try {
                all.add(landing.landed().get(deadline.left().toMillis(), TimeUnit.MILLISECONDS));
            } catch (TimeoutException e) {
                all.add(new Landed.Missed("the function's time was over before it was uploaded"));
            } catch (ExecutionException e) {
                throw new IllegalStateException("landing never fails", e);
            } catch (InterruptedException e) {
                throw interrupted(e);
            }
        }
        return all;
    }

    /** Gives up what wasn't committed and waits a moment until that is done. */
    @Override
    public void close() {
        over = true;
        verdict.complete(Optional.empty());
        try {
            CompletableFuture.allOf(
                            landings.stream()
                                    .map(Landing::landed)
                                    .toArray(CompletableFuture<?>[]::new))
                    .get(5, TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            LOG.warn("An upload hangs and could not be given up in time; a later run sweeps it");
        } catch (ExecutionException e) {
            throw new IllegalStateException("landing never fails", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            scratch.close();
        }
    }

    /** The whole way of one bucket, on a thread of its own. */
    private Landed land(Uploads bucket, CompletableFuture<Landed> turn) {
        for (int attempt = 1; ; attempt++) {
            Optional<Uploads.Upload> upload = Optional.empty();
            boolean completed = false;
            try {
                upload = Optional.of(bucket.begin(key));
                List<Uploads.Part> parts = send(bucket, upload.get());
                Optional<Manifest> manifest = verdict.get();
                if (manifest.isEmpty()) {
                    return new Landed.Missed("given up");
                }
                if (committedBefore(turn) || taken(bucket, manifest.get())) {
                    return new Landed.Anticipated();
                }
                upload.get().complete(parts);
                completed = true;
                return bucket.commit(manifest.get())
                        ? new Landed.Committed()
                        : new Landed.Anticipated();
            } catch (Failure.Terminal e) {
                return new Landed.Missed(message(e));
            } catch (Failure e) {
                if (over || attempt == ATTEMPTS) {
                    return new Landed.Missed(message(e));
                }
                LOG.warn("An upload is begun again from scratch space: {}", e.getMessage());
            } catch (IOException | ExecutionException | RuntimeException e) {
                return new Landed.Missed(e.toString());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return new Landed.Missed("interrupted");
            } finally {
                if (!completed) {
                    upload.ifPresent(Uploads.Upload::abort);
                }
            }
        }
    }

    private static String message(Failure e) {
        return Optional.ofNullable(e.getMessage()).orElse("failed");
    }

    /**
     * Buckets commit one after the other, so that of two runs at once one wins all of them. A
     * bucket that is away isn't waited for longer than {@link #TURN}.
     */
    private static boolean committedBefore(CompletableFuture<Landed> turn)
            throws InterruptedException, ExecutionException {
        try {
            return turn.get(TURN.toMillis(), TimeUnit.MILLISECONDS) instanceof Landed.Anticipated;
        } catch (TimeoutException e) {
            return false;
        }
    }

    private static boolean taken(Uploads bucket, Manifest manifest) {
        return bucket.committed(manifest.id())
                .filter(other -> !other.nonce().equals(manifest.nonce()))
                .isPresent();
    }

    private List<Uploads.Part> send(Uploads bucket, Uploads.Upload upload)
            throws IOException, InterruptedException {
        AtomicInteger next = new AtomicInteger();
        Queue<Uploads.Part> parts = new ConcurrentLinkedQueue<>();
        Queue<Exception> failures = new ConcurrentLinkedQueue<>();
        long start = System.nanoTime();
        List<Thread> lanes = new ArrayList<>();
        for (int lane = 0; lane < LANES; lane++) {
            // Platform threads: virtual ones change hands at each wait for the socket or the file.
            lanes.add(
                    Thread.ofPlatform()
                            .daemon()
                            .name("upload to " + bucket.region() + ", lane " + lane)
                            .start(
                                    () -> {
                                        try {
                                            lane(upload, next, parts, failures, start);
                                        } catch (IOException | RuntimeException e) {
                                            failures.add(e);
                                        }
                                    }));
        }
        for (Thread lane : lanes) {
            lane.join();
        }
        Optional<Exception> failure = Optional.ofNullable(failures.peek());
        if (failure.isPresent()) {
            switch (failure.get()) {
                case RuntimeException e -> throw e;
                case IOException e -> throw e;
                case Exception e -> throw new IllegalStateException(e);
            }
        }
        return parts.stream().sorted(Comparator.comparingInt(Uploads.Part::number)).toList();
    }

    private void lane(
            Uploads.Upload upload,
            AtomicInteger next,
            Queue<Uploads.Part> parts,
            Queue<Exception> failures,
            long start)
            throws IOException {
        while (failures.isEmpty()) {
            if (over || deadline.passed()) {
                throw outOfTime("upload the archive");
            }
            int number = next.incrementAndGet();
            Optional<Uploads.Content> part = scratch.part(number);
            if (part.isEmpty()) {
                return;
            }
            hopeful(parts.size(), start);
            parts.add(upload.put(number, part.get()));
        }
    }

    /** Stops early where what is left can't be sent in the time that is left. */
    private void hopeful(int sent, long start) {
        if (!scratch.complete() || sent == 0) {
            return;
        }
        double perByte = (System.nanoTime() - start) / 1e9 / ((double) sent * PART);
        double wanted = perByte * (scratch.written() - (double) sent * PART);
        if (wanted > deadline.left().toMillis() / 1e3 + 1) {
            throw new Failure.Terminal(
                    "upload the archive",
                    "at this pace it takes another %.0f s, and %d s are left"
                            .formatted(wanted, deadline.left().toSeconds()),
                    "Raise the function's time-out, or look at why the bucket is slow");
        }
    }

    private static Failure outOfTime(String what) {
        return new Failure.Terminal(
                what,
                "the function's time is over",
                "Nothing of it is kept; raise the function's time-out if this comes again");
    }

    private static Failure interrupted(InterruptedException e) {
        Thread.currentThread().interrupt();
        return new Failure.Retryable("move an archive", "interrupted", "Run it again", e);
    }
}
