package io.vaultdr.vault;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.SocketTimeoutException;
import java.time.Duration;

/**
 * Closes a stream through which nothing has come for too long, whoever is to blame: a reader that
 * doesn't read stops the server's writes as surely as a link that stalls (facts §11 A).
 */
final class StallGuard extends FilterInputStream {
    private final Duration stall;
    private final Thread watch;
    private volatile long progress = System.nanoTime();
    private volatile boolean cut;

    StallGuard(InputStream in, Duration stall) {
        super(in);
        this.stall = stall;
        this.watch = Thread.ofVirtual().name("snapshot stall guard").start(this::watch);
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        int count = read(one, 0, 1);
        return count < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
        try {
            int count = in.read(buffer, offset, length);
            if (cut) {
                throw stalled();
            }
            progress = System.nanoTime();
            if (count < 0) {
                watch.interrupt();
            }
            return count;
        } catch (SocketTimeoutException e) {
            throw stalled();
        } catch (IOException e) {
            throw cut ? stalled() : e;
        }
    }

    @Override
    public void close() throws IOException {
        watch.interrupt();
        super.close();
    }

    private IOException stalled() {
        return new IOException("the snapshot stalled for " + stall + " and was cut");
    }

    private void watch() {
        try {
            long left = stall.toNanos();
            while (left > 0) {
                Thread.sleep(Duration.ofNanos(left));
                left = stall.toNanos() - (System.nanoTime() - progress);
            }
            cut = true;
            in.close();
        } catch (InterruptedException e) {
            // The stream ended or was closed: nothing is left to watch.
            Thread.currentThread().interrupt();
        } catch (IOException e) {
            // The reader sees that it was cut, whatever closing says.
            cut = true;
        }
    }
}
