package io.vaultdr.failover;

import io.vaultdr.model.Epoch;
import io.vaultdr.model.Outcome;
import io.vaultdr.model.PairId;
import io.vaultdr.model.Secret;

import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.UnaryOperator;

/** A ledger that keeps the promises of {@link Ledger} for one process. */
public final class InMemoryLedger implements Ledger {
    private final Map<Epoch, Incident> incidents = new TreeMap<>();
    private final Map<Epoch, Secret> tokens = new HashMap<>();
    private final List<HistoryLine> history = new ArrayList<>();
    private PairState state;
    private Optional<Assessment> assessment = Optional.empty();

    /** The ledger of a pair that nothing was ever written of. */
    public InMemoryLedger(PairId pair) {
        state = PairState.initial(pair);
    }

    @Override
    public synchronized PairState state() {
        return state;
    }

    @Override
    public synchronized Optional<Incident> incident(Epoch epoch) {
        return Optional.ofNullable(incidents.get(epoch));
    }

    @Override
    public synchronized List<Incident> incidents(int limit) {
        return incidents.values().stream().toList().reversed().stream().limit(limit).toList();
    }

    @Override
    public synchronized Optional<Incident> open(PairState seen, Incident incident) {
        if (seen.version() != state.version()) {
            return Optional.empty();
        }
        state = state.opened(incident.epoch()).withVersion(state.version() + 1);
        incidents.put(incident.epoch(), incident.withVersion(1));
        return incident(incident.epoch());
    }

    @Override
    public synchronized Incident update(Epoch epoch, UnaryOperator<Incident> change) {
        Incident old = current(epoch);
        Incident next = change.apply(old).withVersion(old.version() + 1);
        incidents.put(epoch, next);
        return next;
    }

    @Override
    public synchronized PairState change(UnaryOperator<PairState> change) {
        state = change.apply(state).withVersion(state.version() + 1);
        return state;
    }

    @Override
    public synchronized void updateBoth(
            Epoch epoch, UnaryOperator<PairState> nextState, UnaryOperator<Incident> incident) {
        update(epoch, incident);
        change(nextState);
    }

    @Override
    public synchronized Optional<Assessment> assessment() {
        return assessment;
    }

    @Override
    public synchronized boolean assess(Assessment next) {
        assessment = Optional.of(next);
        return true;
    }

    @Override
    public synchronized void storeTaskToken(Epoch epoch, Secret token) {
        tokens.put(epoch, token);
    }

    @Override
    public synchronized Optional<Secret> taskToken(Epoch epoch) {
        return Optional.ofNullable(tokens.get(epoch));
    }

    @Override
    public synchronized void note(Instant at, Epoch epoch, String event, String detail) {
        history.addFirst(new HistoryLine(at, epoch, event, detail));
    }

    @Override
    public synchronized List<HistoryLine> history(int limit) {
        return history.stream().limit(limit).toList();
    }

    private Incident current(Epoch epoch) {
        Incident incident = incidents.get(epoch);
        if (!state.epoch().equals(epoch)
                || incident == null
                || incident.outcome() != Outcome.OPEN) {
            throw new StaleEpochException("incident " + epoch);
        }
        return incident;
    }
}
