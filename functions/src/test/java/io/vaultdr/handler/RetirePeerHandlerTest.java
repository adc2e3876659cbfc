package io.vaultdr.handler;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.mockito.ArgumentMatchers.any;
import static org.mockito.ArgumentMatchers.eq;

import com.amazonaws.services.lambda.runtime.Context;
import com.fasterxml.jackson.core.type.TypeReference;

import io.vaultdr.cluster.FaultTolerance.Rule;
import io.vaultdr.cluster.RetirePeer;
import io.vaultdr.cluster.RetirePeer.Report;
import io.vaultdr.doctor.Looks;
import io.vaultdr.runtime.Json;
import io.vaultdr.runtime.PairMetrics.Measure;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.mockito.Mockito;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;

class RetirePeerHandlerTest {
    private static final Report REPORT =
            new Report(
                    OptionalInt.of(1),
                    Map.of("i-1", Rule.TOLERABLE),
                    List.of("peer i-1 is removed (TOLERABLE)"),
                    List.of());

    private final Context context = Mockito.mock(Context.class);
    private final RetirePeer peers = Mockito.mock(RetirePeer.class);
    private final List<Measure> published = new ArrayList<>();
    private final RetirePeerHandler handler =
            new RetirePeerHandler(peers, Looks::none, published::addAll);

    @BeforeEach
    void answers() {
        Mockito.when(peers.run(any(), eq(false), any())).thenReturn(REPORT);
        Mockito.when(peers.run(any(), eq(true), any())).thenReturn(REPORT);
    }

    @Test
    void aTerminationIsAnnounced() throws IOException {
        assertEquals(
                Map.of(
                        "tolerance",
                        1,
                        "decided",
                        Map.of("i-1", "TOLERABLE"),
                        "done",
                        List.of("peer i-1 is removed (TOLERABLE)"),
                        "problems",
                        List.of()),
                handler.handleRequest(event("retire-peer"), context));

        Mockito.verify(peers).run(eq(Optional.of("i-0b1c2d3e4f5a60718")), eq(false), any());
    }

    @Test
    void aLaunchAndAScheduleOnlyLetItLook() throws IOException {
        handler.handleRequest(event("retire-peer-launch"), context);
        handler.handleRequest(event("rotate-logins"), context);

        Mockito.verify(peers, Mockito.times(2)).run(eq(Optional.empty()), eq(false), any());
    }

    @Test
    void aDryRunIsCounted() {
        handler.handleRequest(Map.of("dryRun", true), context);

        Mockito.verify(peers).run(eq(Optional.empty()), eq(true), any());
        assertEquals(List.of(Measure.count("DryRunFailed", 0)), published);
    }

    private static Map<String, Object> event(String name) throws IOException {
        return Json.MAPPER.readValue(
                Files.readString(
                        Path.of(
                                Objects.requireNonNull(System.getProperty("vaultdr.root")),
                                "events/" + name + ".json")),
                new TypeReference<>() {});
    }
}
