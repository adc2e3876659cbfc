package io.vaultdr.cli;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vaultdr.failover.Diagnosis;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Whoever is woken finds a runbook: one for each alarm of the templates and each page. */
class RunbooksTest {
    private static final Path ROOT = Path.of(System.getProperty("vaultdr.root"));
    private static final Path RUNBOOKS = ROOT.resolve("docs/runbooks");
    private static final Pattern ALARM =
            Pattern.compile("\"AlarmDescription\"\\s*:\\s*\"([^\"]+)\"");
    private static final Pattern RUNBOOK = Pattern.compile("docs/runbooks/([a-z-]+\\.md)$");
    private static final Pattern KEBAB = Pattern.compile("\"([a-z]+(?:-[a-z]+)+)\"");
    private static final Pattern LINK = Pattern.compile("\\]\\(([a-z0-9-]+\\.md)\\)");

    @Test
    void everyAlarmOfTheTemplatesHasARunbook() throws IOException {
        Set<String> missing = new TreeSet<>();
        int alarms = 0;
        for (Path golden : files(ROOT.resolve("infra-cdk/src/test/resources/golden"), ".json")) {
            Matcher alarm = ALARM.matcher(Files.readString(golden));
            while (alarm.find()) {
                alarms++;
                Matcher runbook = RUNBOOK.matcher(alarm.group(1));
                if (!runbook.find() || !Files.exists(RUNBOOKS.resolve(runbook.group(1)))) {
                    missing.add(alarm.group(1));
                }
            }
        }
        int found = alarms;
        assertAll(
                () -> assertEquals(Set.of(), missing),
                () -> assertTrue(found > 20, "alarms found: " + found));
    }

    @Test
    void everyPageHasARunbook() throws IOException {
        Set<String> wanted = new TreeSet<>();
        for (Diagnosis.Rule rule : Diagnosis.Rule.values()) {
            // A side that serves pages by its doubts, and one that fades is waited for.
            if (rule != Diagnosis.Rule.SERVING && rule != Diagnosis.Rule.FADING) {
                wanted.add(name(rule));
            }
        }
        Arrays.stream(Diagnosis.Doubt.values()).map(RunbooksTest::name).forEach(wanted::add);
        wanted.add("dr-not-ready");
        for (Path source : files(ROOT.resolve("functions/src/main/java"), ".java")) {
            String text = Files.readString(source);
            if (text.contains("new Pager.Page(")) {
                Matcher literal = KEBAB.matcher(text);
                while (literal.find()) {
                    wanted.add(literal.group(1));
                }
            }
        }
        assertTrue(wanted.contains("approve-or-reject"), wanted::toString);
        wanted.removeIf(name -> Files.exists(RUNBOOKS.resolve(name + ".md")));
        assertEquals(Set.of(), wanted);
    }

    @Test
    void everyRunbookShowsABareCommandAndIsListed() throws IOException {
        String index = Files.readString(RUNBOOKS.resolve("README.md"));
        for (Path runbook : files(RUNBOOKS, ".md")) {
            String name = runbook.getFileName().toString();
            if (name.equals("README.md")) {
                continue;
            }
            String text = Files.readString(runbook);
            assertAll(
                    name,
                    () -> assertTrue(text.contains("aws "), "no bare aws command"),
                    () -> assertTrue(index.contains("(" + name + ")"), "not in README.md"));
        }
    }

    @Test
    void everyLinkBetweenRunbooksLeadsSomewhere() throws IOException {
        for (Path runbook : files(RUNBOOKS, ".md")) {
            Matcher link = LINK.matcher(Files.readString(runbook));
            while (link.find()) {
                String target = link.group(1);
                assertFalse(Files.notExists(RUNBOOKS.resolve(target)), runbook + ": " + target);
            }
        }
    }

    private static String name(Enum<?> cause) {
        return cause.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    private static List<Path> files(Path folder, String end) throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            return all.filter(file -> file.toString().endsWith(end)).toList();
        }
    }
}
