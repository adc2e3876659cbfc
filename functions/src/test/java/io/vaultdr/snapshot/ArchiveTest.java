package io.vaultdr.snapshot;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vaultdr.snapshot.Archive.Bad;
import io.vaultdr.snapshot.Archive.Compression;
import io.vaultdr.snapshot.Archive.Reason;
import io.vaultdr.snapshot.Archive.Sound;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.zip.Deflater;
import java.util.zip.GZIPInputStream;

class ArchiveTest {
    private static final int STATE = 3000;

    /** Both ways in which servers write the content. */
    enum Form {
        STORED(Deflater.NO_COMPRESSION),
        DEFLATED(Deflater.DEFAULT_COMPRESSION);

        private final int level;

        Form(int level) {
            this.level = level;
        }

        byte[] gzip(byte[] tar) {
            return Archives.gzip(tar, level);
        }
    }

    @ParameterizedTest
    @EnumSource
    void tellsWhatASoundArchiveIs(Form form) throws IOException {
        byte[] archive = form.gzip(Archives.sound(new byte[100_000]).tar());

        Sound sound = assertInstanceOf(Sound.class, check(archive));

        assertEquals(archive.length, sound.bytes());
        assertEquals(
                HexFormat.of().formatHex(HashedBlocks.sha256Digest().digest(archive)),
                sound.sha256());
        assertEquals("bolt-snapshot", sound.id());
        assertEquals(4711, sound.index());
        assertEquals(3, sound.term());
        assertEquals(100_000, sound.stateBytes());
        assertEquals(
                List.of("meta.json", "state.bin", "SHA256SUMS", "SHA256SUMS.sealed"),
                sound.members());
        assertEquals(
                form == Form.STORED ? Compression.STORED : Compression.DEFLATED,
                sound.compression());
        assertEquals(
                List.of(
                        new Archive.Server("n1", "127.0.0.1:8201", "voter"),
                        new Archive.Server("n2", "127.0.0.1:8203", "non-voter")),
                sound.servers());
    }

    @Test
    void takesMembersInAnyOrderAndAStreamThatComesByDrops() throws IOException {
        Archives archives = Archives.sound(STATE);
        String sums = archives.text("SHA256SUMS");
        archives.remove("SHA256SUMS").remove("meta.json");
        byte[] tar =
                tar(
                        Archives.member("SHA256SUMS", '0', bytes(sums)),
                        withoutEnd(archives.tar()),
                        Archives.member(
                                "meta.json", '0', bytes(Archives.sound(STATE).text("meta.json"))));
        InputStream drops =
                new ByteArrayInputStream(Form.STORED.gzip(tar)) {
                    @Override
                    public synchronized int read(byte[] buffer, int at, int length) {
                        return super.read(buffer, at, Math.min(length, 7));
                    }
                };

        Sound sound = assertInstanceOf(Sound.class, Archive.check(drops));

        assertEquals(
                List.of("SHA256SUMS", "state.bin", "SHA256SUMS.sealed", "meta.json"),
                sound.members());
    }

    @Test
    void takesTheSizeOfAnExtendedHeader() throws IOException {
        byte[] state = new byte[1500];
        Archives archives = Archives.sound(state);
        byte[] member = Archives.member("state.bin", '0', state);
        System.arraycopy(Archives.header("state.bin", '0', 0), 0, member, 0, 512);
        byte[] tar =
                tar(
                        Archives.member("meta.json", '0', bytes(archives.text("meta.json"))),
                        Archives.member("PaxHeaders.0/state.bin", 'x', bytes("13 size=1500\n")),
                        member,
                        Archives.member("SHA256SUMS", '0', bytes(archives.text("SHA256SUMS"))),
                        Archives.member("SHA256SUMS.sealed", '0', bytes("sealed")));

        assertInstanceOf(Sound.class, check(Form.STORED.gzip(tar)));
    }

    @ParameterizedTest
    @EnumSource
    void refusesAnArchiveCutAnywhere(Form form) throws IOException {
        byte[] archive = form.gzip(Archives.sound(300).tar());

        for (int length = 0; length < archive.length; length++) {
            Bad bad = assertBad(Reason.TRUNCATED, Arrays.copyOf(archive, length));
            assertEquals(length, bad.offset(), "offset of the cut");
        }
    }

