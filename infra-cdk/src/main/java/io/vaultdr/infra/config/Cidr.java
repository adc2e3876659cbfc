package io.vaultdr.infra.config;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A range of IPv4 addresses.
 *
 * @param first its first address, as a number
 * @param bits how many bits all its addresses have in common, 0 to 32
 */
public record Cidr(long first, int bits) {
    private static final Pattern FORM =
            Pattern.compile("(\\d{1,3})\\.(\\d{1,3})\\.(\\d{1,3})\\.(\\d{1,3})/(\\d{1,2})");

    /** The range that {@code text} writes; none where it has bits outside its mask. */
    public static Optional<Cidr> parse(String text) {
        Matcher form = FORM.matcher(text);
        if (!form.matches()) {
            return Optional.empty();
        }
        long first = 0;
        for (int part = 1; part <= 4; part++) {
            int number = Integer.parseInt(form.group(part));
            if (number > 255) {
                return Optional.empty();
            }
            first = first << 8 | number;
        }
        int bits = Integer.parseInt(form.group(5));
        return bits <= 32 && first % size(bits) == 0
                ? Optional.of(new Cidr(first, bits))
                : Optional.empty();
    }

    /** How many addresses are in it. */
    public long size() {
        return size(bits);
    }

    /** Whether some address is in both. */
    public boolean overlaps(Cidr other) {
        return first < other.first + other.size() && other.first < first + size();
    }

    private static long size(int bits) {
        return 1L << (32 - bits);
    }

    /** As it is written. */
    @Override
    public String toString() {
        return (first >> 24)
                + "."
                + (first >> 16 & 255)
                + "."
                + (first >> 8 & 255)
                + "."
                + (first & 255)
                + "/"
                + bits;
    }
}
