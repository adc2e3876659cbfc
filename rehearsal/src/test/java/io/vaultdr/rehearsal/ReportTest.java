package io.vaultdr.rehearsal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;

import io.vaultdr.failover.Observation;
import io.vaultdr.model.Loss;
import io.vaultdr.model.Side;
import io.vaultdr.model.Slots;
import io.vaultdr.runtime.Json;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

class ReportTest {
    private static final Instant START = Instant.parse("2026-03-01T03:00:00Z");

    @Test
    void theJsonHoldsWhatProgramsReadOnTheirWay(@TempDir Path directory) throws Exception {
        Report.write(story(), directory);

        JsonNode json = Json.MAPPER.readTree(directory.resolve("report.json").toFile());
        for (String field :
                List.of(
                        "scenario",
                        "strategy",
                        "windowSeconds",
                        "compressed",
                        "expected",
                        "outcome",
                        "diagnosis",
                        "gates",
                        "detectionMillis",
                        "stages",
                        "rtoMillis",
                        "overheadMillis",
                        "acknowledgedWrites",
                        "lostWrites",
                        "predictedLoss",
                        "unavailableMillis",
                        "longestGapMillis",
                        "errors",
                        "readers",
                        "notApplied",
                        "callsNotGranted")) {
            assertTrue(json.has(field), field);
        }
        assertEquals(12.0, json.path("windowSeconds").asDouble());
        assertEquals("measured", json.at("/stages/0/basis").asText());
        assertEquals("PT40S", json.at("/predictedLoss/time").asText());
    }

    @Test
    void thePageNeedsNoNetworkAndEscapesWhatItIsTold(@TempDir Path directory) throws Exception {
        Report.write(story(), directory);

        String html = Files.readString(directory.resolve("report.html"));
        assertFalse(html.contains("http://") || html.contains("https://"), "no address at all");
        assertFalse(html.contains("<script"));
        assertTrue(html.contains("it said &lt;no&gt;"));
        assertTrue(html.contains("Compressed time."));
    }

    private static Story story() {
        var slots = new Slots(Duration.ofSeconds(1));
        long first = slots.at(START);
        List<Observation> seen = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            seen.add(
                    new Observation(
                            "eu-central-1",
                            first + i,
                            Side.HOME,
                            i < 14
                                    ? Observation.Evidence.REACHED
                                    : i == 20
                                            ? Observation.Evidence.SEALED
                                            : Observation.Evidence.SILENT,
                            OptionalLong.of(100 + i),
                            slots.start(first + i)));
        }
        List<Writer.Attempt> attempts = new ArrayList<>();
        for (int i = 0; i < 450; i++) {
            Instant at = START.plusMillis(i * 100L);
            boolean home = i < 140;
            attempts.add(
                    new Writer.Attempt(
                            at,
                            i < 330 ? Side.HOME : Side.DR,
                            "client-1/" + i,
                            home || i > 335,
                            Duration.ofMillis(10)));
        }
        Instant struck = START.plusSeconds(14);
        return new Story(
                "region-loss",
                "The home region dies: servers, functions, schedules and AWS calls.",
                "warm-standby",
                "OpenBao 2.7.2",
                true,
                Duration.ofSeconds(1),
                START,
                START.plusSeconds(45),
                Optional.of(struck),
                "fails over to DR within the window and what the restore takes",
                "COMPLETED",
                List.of("it said <no>"),
                "DOWN",
                List.of(),
                "FAIL_OVER",
                Optional.of(Duration.ofMillis(12_700)),
                List.of(
                        new Story.StageTime(
                                "detection",
                                struck,
                                Duration.ofMillis(12_700),
                                Story.Basis.MEASURED,
                                "twelve slots"),
                        new Story.StageTime(
                                "Promote",
                                struck.plusMillis(13_000),
                                Duration.ofMillis(7_200),
                                Story.Basis.MEASURED,
                                "restore"),
                        new Story.StageTime(
                                "DNS",
                                struck.plusMillis(20_200),
                                Duration.ofMillis(1_200),
                                Story.Basis.MODELLED,
                                "flag, checkers, time to live")),
                Optional.of(Duration.ofMillis(21_400)),
                Optional.of(Duration.ofMillis(1_100)),
                new Writer.Account(450, 254, OptionalInt.of(22), Optional.of(START)),
                Optional.of(new Loss(Duration.ofSeconds(40), OptionalLong.of(900))),
                new Writer.Seen(2, 1_000, 12, Duration.ofMillis(22_100)),
                new Writer.Seen(2, 1_100, 9, Duration.ofMillis(21_000)),
                Map.of("eu-central-1", seen),
                List.of(
                        new Story.Mark(struck, "eu-west-1 is gone"),
                        new Story.Mark(struck.plusMillis(12_700), "incident payments-1 opened")),
                List.of(
                        new Story.Span(
                                "alarm eu-central-1",
                                "ALARM",
                                struck.plusSeconds(12),
                                START.plusSeconds(45),
                                "alarm"),
                        new Story.Span(
                                "clients are told", "home", START, START.plusSeconds(33), "home"),
                        new Story.Span(
                                "clients are told",
                                "dr",
                                START.plusSeconds(33),
                                START.plusSeconds(45),
                                "dr")),
                attempts,
                List.of(new Story.Model("DNS", "1 s", "Route 53 Developer Guide")),
                List.of("slot 10 s -> 1 s"),
                List.of("AWS::KMS::Key Key"),
                List.of(),
                List.of("Home's clients could not be cut: nobody answers there."),
                List.of(new Story.Page(struck.plusSeconds(13), "failover", "opened")),
                List.of("+0.0 s started"));
    }
}
