package io.vaultdr.testing;

import io.vaultdr.snapshot.Uploads;

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.util.zip.CRC32;

/** A part of an archive that was made for a test. */
public final class PartInMemory implements Uploads.Content {
    private final byte[] bytes;

    /** The part of {@code bytes}, which stay the caller's. */
    public PartInMemory(byte[] bytes) {
        this.bytes = bytes;
    }

    @Override
    public long length() {
        return bytes.length;
    }

    @Override
    public int crc32() {
        CRC32 checksum = new CRC32();
        checksum.update(bytes);
        return (int) checksum.getValue();
    }

    @Override
    public InputStream open() {
        return new ByteArrayInputStream(bytes);
    }
}
