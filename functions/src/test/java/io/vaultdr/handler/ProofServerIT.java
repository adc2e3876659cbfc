package io.vaultdr.handler;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vaultdr.runtime.Deadline;
import io.vaultdr.runtime.WiringOfProof;
import io.vaultdr.snapshot.Proof.Reason;
import io.vaultdr.snapshot.ProofRequest;
import io.vaultdr.snapshot.ProofRun;
import io.vaultdr.testing.BaoServer;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Each way in which the isolated server lets a proof down, provoked for real. */
class ProofServerIT extends ProofCases {
    @Test
    void aServerThatIsKilledOrStoppedInTheMiddle() {
        for (String stage : List.of("initialise", "restore", "settle", "read back")) {
            expect(
                    Reason.SERVER_DIED,
                    proving.prove(
                            snapshot,
                            at(
                                    stage,
                                    () ->
                                            proving.servers()
                                                    .forEach(ProcessHandle::destroyForcibly))));
        }
        expect(
                Reason.SERVER_HUNG,
                proving.prove(
                        snapshot,
                        proving.wiring(proving.settings, "3008").patience(Duration.ofSeconds(4)),
                        at("settle", () -> proving.servers().forEach(it -> signal("STOP", it)))));
    }

    private void signal(String name, ProcessHandle process) {
        try {
            assertEquals(
                    0,
                    new ProcessBuilder("kill", "-" + name, Long.toString(process.pid()))
                            .start()
                            .waitFor());
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void aServerThatIsSealedInTheMiddle() throws IOException {
        // What a proof throws away says when the server no longer unseals itself.
        Path log = proving.scratch.resolve("sealed.log");
        Path told =
                Files.writeString(
                        proving.scratch.resolve("told"),
                        "#!/bin/sh\nexec %s \"$@\" >%s 2>&1\n"
                                .formatted(io.vaultdr.testing.Environment.bao(), log));
        WiringOfProof wiring =
                proving.wiring(
                        with(
                                proving.artifact("told", told),
                                Optional.empty(),
                                Optional.empty(),
                                64 << 20),
                        "3008");
        expect(
                Reason.SERVER_SEALED,
                proving.prove(snapshot, wiring, at("read back", () -> seal(log))));
    }

    /** By the source's root token, which is the restored server's too. */
    private void seal(Path log) {
        BaoServer.awaitStarted(log);
        try (HttpClient http = HttpClient.newHttpClient()) {
            String config = Files.readString(proving.scratch.resolve("isolated/server.json"));
            Matcher address = Pattern.compile("\"api_addr\":\"([^\"]*)\"").matcher(config);
            assertTrue(address.find());
            assertEquals(
                    204,
                    http.send(
                                    HttpRequest.newBuilder(
                                                    URI.create(address.group(1) + "/v1/sys/seal"))
                                            .header("X-Vault-Token", proving.cluster.rootToken())
                                            .PUT(HttpRequest.BodyPublishers.noBody())
                                            .build(),
                                    HttpResponse.BodyHandlers.discarding())
                            .statusCode());
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void tooLittleMemoryScratchOrTimeAndTooLarge() throws IOException {
        // 448 MiB of it are the function's own.
        expect(
                Reason.OUT_OF_MEMORY,
                proving.prove(snapshot, proving.wiring(proving.settings, "458"), _ -> {}));
        // The kernel refuses it, and Go ends.
        Path limited =
                Files.writeString(
                        proving.scratch.resolve("limited"),
                        "#!/bin/sh\nulimit -v 900000\nexec %s \"$@\"\n"
                                .formatted(io.vaultdr.testing.Environment.bao()));
        expect(
                Reason.OUT_OF_MEMORY,
                prove(
                        with(
                                proving.artifact("limited", limited),
                                Optional.empty(),
                                Optional.empty(),
                                64 << 20)));
        expect(
                Reason.OUT_OF_SCRATCH,
                proving.prove(
                        snapshot,
                        proving.wiring(proving.settings, "3008").scratchBytes(1 << 20),
                        _ -> {}));
        expect(
                Reason.TOO_LARGE,
                prove(
                        with(
                                proving.settings.server(),
                                Optional.empty(),
                                Optional.empty(),
                                snapshot.bytes() - 1)));
        ProofRun.Report tooLate =
                proving.wiring()
                        .proofRun()
                        .run(
                                new ProofRequest.Asked(snapshot.id()),
                                "test",
                                new Deadline(Clock.systemUTC(), Instant.now().plusSeconds(5)));
        assertEquals(Optional.of(Reason.OUT_OF_TIME), tooLate.reason());
    }
}
