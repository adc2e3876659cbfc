package io.vaultdr.workflow;

import io.vaultdr.failover.Ledger;
import io.vaultdr.failover.Pager;
import io.vaultdr.failover.PairState;
import io.vaultdr.model.Epoch;
import io.vaultdr.model.Failure;
import io.vaultdr.model.Side;
import io.vaultdr.model.StepName;
import io.vaultdr.runtime.Deadline;
import io.vaultdr.runtime.Parallel;
import io.vaultdr.traffic.TrafficFlag;
import io.vaultdr.traffic.WeightedRecords;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Turns the clients to DR: first the flag, in both regions, of which one is enough; then the ledger
 * says that DR serves; then the weights. Route 53's control plane may be away, which is a finding
 * and a page and no failure: the flag alone turns clients.
 */
public final class RedirectTraffic implements Step {
    /** When the first flag stood; without flags, when the ledger said that DR serves. */
    public static final String FLAGGED_AT = "flaggedAt";

    private static final Duration IN_SYNC = Duration.ofMinutes(2);

    private final Ledger ledger;
    private final List<TrafficFlag> flags;
    private final Optional<WeightedRecords> records;
    private final Pager pager;
    private final Clock clock;

    /** Turns {@code flags} and {@code records}; without either nothing but the ledger is turned. */
    public RedirectTraffic(
            Ledger ledger,
            List<TrafficFlag> flags,
            Optional<WeightedRecords> records,
            Pager pager,
            Clock clock) {
        this.ledger = ledger;
        this.flags = flags;
        this.records = records;
        this.pager = pager;
        this.clock = clock;
    }

    @Override
    public StepName name() {
        return StepName.REDIRECT_TRAFFIC;
    }

    @Override
    public Map<String, String> perform(Work work) {
        Map<String, String> result = new LinkedHashMap<>();
        if (work.dryRun()) {
            for (TrafficFlag flag : flags) {
                result.put("flag " + flag.place(), flag.raised() ? "raised" : "not raised");
            }
            records.ifPresent(r -> result.put("weights", look(r)));
            result.put("receivers", Integer.toString(pager.receivers()));
            return result;
        }
        Optional<Instant> raisedAt = raise(work, result);
        Epoch epoch = work.incident().epoch();
        ledger.change(
                state -> {
                    if (!state.epoch().equals(epoch)) {
                        throw new Ledger.StaleEpochException(
                                "turn to DR under epoch " + epoch + ": it is " + state.epoch());
                    }
                    return serves(state, epoch)
                            ? state
                            : state.served(Side.DR, clock.instant(), epoch);
                });
        work.remember(FLAGGED_AT, raisedAt.orElseGet(clock::instant).toString());
        records.ifPresent(r -> result.put("weights", turn(r, work)));
        return result;
    }

    /** Route 53 may be away while clients are turned; not being allowed to read it may not. */
    private static String look(WeightedRecords weighted) {
        try {
            return weighted.read().toString();
        } catch (Failure.Retryable | Failure.OutcomeUnknown away) {
            return "not seen, the flag alone would turn clients: " + away.getMessage();
        }
    }

    private static boolean serves(PairState state, Epoch epoch) {
        return state.serving() == Side.DR && state.lineage().equals(epoch);
    }

    /** A flag that was raised, or why it wasn't. */
    private record Raised(TrafficFlag flag, Optional<Instant> at, Optional<Failure> failure) {}

    /** Raises all at once; when the first stood. A dead region's takes its whole time-out. */
    private Optional<Instant> raise(Work work, Map<String, String> result) {
        List<Raised> all = Parallel.each(flags, this::raise);
        List<Failure> failures = all.stream().flatMap(it -> it.failure().stream()).toList();
        Optional<Instant> first =
                all.stream().flatMap(it -> it.at().stream()).min(Comparator.naturalOrder());
        if (first.isEmpty() && !failures.isEmpty()) {
            throw failures.getFirst();
        }
        failures.forEach(
                failure ->
                        work.find(
                                "One traffic flag was not raised, the other is enough: "
                                        + failure.getMessage()));
        result.put(
                "flags",
                all.stream()
                        .filter(it -> it.at().isPresent())
                        .map(it -> it.flag().place())
                        .collect(Collectors.joining(", ")));
        return first;
    }

    private Raised raise(TrafficFlag flag) {
        try {
            flag.raise();
            return new Raised(flag, Optional.of(clock.instant()), Optional.empty());
        } catch (Failure e) {
            return new Raised(flag, Optional.empty(), Optional.of(e));
        }
    }

    private String turn(WeightedRecords weighted, Work work) {
        try {
            if (weighted.read().turnedTo(Side.DR)) {
                return "turned before";
            }
            Deadline limit = work.deadline().within(IN_SYNC);
            weighted.turnTo(Side.DR, limit);
            return "turned";
        } catch (Failure e) {
            String finding =
                    "The weights could not be turned; the flag alone turns clients: "
                            + e.getMessage();
            work.find(finding);
            page(work, finding);
            return "not turned";
        }
    }

    private void page(Work work, String finding) {
        try {
            pager.page(
                    new Pager.Page(
                            work.incident().pair() + ": weights not turned, the flag stands",
                            work.incident().id()
                                    + ": "
                                    + finding
                                    + "\n"
                                    + "Nothing has to be done at once. Turn the weights when Route"
                                    + " 53 answers again, and leave the flag until then.",
                            "weights-not-turned"));
        } catch (Failure e) {
            work.find("Nobody was paged about the weights: " + e.getMessage());
        }
    }
}
