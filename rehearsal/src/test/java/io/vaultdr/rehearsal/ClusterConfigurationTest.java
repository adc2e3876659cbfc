package io.vaultdr.rehearsal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vaultdr.model.Side;
import io.vaultdr.testing.TestTls;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

class ClusterConfigurationTest {
    @Test
    void bothSidesAreMadeAndProvenByTheStaticKey(@TempDir Path directory) throws IOException {
        var config =
                ClusterConfiguration.write(
                        directory,
                        TestTls.in(directory.resolve("tls"), ClusterConfiguration.SERVER_NAME),
                        "Z0123456789ABCDEFGHIJ",
                        "ab".repeat(32));

        var pair = config.pair(Configuration.PAIR).orElseThrow();
        for (Side side : Side.values()) {
            assertTrue(pair.cluster(side).made().isPresent());
            assertEquals(
                    ClusterConfiguration.group(side),
                    pair.cluster(side).autoScalingGroup().orElseThrow());
        }
        assertEquals(ClusterConfiguration.NODES, pair.servers().orElseThrow().nodes());
        assertEquals("static", pair.proving().orElseThrow().seal().type());
    }

    @Test
    void theAuditFileIsMovedInEveryTemplateAndInNothingElse(@TempDir Path directory)
            throws IOException {
        Path one = directory.resolve("one.template.json");
        Path other = directory.resolve("other.template.json");
        Path manifest = directory.resolve("manifest.json");
        Files.writeString(one, "{\"a\":\"{\\\"file\\\":\\\"/var/log/a.log\\\"}\"}");
        Files.writeString(other, "{\"b\":\"/var/log/b.log\"}");
        Files.writeString(manifest, "/var/log/a.log");

        ClusterMachines.moveAuditFile(directory, "/var/log/a.log");

        assertEquals(
                "{\"a\":\"{\\\"file\\\":\\\"/proc/self/cwd/var/log/a.log\\\"}\"}",
                Files.readString(one));
        assertEquals("{\"b\":\"/var/log/b.log\"}", Files.readString(other));
        assertEquals("/var/log/a.log", Files.readString(manifest));
    }
}
