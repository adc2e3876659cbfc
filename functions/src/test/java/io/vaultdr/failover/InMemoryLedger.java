package io.vaultdr.failover;

import io.vaultdr.model.Epoch;
import io.vaultdr.model.Outcome;
import io.vaultdr.model.PairId;
import io.vaultdr.model.Secret;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.UnaryOperator;

/** A ledger in memory; {@link LedgerContract} holds it to what DynamoDB's does. */
public final class InMemoryLedger implements Ledger {
    private final TreeMap<Epoch, Incident> incidents = new TreeMap<>();
    private final Map<Epoch, Secret> tokens = new HashMap<>();
    private final List<HistoryLine> history = new ArrayList<>();
    private PairState state;
    private Optional<Assessment> assessment = Optional.empty();

    /** The ledger of a new pair. */
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
        return incidents.descendingMap().values().stream().limit(limit).toList();
    }

    @Override
    public synchronized Optional<Incident> open(PairState seen, Incident incident) {
        if (!incident.epoch().equals(seen.epoch().next())) {
            throw new IllegalArgumentException(incident.id());
        }
        if (seen.version() != state.version()) {
            return Optional.empty();
        }
        state = seen.opened(incident.epoch()).withVersion(seen.version() + 1);
        incidents.put(incident.epoch(), incident.withVersion(1));
        return Optional.of(incident.withVersion(1));
    }

    @Override
    public synchronized Incident update(Epoch epoch, UnaryOperator<Incident> change) {
        Incident old = current(epoch);
        Incident next = change.apply(old).withVersion(old.version() + 1);
        incidents.put(epoch, next);
        return next;
    }

    @Override
    public synchronized Incident update(Incident seen, UnaryOperator<Incident> change) {
        return update(seen.epoch(), change);
    }

    @Override
    public synchronized PairState change(UnaryOperator<PairState> change) {
        state = change.apply(state).withVersion(state.version() + 1);
        return state;
    }

    @Override
    public synchronized Incident updateBoth(
            Epoch epoch, UnaryOperator<PairState> change, UnaryOperator<Incident> incident) {
        Incident old = current(epoch);
        Incident given = incident.apply(old);
        if (given.equals(old)) {
            return old;
        }
        PairState next = change.apply(state).withVersion(state.version() + 1);
        Incident changed = given.withVersion(old.version() + 1);
        incidents.put(epoch, changed);
        state = next;
        return changed;
    }

    @Override
    public synchronized Optional<Assessment> assessment() {
        return assessment;
    }

    @Override
    public synchronized boolean assess(Assessment next) {
        if (assessment.map(Assessment::version).orElse(0L) != next.version()) {
            return false;
        }
        assessment = Optional.of(next.withTold(next.told(), next.version() + 1));
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
        history.add(new HistoryLine(at, epoch, event, detail));
    }

    @Override
    public synchronized List<HistoryLine> history(int limit) {
        List<HistoryLine> lines = new ArrayList<>(history);
        lines.sort(Comparator.comparing(HistoryLine::at));
        return lines.reversed().stream().limit(limit).toList();
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
