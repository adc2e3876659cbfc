package io.vaultdr.promotion;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vaultdr.model.Epoch;
import io.vaultdr.model.Loss;
import io.vaultdr.model.PairId;
import io.vaultdr.model.Side;
import io.vaultdr.snapshot.Manifest;
import io.vaultdr.vault.LeaderFinder.Answer;
import io.vaultdr.vault.LeaderFinder.Finding;
import io.vaultdr.vault.VaultClient;
import io.vaultdr.vault.VaultClient.Health;
import io.vaultdr.vault.VaultClient.NodeStatus;
import io.vaultdr.vault.VaultClient.SealStatus;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mockito.Mockito;

import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

class RestoreGuardsTest {
    private static final Instant TAKEN = Instant.parse("2026-03-01T03:00:00Z");

    @Test
    void oneBlankNodeThatFitsTakesIt() {
        assertEquals(
                List.of(),
                refusals(nodes("NOT_INITIALISED", "", ""), seal("awskms", "2.7.2"), "openbao"));
    }

    @ParameterizedTest
    @CsvSource({
        "'SEALED,,', No node is blank",
        "',,', No node is blank",
        "'NOT_INITIALISED,NOT_INITIALISED,', 2 nodes are blank",
        "'NOT_INITIALISED,STANDBY,', https://n2:8200 STANDBY: stop its server",
        "'NOT_INITIALISED,SEALED,', https://n2:8200 SEALED: stop its server"
    })
    void otherNodesHaveToBeSilent(String statuses, String refusal) {
        List<String> refusals =
                refusals(nodes(statuses.split(",", -1)), seal("awskms", "2.7.2"), "openbao");
        assertTrue(refusals.stream().anyMatch(one -> one.contains(refusal)), refusals::toString);
    }

    @Test
    void aClusterThatServesIsLeftAlone() {
        VaultClient node = Mockito.mock(VaultClient.class);
        Mockito.when(node.address()).thenReturn(URI.create("https://n1:8200"));
        Finding active =
                new Finding.Active(
                        node,
                        new Health(
                                200,
                                NodeStatus.ACTIVE,
                                Optional.of("2.7.2"),
                                Optional.of("c-1"),
                                Optional.empty()));

        List<String> refusals =
                RestoreGuards.refusals(snapshot(), "openbao", active, Optional.empty());

        assertEquals(1, refusals.size());
        assertTrue(refusals.getFirst().contains("n1:8200 is active"), refusals::toString);
    }

    @Test
    void restoreNeedsAreMatched() {
        Finding nodes = nodes("NOT_INITIALISED", "");
        assertTrue(
                refusals(nodes, seal("static", "2.7.2"), "openbao")
                        .getFirst()
                        .contains("sealed by awskms and the node's seal is static"));
        assertTrue(
                refusals(nodes, seal("awskms", "2.6.9"), "openbao")
                        .getFirst()
                        .contains("of version 2.7.2 and the node runs 2.6.9"));
        assertTrue(
                refusals(nodes, seal("awskms", "2.7.2"), "vault")
                        .getFirst()
                        .contains("openbao's and the cluster runs vault"));
    }

    @ParameterizedTest
    @CsvSource({
        "2.7.1, 2.7.2, true",
        "2.7.2, 2.7.2, false",
        "2.7.10, 2.7.9, false",
        "2.7, 2.7.1, true",
        "3.0.0, 2.9.9, false",
        "1.19.2+ent, 1.19.2+ent.hsm, false",
        "1.19.1+ent, 1.19.2, true",
        "unknown, 2.7.2, true"
    })
    void versionsAreComparedByTheirNumbers(String version, String than, boolean older) {
        assertEquals(older, RestoreGuards.older(version, than));
    }

    @Test
    void whatWasSeenLastTellsTheLoss() {
        LastSeen seen =
                new LastSeen(TAKEN.plusSeconds(90), OptionalLong.of(650))
                        .or(new LastSeen(TAKEN.plusSeconds(30), OptionalLong.of(800)))
                        .or(new LastSeen(TAKEN, OptionalLong.empty()));

        Loss loss = seen.lostBy(snapshot());

        assertEquals(new Loss(Duration.ofSeconds(90), OptionalLong.of(100)), loss);
        assertEquals("90 s of writes (about 100 Raft entries)", LastSeen.words(loss));
        assertEquals(
                new Loss(Duration.ZERO, OptionalLong.of(0)),
                new LastSeen(TAKEN.minusSeconds(5), OptionalLong.of(600)).lostBy(snapshot()));
    }

    private static List<String> refusals(Finding nodes, Optional<SealStatus> seal, String edition) {
        return RestoreGuards.refusals(snapshot(), edition, nodes, seal);
    }

    private static Optional<SealStatus> seal(String type, String version) {
        return Optional.of(
                new SealStatus(type, false, true, Optional.of(version), Optional.empty()));
    }

    private static Finding nodes(String... statuses) {
        List<Answer> answers = new ArrayList<>();
        for (int i = 0; i < statuses.length; i++) {
            answers.add(
                    new Answer(
                            URI.create("https://n" + (i + 1) + ":8200"),
                            statuses[i].isEmpty()
                                    ? Optional.empty()
                                    : Optional.of(NodeStatus.valueOf(statuses[i])),
                            Optional.empty()));
        }
        return new Finding.NoneActive(answers);
    }

    private static Manifest snapshot() {
        return new Manifest(
                "payments-20260301T030000Z",
                new PairId("payments"),
                Side.HOME,
                TAKEN,
                Optional.of(Epoch.ZERO),
                1_000,
                "ab12",
                700,
                3,
                "c-1",
                "n-1",
                new Manifest.RestoreNeeds(
                        "openbao", "2.7.2", "awskms", Optional.empty(), Map.of(), List.of()));
    }
}
