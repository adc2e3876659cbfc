package io.vaultdr.workflow;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vaultdr.model.Failure;
import io.vaultdr.snapshot.Proof;
import io.vaultdr.testing.BaoServer;
import io.vaultdr.vault.Login;

import org.junit.jupiter.api.Test;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Promote, Verify and Grow on real servers. */
class PromotionIT extends PromotionCases {
    @Test
    void restoresTheNewestVerifiesItAndGrowsToVoters() {
        Map<String, String> promoted = run(promote(clients, this::command));

        assertEquals("DONE", promoted.get(Promote.DECISION));
        assertEquals(newer.manifest().id(), promoted.get(Promote.SNAPSHOT));
        assertEquals(List.of("restart"), commands);
        String findings = String.join("\n", incident().findings());
        assertTrue(
                findings.contains("Lost: what was written after 2026-03-01T02:45:00Z"), findings);
        assertTrue(findings.contains("Lives again"), findings);

        Map<String, String> verified = run(new Verify(dr, leaders, login(), CLOCK));
        assertEquals("1", verified.get("written"));

        Group group = new Group();
        Map<String, String> grown = run(new Grow(dr, group, leaders, login()));
        assertEquals("3", grown.get("voters"));
        assertEquals(List.of("suspend", "want 3", "resume"), group.told);
        assertEquals(promoted, run(promote(clients, this::command)));
    }

    @Test
    void prefersTheNewestProvenOneAndSaysWhy() {
        proofs().write(proof(older.manifest().id()));
        Map<String, String> asked = run(promote(clients, this::command));

        // It would lose more than was accepted, so a person says.
        assertEquals("ASK", asked.get(Promote.DECISION));
        assertEquals(older.manifest().id(), asked.get(Promote.SNAPSHOT));
        String why = String.join("\n", incident().findings());
        assertTrue(
                why.contains(older.manifest().id() + " is chosen: it is the newest proven"), why);
        assertTrue(why.contains("newer and not proven: " + newer.manifest().id()), why);
        aws.s3(REGION).deleteObject(it -> it.bucket(BUCKET).key(Proof.key(older.manifest().id())));
    }

    @Test
    void leavesANodeAloneThatSomebodyElseInitialised() {
        standby.nodes().getFirst().initialize();

        Failure failure =
                assertThrows(Failure.Terminal.class, () -> run(promote(clients, this::command)));

        assertTrue(failure.toString().contains("not by this incident"), failure::toString);
        assertEquals(List.of(), commands);
    }

    @Test
    void aDryRunFetchesAndChecksAndLeavesTheNodeBlank() {
        Map<String, String> answer =
                new StepRunner(ledger, CLOCK)
                        .run(promote(clients, this::command), Fixture.dryRun(), deadline());

        assertEquals("DONE", answer.get(Promote.DECISION));
        assertEquals(501, standby.nodes().getFirst().health());
        assertTrue(scratch.resolve(newer.manifest().id() + ".snap").toFile().exists());
    }

    /** Nobody can log in to a blank node, but nobody would after the promotion either. */
    @Test
    void aDryRunFindsThatALoginIsMissing() {
        StepRunner runner = new StepRunner(ledger, CLOCK);
        assertEquals(
                Set.of("nodes"),
                runner.run(new Verify(dr, leaders, login(), CLOCK), Fixture.dryRun(), deadline())
                        .keySet());

        Login elsewhere = Login.by(aws.secretsManager("eu-north-1"));
        Group group = new Group();
        for (Step step :
                List.of(
                        new Verify(dr, leaders, elsewhere, CLOCK),
                        new Grow(dr, group, leaders, elsewhere))) {
            Failure missing =
                    assertThrows(
                            Failure.Terminal.class,
                            () -> runner.run(step, Fixture.dryRun(), deadline()));
            assertTrue(missing.toString().contains("no such secret"), missing::toString);
        }
    }

    @Test
    void aDryRunOfAPilotLightStartsNothing() {
        standby.nodes().forEach(BaoServer::kill);
        Unlit group = new Unlit();

        Map<String, String> answer =
                new StepRunner(ledger, CLOCK)
                        .run(
                                promote(Optional.of(group), clients, this::command),
                                Fixture.dryRun(),
                                deadline());

        assertEquals("0", answer.get("desired"));
        assertEquals(List.of(), group.told);
    }
}
