package io.vaultdr.drill;

import io.vaultdr.drill.DrillReport.Goal;
import io.vaultdr.drill.DrillReport.StageTime;
import io.vaultdr.snapshot.Manifest;
import io.vaultdr.snapshot.Proof;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * A report as a page that opens from disk without a network, for people who don't know the code.
 */
final class ReportPage {
    private static final int WIDTH = 1_000;
    private static final int LABELS = 300;
    private static final int ROW = 24;

    private static final String STYLE =
            """
            body{font:16px/1.5 system-ui,sans-serif;max-width:68rem;margin:2rem auto;padding:0 1rem;\
            color:#1b1f24;background:#fff}
            h1{font-size:1.6rem;margin-bottom:0}h2{margin-top:2rem;font-size:1.2rem}
            table{border-collapse:collapse;width:100%}
            td,th{border-bottom:1px solid #d6dae0;padding:.3rem .8rem .3rem 0;text-align:left;\
            vertical-align:top;overflow-wrap:anywhere}
            th{font-weight:600;white-space:nowrap}
            .good{color:#176f2c}.bad{color:#a40e26}.modelled{color:#6b7280}
            svg{width:100%;height:auto;font:12px system-ui,sans-serif}
            dt{font-weight:600}dd{margin:0 0 .6rem 0}
            """;

    private static final Map<String, String> WORDS = words();

    private ReportPage() {}

