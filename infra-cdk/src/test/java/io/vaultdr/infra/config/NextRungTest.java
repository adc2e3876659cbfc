package io.vaultdr.infra.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vaultdr.infra.Examples;
import io.vaultdr.runtime.PairSettings.Stage;

import org.junit.jupiter.api.Test;

import java.util.List;

class NextRungTest {
    @Test
    void leadsFromBackupToProven() {
        NextRung rung = NextRung.of(Examples.load("backup")).getFirst();
        assertEquals(Stage.PROVEN, rung.next());
        assertEquals("pairs.payments.stage: proven", rung.keys().getFirst());
        assertTrue(rung.keys().stream().anyMatch(it -> it.startsWith("pairs.payments.prove:")));
        assertTrue(rung.keys().stream().noneMatch(it -> it.startsWith("vantages:")));
        assertFalse(rung.permissions().isEmpty());
    }

    @Test
    void leadsFromProvenToObserve() {
        NextRung rung = NextRung.of(Examples.load("proven")).getFirst();
        assertEquals(Stage.OBSERVE, rung.next());
        assertTrue(rung.keys().stream().anyMatch(it -> it.startsWith("pairs.payments.dr:")));
        assertTrue(rung.keys().stream().anyMatch(it -> it.startsWith("vantages: 1 regions")));
        assertFalse(rung.permissions().isEmpty());
    }

    @Test
    void saysWhatTendsToAClusterThatIsMade() {
        Config cluster = Examples.load("cluster");
        Config proven =
                cluster.with(cluster.pairs().stream().map(it -> it.on(Stage.PROVEN)).toList());
        List<String> permissions = NextRung.of(proven).getFirst().permissions();
        for (String whose : List.of("-retire-peer: ", "the nodes' role: ", "-drill-cluster: ")) {
            assertTrue(permissions.stream().anyMatch(it -> it.contains(whose)), whose);
        }
    }

    @Test
    void leadsFromObserveToApprovalWithTheWaysAndTheCost() {
        NextRung rung = NextRung.of(Examples.load("observe")).getFirst();
        assertEquals(Stage.APPROVAL, rung.next());
        assertTrue(rung.keys().stream().anyMatch(it -> it.contains("traffic")));
        assertTrue(rung.permissions().stream().anyMatch(it -> it.contains("redirect-traffic")));
    }

    @Test
    void leadsFromApprovalToAutomatic() {
        NextRung rung = NextRung.of(Examples.load("approval")).getFirst();
        assertEquals(Stage.AUTOMATIC, rung.next());
        assertTrue(rung.keys().stream().anyMatch(it -> it.startsWith("vantages: 2 regions")));
        assertTrue(rung.keys().stream().anyMatch(it -> it.contains("acceptedLoss")));
    }

    @Test
    void endsWithAutomatic() {
        assertEquals(List.of(), NextRung.of(Examples.load("automatic")));
    }
}
