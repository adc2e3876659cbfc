package io.vaultdr.snapshot;

import java.io.IOException;
import java.io.InputStream;
import java.util.List;

/**
 * What one pass over a snapshot's archive found: it is sound, or it is bad for a reason.
 *
 * <p>The server itself restores archives that lack their last bytes, carry a wrong checksum or have
 * something behind their end, so nothing is left to it: gzip to its end with its trailer, one
 * member and nothing after it; a tar with exactly {@code meta.json}, {@code state.bin}, {@code
 * SHA256SUMS} and {@code SHA256SUMS.sealed}, each once, in any order, and its end-of-archive mark;
 * both hashes; {@code Size}; a sealed member that isn't empty. The sums are themselves
 * unauthenticated, which is why {@link Sound#sha256()} is kept beside the archive.
 */
public sealed interface Archive {
    /**
     * Reads an archive to its end or to the first thing that is wrong, in memory that doesn't
     * depend on its size. Doesn't close {@code in}.
     *
     * @throws IOException when {@code in} can't be read, which says nothing about the archive
     */
    static Archive check(InputStream in) throws IOException {
        return new ArchiveCheck(in).run();
    }

    /**
     * Nothing is wrong with it.
     *
     * @param bytes the archive's length
     * @param sha256 the archive's hash, lower-case hex
     * @param id the server's own name for the snapshot
     * @param index the Raft index it was taken at
     * @param term the Raft term
     * @param stateBytes the length of {@code state.bin}
     * @param members names in the order they came
     * @param compression whether the server compressed it
     * @param servers the servers of the Raft configuration in it
     */
    record Sound(
            long bytes,
            String sha256,
            String id,
            long index,
            long term,
            long stateBytes,
            List<String> members,
            Compression compression,
            List<Server> servers)
            implements Archive {}

    /**
     * It can't be restored, or not to what the server held.
     *
     * @param offset bytes of the archive that had been read when it was found
     * @param detail what was read and what was expected
     */
    record Bad(Reason reason, long offset, String detail) implements Archive {}

    /** What is wrong with an archive. */
    enum Reason {
        /** Doesn't begin as gzip does. */
        NOT_GZIP,
        /** A gzip header with fields that no server writes. */
        GZIP_HEADER,
        /** Ends too early. */
        TRUNCATED,
        /** The compressed data can't be unpacked. */
        DEFLATE,
        /** The unpacked data doesn't fit the gzip trailer's CRC-32. */
        GZIP_CHECKSUM,
        /** The unpacked data doesn't fit the gzip trailer's length. */
        GZIP_LENGTH,
        /** A second gzip member follows. */
        SECOND_GZIP_MEMBER,
        /** Something else follows. */
        TRAILING_BYTES,
        /** A tar header, its padding or its end can't be read. */
        TAR,
        /** The tar has no end-of-archive mark. */
        TAR_END,
        /** A member that doesn't belong there. */
        EXTRA_MEMBER,
        /** A member that comes twice. */
        REPEATED_MEMBER,
        /** A member that isn't there. */
        MISSING_MEMBER,
        /** A member far larger than it can be. */
        OVERSIZED_MEMBER,
        /** {@code meta.json} can't be read. */
        META,
        /** {@code SHA256SUMS} can't be read. */
        SUMS,
        /** A member's content doesn't fit its hash. */
        HASH,
        /** {@code state.bin} isn't as long as {@code meta.json} says. */
        SIZE,
        /** {@code SHA256SUMS.sealed} is empty: the seal didn't work when it was taken. */
        EMPTY_SEALED
    }

    /** Whether the server compressed the archive. */
    enum Compression {
        /** Vault, and OpenBao before 2.6. */
        DEFLATED,
        /** OpenBao from 2.6 on. */
        STORED
    }

    /** A server of the Raft configuration in {@code meta.json}. */
    record Server(String id, String address, String suffrage) {}
}
