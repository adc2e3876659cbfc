package io.vaultdr.rehearsal.world;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * EventBridge's {@code cron(minutes hours days months ? years)} and {@code rate(n minutes)}, in
 * UTC. Of a cron field: {@code *}, {@code ?}, numbers, lists, ranges and steps; anything else is
 * refused.
 */
final class Schedule {
    private record Field(Set<Integer> values, boolean all) {
        boolean holds(int value) {
            return all || values.contains(value);
        }
    }

    private final String expression;
    private final List<Field> fields;
    private final long rateMinutes;

    private Schedule(String expression, List<Field> fields, long rateMinutes) {
        this.expression = expression;
        this.fields = fields;
        this.rateMinutes = rateMinutes;
    }

    /**
     * Reads an expression; the empty one never fires.
     *
     * @throws IllegalArgumentException for a form that isn't known here
     */
    static Schedule of(String expression) {
        if (expression.isEmpty()) {
            return new Schedule(expression, List.of(), 0);
        }
        String inside = expression.replaceFirst("^\\w+\\((.*)\\)$", "$1");
        if (expression.startsWith("rate(")) {
            String[] parts = inside.split(" ", -1);
            long unit =
                    switch (parts[parts.length - 1].replaceFirst("s$", "")) {
                        case "minute" -> 1;
                        case "hour" -> 60;
                        case "day" -> 1440;
                        default -> throw unknown(expression);
                    };
            return new Schedule(expression, List.of(), Long.parseLong(parts[0]) * unit);
        }
        String[] parts = inside.split(" ", -1);
        if (!expression.startsWith("cron(") || parts.length != 6) {
            throw unknown(expression);
        }
        int[] lowest = {0, 0, 1, 1, 1, 1970};
        int[] highest = {59, 23, 31, 12, 7, 2199};
        List<Field> fields = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            fields.add(field(parts[i], lowest[i], highest[i], expression));
        }
        return new Schedule(expression, fields, 0);
    }

    private static Field field(String text, int lowest, int highest, String expression) {
        if (text.equals("*") || text.equals("?")) {
            return new Field(Set.of(), true);
        }
        Set<Integer> values = new TreeSet<>();
        for (String part : text.split(",", -1)) {
            if (!part.matches("(\\*|\\d+(-\\d+)?)(/\\d+)?")) {
                throw unknown(expression);
            }
            String[] step = part.split("/", -1);
            String[] range = step[0].split("-", -1);
            boolean open = step[0].equals("*");
            int from = open ? lowest : Integer.parseInt(range[0]);
            int to =
                    range.length > 1
                            ? Integer.parseInt(range[1])
                            : open || step.length > 1 ? highest : from;
            int by = step.length > 1 ? Integer.parseInt(step[1]) : 1;
            for (int value = from; value <= to; value += by) {
                values.add(value);
            }
        }
        return new Field(values, false);
    }

    private static IllegalArgumentException unknown(String expression) {
        return new IllegalArgumentException(
                expression + ": the rehearsal's clock doesn't know this form of schedule");
    }

    /** Whether it fires each minute; such a schedule is counted in slots. */
    boolean isEveryMinute() {
        return rateMinutes == 1 || (!fields.isEmpty() && fields.stream().allMatch(f -> f.all));
    }

    /** Whether it fires in the minute that begins at {@code time}. */
    boolean firesAt(Instant time) {
        if (fields.isEmpty()) {
            return rateMinutes > 0 && Math.floorMod(time.getEpochSecond() / 60, rateMinutes) == 0;
        }
        ZonedDateTime utc = time.atZone(ZoneOffset.UTC);
        // EventBridge counts days of the week from Sunday as 1.
        int day = utc.getDayOfWeek().getValue() % 7 + 1;
        return fields.get(0).holds(utc.getMinute())
                && fields.get(1).holds(utc.getHour())
                && fields.get(2).holds(utc.getDayOfMonth())
                && fields.get(3).holds(utc.getMonthValue())
                && fields.get(4).holds(day)
                && fields.get(5).holds(utc.getYear());
    }

    @Override
    public String toString() {
        return expression;
    }
}
