package io.vaultdr.cli;

import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/** Sizes and tables for people. */
final class Sizes {
    private Sizes() {}

    /** {@code 1.5 GiB}. */
    static String text(long bytes) {
        String[] units = {"B", "KiB", "MiB", "GiB", "TiB"};
        double value = bytes;
        int unit = 0;
        while (value >= 1024 && unit < units.length - 1) {
            value /= 1024;
            unit++;
        }
        return unit == 0 ? bytes + " B" : String.format(Locale.ROOT, "%.1f %s", value, units[unit]);
    }

    /** Rows of equal length, in columns two spaces apart; each line ends with a line feed. */
    static String table(List<List<String>> rows) {
        int[] widths =
                IntStream.range(0, rows.getFirst().size())
                        .map(
                                column ->
                                        rows.stream()
                                                .mapToInt(row -> row.get(column).length())
                                                .max()
                                                .orElse(0))
                        .toArray();
        StringBuilder text = new StringBuilder();
        for (List<String> row : rows) {
            StringBuilder line = new StringBuilder();
            for (int column = 0; column < widths.length; column++) {
                String word = row.get(column);
                line.append(word).append(" ".repeat(widths[column] - word.length() + 2));
            }
            text.append(line.toString().stripTrailing()).append('\n');
        }
        return text.toString();
    }
}
