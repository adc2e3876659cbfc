package io.vaultdr.infra;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;
import java.util.List;

class SynthTest {
    @Test
    void makesOneStackPerRegionAndPurpose(@TempDir Path directory) {
        List<VaultDrApp.SynthesisedStack> stacks =
                VaultDrApp.synth(
                        Examples.load("automatic"),
                        Examples.zip(directory),
                        Path.of("target/cdk.out"));
        assertEquals(8, stacks.size());
    }
}