    /** The page, UTF-8. */
    static byte[] of(DrillReport report) {
        StringBuilder page = new StringBuilder();
        page.append("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">")
                .append("<meta name=\"viewport\" content=\"width=device-width\">")
                .append(title("title", "Drill " + report.drill() + " of " + report.pair()))
                .append("<style>\n")
                .append(STYLE)
                .append("</style></head><body>\n")
                .append(title("h1", "Drill of " + report.pair()))
                .append("<p>")
                .append(text(verdict(report)))
                .append("</p>\n");
        if (!report.findings().isEmpty()) {
            page.append("<ul>");
            report.findings()
                    .forEach(finding -> page.append("<li>").append(text(finding)).append("</li>"));
            page.append("</ul>\n");
        }
        report.goals()
                .ifPresent(
                        goals ->
                                page.append(title("h2", "Goals"))
                                        .append(
                                                "<table><tr><th>Goal</th><th>at most</th>"
                                                        + "<th>was</th><th></th><th>made of</th>"
                                                        + "</tr>\n")
                                        .append(goal("RPO", goals.rpo()))
                                        .append(goal("RTO", goals.rto()))
                                        .append("</table>\n"));
        page.append(title("h2", "What happened, second by second")).append(timeline(report));
        page.append(title("h2", "Stages"))
                .append("<table><tr><th>Stage</th><th>began (UTC)</th><th>took</th>")
                .append("<th>basis</th><th>counts for the RTO</th></tr>\n");
        report.stages().forEach(stage -> page.append(row(stage)));
        page.append("</table>\n")
                .append(title("h2", "Evidence"))
                .append(table(evidence(report)))
                .append(title("h2", "Words"))
                .append("<dl>");
        WORDS.forEach(
                (word, meaning) -> page.append(title("dt", word)).append(title("dd", meaning)));
        return page.append("</dl>\n</body></html>\n").toString().getBytes(StandardCharsets.UTF_8);
    }

    private static String verdict(DrillReport report) {
        String when =
                report.startedAt()
                        + " to "
                        + report.endedAt()
                        + ", asked for by "
                        + report.requestedBy()
                        + ". ";
        return when
                + switch (report.outcome()) {
                    case MET ->
                            "A snapshot was taken, restored by a real server and read back, and"
                                    + " every step was run but for its last call; both goals are"
                                    + " met.";
                    case GOALS_MISSED ->
                            "The whole chain went through, and took longer than a goal allows.";
                    case FAILED -> "The chain broke; what stood in the way is said below.";
                    case STOPPED_BY_INCIDENT ->
                            "It was stopped, because something real began; it says nothing about"
                                    + " the goals.";
                    case REFUSED -> "It was not begun; it says nothing about the goals.";
                };
    }

    private static String goal(String name, Goal goal) {
        return "<tr><th>"
                + name
                + "</th><td>"
                + seconds(goal.goal())
                + "</td><td>"
                + seconds(goal.measured())
                + "</td><td class=\""
                + (goal.met() ? "good\">met" : "bad\">missed")
                + "</td><td>"
                + text(goal.how())
                + "</td></tr>\n";
    }

    private static String row(StageTime stage) {
        return "<tr><td>"
                + text(stage.name())
                + "</td><td>"
                + stage.startedAt().map(Instant::toString).orElse("")
                + "</td><td>"
                + seconds(stage.took())
                + "</td><td class=\""
                + stage.basis().name().toLowerCase(Locale.ROOT)
                + "\">"
                + stage.basis().name().toLowerCase(Locale.ROOT)
                + "</td><td>"
                + (stage.inRto() ? "yes" : "no")
                + "</td></tr>\n";
    }

    /** A bar per measured stage, from the drill's beginning to its end. */
    private static String timeline(DrillReport report) {
        List<StageTime> stages =
                report.stages().stream().filter(stage -> stage.startedAt().isPresent()).toList();
        if (stages.isEmpty()) {
            return "<p>Nothing was begun.</p>\n";
        }
        long whole = Math.max(1, Duration.between(report.startedAt(), report.endedAt()).toMillis());
        double scale = (WIDTH - LABELS - 90.0) / whole;
        int height = stages.size() * ROW + ROW;
        StringBuilder svg =
                new StringBuilder(
                        "<svg role=\"img\" aria-label=\"Timeline of the stages\" viewBox=\"0 0 "
                                + WIDTH
                                + " "
                                + height
                                + "\">\n");
        for (int i = 0; i < stages.size(); i++) {
            StageTime stage = stages.get(i);
            int top = i * ROW;
            double from =
                    LABELS
                            + scale
                                    * Math.max(
                                            0,
                                            Duration.between(
                                                            report.startedAt(),
                                                            stage.startedAt().orElseThrow())
                                                    .toMillis());
            double width = Math.max(2, scale * stage.took().toMillis());
            svg.append(
                    String.format(
                            Locale.ROOT,
                            "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>"
                                    + "<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\""
                                    + " fill=\"%s\"/><text x=\"%.1f\" y=\"%d\">%s</text>%n",
                            LABELS - 10,
                            top + 16,
                            text(stage.name()),
                            from,
                            top + 4,
                            width,
                            ROW - 8,
                            stage.inRto() ? "#1f6feb" : "#9aa4b2",
                            from + width + 6,
                            top + 16,
                            seconds(stage.took())));
        }
        return svg.append(
                        String.format(
                                Locale.ROOT,
                                "<text x=\"%d\" y=\"%d\">%s</text><text x=\"%d\" y=\"%d\""
                                        + " text-anchor=\"end\">+%s</text></svg>%n",
                                LABELS,
                                height - 6,
                                report.startedAt(),
                                WIDTH - 10,
                                height - 6,
                                seconds(Duration.ofMillis(whole))))
                .append("<p>Blue counts for the RTO, grey doesn't.</p>\n")
                .toString()
                .replace("\r\n", "\n");
    }

    private static Map<String, String> evidence(DrillReport report) {
        Map<String, String> rows = new LinkedHashMap<>();
        rows.put("Drill", report.drill());
        rows.put("Asked for by (as claimed)", report.requestedBy());
        rows.put("Execution (CloudTrail: who it was)", report.execution());
        rows.put("Rung", report.rung().name().toLowerCase(Locale.ROOT));
        report.snapshot().ifPresent(taken -> snapshot(rows, taken));
        report.proof().ifPresent(proof -> proof(rows, proof));
        report.provenBefore()
                .ifPresent(
                        before ->
                                rows.put(
                                        "Newest proven before",
                                        before.id() + ", taken " + before.takenAt()));
        report.versions().forEach((name, version) -> rows.put("Version of " + name, version));
        rows.put("Signed by", report.signingKey());
        return rows;
    }

    private static void snapshot(Map<String, String> rows, Manifest taken) {
        rows.put("Snapshot", taken.id() + ", taken " + taken.takenAt() + " from " + taken.side());
        rows.put("Archive's SHA-256", taken.sha256());
        rows.put("Archive's size", taken.bytes() + " bytes");
        rows.put("Raft index, term", taken.index() + ", " + taken.term());
        rows.put("Cluster id", taken.clusterId());
        Manifest.RestoreNeeds needs = taken.needs();
        rows.put(
                "Restore needs",
                needs.edition()
                        + " "
                        + needs.version()
                        + " or newer, seal "
                        + needs.sealType()
                        + needs.sealKey().map(key -> " " + key).orElse("")
                        + ", logins "
                        + pairs(needs.login())
                        + ", audit files "
                        + (needs.auditPaths().isEmpty()
                                ? "none"
                                : String.join(", ", needs.auditPaths())));
    }

    private static void proof(Map<String, String> rows, Proof proof) {
        rows.put(
                "Proof",
                proof.verdict()
                        + proof.reason().map(reason -> " (" + reason + ")").orElse("")
                        + ", in "
                        + proof.region()
                        + " at "
                        + proof.madeAt()
                        + ", attempt "
                        + proof.attempt());
        proof.sha256().ifPresent(sha256 -> rows.put("SHA-256 of what was restored", sha256));
        proof.counts()
                .ifPresent(
                        counts ->
                                rows.put(
                                        "Read back",
                                        counts.secretEngines()
                                                + " secret engines, "
                                                + counts.authMethods()
                                                + " auth methods, "
                                                + counts.policies()
                                                + " policies, "
                                                + counts.entities()
                                                + " entities, "
                                                + counts.keys()
                                                + " keys"
                                                + (counts.keysComplete() ? "" : " or more")));
        rows.put("Versions of the proof", pairs(proof.versions()));
    }

    private static String pairs(Map<String, String> map) {
        return map.isEmpty()
                ? "none"
                : map.entrySet().stream()
                        .sorted(Map.Entry.comparingByKey())
                        .map(entry -> entry.getKey() + " " + entry.getValue())
                        .collect(Collectors.joining(", "));
    }

    private static String table(Map<String, String> rows) {
        return rows.entrySet().stream()
                .map(
                        row ->
                                "<tr><th>"
                                        + text(row.getKey())
                                        + "</th><td>"
                                        + text(row.getValue())
                                        + "</td></tr>\n")
                .collect(Collectors.joining("", "<table>\n", "</table>\n"));
    }

    private static String seconds(Duration time) {
        return String.format(Locale.ROOT, "%,.1f s", time.toMillis() / 1e3);
    }

    private static String title(String tag, String content) {
        return "<" + tag + ">" + text(content) + "</" + tag + ">\n";
    }

    private static String text(String content) {
        return content.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;");
    }

    private static Map<String, String> words() {
        Map<String, String> words = new LinkedHashMap<>();
        words.put(
                "Snapshot",
                "A copy of all that a Vault cluster holds, encrypted, taken while it serves.");
        words.put(
                "Proven",
                "A server was started apart from everything else, restored the snapshot and read"
                        + " back a value that was written just before it was taken.");
        words.put(
                "Dry run",
                "Every step of a failover runs by its real network path, with its real permissions,"
                        + " up to the last call: nothing is stopped, restored or redirected.");
        words.put("RPO", "How much of the newest writes a disaster may cost, as a time.");
        words.put("RTO", "How long clients may have to wait until somebody serves them again.");
        words.put(
                "Measured, modelled",
                "Measured: clocks of those that did it. Modelled: a configured constant, nothing"
                        + " was waited for.");
        words.put(
                "Restore needs",
                "What a server needs so that the snapshot can be opened and used: edition, version,"
                        + " the key that unseals it, logins, files for audit.");
        words.put(
                "What a drill doesn't show",
                "The last call of each step; how long a person takes to answer; how long resolvers"
                        + " keep an old address; that the DR region has servers to spare.");
        return words;
    }
}
