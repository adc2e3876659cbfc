package io.vaultdr.cli;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

import java.io.StringWriter;
import java.util.List;

/** All the way at once, and what is refused. */
class RestoreIntoIT extends RestoreIntoCases {
    @Test
    void restoresReadsTheCanaryAndLetsTheOthersJoinAndIsRefusedWhereThatServes() {
        int exit = restore(this::byHand, true);

        String text = told.toString();
        assertAll(
                () -> assertEquals(Exit.EXPECTED, exit, text),
                () -> assertEquals(List.of("restart"), asked),
                () -> assertTrue(text.contains("at the most 90 s of writes (about 50 Raft"), text),
                () -> assertTrue(text.contains("The canary reads back"), text),
                () -> assertTrue(text.contains("3 of 3 vote"), text),
                () -> assertTrue(!text.contains(source.rootToken()), text),
                () -> assertEquals(List.of(), left()));
        assertEquals("n-1", canary());

        // Its cluster id is the snapshot's, and it is no restore that was begun.
        asked.clear();
        told = new StringWriter();
        assertEquals(Exit.NEGATIVE, restore(this::byHand, true));
        assertTrue(told.toString().contains("is active: the cluster serves"), told.toString());
        assertEquals(List.of(), asked);
    }

    @Test
    void withoutTheClustersNameNothingIsDone() {
        assertEquals(Exit.NEGATIVE, restore(this::byHand, false));
        assertEquals(501, target.nodes().getFirst().health());
        assertEquals(List.of(), left());
    }

    @Test
    void aPairThatMayFailOverMeanwhileIsRefused() {
        beside = List.of("The pair may fail over by itself meanwhile.");
        assertEquals(Exit.NEGATIVE, restore(this::byHand, true));
        assertTrue(told.toString().contains("may fail over by itself"), told.toString());
        beside = List.of();
    }

    @Test
    void twoBlankNodesAreRefused() {
        target.nodes().get(1).start();
        assertEquals(Exit.NEGATIVE, restore(this::byHand, true));
        assertTrue(told.toString().contains("2 nodes are blank"), told.toString());
        assertEquals(501, target.nodes().getFirst().health());
    }

    @Test
    void anUnknownSnapshotIsSaidWithThoseThatAre() {
        Unusable unusable =
                assertThrows(
                        Unusable.class,
                        () -> into(this::byHand).restore("payments-1", _ -> true, PATIENCE));
        assertTrue(String.valueOf(unusable.getMessage()).contains(id), unusable::getMessage);
    }
}
