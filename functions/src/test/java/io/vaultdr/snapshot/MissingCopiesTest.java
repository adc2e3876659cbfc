package io.vaultdr.snapshot;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.vaultdr.model.Epoch;
import io.vaultdr.runtime.Deadline;
import io.vaultdr.snapshot.Proof.Verdict;

import org.junit.jupiter.api.Test;

import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

class MissingCopiesTest {
    private static final Instant NOW = Instant.parse("2026-11-23T17:10:00Z");
    private static final Clock CLOCK = Clock.fixed(NOW, ZoneOffset.UTC);

    private final Kept home = new Kept("eu-west-1", new HashMap<>());
    private final Kept dr = new Kept("eu-central-1", new HashMap<>());

    @Test
    void bringsEachBucketTheLatestProof() {
        Manifest first = taken(3);
        Manifest second = taken(2);
        Manifest unproven = taken(1);
        Proof undecided = Snapshots.proof(first, Verdict.UNDECIDED, Optional.empty());
        Proof proven = later(Snapshots.proof(first, Verdict.PROVEN, Optional.empty()));
        Proof only = Snapshots.proof(second, Verdict.PROVEN, Optional.empty());
        home.write(undecided);
        dr.write(proven);
        dr.write(only);
        List<String> ids = List.of(unproven.id(), second.id(), first.id());

        List<String> left =
                new MissingCopies(
                                List.of(listing("eu-west-1", ids), listing("eu-central-1", ids)),
                                List.of(home, dr),
                                MissingCopies.Owed.ALL,
                                Path.of("/nowhere"))
                        .copy(new Deadline(CLOCK, NOW.plus(Duration.ofMinutes(5))));

        assertEquals(List.of(), left);
        assertEquals(Map.of(first.id(), proven, second.id(), only), home.made());
        assertEquals(home.made(), dr.made());
    }

    /** Whoever gets into home's account can't have a snapshot refuted in the other one. */
    @Test
    void fetchesProofsOfAnotherAccountAndPutsNoneThere() {
        Manifest first = taken(2);
        Manifest second = taken(1);
        Proof proven = Snapshots.proof(first, Verdict.PROVEN, Optional.empty());
        Proof forged = later(Snapshots.proof(second, Verdict.REFUTED, Optional.empty()));
        dr.write(proven);
        home.write(forged);
        List<String> ids = List.of(second.id(), first.id());

        new MissingCopies(
                        List.of(listing("eu-west-1", ids), listing("eu-central-1", ids)),
                        List.of(home, dr),
                        MissingCopies.Owed.last(24, Set.of("eu-central-1")),
                        Path.of("/nowhere"))
                .copy(new Deadline(CLOCK, NOW.plus(Duration.ofMinutes(5))));

        assertEquals(Map.of(first.id(), proven), dr.made());
        assertEquals(Map.of(first.id(), proven, second.id(), forged), home.made());
    }

    @Test
    void owesAnotherAccountTheNewestAndFetchesNothingFromIt() {
        List<String> atHome = List.of("p-5", "p-4", "p-3", "p-1");
        List<String> there = List.of("p-5", "p-2");
        List<SnapshotStore> stores =
                List.of(listing("eu-west-1", atHome), listing("eu-central-1", there));

        List<MissingCopies.Missing> missing =
                new MissingCopies(
                                stores,
                                List.of(),
                                MissingCopies.Owed.last(2, Set.of("eu-central-1")),
                                Path.of("/nowhere"))
                        .find();

        assertEquals(
                List.of(new MissingCopies.Missing("p-4", stores.get(0), stores.get(1))), missing);
        assertEquals(
                4,
                new MissingCopies(stores, List.of(), MissingCopies.Owed.ALL, Path.of("/nowhere"))
                        .find()
                        .size());
    }

    private static Manifest taken(int hoursAgo) {
        return Snapshots.taken(
                NOW.minus(Duration.ofHours(hoursAgo)), Optional.of(Epoch.ZERO), 1000);
    }

    private static Proof later(Proof proof) {
        return new Proof(
                proof.id(),
                proof.pair(),
                proof.verdict(),
                proof.reason(),
                proof.detail(),
                proof.madeAt().plusSeconds(60),
                proof.region(),
                2,
                proof.sha256(),
                proof.index(),
                proof.clusterId(),
                proof.counts(),
                proof.stages(),
                proof.peakMemoryBytes(),
                proof.versions());
    }

    /** A bucket that lists, and is asked for nothing else. */
    private static SnapshotStore listing(String region, List<String> ids) {
        return (SnapshotStore)
                Proxy.newProxyInstance(
                        SnapshotStore.class.getClassLoader(),
                        new Class<?>[] {SnapshotStore.class},
                        (self, method, arguments) ->
                                switch (method.getName()) {
                                    case "region" -> region;
                                    case "newestIds" -> ids;
                                    default -> throw new UnsupportedOperationException();
                                });
    }

    private record Kept(String region, Map<String, Proof> made) implements Proofs {
        @Override
        public Optional<Proof> of(String id) {
            return Optional.ofNullable(made.get(id));
        }

        @Override
        public void write(Proof proof) {
            made.put(proof.id(), proof);
        }
    }
}
