import com.fasterxml.jackson.databind.JsonNode;

import io.vaultdr.model.PairId;
import io.vaultdr.runtime.Deadline;
import io.vaultdr.runtime.Json;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.runtime.ProofSettings;
import io.vaultdr.runtime.Wiring;
import io.vaultdr.runtime.WiringOfProof;
import io.vaultdr.snapshot.Manifest;
import io.vaultdr.snapshot.Prover;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Proves snapshots as ProveSnapshot does, with its own wiring. Reads ids from standard input and
 * answers each with a line of JSON. Run by run.py.
 */
final class ProveBench {
    private static final Clock CLOCK = Clock.systemUTC();

    public static void main(String[] arguments) throws IOException {
        ProofSettings settings = Json.MAPPER.readValue(arguments[0], ProofSettings.class);
        PairSettings.Cluster home =
                new PairSettings.Cluster(
                        "eu-west-1",
                        URI.create("http://127.0.0.1:1"),
                        List.of(),
                        Optional.empty(),
                        "bench",
                        Optional.empty(),
                        Optional.empty(),
                        1,
                        Optional.empty(),
                        Optional.empty());
        PairSettings pair =
                new PairSettings(
                        new PairId("bench"),
                        PairSettings.Edition.OPENBAO,
                        PairSettings.Stage.PROVEN,
                        "123456789012",
                        home,
                        Optional.empty(),
                        List.of(settings.bucket()),
                        List.of(),
                        Optional.empty(),
                        Optional.empty(),
                        Duration.ofSeconds(10),
                        Duration.ofMinutes(15),
                        "arn:aws:sns:eu-west-1:123456789012:none");
        WiringOfProof wiring =
                new WiringOfProof(
                        new Wiring("eu-west-1", pair, CLOCK, Wiring.awsClients(), Optional.empty()),
                        settings,
                        Map.of(
                                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
                                System.getenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")),
                        Path.of(System.getProperty("java.io.tmpdir")));
        BufferedReader ids =
                new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String id = ids.readLine(); id != null; id = ids.readLine()) {
            prove(wiring, id);
        }
    }

    private static void prove(WiringOfProof wiring, String id) throws IOException {
        Manifest snapshot = wiring.store().committed(id).orElseThrow();
        long start = System.nanoTime();
        Prover.Made made =
                wiring.prover(stage -> {})
                        .prove(
                                snapshot,
                                1,
                                new Deadline(CLOCK, CLOCK.instant().plus(Duration.ofMinutes(10))));
        double seconds = (System.nanoTime() - start) / 1e9;
        JsonNode proof = Json.MAPPER.valueToTree(made.proof());
        System.out.printf(
                "{\"seconds\":%.3f,\"scratchBytes\":%d,\"ownMiB\":%.1f,\"proof\":%s}%n",
                seconds, made.peakScratchBytes(), ownMiB(), proof);
    }

    /** This process' anonymous memory. */
    private static double ownMiB() throws IOException {
        try (Stream<String> lines = Files.lines(Path.of("/proc/self/status"))) {
            return lines.filter(line -> line.startsWith("RssAnon:"))
                            .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                            .sum()
                    / 1024.0;
        }
    }
}
