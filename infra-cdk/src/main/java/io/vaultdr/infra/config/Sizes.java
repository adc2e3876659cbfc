package io.vaultdr.infra.config;

/**
 * Memory and scratch space of functions, by the largest snapshot that they have to do with. A
 * restored server was measured to hold up to 2.5 times its snapshot in memory and twice its size on
 * disk.
 */
public final class Sizes {
    /** What a function gets at the most, of either: MiB. */
    private static final int MOST = 10_240;

    private static final int RUNTIME_MEMORY = 512;
    private static final int RUNTIME_SCRATCH = 256;

    /** The server's binary and its seal plugin. */
    private static final int BINARIES = 512;

    private Sizes() {}

    /** The largest snapshot that a function can hold in its scratch space. */
    public static final long LARGEST = mebibytes((MOST - RUNTIME_SCRATCH) * 9L / 10);

    /** The largest snapshot that a function can restore into a server of its own. */
    public static final long LARGEST_PROVABLE =
            Math.min(
                    mebibytes((MOST - RUNTIME_MEMORY) / 3),
                    mebibytes((MOST - RUNTIME_SCRATCH - BINARIES) / 2));

    /** Scratch space in MiB for one archive of {@code largest} bytes, with a tenth to spare. */
    public static int scratch(long largest) {
        return Math.toIntExact(
                Math.min(MOST, Math.max(512, ceiling(largest) * 11 / 10 + RUNTIME_SCRATCH)));
    }

    /** Memory in MiB for a server that restores {@code largest} bytes, and the function itself. */
    public static int proofMemory(long largest) {
        return Math.toIntExact(
                // One whole core at least, which a restore keeps busy.
                Math.min(MOST, Math.max(1_769, ceiling(largest) * 3 + RUNTIME_MEMORY)));
    }

    /** Scratch space in MiB for the same, with the server's binaries. */
    public static int proofScratch(long largest) {
        return Math.toIntExact(Math.min(MOST, ceiling(largest) * 2 + RUNTIME_SCRATCH + BINARIES));
    }

    /** Whether a function can restore a snapshot of {@code largest} bytes. */
    public static boolean provable(long largest) {
        return largest <= LARGEST_PROVABLE;
    }

    private static long ceiling(long bytes) {
        return Math.ceilDiv(bytes, mebibytes(1));
    }

    private static long mebibytes(long count) {
        return count << 20;
    }
}
