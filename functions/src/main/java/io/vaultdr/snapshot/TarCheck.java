package io.vaultdr.snapshot;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectReader;

import io.vaultdr.runtime.Json;
import io.vaultdr.snapshot.Archive.Compression;
import io.vaultdr.snapshot.Archive.Reason;

import org.jspecify.annotations.Nullable;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The tar inside a snapshot's archive, pushed through piece by piece. Knows what the servers write
 * (POSIX ustar, with a PAX {@code size} record where {@code state.bin} exceeds 8 GiB) and refuses
 * everything else.
 */
final class TarCheck {
    private static final String META = "meta.json";
    private static final String STATE = "state.bin";
    private static final String SUMS = "SHA256SUMS";
    private static final String SEALED = "SHA256SUMS.sealed";
    private static final List<String> MEMBERS = List.of(META, STATE, SUMS, SEALED);

    /** Room for thousands of servers; real ones have a few hundred bytes. */
    private static final int SMALL_MEMBER = 1024 * 1024;

    private static final int BLOCK = 512;

    /** Tar pads its end to a record at the most. */
    private static final int END_MOST = 20 * BLOCK;

    private static final Pattern SUM = Pattern.compile("([0-9a-f]{64}) [ *](\\S+)");
    private static final Pattern PAX_SIZE = Pattern.compile("\\d+ size=(\\d{1,18})\n");
    private static final ObjectReader STRICT =
            Json.MAPPER
                    .reader()
                    .with(StreamReadFeature.STRICT_DUPLICATE_DETECTION.mappedFeature())
                    .with(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    private enum Part {
        HEADER,
        BODY,
        PADDING,
        END
    }

    private final byte[] header = new byte[BLOCK];
    private final Map<String, byte[]> small = new HashMap<>();
    private final Map<String, String> hashes = new HashMap<>();
    private final List<String> order = new ArrayList<>();
    private final MessageDigest digest = HashedBlocks.sha256Digest();
    private final ByteArrayOutputStream content = new ByteArrayOutputStream();
    private Part part = Part.HEADER;
    private int filled;
    private String member = "";
    private boolean extension;
    private long extendedSize = -1;
    private long left;
    private int padding;
    private long end;
    private long stateBytes;
    private long position;

    void accept(byte[] data, int length) throws BadArchiveException {
        int at = 0;
        while (at < length) {
            int count = length - at;
            switch (part) {
                case HEADER -> {
                    count = Math.min(count, BLOCK - filled);
                    System.arraycopy(data, at, header, filled, count);
                    filled += count;
                }
                case BODY -> {
                    count = (int) Math.min(count, left);
                    body(data, at, count);
                    left -= count;
                }
                case PADDING -> {
                    count = Math.min(count, padding);
                    zeros(data, at, count, "the padding after " + member);
                    padding -= count;
                }
                case END -> {
                    zeros(data, at, count, "the end of the tar");
                    end += count;
                }
            }
            at += count;
            position += count;
            step();
        }
    }

    /** Called when nothing more comes. */
    void end() throws BadArchiveException {
        if (part != Part.END || end < 2 * BLOCK || extendedSize >= 0) {
            throw new BadArchiveException(
                    Reason.TAR_END,
                    "the content ends after "
                            + position
                            + " bytes without the two empty blocks that end a tar");
        }
        if (end % BLOCK != 0 || end > END_MOST) {
            throw new BadArchiveException(
                    Reason.TAR_END, end + " empty bytes at the end, expected two blocks of 512");
        }
    }

    /** Looks at the members together. */
    Archive.Sound conclude(long bytes, String sha256, long unpacked) throws BadArchiveException {
        for (String expected : MEMBERS) {
            if (!order.contains(expected)) {
                throw new BadArchiveException(
                        Reason.MISSING_MEMBER, expected + " isn't there, only " + order);
            }
        }
        Map<String, String> sums = sums(small(SUMS));
        for (String name : List.of(META, STATE)) {
            String found = hashes.getOrDefault(name, "");
            if (!found.equals(sums.get(name))) {
                throw new BadArchiveException(
                        Reason.HASH,
                        name + " hashes to " + found + ", SHA256SUMS says " + sums.get(name));
            }
        }
        if (small(SEALED).length == 0) {
            throw new BadArchiveException(
                    Reason.EMPTY_SEALED,
                    "SHA256SUMS.sealed is empty: the server's seal didn't work when the snapshot"
                            + " was taken, and nothing can restore it without force");
        }
        return meta(bytes, sha256, unpacked);
    }

    private byte[] small(String name) {
        return small.getOrDefault(name, new byte[0]);
    }

    private void body(byte[] data, int at, int count) {
        if (!extension) {
            digest.update(data, at, count);
        }
        if (extension || !member.equals(STATE)) {
            content.write(data, at, count);
        }
    }

    private void zeros(byte[] data, int at, int count, String where) throws BadArchiveException {
        for (int i = at; i < at + count; i++) {
            if (data[i] != 0) {
                throw new BadArchiveException(
                        Reason.TAR, "byte " + (position + i - at) + " in " + where + " isn't zero");
            }
        }
    }

    /** Goes on to what comes next when a part is complete. */
    private void step() throws BadArchiveException {
        if (part == Part.HEADER && filled == BLOCK) {
            filled = 0;
            if (Arrays.equals(header, new byte[BLOCK])) {
                part = Part.END;
                end = BLOCK;
            } else {
                header();
                part = Part.BODY;
            }
        }
        if (part == Part.BODY && left == 0) {
            finishMember();
            part = Part.PADDING;
        }
        if (part == Part.PADDING && padding == 0) {
            part = Part.HEADER;
        }
    }

    private void header() throws BadArchiveException {
        long sum = 0;
        for (int i = 0; i < BLOCK; i++) {
            sum += i >= 148 && i < 156 ? ' ' : header[i] & 0xff;
        }
        if (sum != octal(148, 8, "checksum") || !text(257, 5).equals("ustar")) {
            throw new BadArchiveException(
                    Reason.TAR, "no tar header in the content before byte " + position);
        }
        char type = (char) header[156];
        extension = type == 'x';
        String name = text(345, 155).isEmpty() ? text(0, 100) : text(345, 155) + "/" + text(0, 100);
        if (!extension) {
            if ((type != '0' && type != 0) || !MEMBERS.contains(name)) {
                throw new BadArchiveException(
                        Reason.EXTRA_MEMBER,
                        "member '%s' of type '%c', expected files %s"
                                .formatted(printable(name), printable(type), MEMBERS));
            }
            if (order.contains(name)) {
                throw new BadArchiveException(Reason.REPEATED_MEMBER, name + " comes twice");
            }
            member = name;
            order.add(name);
        }
        left = octal(124, 12, "size");
        if (!extension && extendedSize >= 0) {
            left = extendedSize;
            extendedSize = -1;
        }
        if ((extension || !member.equals(STATE)) && left > SMALL_MEMBER) {
            throw new BadArchiveException(
                    Reason.OVERSIZED_MEMBER,
                    "%s has %d bytes, expected at the most %d"
                            .formatted(printable(name), left, SMALL_MEMBER));
        }
        if (!extension && member.equals(STATE)) {
            stateBytes = left;
        }
        padding = (int) (-left & (BLOCK - 1));
    }

    private void finishMember() throws BadArchiveException {
        byte[] bytes = content.toByteArray();
        content.reset();
        if (extension) {
            Matcher size = PAX_SIZE.matcher(new String(bytes, StandardCharsets.UTF_8));
            if (!size.matches()) {
                throw new BadArchiveException(
                        Reason.TAR, "an extended tar header says something else than a size");
            }
            extendedSize = Long.parseLong(size.group(1));
            return;
        }
        hashes.put(member, HexFormat.of().formatHex(digest.digest()));
        if (!member.equals(STATE)) {
            small.put(member, bytes);
        }
    }

    private static Map<String, String> sums(byte[] bytes) throws BadArchiveException {
        Map<String, String> sums = new LinkedHashMap<>();
        List<String> lines = new String(bytes, StandardCharsets.UTF_8).lines().toList();
        for (String line : lines) {
            Matcher sum = SUM.matcher(line);
            if (!sum.matches() || sums.put(sum.group(2), sum.group(1)) != null) {
                throw new BadArchiveException(
                        Reason.SUMS, "SHA256SUMS has a line that isn't '<hash>  <name>'");
            }
        }
        if (sums.size() != 2 || !sums.containsKey(META) || !sums.containsKey(STATE)) {
            throw new BadArchiveException(
                    Reason.SUMS,
                    "SHA256SUMS names " + sums.size() + " files, expected meta.json and state.bin");
        }
        return sums;
    }

    private Archive.Sound meta(long bytes, String sha256, long unpacked)
            throws BadArchiveException {
        JsonNode meta;
        try {
            meta = STRICT.readTree(small(META));
        } catch (JsonProcessingException e) {
            throw new BadArchiveException(Reason.META, "meta.json: " + e.getOriginalMessage());
        } catch (IOException e) {
            throw new BadArchiveException(Reason.META, "meta.json: " + e.getMessage());
        }
        long size = number(meta, "Size");
        if (size != stateBytes) {
            throw new BadArchiveException(
                    Reason.SIZE, "state.bin has " + stateBytes + " bytes, meta.json says " + size);
        }
        List<Archive.Server> servers = new ArrayList<>();
        for (JsonNode server : meta.path("Configuration").path("Servers")) {
            servers.add(
                    new Archive.Server(
                            server.path("ID").asText(),
                            server.path("Address").asText(),
                            suffrage(server.path("Suffrage").asInt())));
        }
        return new Archive.Sound(
                bytes,
                sha256,
                meta.path("ID").asText(),
                number(meta, "Index"),
                number(meta, "Term"),
                stateBytes,
                List.copyOf(order),
                // Stored blocks only add to the length, compressing takes from it.
                unpacked < bytes ? Compression.STORED : Compression.DEFLATED,
                List.copyOf(servers));
    }

    private static String suffrage(int value) {
        return switch (value) {
            case 0 -> "voter";
            case 1 -> "non-voter";
            default -> "staging";
        };
    }

    private static long number(JsonNode meta, String field) throws BadArchiveException {
        @Nullable JsonNode value = meta.get(field);
        if (value == null || !value.canConvertToLong() || value.asLong() < 0) {
            throw new BadArchiveException(
                    Reason.META, "meta.json: " + field + " is " + value + ", expected a number");
        }
        return value.asLong();
    }

    private String text(int at, int length) {
        int end = at;
        while (end < at + length && header[end] != 0) {
            end++;
        }
        return new String(header, at, end - at, StandardCharsets.ISO_8859_1);
    }

    private long octal(int at, int length, String field) throws BadArchiveException {
        String digits = text(at, length).strip();
        if (digits.isEmpty() || !digits.chars().allMatch(c -> c >= '0' && c <= '7')) {
            throw new BadArchiveException(
                    Reason.TAR,
                    "the tar header before byte " + position + " has no octal " + field);
        }
        return Long.parseLong(digits, 8);
    }

    private static String printable(String name) {
        return name.replaceAll("[^ -~]", "?");
    }

    private static char printable(char type) {
        return type >= ' ' && type <= '~' ? type : '?';
    }
}
