package io.vaultdr.snapshot;

import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A stream read in blocks whose SHA-256 is computed beside the reading, on a thread of its own: the
 * hash over the archive and the one over {@code state.bin} inside it cost the same, and one after
 * the other they would be the slowest part of a snapshot. A handful of blocks goes round.
 */
final class HashedBlocks implements AutoCloseable {
    private static final int BLOCK = 256 * 1024;
    private static final int COUNT = 4;

    private final InputStream in;
    private final BlockingQueue<Block> free = new ArrayBlockingQueue<>(COUNT);
    private final BlockingQueue<Block> toHash = new ArrayBlockingQueue<>(COUNT + 1);
    private final MessageDigest digest = sha256Digest();
    private final Thread hasher;
    private Block current = new Block(0);
    private int made;
    private int position;
    private long consumed;

    HashedBlocks(InputStream in) {
        this.in = in;
        hasher = Thread.ofPlatform().daemon().name("archive-hash").start(this::hash);
    }

    /** Whether another byte can be read; reads the next block where the current one is used up. */
    boolean available() throws IOException {
        if (position < current.length) {
            return true;
        }
        release(current);
        current = free.isEmpty() && made++ < COUNT ? new Block(BLOCK) : take(free);
        position = 0;
        current.length = in.readNBytes(current.bytes, 0, BLOCK);
        if (current.length == 0) {
            return false;
        }
        current.users.set(2);
        toHash.add(current);
        return true;
    }

    byte[] array() {
        return current.bytes;
    }

    int position() {
        return position;
    }

    int remaining() {
        return current.length - position;
    }

    void skip(int count) {
        position += count;
        consumed += count;
    }

    /** The next byte, unsigned; ask {@link #available} before. */
    int next() {
        int value = current.bytes[position] & 0xff;
        skip(1);
        return value;
    }

    /** How many bytes were read and used. */
    long consumed() {
        return consumed;
    }

    /** The hash of all blocks so far, lower-case hex; nothing can be read afterwards. */
    String sha256() {
        close();
        return HexFormat.of().formatHex(digest.digest());
    }

    @Override
    public void close() {
        if (hasher.isAlive()) {
            toHash.add(new Block(0));
            join(hasher);
        }
    }

    private void hash() {
        for (Block block = take(toHash); block.bytes.length > 0; block = take(toHash)) {
            digest.update(block.bytes, 0, block.length);
            release(block);
        }
    }

    private void release(Block block) {
        if (block.bytes.length > 0 && block.users.decrementAndGet() == 0) {
            free.add(block);
        }
    }

    static MessageDigest sha256Digest() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java runtime has SHA-256", e);
        }
    }

    /** Waits without giving in to interrupts: the other thread is never blocked for long. */
    private static Block take(BlockingQueue<Block> queue) {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return queue.take();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static void join(Thread thread) {
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private static final class Block {
        private final byte[] bytes;
        private final AtomicInteger users = new AtomicInteger();
        private int length;

        private Block(int size) {
            bytes = new byte[size];
        }
    }
}
