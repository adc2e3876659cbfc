package io.vaultdr.snapshot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vaultdr.vault.VaultClient.AuditDevice;

import org.junit.jupiter.api.Test;

import java.util.List;
import java.util.Optional;

class AuditDevicesTest {
    @Test
    void warnsWhereNoDeviceWorksOnAnyMachine() {
        for (List<String> harmless :
                List.of(
                        List.<String>of(),
                        List.of("stdout"),
                        List.of("/var/log/vault/audit.log", "discard"),
                        List.of("socket:", "/dev/null"))) {
            assertEquals(Optional.empty(), AuditDevices.warning(harmless));
        }
        for (List<String> risky :
                List.of(
                        List.of("/var/log/vault/audit.log"),
                        List.of("syslog:"),
                        List.of("socket:", "relative.log"))) {
            String warning = AuditDevices.warning(risky).orElseThrow();
            assertTrue(warning.contains(String.join(", ", risky)), warning);
            assertTrue(warning.contains("enable a second device"), warning);
        }
    }

    @Test
    void namesEachDevice() {
        assertEquals(
                List.of("/var/log/audit.log", "stdout", "syslog:"),
                AuditDevices.needs(
                        List.of(
                                new AuditDevice("syslog", Optional.empty()),
                                new AuditDevice("file", Optional.of("stdout")),
                                new AuditDevice("file", Optional.of("/var/log/audit.log")))));
    }

    @Test
    void looksWhetherAFileCanBeMadeHere() {
        assertEquals(
                Optional.empty(), AuditDevices.impossibleHere(List.of("/tmp/deep/er/audit.log")));
        assertTrue(AuditDevices.impossibleHere(List.of("/proc/nowhere/audit.log")).isPresent());
        assertTrue(AuditDevices.impossibleHere(List.of("/dev/null/audit.log")).isPresent());
    }
}
