package io.vaultdr.infra;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * parliament's judgement of every IAM policy of every example: roles, trust, buckets, queues,
 * topics, keys, endpoints. What stays is explained in {@code src/test/parliament/explained.yaml}.
 */
class ParliamentIT {
    private static final Path ROOT = Path.of(System.getProperty("vaultdr.root", ".."));
    private static final Path JUDGE = ROOT.resolve("infra-cdk/src/test/parliament");

    private record Judged(String found, int exit) {}

    @Test
    void findsNothingThatIsNotExplained() throws IOException, InterruptedException {
        List<Path> templates =
                Stream.concat(
                                Examples.names().map(Synthesised::example),
                                Stream.of(Synthesised.apart()))
                        .flatMap(ParliamentIT::templates)
                        .toList();
        assertEquals(new Judged("", 0), judge(JUDGE.resolve("explained.yaml"), templates));
    }

    /** The judge itself: a right that is too wide is found, and so is an idle explanation. */
    @Test
    void findsWhatIsTooWide(@TempDir Path directory) throws IOException, InterruptedException {
        Path template = templates(Synthesised.example("backup")).findFirst().orElseThrow();
        JsonNode json = Synthesised.JSON.readTree(template.toFile());
        for (JsonNode resource : json.get("Resources")) {
            if (resource.get("Type").asText().equals("AWS::IAM::Role")
                    && resource.at("/Properties/Policies/0/PolicyDocument/Statement")
                            instanceof ArrayNode statements) {
                ObjectNode statement = statements.addObject();
                statement.put("Effect", "Allow").put("Action", "s3:PutBucketPolicy");
                statement.put("Resource", "*");
            }
        }
        Path wide = directory.resolve("wide.template.json");
        Synthesised.JSON.writeValue(wide.toFile(), json);
        Path none = Files.writeString(directory.resolve("none.yaml"), "[]");
        Path idle =
                Files.writeString(
                        directory.resolve("idle.yaml"),
                        "[{issue: NONE, of: nothing, detail: x, reason: y}]");

        Judged judged = judge(none, List.of(wide));
        assertEquals(1, judged.exit());
        assertTrue(judged.found().contains("RESOURCE_STAR ['s3:PutBucketPolicy']"), judged.found());
        assertTrue(judged.found().contains("PERMISSIONS_MANAGEMENT_ACTIONS"), judged.found());

        Judged more = judge(idle, List.of(wide));
        assertEquals(1, more.exit());
        assertTrue(more.found().contains("explains nothing any more: NONE"), more.found());
    }

    private static Stream<Path> templates(Synthesised all) {
        return all.stacks().stream()
                .map(stack -> all.outdir().resolve(stack.template()).toAbsolutePath());
    }

    private static Judged judge(Path explained, List<Path> templates)
            throws IOException, InterruptedException {
        List<String> command =
                new ArrayList<>(
                        List.of(
                                ROOT.resolve(".vault-dr/venv/bin/python")
                                        .toAbsolutePath()
                                        .toString(),
                                JUDGE.resolve("judge.py").toString(),
                                explained.toString()));
        templates.forEach(template -> command.add(template.toString()));
        Path found = Files.createTempFile(Path.of("target"), "parliament", ".txt");
        Path said = Files.createTempFile(Path.of("target"), "parliament", ".err");
        Process process =
                new ProcessBuilder(command)
                        .redirectOutput(found.toFile())
                        .redirectError(said.toFile())
                        .start();
        try {
            assertTrue(process.waitFor(5, TimeUnit.MINUTES), "parliament doesn't end");
        } finally {
            process.destroyForcibly();
        }
        assertTrue(
                Files.readString(said).contains(" policies judged"),
                () -> "the judge broke off: " + said);
        return new Judged(Files.readString(found), process.exitValue());
    }
}
