package io.vaultdr.rehearsal;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

import io.vaultdr.failover.Observation;
import io.vaultdr.model.Slots;
import io.vaultdr.runtime.Json;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** Writes {@code report.json} for programs and {@code report.html} for people. */
public final class Report {
    private static final int WIDTH = 1160;
    private static final int LEFT = 168;
    private static final int ROW = 22;

    private final Story story;
    private final StringBuilder out = new StringBuilder(64 * 1024);

    private Report(Story story) {
        this.story = story;
    }

    /** Writes both files into {@code directory}, which is made if it isn't there. */
    public static void write(Story story, Path directory) throws IOException {
        Files.createDirectories(directory);
        Files.writeString(
                directory.resolve("report.json"),
                Json.MAPPER.writerWithDefaultPrettyPrinter().writeValueAsString(json(story))
                        + "\n");
        Files.writeString(directory.resolve("report.html"), html(story));
    }

    /** The report for programs. */
    static ObjectNode json(Story story) {
        ObjectNode json = Json.MAPPER.createObjectNode();
        json.put("scenario", story.scenario());
        json.put("strategy", story.strategy());
        json.put("server", story.server());
        json.put("windowSeconds", story.slot().multipliedBy(Slots.WINDOW).toMillis() / 1000.0);
        json.put("compressed", story.compressed());
        json.put("asExpected", story.asExpected());
        json.put("expected", story.expected());
        json.put("outcome", story.outcome());
        json.set("differences", strings(story.differences()));
        json.put("diagnosis", story.diagnosis());
        json.set("gates", strings(story.gates()));
        json.put("verdict", story.verdict());
        json.set("detectionMillis", millis(story.detection()));
        ArrayNode stages = json.putArray("stages");
        for (Story.StageTime stage : story.stages()) {
            stages.addObject()
                    .put("name", stage.name())
                    .put("startedAt", stage.startedAt().toString())
                    .put("millis", stage.took().toMillis())
                    .put("basis", stage.basis().name().toLowerCase(Locale.ROOT))
                    .put("note", stage.note());
        }
        json.set("rtoMillis", millis(story.recovery()));
        json.set("overheadMillis", millis(story.overhead()));
        json.put("acknowledgedWrites", story.account().acknowledged());
        json.set("lostWrites", Json.MAPPER.valueToTree(story.account().lost()));
        json.set("predictedLoss", Json.MAPPER.valueToTree(story.predictedLoss().orElse(null)));
        json.put("unavailableMillis", story.writers().longestGap().toMillis());
        json.put("longestGapMillis", story.writers().longestGap().toMillis());
        json.put("errors", story.writers().errors());
        json.putObject("readers")
                .put("count", story.readers().clients())
                .put("reads", story.readers().attempts())
                .put("errors", story.readers().errors())
                .put("longestGapMillis", story.readers().longestGap().toMillis());
        json.set("notApplied", strings(story.notApplied()));
        json.set("callsNotGranted", strings(story.callsNotGranted()));
        json.set("changedByFast", strings(story.changedByFast()));
        json.set("modelled", Json.MAPPER.valueToTree(story.models()));
        json.set("findings", strings(story.findings()));
        json.set("pages", Json.MAPPER.valueToTree(story.pages()));
        return json;
    }

    private static ArrayNode strings(List<String> values) {
        ArrayNode array = Json.MAPPER.createArrayNode();
        values.forEach(array::add);
        return array;
    }

    private static com.fasterxml.jackson.databind.JsonNode millis(Optional<Duration> duration) {
        return Json.MAPPER.valueToTree(duration.map(Duration::toMillis).orElse(null));
    }

    /** The report for people: one file that needs no network. */
    static String html(Story story) {
        return new Report(story).page();
    }