    @ParameterizedTest
    @EnumSource
    void refusesEveryChangedByteUnlessTheContentStaysTheSame(Form form) throws IOException {
        // The same each time, for how many changes are harmless depends on it.
        byte[] state = new byte[200];
        new Random(1).nextBytes(state);
        byte[] archive = form.gzip(Archives.sound(state).tar());
        byte[] content = gunzip(archive);
        int accepted = 0;
        int tried = 0;
        for (int at = 0; at < archive.length; at++) {
            // All bits where gzip keeps its own, one per byte where only content is.
            boolean frame = at < 32 || at >= archive.length - 16;
            for (int bit = frame ? 0 : at % 8; bit < (frame ? 8 : at % 8 + 1); bit++) {
                byte[] changed = archive.clone();
                changed[at] ^= (byte) (1 << bit);
                tried++;
                if (check(changed) instanceof Sound) {
                    assertArrayEquals(content, gunzip(changed), "byte " + at + " bit " + bit);
                    accepted++;
                }
            }
        }
        // Time, extra flags and system of the header are 48 bits, and five fill up a stored
        // block's first byte. A compressed block also says of symbols that it hasn't how long they
        // would be.
        int most = form == Form.STORED ? 53 : 48 + tried / 50;
        int least = form == Form.STORED ? 53 : 48;
        assertTrue(
                accepted >= least && accepted <= most,
                accepted + " of " + tried + " changes accepted");
    }

    @ParameterizedTest
    @EnumSource
    void refusesWhatFollowsTheEnd(Form form) throws IOException {
        byte[] archive = form.gzip(Archives.sound(STATE).tar());

        assertBad(Reason.TRAILING_BYTES, join(archive, new byte[1]));
        assertBad(Reason.TRAILING_BYTES, join(archive, new byte[300_000]));
        assertBad(Reason.TRAILING_BYTES, join(archive, new byte[] {0x1f}));
        assertBad(Reason.SECOND_GZIP_MEMBER, join(archive, archive));
        Bad empty = assertBad(Reason.SECOND_GZIP_MEMBER, join(archive, form.gzip(new byte[0])));
        assertEquals(archive.length, empty.offset());
    }

    @ParameterizedTest
    @EnumSource
    void refusesAWrongTrailer(Form form) throws IOException {
        byte[] tar = Archives.sound(STATE).tar();
        byte[] wrongCrc = form.gzip(tar);
        wrongCrc[wrongCrc.length - 8] ^= 1;
        byte[] wrongLength = form.gzip(tar);
        wrongLength[wrongLength.length - 1] ^= 1;

        assertBad(Reason.GZIP_CHECKSUM, wrongCrc);
        assertBad(Reason.GZIP_LENGTH, wrongLength);
    }

    @Test
    void refusesWhatIsNoGzip() throws IOException {
        assertBad(Reason.NOT_GZIP, bytes("{\"errors\":[\"permission denied\"]}"));
        assertBad(Reason.NOT_GZIP, Archives.sound(STATE).tar());
        byte[] named = Archives.sound(STATE).stored();
        named[3] = 8;
        assertBad(Reason.GZIP_HEADER, named);
        byte[] damaged = Archives.sound(STATE).stored();
        damaged[10] = 7;
        assertBad(Reason.DEFLATE, damaged);
    }

    @ParameterizedTest
    @EnumSource
    void refusesMembersThatAreNotAsTheyShouldBe(Form form) throws IOException {
        for (String name : List.of("meta.json", "state.bin", "SHA256SUMS", "SHA256SUMS.sealed")) {
            assertBad(Reason.MISSING_MEMBER, form.gzip(Archives.sound(STATE).remove(name).tar()));
            assertBad(
                    Reason.REPEATED_MEMBER,
                    form.gzip(
                            tar(
                                    withoutEnd(Archives.sound(STATE).tar()),
                                    Archives.member(name, '0', bytes("again")))));
        }
        byte[] sound = withoutEnd(Archives.sound(STATE).tar());
        assertBad(
                Reason.EXTRA_MEMBER,
                form.gzip(Archives.sound(STATE).put("notes.txt", "hello").tar()));
        assertBad(
                Reason.EXTRA_MEMBER,
                form.gzip(tar(sound, Archives.member("link", '2', new byte[0]))));
        assertBad(
                Reason.OVERSIZED_MEMBER,
                form.gzip(
                        Archives.sound(STATE).put("SHA256SUMS.sealed", new byte[2_000_000]).tar()));
        assertBad(
                Reason.EMPTY_SEALED,
                form.gzip(Archives.sound(STATE).put("SHA256SUMS.sealed", "").tar()));
    }

