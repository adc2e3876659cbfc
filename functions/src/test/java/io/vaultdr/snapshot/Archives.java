package io.vaultdr.snapshot;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.random.RandomGenerator;
import java.util.zip.CRC32;
import java.util.zip.Deflater;

/** Builds archives as the servers write them, and as none does. */
final class Archives {
    private final Map<String, byte[]> members = new LinkedHashMap<>();

    /** A sound archive's four members, with {@code stateBytes} of content. */
    static Archives sound(int stateBytes) {
        byte[] state = new byte[stateBytes];
        RandomGenerator.of("L64X128MixRandom").nextBytes(state);
        return sound(state);
    }

    static Archives sound(byte[] state) {
        Archives archives = new Archives();
        byte[] meta =
                """
                {"Version":1,"ID":"bolt-snapshot","Index":4711,"Term":3,"Peers":"kA==",
                "Configuration":{"Servers":[
                {"Suffrage":0,"ID":"n1","Address":"127.0.0.1:8201"},
                {"Suffrage":1,"ID":"n2","Address":"127.0.0.1:8203"}]},
                "ConfigurationIndex":1,"Size":%d}
                """
                        .formatted(state.length)
                        .getBytes(StandardCharsets.UTF_8);
        archives.put("meta.json", meta);
        archives.put("state.bin", state);
        archives.sums();
        archives.put("SHA256SUMS.sealed", "sealed by a key".getBytes(StandardCharsets.UTF_8));
        return archives;
    }

    Archives put(String name, byte[] content) {
        members.put(name, content);
        return this;
    }

    Archives put(String name, String content) {
        return put(name, content.getBytes(StandardCharsets.UTF_8));
    }

    Archives remove(String name) {
        members.remove(name);
        return this;
    }

    String text(String name) {
        return new String(members.get(name), StandardCharsets.UTF_8);
    }

    /** Writes the sums over what the members hold now. */
    Archives sums() {
        return put(
                "SHA256SUMS",
                sum("state.bin") + "  state.bin\n" + sum("meta.json") + "  meta.json\n");
    }

    private String sum(String name) {
        return HexFormat.of().formatHex(HashedBlocks.sha256Digest().digest(members.get(name)));
    }

    byte[] tar() {
        ByteArrayOutputStream tar = new ByteArrayOutputStream();
        members.forEach((name, content) -> tar.writeBytes(member(name, '0', content)));
        tar.writeBytes(new byte[1024]);
        return tar.toByteArray();
    }

    static byte[] member(String name, char type, byte[] content) {
        ByteArrayOutputStream member = new ByteArrayOutputStream();
        member.writeBytes(header(name, type, content.length));
        member.writeBytes(content);
        member.writeBytes(new byte[-content.length & 511]);
        return member.toByteArray();
    }

    static byte[] header(String name, char type, long size) {
        byte[] header = new byte[512];
        text(header, 0, name);
        text(header, 100, "0000600\0");
        text(header, 124, "%011o\0".formatted(size));
        text(header, 136, "%011o\0".formatted(1_700_000_000));
        Arrays.fill(header, 148, 156, (byte) ' ');
        header[156] = (byte) type;
        text(header, 257, "ustar\00000");
        int sum = 0;
        for (byte b : header) {
            sum += b & 0xff;
        }
        text(header, 148, "%06o\0 ".formatted(sum));
        return header;
    }

    private static void text(byte[] header, int at, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
        System.arraycopy(bytes, 0, header, at, bytes.length);
    }

    byte[] stored() {
        return gzip(tar(), Deflater.NO_COMPRESSION);
    }

    byte[] deflated() {
        return gzip(tar(), Deflater.DEFAULT_COMPRESSION);
    }

    static byte[] gzip(byte[] content, int level) {
        CRC32 crc = new CRC32();
        crc.update(content);
        return gzip(content, level, crc.getValue(), content.length);
    }

    static byte[] gzip(byte[] content, int level, long crc, long length) {
        ByteArrayOutputStream gzip = new ByteArrayOutputStream();
        gzip.writeBytes(HexFormat.of().parseHex("1f8b08000000000000ff"));
        Deflater deflater = new Deflater(level, true);
        deflater.setInput(content);
        deflater.finish();
        byte[] out = new byte[64 * 1024];
        while (!deflater.finished()) {
            gzip.write(out, 0, deflater.deflate(out));
        }
        deflater.end();
        littleEndian(gzip, crc);
        littleEndian(gzip, length);
        return gzip.toByteArray();
    }

    private static void littleEndian(ByteArrayOutputStream out, long value) {
        for (int shift = 0; shift < 32; shift += 8) {
            out.write((int) (value >> shift));
        }
    }
}
