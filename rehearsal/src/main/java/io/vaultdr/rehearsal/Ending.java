package io.vaultdr.rehearsal;

import io.vaultdr.failover.Incident;
import io.vaultdr.failover.PairState;
import io.vaultdr.model.Side;
import io.vaultdr.snapshot.Manifest;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What is so at the end of a rehearsal, gathered from the ledger, the buckets, Route 53, the
 * servers and the clients; what a scenario's expectation is held against.
 *
 * @param struck when the first harm was done
 * @param incidents all there were, newest first
 * @param executions how many executions of the state machine worked for an incident
 * @param weights the records' weights
 * @param flags per region whether its flag stands; a lost region isn't in it
 * @param told the side that clients are told
 * @param drInitialised whether the DR side's standby was initialised
 * @param drVoters how many nodes vote on the DR side, 0 while it is blank
 * @param snapshots per region what its catalogue lists, newest first
 * @param badSnapshots what is listed and isn't whole, a sentence each
 * @param pages the subjects of all pages
 * @param facts what the scenario found to be so on its way
 */
record Ending(
        Duration slot,
        Optional<Instant> struck,
        PairState state,
        List<Incident> incidents,
        int executions,
        Resolver.Weights weights,
        Map<String, Boolean> flags,
        Side told,
        Writer.Account account,
        boolean drInitialised,
        int drVoters,
        Map<String, List<Manifest>> snapshots,
        List<String> badSnapshots,
        List<String> pages,
        Set<String> facts,
        List<String> callsNotGranted) {

    /** The incident of this rehearsal, if there is one. */
    Optional<Incident> incident() {
        return incidents.stream().findFirst();
    }

    /** What a scenario expects: adds a sentence for each thing that is otherwise. */
    @FunctionalInterface
    interface Expectation {
        void check(Ending ending, List<String> differences);

        /** Both. */
        default Expectation and(Expectation other) {
            return (ending, differences) -> {
                check(ending, differences);
                other.check(ending, differences);
            };
        }
    }

    /** What is otherwise than {@code expectation} and than every rehearsal has to end. */
    List<String> differences(Expectation expectation) {
        List<String> differences = new ArrayList<>();
        expectation.check(this, differences);
        if (!callsNotGranted.isEmpty()) {
            differences.add("calls that a role doesn't grant: " + callsNotGranted);
        }
        if (!badSnapshots.isEmpty()) {
            differences.add("snapshots that are listed and not whole: " + badSnapshots);
        }
        if (weights.home() == 0 && weights.dr() == 0) {
            differences.add("both weights are 0, which spreads clients over both sides");
        }
        return differences;
    }

    static void expect(List<String> differences, String what, Object expected, Object found) {
        if (!expected.equals(found)) {
            differences.add(what + ": expected " + expected + ", found " + found);
        }
    }
}