    @ParameterizedTest
    @EnumSource
    void refusesContentThatDoesNotFitItsSums(Form form) throws IOException {
        assertBad(
                Reason.HASH,
                form.gzip(Archives.sound(STATE).put("state.bin", new byte[STATE]).tar()));
        Archives meta = Archives.sound(STATE);
        meta.put("meta.json", meta.text("meta.json").replace("4711", "4712"));
        assertBad(Reason.HASH, form.gzip(meta.tar()));
        Archives size = Archives.sound(STATE);
        size.put("meta.json", size.text("meta.json").replace(":" + STATE, ":" + (STATE + 1)));
        assertBad(Reason.SIZE, form.gzip(size.sums().tar()));
        Archives index = Archives.sound(STATE);
        index.put("meta.json", index.text("meta.json").replace("4711", "\"many\""));
        assertBad(Reason.META, form.gzip(index.sums().tar()));
        assertBad(Reason.META, form.gzip(Archives.sound(STATE).put("meta.json", "{").sums().tar()));
        assertBad(
                Reason.SUMS, form.gzip(Archives.sound(STATE).put("SHA256SUMS", "no sums\n").tar()));
        Archives halved = Archives.sound(STATE);
        halved.put("SHA256SUMS", halved.text("SHA256SUMS").lines().findFirst().orElseThrow());
        assertBad(Reason.SUMS, form.gzip(halved.tar()));
    }

    @ParameterizedTest
    @EnumSource
    void refusesATarWithoutItsEnd(Form form) throws IOException {
        byte[] tar = Archives.sound(STATE).tar();

        assertBad(Reason.TAR_END, form.gzip(withoutEnd(tar)));
        assertBad(Reason.TAR_END, form.gzip(Arrays.copyOf(tar, tar.length - 512)));
        assertBad(Reason.TAR_END, form.gzip(Arrays.copyOf(tar, tar.length + 100)));
        assertBad(Reason.TAR_END, form.gzip(Arrays.copyOf(tar, tar.length + 100 * 512)));
        assertBad(Reason.TAR_END, form.gzip(new byte[0]));
        byte[] behind = Arrays.copyOf(tar, tar.length + 512);
        behind[behind.length - 1] = 1;
        assertBad(Reason.TAR, form.gzip(behind));
        byte[] header = tar.clone();
        header[1] ^= 1;
        assertBad(Reason.TAR, form.gzip(header));
    }

    @Test
    void saysNothingAboutAnArchiveThatCannotBeRead() {
        InputStream broken =
                new InputStream() {
                    @Override
                    public int read() throws IOException {
                        throw new IOException("connection reset");
                    }

                    @Override
                    public int read(byte[] buffer, int at, int length) throws IOException {
                        return read();
                    }
                };

        assertThrows(IOException.class, () -> Archive.check(broken));
    }

    private static Bad assertBad(Reason reason, byte[] archive) throws IOException {
        Bad bad = assertInstanceOf(Bad.class, check(archive));
        assertEquals(reason, bad.reason(), bad.detail());
        return bad;
    }

    private static Archive check(byte[] archive) throws IOException {
        return Archive.check(new ByteArrayInputStream(archive));
    }

    private static byte[] gunzip(byte[] archive) throws IOException {
        return new GZIPInputStream(new ByteArrayInputStream(archive)).readAllBytes();
    }

    private static byte[] withoutEnd(byte[] tar) {
        return Arrays.copyOf(tar, tar.length - 1024);
    }

    private static byte[] tar(byte[]... members) {
        return join(join(members), new byte[1024]);
    }

    private static byte[] join(byte[]... parts) {
        ByteArrayOutputStream joined = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            joined.writeBytes(part);
        }
        return joined.toByteArray();
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
