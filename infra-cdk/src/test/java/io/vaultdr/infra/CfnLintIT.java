package io.vaultdr.infra;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** AWS's own linter, over every kind of stack. */
class CfnLintIT {
    @Test
    void findsNothing() throws IOException, InterruptedException {
        Path lint =
                Path.of(System.getProperty("vaultdr.root", ".."), ".vault-dr/venv/bin/cfn-lint");
        List<String> command =
                new ArrayList<>(
                        List.of(
                                lint.toAbsolutePath().toString(),
                                // CDK names dependencies that references imply.
                                "-i",
                                "W3005",
                                // How CDK writes text with references in it.
                                "I1022",
                                // A version that idles for two weeks loses its SnapStart snapshot.
                                "I2530",
                                "-c",
                                "I",
                                "--"));
        // Both editions, brought and made, one account and two: the others are made of the same
        // stacks, with less in them. TemplateValidationTest looks at the pilot light.
        for (Synthesised all :
                List.of(
                        Synthesised.example("vault"),
                        Synthesised.example("cluster"),
                        Synthesised.apart())) {
            all.stacks()
                    .forEach(
                            stack ->
                                    command.add(all.outdir().resolve(stack.template()).toString()));
        }
        Path output = Files.createTempFile(Path.of("target"), "cfn-lint", ".txt");
        Process process =
                new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(output.toFile())
                        .start();
        try {
            assertTrue(process.waitFor(5, TimeUnit.MINUTES), "cfn-lint doesn't end");
        } finally {
            process.destroyForcibly();
        }
        assertEquals("", Files.readString(output, StandardCharsets.UTF_8));
        assertEquals(0, process.exitValue());
    }
}
