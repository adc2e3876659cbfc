package io.vaultdr.failover;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.vaultdr.runtime.PairSettings.Failover.Strategy;
import io.vaultdr.vault.LeaderFinder.Answer;
import io.vaultdr.vault.LeaderFinder.Finding;
import io.vaultdr.vault.VaultClient.NodeStatus;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.net.URI;
import java.util.List;
import java.util.Optional;

/** What the nodes of a DR side have to say, by its strategy. */
class ReadinessCheckTest {
    @ParameterizedTest
    @CsvSource({
        "WARM_STANDBY,NOT_INITIALISED,true",
        "WARM_STANDBY,,false",
        "WARM_STANDBY,SEALED,false",
        "PILOT_LIGHT,,true",
        "PILOT_LIGHT,NOT_INITIALISED,true",
        "PILOT_LIGHT,SEALED,false",
        "PILOT_LIGHT,STANDBY,false"
    })
    void onlyAStandbyHasToRun(Strategy strategy, NodeStatus status, boolean ready) {
        Finding found =
                new Finding.NoneActive(
                        List.of(
                                new Answer(
                                        URI.create("https://dr:8200"),
                                        Optional.ofNullable(status),
                                        Optional.empty())));

        assertEquals(ready, ReadinessCheck.unready(strategy, found).isEmpty());
    }
}
