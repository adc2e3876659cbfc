package io.vaultdr.snapshot;

import io.vaultdr.model.Failure;
import io.vaultdr.runtime.Deadline;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.zip.CRC32;

/**
 * Scratch space that one stream fills at full speed while others follow it. What comes is divided
 * into parts, whose checksums are known when they are there: of what came, not of what scratch
 * space gives back. The file has no name any more as soon as it is open, so it is gone with the
 * process, however that ends.
 */
final class Scratch implements AutoCloseable {
    /** Many to a part, and no part ends within one. */
    private static final int BLOCK = 256 * 1024;

    private static final int READ_AHEAD = 128 * 1024;

    /** Left free for whatever else writes there. */
    private static final long SPARE = 16 * 1024 * 1024;

    private final FileChannel file;
    private final int part;
    private final long most;
    private final List<Integer> checksums = new CopyOnWriteArrayList<>();
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private volatile long written;
    private volatile State state = State.FILLING;

    private enum State {
        FILLING,
        COMPLETE,
        BROKEN
    }

    /**
     * Scratch space in {@code directory}.
     *
     * @param part the size of a part but the last one, a multiple of 256 KiB
     * @throws Failure.Retryable where no file can be made there
     */
    static Scratch in(Path directory, int part) {
        if (part <= 0 || part % BLOCK != 0) {
            throw new IllegalArgumentException(part + " is no multiple of " + BLOCK);
        }
        try {
            Files.createDirectories(directory);
            Path path = Files.createTempFile(directory, "vault-dr-", ".scratch");
            FileChannel file =
                    FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE);
            Files.delete(path);
            return new Scratch(file, part, Files.getFileStore(directory).getUsableSpace() - SPARE);
        } catch (IOException e) {
            throw new Failure.Retryable(
                    "make scratch space in " + directory,
                    e.toString(),
                    "The function's ephemeral storage must be writable",
                    e);
        }
    }

    private Scratch(FileChannel file, int part, long most) {
        this.file = file;
        this.part = part;
        this.most = most;
    }

    /**
     * Reads {@code from} to its end as fast as it comes. Whatever happens, followers come to an
     * end.
     *
     * @throws Failure.Retryable where the stream breaks off, or the time is over
     * @throws Failure.Terminal where it doesn't fit
     */
    long fill(InputStream from, Deadline deadline) {
        byte[] block = new byte[BLOCK];
        CRC32 checksum = new CRC32();
        try {
            for (int count = from.readNBytes(block, 0, BLOCK);
                    count > 0;
                    count = from.readNBytes(block, 0, BLOCK)) {
                if (written + count > most) {
                    throw new Failure.Terminal(
                            "read a snapshot",
                            "more than the " + most + " bytes that scratch space has room for",
                            "Raise the function's ephemeral storage (snapshots.largest)");
                }
                if (deadline.passed()) {
                    throw new Failure.Retryable(
                            "read a snapshot",
                            "the function's time is over after " + written + " bytes",
                            "Raise the function's time-out if this comes again");
                }
                ByteBuffer bytes = ByteBuffer.wrap(block, 0, count);
                long at = written;
                while (bytes.hasRemaining()) {
                    at += file.write(bytes, at);
                }
                checksum.update(block, 0, count);
                if (at % part == 0) {
                    checked(checksum);
                }
                advance(at, State.FILLING);
            }
            if (written % part != 0) {
                checked(checksum);
            }
            advance(written, State.COMPLETE);
            return written;
        } catch (IOException e) {
            throw new Failure.Retryable(
                    "read a snapshot",
                    "it broke off after " + written + " bytes (" + e.getMessage() + ")",
                    "Nothing of it is kept",
                    e);
        } finally {
            if (state == State.FILLING) {
                advance(written, State.BROKEN);
            }
        }
    }

    /** The part is whole; told to nobody before {@link #advance}. */
    private void checked(CRC32 checksum) {
        checksums.add((int) checksum.getValue());
        checksum.reset();
    }

    private void advance(long bytes, State next) {
        lock.lock();
        try {
            written = bytes;
            state = next;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** How much there is, without waiting. */
    long written() {
        return written;
    }

    /** Whether nothing more comes. */
    boolean complete() {
        return state == State.COMPLETE;
    }

    /**
     * Waits until there is more than {@code bytes}, or all of it; how much there is. Ends because
     * filling does.
     *
     * @throws IOException where the stream broke off
     */
    long await(long bytes) throws IOException {
        lock.lock();
        try {
            while (written < bytes && state == State.FILLING) {
                changed.awaitUninterruptibly();
            }
            if (state == State.BROKEN) {
                throw new IOException("the stream broke off after " + written + " bytes");
            }
            return written;
        } finally {
            lock.unlock();
        }
    }

    /** All of it from the start, waiting for what isn't there yet. */
    InputStream follow() {
        return new Reader(0, Long.MAX_VALUE);
    }

    /**
     * Part {@code number}, from 1 on, waiting for all of it; can be read as often as needed. Empty
     * where there are fewer.
     *
     * @throws IOException where the stream broke off
     */
    Optional<Uploads.Content> part(int number) throws IOException {
        long offset = (long) (number - 1) * part;
        long length = Math.min(part, await(offset + part) - offset);
        if (length <= 0) {
            return Optional.empty();
        }
        int checksum = checksums.get(number - 1);
        return Optional.of(
                new Uploads.Content() {
                    @Override
                    public long length() {
                        return length;
                    }

                    @Override
                    public int crc32() {
                        return checksum;
                    }

                    @Override
                    public InputStream open() {
                        return new BufferedInputStream(
                                new Reader(offset, offset + length), READ_AHEAD);
                    }
                });
    }

    @Override
    public void close() {
        try {
            file.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private final class Reader extends InputStream {
        private final long end;
        private long position;

        private Reader(long position, long end) {
            this.position = position;
            this.end = end;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] buffer, int at, int length) throws IOException {
            if (length == 0) {
                return 0;
            }
            long available = Math.min(end, Scratch.this.await(Math.min(end, position + 1)));
            if (available <= position) {
                return -1;
            }
            int count = (int) Math.min(length, available - position);
            int read = file.read(ByteBuffer.wrap(buffer, at, count), position);
            if (read > 0) {
                position += read;
            }
            return read;
        }
    }
}
