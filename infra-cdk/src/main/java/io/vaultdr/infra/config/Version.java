package io.vaultdr.infra.config;

import java.util.Comparator;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A server's version.
 *
 * @param text as it is written, such as {@code 1.20.4+ent}
 */
public record Version(int major, int minor, int patch, String text) implements Comparable<Version> {
    private static final Pattern FORM =
            Pattern.compile("(\\d{1,4})\\.(\\d{1,4})\\.(\\d{1,4})([+-][0-9A-Za-z.+-]{1,40})?");

    private static final Comparator<Version> ORDER =
            Comparator.comparingInt(Version::major)
                    .thenComparingInt(Version::minor)
                    .thenComparingInt(Version::patch);

    /** The version that {@code text} writes. */
    public static Optional<Version> parse(String text) {
        Matcher form = FORM.matcher(text);
        return form.matches()
                ? Optional.of(
                        new Version(
                                Integer.parseInt(form.group(1)),
                                Integer.parseInt(form.group(2)),
                                Integer.parseInt(form.group(3)),
                                text))
                : Optional.empty();
    }

    /** By its three numbers; what follows them tells editions, not ages. */
    @Override
    public int compareTo(Version other) {
        return ORDER.compare(this, other);
    }

    /** As it is written. */
    @Override
    public String toString() {
        return text;
    }
}
