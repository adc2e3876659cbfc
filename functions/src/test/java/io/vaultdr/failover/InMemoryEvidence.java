package io.vaultdr.failover;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Evidence in memory; {@link EvidenceContract} holds it to what DynamoDB's does. */
public final class InMemoryEvidence implements EvidenceLog {
    private final Map<String, TreeMap<Long, Observation>> observations = new HashMap<>();
    private final Map<String, String> claimants = new HashMap<>();
    private final Map<String, Readiness> readiness = new TreeMap<>();

    /** Evidence of these vantages. */
    public InMemoryEvidence(List<String> vantages) {
        vantages.forEach(vantage -> observations.put(vantage, new TreeMap<>()));
    }

    @Override
    public synchronized Optional<String> put(Observation observation, String claimant) {
        String slot = observation.vantage() + "/" + observation.slot();
        String holder = claimants.putIfAbsent(slot, claimant);
        if (holder == null) {
            observations
                    .computeIfAbsent(observation.vantage(), vantage -> new TreeMap<>())
                    .put(observation.slot(), observation);
            return Optional.empty();
        }
        return holder.equals(claimant) ? Optional.empty() : Optional.of(holder);
    }

    @Override
    public synchronized Map<String, List<Observation>> between(long first, long last) {
        Map<String, List<Observation>> found = new HashMap<>();
        observations.forEach(
                (vantage, own) ->
                        found.put(
                                vantage,
                                first > last
                                        ? List.of()
                                        : new ArrayList<>(
                                                own.subMap(first, true, last, true).values())));
        return found;
    }

    @Override
    public synchronized void put(Readiness found) {
        readiness.put(found.vantage(), found);
    }

    @Override
    public synchronized List<Readiness> readiness() {
        return List.copyOf(readiness.values());
    }
}