    private String page() {
        out.append("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">")
                .append("<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">")
                .append("<title>")
                .append(escape(story.scenario() + " – vault-dr rehearsal"))
                .append("</title><style>")
                .append(resource("report.css"))
                .append("</style></head><body><main>");
        head();
        numbers();
        timeline();
        stages();
        decision();
        incident();
        honesty();
        out.append(resource("words.html"));
        console();
        return out.append("</main></body></html>\n").toString();
    }

    private void head() {
        out.append("<header><p class=\"kicker\">vault-dr rehearsal · ")
                .append(escape(story.strategy()))
                .append(" · ")
                .append(escape(story.server()))
                .append(" · ")
                .append(escape(story.start().toString().substring(0, 16).replace('T', ' ')))
                .append(" UTC</p><h1>")
                .append(escape(story.scenario()))
                .append(
                        story.asExpected()
                                ? " <span class=\"good\">as expected</span>"
                                : " <span class=\"bad\">not as expected</span>")
                .append("</h1><p class=\"lead\">")
                .append(escape(story.what()))
                .append("</p><p><b>Expected:</b> ")
                .append(escape(story.expected()))
                .append("</p>");
        if (!story.differences().isEmpty()) {
            out.append("<div class=\"box bad\"><b>What was different</b>");
            list(story.differences());
            out.append("</div>");
        }
        if (story.compressed()) {
            out.append("<div class=\"box\"><b>Compressed time.</b> A slot lasted ")
                    .append(seconds(story.slot()))
                    .append(
                            " instead of 10 s, and with it all that is counted in slots. The times"
                                    + " of the servers, of the functions and of the AWS calls are"
                                    + " real.</div>");
        }
        out.append("</header>");
    }

    private void numbers() {
        Map<String, String> numbers = new LinkedHashMap<>();
        story.detection().ifPresent(it -> numbers.put("from harm to verdict", seconds(it)));
        story.recovery()
                .ifPresent(it -> numbers.put("from harm to the first write in DR", seconds(it)));
        story.overhead()
                .ifPresent(
                        it ->
                                numbers.put(
                                        "of it ours: less window, models and the server's own"
                                                + " restore",
                                        seconds(it)));
        numbers.put("longest time without a write", seconds(story.writers().longestGap()));
        numbers.put("longest time without a read", seconds(story.readers().longestGap()));
        numbers.put(
                "failed writes and reads",
                story.writers().errors() + " and " + story.readers().errors());
        numbers.put("writes acknowledged", Integer.toString(story.account().acknowledged()));
        numbers.put(
                "of them lost",
                story.account().lost().isPresent()
                        ? Integer.toString(story.account().lost().getAsInt())
                        : "nobody could look");
        story.predictedLoss()
                .ifPresent(
                        loss ->
                                numbers.put(
                                        "loss predicted before the decision",
                                        seconds(loss.time())
                                                + (loss.entries().isPresent()
                                                        ? ", "
                                                                + loss.entries().getAsLong()
                                                                + " entries"
                                                        : "")));
        out.append("<section class=\"numbers\">");
        numbers.forEach(
                (what, value) ->
                        out.append("<div><strong>")
                                .append(escape(value))
                                .append("</strong><span>")
                                .append(escape(what))
                                .append("</span></div>"));
        out.append("</section>");
    }

    private void timeline() {
        out.append("<section><h2>Timeline</h2><p class=\"note\">")
                .append(
                        story.struck().isPresent()
                                ? "Zero is the moment of the first harm."
                                : "Zero is the start of the schedules.")
                .append(" Hover over anything for its time and meaning.</p>");
        out.append("<div class=\"scroll\">");
        svg();
        out.append("</div>");
        legend();
        out.append("</section>");
    }

    private void legend() {
        out.append("<p class=\"legend\">");
        Map<String, String> words = new LinkedHashMap<>();
        words.put("REACHED", "reached: the active node itself answered");
        words.put("SEALED", "sealed: all that answer are sealed");
        words.put("NO_ACTIVE", "no active: nodes answer, nobody leads");
        words.put("SILENT", "silent: nobody answers");
        words.put("none", "no evidence written");
        words.put("home", "home");
        words.put("dr", "DR");
        words.put("failed", "failed write");
        words.put("modelled", "modelled, not measured");
        words.forEach(
                (kind, text) ->
                        out.append("<span><svg width=\"14\" height=\"12\"><rect width=\"14\"")
                                .append(" height=\"12\" rx=\"2\" class=\"k-")
                                .append(kind)
                                .append("\"/></svg> ")
                                .append(text)
                                .append("</span> "));
        out.append("</p>");
    }

    private void svg() {
        List<Runnable> rows = new ArrayList<>();
        var draw = new Drawing();
        story.evidence().forEach((vantage, seen) -> rows.add(() -> draw.evidence(vantage, seen)));
        Map<String, List<Story.Span>> lanes = new LinkedHashMap<>();
        for (Story.Span span : story.spans()) {
            lanes.computeIfAbsent(span.lane(), lane -> new ArrayList<>()).add(span);
        }
        lanes.forEach((lane, spans) -> rows.add(() -> draw.lane(lane, spans)));
        for (Story.StageTime stage : story.stages()) {
            rows.add(() -> draw.stage(stage));
        }
        // Marks hang in steps under the axis, so that their words don't cover one another.
        int marks = Math.min(6, Math.max(1, story.marks().size()));
        int height = 30 + marks * 16 + 8 + rows.size() * ROW + 86;
        out.append("<svg class=\"timeline\" viewBox=\"0 0 ")
                .append(WIDTH)
                .append(' ')
                .append(height)
                .append("\" role=\"img\" aria-label=\"timeline\"><defs>")
                .append(
                        "<pattern id=\"hatch\" width=\"6\" height=\"6\""
                                + " patternUnits=\"userSpaceOnUse\""
                                + " patternTransform=\"rotate(45)\"><rect width=\"6\" height=\"6\""
                                + " class=\"hatch-ground\"/><rect width=\"2.5\" height=\"6\""
                                + " class=\"hatch-line\"/></pattern>")
                .append("</defs>");
        draw.axis(height);
        draw.marks(marks, height);
        draw.y = 30 + marks * 16 + 8;
        rows.forEach(Runnable::run);
        draw.writes();
        out.append("</svg>");
    }

    /** Places things on the page's one picture. */
    private final class Drawing {
        private final Instant zero = story.struck().orElse(story.start());
        private final double perMilli =
                (WIDTH - LEFT - 12.0)
                        / Math.max(1, Duration.between(story.start(), story.end()).toMillis());
        private int y;

        double x(Instant at) {
            long millis = Duration.between(story.start(), at).toMillis();
            return Math.max(LEFT, Math.min(WIDTH - 12.0, LEFT + millis * perMilli));
        }

        String since(Instant at) {
            double seconds = Duration.between(zero, at).toMillis() / 1000.0;
            return String.format(Locale.ROOT, "%+.1f s", seconds);
        }

        void axis(int height) {
            long all = Duration.between(story.start(), story.end()).toSeconds();
            int step = all > 150 ? 20 : all > 60 ? 10 : all > 25 ? 5 : 2;
            long before = Duration.between(story.start(), zero).toSeconds();
            for (long second = -(before / step) * step; second <= all - before; second += step) {
                double x = x(zero.plusSeconds(second));
                out.append("<line class=\"grid")
                        .append(second == 0 ? " zero" : "")
                        .append("\" x1=\"")
                        .append(number(x))
                        .append("\" x2=\"")
                        .append(number(x))
                        .append("\" y1=\"18\" y2=\"")
                        .append(height - 4)
                        .append("\"/>");
                text(x, 13, "axis", (second > 0 ? "+" : "") + second + " s", "middle");
            }
        }

        void marks(int rows, int height) {
            int row = 0;
            for (Story.Mark mark : story.marks()) {
                double x = x(mark.at());
                int at = 30 + (row++ % rows) * 16;
                boolean late = x > WIDTH * 0.7;
                out.append("<g><title>")
                        .append(escape(since(mark.at()) + ": " + mark.text()))
                        .append("</title><line class=\"mark\" x1=\"")
                        .append(number(x))
                        .append("\" x2=\"")
                        .append(number(x))
                        .append("\" y1=\"")
                        .append(at - 8)
                        .append("\" y2=\"")
                        .append(height - 4)
                        .append("\"/>");
                text(x + (late ? -4 : 4), at, "marktext", mark.text(), late ? "end" : "start");
                out.append("</g>");
            }
        }

        void name(String name) {
            text(LEFT - 10, y + 14, "lane", name, "end");
        }

        void bar(Instant from, Instant to, String kind, String label, String hover) {
            double start = x(from);
            double width = Math.max(2, x(to) - start);
            out.append("<g><title>")
                    .append(escape(since(from) + " to " + since(to) + ": " + hover))
                    .append("</title><rect class=\"k-")
                    .append(escape(kind))
                    .append("\" x=\"")
                    .append(number(start))
                    .append("\" y=\"")
                    .append(y + 2)
                    .append("\" width=\"")
                    .append(number(width))
                    .append("\" height=\"")
                    .append(ROW - 6)
                    .append("\" rx=\"2\"/>");
            if (width > label.length() * 6.2 + 6) {
                text(start + 5, y + 14, "inbar", label, "start");
            }
            out.append("</g>");
        }

        void evidence(String vantage, List<Observation> seen) {
            name("seen from " + vantage);
            var slots = new Slots(story.slot());
            bar(story.start(), story.end(), "none", "", "no evidence written");
            for (Observation one : seen) {
                Instant from = slots.start(one.slot());
                Instant to = slots.end(one.slot());
                if (to.isAfter(story.start()) && from.isBefore(story.end())) {
                    bar(
                            from.plusMillis(story.slot().toMillis() / 16),
                            to,
                            one.evidence().name(),
                            "",
                            "slot " + one.slot() + ", " + one.evidence() + " of " + one.side());
                }
            }
            y += ROW;
        }

        void lane(String lane, List<Story.Span> spans) {
            name(lane);
            for (Story.Span span : spans) {
                bar(span.from(), span.to(), span.kind(), span.text(), span.text());
            }
            y += ROW;
        }

        void stage(Story.StageTime stage) {
            name(stage.name());
            boolean modelled = stage.basis() == Story.Basis.MODELLED;
            Instant to = stage.startedAt().plus(stage.took());
            String hover =
                    seconds(stage.took()) + (modelled ? ", modelled. " : ". ") + stage.note();
            bar(stage.startedAt(), to, modelled ? "modelled" : "stage", "", hover);
            double end = x(to);
            boolean left = end > WIDTH - 90;
            text(
                    left ? x(stage.startedAt()) - 5 : end + 5,
                    y + 14,
                    "small",
                    seconds(stage.took()),
                    left ? "end" : "start");
            y += ROW;
        }

        void writes() {
            long all = Duration.between(story.start(), story.end()).toMillis();
            int columns = 200;
            long each = Math.max(1, all / columns);
            int[][] counts = new int[columns + 1][3];
            for (Writer.Attempt attempt : story.attempts()) {
                long at =
                        Duration.between(story.start(), attempt.at().plus(attempt.took()))
                                .toMillis();
                if (at >= 0 && at <= all) {
                    int kind =
                            !attempt.acknowledged()
                                    ? 2
                                    : attempt.side() == io.vaultdr.model.Side.HOME ? 0 : 1;
                    counts[(int) Math.min(columns, at / each)][kind]++;
                }
            }
            int most = 1;
            for (int[] count : counts) {
                most = Math.max(most, count[0] + count[1] + count[2]);
            }
            text(LEFT - 10, y + 40, "lane", "clients' writes", "end");
            String[] kinds = {"home", "dr", "failed"};
            double width = Math.max(1, each * perMilli - 0.6);
            for (int i = 0; i < counts.length; i++) {
                double bottom = y + 68;
                for (int kind = 0; kind < 3; kind++) {
                    if (counts[i][kind] > 0) {
                        double height = 62.0 * counts[i][kind] / most;
                        bottom -= height;
                        Instant at = story.start().plusMillis(i * each);
                        out.append("<rect class=\"k-")
                                .append(kinds[kind])
                                .append("\" x=\"")
                                .append(number(x(at)))
                                .append("\" y=\"")
                                .append(number(bottom))
                                .append("\" width=\"")
                                .append(number(width))
                                .append("\" height=\"")
                                .append(number(height))
                                .append("\"><title>")
                                .append(escape(since(at)))
                                .append(": ")
                                .append(counts[i][kind])
                                .append(kind == 2 ? " failed" : " acknowledged by " + kinds[kind])
                                .append("</title></rect>");
                    }
                }
            }
            y += 74;
        }

        void text(double x, double at, String kind, String text, String anchor) {
            out.append("<text class=\"")
                    .append(kind)
                    .append("\" x=\"")
                    .append(number(x))
                    .append("\" y=\"")
                    .append(number(at))
                    .append("\" text-anchor=\"")
                    .append(anchor)
                    .append("\">")
                    .append(escape(text))
                    .append("</text>");
        }
    }

    private void stages() {
        if (story.stages().isEmpty()) {
            return;
        }
        out.append(
                "<section><h2>Stages</h2><table><thead><tr><th>Stage</th><th>from</th>"
                        + "<th class=\"n\">took</th><th>basis</th><th></th></tr></thead><tbody>");
        Instant zero = story.struck().orElse(story.start());
        for (Story.StageTime stage : story.stages()) {
            out.append("<tr><td>")
                    .append(escape(stage.name()))
                    .append("</td><td>+")
                    .append(seconds(Duration.between(zero, stage.startedAt())))
                    .append("</td><td class=\"n\">")
                    .append(seconds(stage.took()))
                    .append("</td><td>")
                    .append(stage.basis().name().toLowerCase(Locale.ROOT))
                    .append("</td><td>")
                    .append(escape(stage.note()))
                    .append("</td></tr>");
        }
        out.append("</tbody></table></section>");
    }

    private void decision() {
        out.append("<section><h2>The decision</h2><p>Diagnosis <code>")
                .append(escape(story.diagnosis()))
                .append("</code>, gates ");
        out.append(
                story.gates().isEmpty()
                        ? "none"
                        : "<code>" + escape(String.join(", ", story.gates())) + "</code>");
        out.append(", verdict <code>")
                .append(escape(story.verdict()))
                .append("</code>, outcome <code>")
                .append(escape(story.outcome()))
                .append("</code>.</p></section>");
    }

    private void incident() {
        if (!story.findings().isEmpty()) {
            out.append("<section><h2>What a person has to know</h2>");
            list(story.findings());
            out.append("</section>");
        }
        if (!story.pages().isEmpty()) {
            Instant zero = story.struck().orElse(story.start());
            out.append("<section><h2>Pages that were sent</h2><ul>");
            for (Story.Page page : story.pages()) {
                out.append("<li>")
                        .append(seconds(Duration.between(zero, page.at())))
                        .append(" <b>")
                        .append(escape(page.subject()))
                        .append("</b><br><span class=\"note\">")
                        .append(escape(page.message()))
                        .append("</span></li>");
            }
            out.append("</ul></section>");
        }
    }

    private void honesty() {
        out.append("<section><h2>What was real and what was not</h2><p>")
                .append(
                        "Real: the servers and their Raft, TLS, the functions in JVMs of their own"
                                + " under AWS's runtime client, their roles' grants, templates,"
                                + " state machine, tables and buckets (moto), every time that says"
                                + " <i>measured</i>. One static key stands in for the multi-Region"
                                + " KMS key.</p>");
        out.append(
                "<table><thead><tr><th>Modelled</th><th>as</th><th>source</th></tr></thead>"
                        + "<tbody>");
        for (Story.Model model : story.models()) {
            out.append("<tr><td>")
                    .append(escape(model.name()))
                    .append("</td><td>")
                    .append(escape(model.value()))
                    .append("</td><td>")
                    .append(escape(model.source()))
                    .append("</td></tr>");
        }
        out.append("</tbody></table>");
        folded("Changed by --fast", story.changedByFast());
        folded("In the templates, but not applied here", story.notApplied());
        folded("Calls that a role did not grant", story.callsNotGranted());
        out.append("</section>");
    }

    private void console() {
        out.append("<section><details><summary>All that the console said (")
                .append(story.lines().size())
                .append(" lines)</summary><pre>")
                .append(escape(String.join("\n", story.lines())))
                .append("</pre></details></section>");
    }

    private void folded(String title, List<String> lines) {
        out.append("<details><summary>")
                .append(escape(title))
                .append(" (")
                .append(lines.size())
                .append(")</summary>");
        list(lines);
        out.append("</details>");
    }

    private void list(List<String> lines) {
        out.append("<ul>");
        lines.forEach(line -> out.append("<li>").append(escape(line)).append("</li>"));
        out.append("</ul>");
    }

    /** Seconds as people read them. */
    static String seconds(Duration duration) {
        double seconds = duration.toMillis() / 1000.0;
        return Math.abs(seconds) < 10
                ? String.format(Locale.ROOT, "%.2f s", seconds)
                : String.format(Locale.ROOT, "%.1f s", seconds);
    }

    private static String number(double value) {
        return String.format(Locale.ROOT, "%.1f", value);
    }

    private static String escape(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;");
    }

    private static String resource(String name) {
        try (InputStream in = Report.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new IllegalStateException("resource " + name + " is not on the class path");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
