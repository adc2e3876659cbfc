package io.vaultdr.snapshot;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vaultdr.model.Failure;
import io.vaultdr.runtime.Deadline;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.Optional;
import java.util.Random;
import java.util.zip.CRC32;

class ScratchTest {
    private static final int PART = 512 * 1024;

    @TempDir private Path directory = Path.of("unset");

    @ParameterizedTest
    @ValueSource(ints = {0, 1, PART - 1, PART, PART + 1, 3 * PART, 3 * PART + 77_777})
    void partsAreAllThatCameWithTheChecksumsOfWhatCame(int size) throws IOException {
        byte[] came = new byte[size];
        new Random(size).nextBytes(came);
        ByteArrayOutputStream parts = new ByteArrayOutputStream();
        try (Scratch scratch = Scratch.in(directory, PART)) {
            assertEquals(size, scratch.fill(new ByteArrayInputStream(came), deadline()));

            int number = 1;
            for (Optional<Uploads.Content> part = scratch.part(number);
                    part.isPresent();
                    part = scratch.part(++number)) {
                byte[] bytes;
                try (InputStream in = part.get().open()) {
                    bytes = in.readAllBytes();
                }
                CRC32 checksum = new CRC32();
                checksum.update(bytes);
                assertEquals((int) checksum.getValue(), part.get().crc32(), "part " + number);
                assertEquals(bytes.length, part.get().length());
                parts.writeBytes(bytes);
            }
            assertEquals((size + PART - 1) / PART, number - 1);
        }
        assertArrayEquals(came, parts.toByteArray());
    }

    @Test
    void noPartIsGivenOutOfAStreamThatBrokeOff() throws IOException {
        InputStream broken =
                new FilterInputStream(new ByteArrayInputStream(new byte[PART + 10])) {
                    @Override
                    public int read(byte[] into, int offset, int length) throws IOException {
                        int count = super.read(into, offset, length);
                        if (count < 0) {
                            throw new IOException("reset");
                        }
                        return count;
                    }
                };
        try (Scratch scratch = Scratch.in(directory, PART)) {
            Failure failure =
                    assertThrows(Failure.Retryable.class, () -> scratch.fill(broken, deadline()));
            assertTrue(failure.toString().contains("broke off"), failure::toString);
            assertThrows(IOException.class, () -> scratch.part(2));
        }
    }

    @Test
    void aPartThatBlocksDoNotFillIsNone() {
        assertThrows(IllegalArgumentException.class, () -> Scratch.in(directory, PART + 1));
    }

    private static Deadline deadline() {
        Clock clock = Clock.systemUTC();
        return new Deadline(clock, clock.instant().plus(Duration.ofMinutes(1)));
    }
}
