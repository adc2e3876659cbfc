package io.vaultdr.snapshot;

import io.vaultdr.snapshot.Archive.Reason;

import java.io.IOException;
import java.io.InputStream;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/** The gzip layer of the one-pass check; the tar inside it is {@link TarCheck}'s. */
final class ArchiveCheck {
    private static final int UNPACKED = 256 * 1024;
    private static final int HEADER = 10;

    private final InputStream in;
    private final TarCheck tar = new TarCheck();
    private final CRC32 crc = new CRC32();
    private long unpacked;
    private long offset;

    ArchiveCheck(InputStream in) {
        this.in = in;
    }

    Archive run() throws IOException {
        Inflater inflater = new Inflater(true);
        try (HashedBlocks blocks = new HashedBlocks(in)) {
            header(blocks);
            deflate(blocks, inflater);
            trailer(blocks);
            return tar.conclude(blocks.consumed(), blocks.sha256(), unpacked);
        } catch (BadArchiveException e) {
            return new Archive.Bad(e.reason(), offset, e.detail());
        } finally {
            inflater.end();
        }
    }

    private void header(HashedBlocks blocks) throws IOException, BadArchiveException {
        int[] header = new int[HEADER];
        for (int i = 0; i < HEADER; i++) {
            header[i] = next(blocks, "the gzip header");
            if ((i == 0 && header[0] != 0x1f) || (i == 1 && header[1] != 0x8b)) {
                throw new BadArchiveException(
                        Reason.NOT_GZIP, "expected a file that begins with the bytes 1f 8b");
            }
        }
        if (header[2] != 8 || header[3] != 0) {
            throw new BadArchiveException(
                    Reason.GZIP_HEADER,
                    "method %d, flags %d; servers write method 8, flags 0"
                            .formatted(header[2], header[3]));
        }
    }

    private void deflate(HashedBlocks blocks, Inflater inflater)
            throws IOException, BadArchiveException {
        byte[] out = new byte[UNPACKED];
        while (!inflater.finished()) {
            if (inflater.needsInput()) {
                if (!blocks.available()) {
                    throw truncated("the compressed data");
                }
                inflater.setInput(blocks.array(), blocks.position(), blocks.remaining());
            }
            int before = inflater.getRemaining();
            int count;
            try {
                count = inflater.inflate(out);
            } catch (DataFormatException e) {
                offset = blocks.consumed() + before - inflater.getRemaining();
                throw new BadArchiveException(
                        Reason.DEFLATE, "the compressed data can't be unpacked: " + e.getMessage());
            }
            blocks.skip(before - inflater.getRemaining());
            offset = blocks.consumed();
            crc.update(out, 0, count);
            unpacked += count;
            tar.accept(out, count);
            if (count == 0 && !inflater.needsInput() && !inflater.finished()) {
                throw new BadArchiveException(
                        Reason.DEFLATE, "the compressed data asks for a dictionary");
            }
        }
        tar.end();
    }

    private void trailer(HashedBlocks blocks) throws IOException, BadArchiveException {
        long checksum = littleEndian(blocks);
        long length = littleEndian(blocks);
        if (checksum != crc.getValue()) {
            throw new BadArchiveException(
                    Reason.GZIP_CHECKSUM,
                    "CRC-32 of the content is %08x, the trailer says %08x"
                            .formatted(crc.getValue(), checksum));
        }
        if (length != (unpacked & 0xffffffffL)) {
            throw new BadArchiveException(
                    Reason.GZIP_LENGTH,
                    "%d bytes of content, the trailer says %d (modulo 2^32)"
                            .formatted(unpacked, length));
        }
        if (blocks.available()) {
            int first = blocks.next();
            boolean member = first == 0x1f && blocks.available() && blocks.next() == 0x8b;
            throw new BadArchiveException(
                    member ? Reason.SECOND_GZIP_MEMBER : Reason.TRAILING_BYTES,
                    (member ? "a second gzip member" : "something")
                            + " follows the end of the archive at "
                            + offset);
        }
    }

    private long littleEndian(HashedBlocks blocks) throws IOException, BadArchiveException {
        long value = 0;
        for (int shift = 0; shift < 32; shift += 8) {
            value |= (long) next(blocks, "the gzip trailer") << shift;
        }
        return value;
    }

    private int next(HashedBlocks blocks, String where) throws IOException, BadArchiveException {
        if (!blocks.available()) {
            throw truncated(where);
        }
        int value = blocks.next();
        offset = blocks.consumed();
        return value;
    }

    private BadArchiveException truncated(String where) {
        return new BadArchiveException(
                Reason.TRUNCATED, "ends after " + offset + " bytes, in " + where);
    }
}
