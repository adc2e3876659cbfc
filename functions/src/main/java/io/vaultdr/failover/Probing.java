package io.vaultdr.failover;

import io.vaultdr.model.Failure;
import io.vaultdr.model.Side;
import io.vaultdr.model.Slots;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;

/**
 * Probes one pair from one vantage in absolute slots, until its time is up or a later invocation
 * has claimed a slot. So a schedule of one minute loses no slot as long as each start is at most a
 * minute late, and where two invocations overlap each slot has one observation.
 *
 * <ul>
 *   <li>What serves is probed, as the ledger says; while it can't be read, what it said last, home
 *       at first.
 *   <li>A slot's probe, its metric, its evidence and the look into the ledger each run on their
 *       own: one that hangs delays neither the others nor the next slot.
 *   <li>A probe has four fifths of the slot, so that its evidence is there when the slot is judged.
 * </ul>
 */
public final class Probing {
    private static final Logger LOG = LoggerFactory.getLogger(Probing.class);

    private final String vantage;
    private final Slots slots;
    private final Clock clock;
    private final Consumer<Instant> sleepUntil;
    private final Ports ports;

    /** What the ledger said last, over invocations. */
    private final AtomicReference<Optional<PairState>> known =
            new AtomicReference<>(Optional.empty());

    private final AtomicBoolean asking = new AtomicBoolean();

    /**
     * What probing needs of the world.
     *
     * @param ledger the pair's state, newly read
     * @param readiness looks at the DR side; empty where another vantage does
     */
    public record Ports(
            Probe probe,
            EvidenceLog log,
            LedgerState ledger,
            Publisher publisher,
            Optional<ReadinessLook> readiness) {}

    /** Asks a side's nodes who is active. */
    public interface Probe {
        /** What was found within {@code limit}. */
        Finding look(Side side, Duration limit);
    }

    /** What a probe found. */
    public record Finding(Observation.Evidence evidence, OptionalLong committedIndex) {}

    /** Reads the pair's state. */
    public interface LedgerState {
        /** The pair's state; throws a {@link Failure} when it can't be read. */
        PairState read();
    }

    /** Publishes what the alarms count. */
    public interface Publisher {
        /** Publishes 1 or 0 for {@code slot}, which began at {@code start}. */
        void publish(Instant start, boolean reached);
    }

    /** Looks at the side that doesn't serve. */
    public interface ReadinessLook {
        /** What a failover of a pair in {@code state} would lack. */
        Readiness look(PairState state);
    }

    /** Probes for {@code vantage}. */
    public Probing(
            String vantage, Slots slots, Clock clock, Consumer<Instant> sleepUntil, Ports ports) {
        this.vantage = vantage;
        this.slots = slots;
        this.clock = clock;
        this.sleepUntil = sleepUntil;
        this.ports = ports;
    }

    /**
     * Probes slot after slot.
     *
     * @param claimant this invocation; a later one's sorts after it
     * @param until when all has to be over
     */
    public void run(String claimant, Instant until) {
        AtomicBoolean superseded = new AtomicBoolean();
        List<Thread> running = new ArrayList<>();
        Duration limit = slots.length().multipliedBy(4).dividedBy(5);
        running.add(Thread.startVirtualThread(() -> logged("readiness", this::lookAtReadiness)));
        long slot = slots.at(clock.instant());
        if (slots.end(slot).minus(limit.dividedBy(4)).isBefore(clock.instant())) {
            slot++;
        }
        while (!superseded.get()
                && !slots.start(slot).plus(limit).isAfter(until)
                && !Thread.currentThread().isInterrupted()) {
            sleepUntil.accept(slots.start(slot));
            if (superseded.get()) {
                break;
            }
            long current = slot;
            running.removeIf(thread -> !thread.isAlive());
            running.add(
                    Thread.startVirtualThread(
                            () ->
                                    logged(
                                            "probe",
                                            () -> probe(current, limit, claimant, superseded))));
            slot = Math.max(slot + 1, slots.at(clock.instant()));
        }
        finish(running, until);
    }

    private void probe(long slot, Duration limit, String claimant, AtomicBoolean superseded) {
        Thread.startVirtualThread(() -> logged("state", this::readState));
        Side side = known.get().map(PairState::serving).orElse(Side.HOME);
        Duration left = Duration.between(clock.instant(), slots.start(slot).plus(limit));
        // A start in the middle of a slot has less of it, and at least a quarter.
        Duration least = limit.dividedBy(4);
        Finding found = ports.probe().look(side, left.compareTo(least) < 0 ? least : left);
        boolean reached = found.evidence() == Observation.Evidence.REACHED;
        Thread publishing =
                Thread.startVirtualThread(
                        () ->
                                logged(
                                        "metric",
                                        () ->
                                                ports.publisher()
                                                        .publish(slots.start(slot), reached)));
        Observation observation =
                new Observation(
                        vantage,
                        slot,
                        side,
                        found.evidence(),
                        found.committedIndex(),
                        clock.instant());
        Optional<String> holder = ports.log().put(observation, claimant);
        if (holder.filter(other -> other.compareTo(claimant) > 0).isPresent()) {
            superseded.set(true);
        }
        join(publishing);
    }

    private void readState() {
        if (asking.compareAndSet(false, true)) {
            try {
                known.set(Optional.of(ports.ledger().read()));
            } finally {
                asking.set(false);
            }
        }
    }

    private void lookAtReadiness() {
        if (ports.readiness().isEmpty()) {
            return;
        }
        PairState state = ports.ledger().read();
        known.set(Optional.of(state));
        if (state.serving() == Side.HOME) {
            ports.log().put(ports.readiness().get().look(state));
        }
    }

    /** What one slot can't do is told and doesn't end the others. */
    private void logged(String what, Runnable work) {
        try {
            work.run();
        } catch (Failure e) {
            LOG.warn("{} failed: {}", what, e.getMessage());
        } catch (RuntimeException e) {
            LOG.error("{} failed", what, e);
        }
    }

    private void finish(List<Thread> running, Instant until) {
        for (Thread thread : running) {
            try {
                Duration left = Duration.between(clock.instant(), until);
                if (left.isNegative() || !thread.join(left)) {
                    thread.interrupt();
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }

    private static void join(Thread thread) {
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
