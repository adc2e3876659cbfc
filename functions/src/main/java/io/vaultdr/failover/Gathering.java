package io.vaultdr.failover;

import io.vaultdr.model.Loss;
import io.vaultdr.model.Side;
import io.vaultdr.model.Slots;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.runtime.Parallel;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** Reads from ledger and evidence all that a verdict rests on; asks neither Vault nor home. */
public final class Gathering {
    private static final Duration EVIDENCE_LIVES = Duration.ofDays(1);

    private final PairSettings pair;
    private final PairSettings.Failover limits;
    private final Ledger ledger;
    private final EvidenceLog log;
    private final Clock clock;

    /** Gathers for {@code pair}, whose stage is {@code observe} or higher. */
    public Gathering(PairSettings pair, Ledger ledger, EvidenceLog log, Clock clock) {
        this.pair = pair;
        this.limits = pair.failover().orElseThrow();
        this.ledger = ledger;
        this.log = log;
        this.clock = clock;
    }

    /** The situation at the end of the last slot that is over. */
    public Situation now() {
        return now(Parallel.begin(ledger::assessment));
    }

    /**
     * The same.
     *
     * @param before the evaluation before, which remembers when the serving side last served where
     *     the evidence doesn't go back that far
     */
    public Situation now(Optional<Assessment> before) {
        return now(() -> before);
    }

    private Situation now(Supplier<Optional<Assessment>> before) {
        Supplier<List<Incident>> incidents = Parallel.begin(() -> ledger.incidents(1));
        Supplier<List<Readiness>> looks = Parallel.begin(log::readiness);
        Slots slots = pair.slots();
        Instant now = clock.instant();
        long last = slots.lastComplete(now);
        PairState state = ledger.state();
        Optional<Assessment> same = before.get().filter(a -> a.side() == state.serving());
        Map<String, List<Observation>> seen = log.between(first(last, same, slots), last);
        List<Evidence> evidence = new ArrayList<>();
        for (PairSettings.Vantage vantage : pair.vantages()) {
            List<Observation> own = seen.getOrDefault(vantage.region(), List.of());
            evidence.add(
                    Evidence.of(
                            vantage.region(),
                            vantage.region().equals(pair.cluster(state.serving()).region()),
                            state.serving(),
                            own,
                            last));
        }
        List<Observation> reached =
                seen.values().stream()
                        .flatMap(List::stream)
                        .filter(o -> o.side() == state.serving())
                        .filter(o -> o.evidence() == Observation.Evidence.REACHED)
                        .toList();
        Optional<Instant> lastServed =
                Stream.concat(
                                same.flatMap(Assessment::lastServed).stream(),
                                reached.stream().map(o -> slots.end(o.slot())))
                        .max(Comparator.naturalOrder());
        OptionalLong lastIndex =
                Stream.concat(
                                same.map(Assessment::lastIndex).stream(),
                                reached.stream().map(Observation::committedIndex))
                        .flatMapToLong(OptionalLong::stream)
                        .max();
        Optional<Readiness> readiness =
                looks.get().stream().max(Comparator.comparing(Readiness::at));
        Optional<Loss> loss =
                readiness
                        .flatMap(Readiness::newest)
                        .filter(newest -> newest.lineage().equals(state.lineage()))
                        .map(n -> PredictedLoss.of(n, lastServed, lastIndex, now));
        return new Situation(
                now,
                last,
                state,
                incidents.get().stream().findFirst(),
                evidence,
                state.serving() == Side.HOME ? missing(readiness, loss, now) : List.of(),
                loss,
                lastServed,
                lastIndex,
                Optional.empty());
    }

    /**
     * From where on evidence is read: five minutes, or back to what the evaluation before can't
     * have seen whole. Else a pause of the evaluations would make the serving side seem to have
     * stopped sooner, and the loss smaller, than it was.
     */
    private static long first(long last, Optional<Assessment> before, Slots slots) {
        long fiveMinutes = last - Evidence.LONG_RUN + 1;
        long oldest = last - EVIDENCE_LIVES.dividedBy(slots.length());
        return before.map(a -> Math.max(oldest, Math.min(fiveMinutes, a.slot() - Slots.WINDOW)))
                .orElse(fiveMinutes);
    }

    /** What the DR side lacks. */
    private List<String> missing(Optional<Readiness> readiness, Optional<Loss> loss, Instant now) {
        Duration stale = pair.slots().span(Evidence.LONG_RUN);
        if (readiness.isEmpty()) {
            return List.of("No vantage has looked at the DR side yet.");
        }
        if (readiness.get().at().plus(stale).isBefore(now)) {
            return List.of(
                    "No vantage has looked at the DR side since " + readiness.get().at() + ".");
        }
        List<String> missing = new ArrayList<>(readiness.get().missing());
        if (loss.isEmpty()) {
            missing.add("No committed snapshot of the serving side's lineage is in the DR region.");
        }
        // Against the last time that home served, not against now: a home that is down takes no
        // more snapshots, and its last one doesn't get worse by waiting.
        loss.filter(l -> l.time().compareTo(limits.snapshotMaxAge()) > 0)
                .ifPresent(
                        l ->
                                missing.add(
                                        "The newest snapshot is "
                                                + l.time()
                                                + " older than what home served last; at most "
                                                + limits.snapshotMaxAge()
                                                + " is allowed."));
        return missing;
    }
}
