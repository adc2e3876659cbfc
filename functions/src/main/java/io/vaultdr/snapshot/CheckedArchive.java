package io.vaultdr.snapshot;

import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;

/**
 * An archive that is checked while somebody else reads it, in one pass. Its last bytes are given
 * out only once all of it is known to be sound and the manifest's: until then a read waits, and
 * throws where something is wrong. So no server ever gets a whole damaged archive.
 */
final class CheckedArchive extends InputStream {
    private static final int BLOCKS = 64;
    private static final byte[] END = {};

    private final InputStream source;
    private final Manifest manifest;
    private final BlockingQueue<byte[]> toCheck = new ArrayBlockingQueue<>(BLOCKS);
    private final CompletableFuture<Archive> found = new CompletableFuture<>();
    private final Thread checker;
    private final AtomicLong given = new AtomicLong();
    private volatile boolean unreadable;

    /** Reads {@code source}, which the caller closes. */
    CheckedArchive(InputStream source, Manifest manifest) {
        this.source = source;
        this.manifest = manifest;
        this.checker = Thread.ofPlatform().daemon().name("archive-check").start(this::check);
    }

    /** How much was read of it, which tells whether its reader still reads. */
    long given() {
        return given.get();
    }

    /** What was found wrong with it so far: a sentence; nothing is known before its end. */
    Optional<String> wrong() {
        if (!found.isDone() || found.isCompletedExceptionally()) {
            return Optional.empty();
        }
        return switch (found.join()) {
            case Archive.Bad bad ->
                    Optional.of(
                            "%s at byte %d: %s"
                                    .formatted(bad.reason(), bad.offset(), bad.detail()));
            case Archive.Sound sound when !sound.sha256().equals(manifest.sha256()) ->
                    Optional.of("its hash isn't the manifest's");
            case Archive.Sound _ -> Optional.empty();
        };
    }

    /** Its hash, once all of it was read and found sound. */
    Optional<String> sha256() {
        return found.isDone()
                        && !found.isCompletedExceptionally()
                        && found.join() instanceof Archive.Sound sound
                ? Optional.of(sound.sha256())
                : Optional.empty();
    }

    /** Whether the bucket broke off, which says nothing about the archive. */
    boolean unreadable() {
        return unreadable;
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
        int count;
        try {
            count = source.read(buffer, offset, length);
        } catch (IOException e) {
            unreadable = true;
            throw e;
        }
        if (count < 0) {
            give(END);
            conclude();
            return -1;
        }
        give(Arrays.copyOfRange(buffer, offset, offset + count));
        if (given.get() + count >= manifest.bytes()) {
            // The last bytes; what follows them, if anything does, is for the check alone.
            for (byte[] more = new byte[BLOCKS]; ; ) {
                int rest = source.read(more);
                give(rest < 0 ? END : Arrays.copyOf(more, rest));
                if (rest < 0 || found.isDone()) {
                    break;
                }
            }
            conclude();
        }
        given.addAndGet(count);
        return count;
    }

    private void give(byte[] block) throws IOException {
        try {
            while (!toCheck.offer(block, 100, TimeUnit.MILLISECONDS)) {
                if (found.isDone()) {
                    break;
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
        if (wrong().isPresent()) {
            throw new IOException("the archive is damaged");
        }
    }

    private void conclude() throws IOException {
        try {
            found.get(1, TimeUnit.MINUTES);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        } catch (ExecutionException | TimeoutException e) {
            throw new IOException("the archive could not be checked", e);
        }
        if (wrong().isPresent()) {
            throw new IOException("the archive is damaged");
        }
    }

    @Override
    public void close() {
        checker.interrupt();
    }

    private void check() {
        try {
            found.complete(Archive.check(new Queue()));
        } catch (IOException | RuntimeException e) {
            found.completeExceptionally(e);
        }
    }

    /** What the check reads; interrupted where the reader gave up. */
    private final class Queue extends InputStream {
        private byte[] block = {0};
        private int position = 1;

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] buffer, int offset, int length) throws IOException {
            while (position == block.length) {
                if (block.length == 0) {
                    return -1;
                }
                try {
                    block = toCheck.take();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    throw new IOException("the archive's reader gave up", e);
                }
                position = 0;
                if (block.length == 0) {
                    return -1;
                }
            }
            int count = Math.min(length, block.length - position);
            System.arraycopy(block, position, buffer, offset, count);
            position += count;
            return count;
        }
    }
}
