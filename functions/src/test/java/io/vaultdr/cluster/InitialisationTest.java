package io.vaultdr.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.vaultdr.cluster.Initialisation.Next;
import io.vaultdr.cluster.Initialisation.Nodes;
import io.vaultdr.cluster.Initialisation.Phase;
import io.vaultdr.model.Failure;
import io.vaultdr.model.Secret;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.Optional;

class InitialisationTest {
    private static final Instant NOW = Instant.parse("2026-11-23T17:37:00Z");

    @ParameterizedTest
    @CsvSource({
        "NONE,0,SILENT,NOT_THERE_YET",
        "NONE,0,BLANK,INITIALISE",
        "NONE,0,UNLED,NOT_OURS",
        "NONE,0,ACTIVE,NOT_OURS",
        "INITIALISING,0,SILENT,NOT_THERE_YET",
        "INITIALISING,0,BLANK,INITIALISE",
        "INITIALISING,0,UNLED,PERHAPS_UNDER_WAY",
        "INITIALISING,59,ACTIVE,PERHAPS_UNDER_WAY",
        "INITIALISING,60,ACTIVE,KEYS_LOST",
        "INITIALISING,60,UNLED,KEYS_LOST",
        "INITIALISING,3599,ACTIVE,KEYS_LOST",
        "INITIALISING,3600,ACTIVE,KEYS_LONG_LOST",
        "INITIALISING,3600,UNLED,KEYS_LONG_LOST",
        "INITIALISING,3600,BLANK,INITIALISE",
        "SETTING_UP,9999,SILENT,NOT_THERE_YET",
        "SETTING_UP,9999,UNLED,NOT_THERE_YET",
        "SETTING_UP,9999,BLANK,INITIALISE",
        "SETTING_UP,9999,ACTIVE,SET_UP",
        "DONE,9999,SILENT,UNSEEN",
        "DONE,9999,UNLED,UNSEEN",
        "DONE,9999,BLANK,EMPTIED",
        "DONE,9999,ACTIVE,COMPARE"
    })
    void tellsWhatComesNext(Phase phase, long seconds, Nodes nodes, Next next) {
        assertEquals(
                next,
                new Initialisation(
                                phase,
                                NOW.minus(Duration.ofSeconds(seconds)),
                                Optional.empty(),
                                Optional.empty())
                        .next(nodes, NOW));
    }

    @Test
    void isReadAsItWasStored() {
        Initialisation state =
                new Initialisation(
                        Phase.SETTING_UP,
                        NOW,
                        Optional.of(Secret.of("s.root")),
                        Optional.of(Next.NOT_OURS));

        assertEquals(state, Initialisation.of(Optional.of(state.stored())));
        assertEquals(Initialisation.NOTHING, Initialisation.of(Optional.empty()));
        assertFalse(state.toString().contains("s.root"), state::toString);
    }

    @Test
    void saysNothingOfWhatItCantRead() {
        for (String stored :
                new String[] {
                    "s.root", "{\"phase\":\"s.root\"}", "{\"phase\":\"DONE\",\"at\":\"s.root\"}"
                }) {
            Failure failure =
                    assertThrows(
                            Failure.Terminal.class,
                            () -> Initialisation.of(Optional.of(Secret.of(stored))));
            assertFalse(
                    Objects.requireNonNull(failure.getMessage()).contains("s.root"),
                    failure::getMessage);
            assertEquals(null, failure.getCause());
        }
    }
}
