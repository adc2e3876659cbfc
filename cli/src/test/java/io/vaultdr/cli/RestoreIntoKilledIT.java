package io.vaultdr.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

import java.util.List;

/** Ended in the middle, and begun again. */
class RestoreIntoKilledIT extends RestoreIntoCases {
    /** Ended after the restore and before the restart, as by Ctrl-C. */
    @Test
    void theSameCommandGoesOnWhereItStopped() {
        assertThrows(
                Killed.class,
                () ->
                        restore(
                                (node, out) ->
                                        (cluster, document, limit) -> {
                                            throw new Killed();
                                        },
                                true));
        assertTrue(left().stream().anyMatch(file -> file.endsWith(".journal.json")));

        int exit = restore(this::byHand, true);

        assertEquals(Exit.EXPECTED, exit, told.toString());
        assertTrue(told.toString().contains("it goes on where that stopped"), told.toString());
        assertEquals(List.of("restart"), asked);
        assertEquals("n-1", canary());
    }

    private static final class Killed extends Error {}
}
