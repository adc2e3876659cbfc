package io.vaultdr.vault;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.vaultdr.vault.VaultClient.NodeStatus;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HealthMeaningTest {
    @ParameterizedTest
    @CsvSource({
        "200, true, ACTIVE",
        "200, false, UNKNOWN",
        "429, true, STANDBY",
        "472, true, DR_SECONDARY",
        "473, true, PERFORMANCE_STANDBY",
        "474, true, UNHEALTHY_STANDBY",
        "501, false, NOT_INITIALISED",
        "503, false, SEALED",
        "530, false, REMOVED",
        "204, true, UNKNOWN",
        "404, true, UNKNOWN",
        "500, true, UNKNOWN",
        "502, false, UNKNOWN",
    })
    void everyStatusHasItsMeaning(int status, boolean serves, NodeStatus meaning) {
        assertEquals(meaning, HttpVaultClient.meaning(status, serves));
    }
}
