package io.vaultdr.rehearsal;

import io.vaultdr.model.Side;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * What a client's look-up of the record answers, as Route 53 would answer it from the weights and
 * from the health check on the home record, which reads nothing but the flag objects. What can't be
 * had on one machine is modelled, each with its source: {@link Model}.
 *
 * <p>Call {@link #tick} often; it asks for flags and weights no more often than the model's
 * checkers do. Not thread-safe but for {@link #side}.
 */
public final class Resolver {
    /**
     * More than this part of the checkers has to call an endpoint healthy for it to be healthy:
     * Amazon Route 53 Developer Guide, "How Amazon Route 53 determines whether a health check is
     * healthy".
     */
    static final double HEALTHY_ABOVE = 0.18;

    /**
     * What Route 53 and a client's resolver do in their own time.
     *
     * @param interval how often each checker asks: the health check's RequestInterval
     * @param failureThreshold how many equal answers change a checker's mind: FailureThreshold
     * @param checkers how many places ask, each at its own moment of the interval; Route 53 doesn't
     *     promise a number, its guide speaks of a request every two or three seconds at 30 s
     * @param timeToLive how long a client keeps an answer: the record's TTL
     * @param propagation how long changed weights take to every name server: the guide says 60 s as
     *     a rule (ChangeResourceRecordSets, GetChange INSYNC)
     */
    public record Model(
            Duration interval,
            int failureThreshold,
            int checkers,
            Duration timeToLive,
            Duration propagation) {
        /** The same with all times multiplied, for a compressed rehearsal. */
        Model times(double factor) {
            return new Model(
                    scaled(interval, factor),
                    failureThreshold,
                    checkers,
                    scaled(timeToLive, factor),
                    scaled(propagation, factor));
        }

        private static Duration scaled(Duration duration, double factor) {
            return Duration.ofMillis(Math.round(duration.toMillis() * factor));
        }
    }

    /** The two records' weights. */
    public record Weights(int home, int dr) {}

    /** What is asked of the world. */
    public interface Zone {
        /** The weights as they were last written. */
        Weights weights();

        /** How many flag objects may turn clients. */
        int flags();

        /** Whether a checker's anonymous request finds this flag. */
        boolean stands(int flag);
    }

    /** A change of what clients are told, and why. */
    public record Turn(Instant at, Side side, String why) {}

    private final Model model;
    private final Zone zone;
    private final Checker[][] checkers;
    private final ArrayDeque<Map.Entry<Instant, Weights>> written = new ArrayDeque<>();
    private final List<Turn> turns = new ArrayList<>();
    private Weights weights;
    private Instant nextCheck = Instant.MIN;
    private Instant nextWeights = Instant.MIN;
    private Instant answerUntil = Instant.MIN;
    private int turn;
    private volatile Side side = Side.HOME;

    /** A resolver that starts with the weights as they are now, every flag absent. */
    public Resolver(Model model, Zone zone) {
        this.model = model;
        this.zone = zone;
        this.weights = zone.weights();
        this.checkers = new Checker[zone.flags()][model.checkers()];
        for (Checker[] flag : checkers) {
            for (int i = 0; i < flag.length; i++) {
                flag[i] = new Checker();
            }
        }
    }

    /** The side that a client is told now. */
    public Side side() {
        return side;
    }

    /** The changes of {@link #side} so far. */
    public synchronized List<Turn> turns() {
        return List.copyOf(turns);
    }

    /** Whether the health check on the home record is healthy now. */
    public boolean homeHealthy() {
        for (Checker[] flag : checkers) {
            int present = 0;
            for (Checker checker : flag) {
                present += checker.believesPresent ? 1 : 0;
            }
            // Inverted: an endpoint that is healthy, a flag that stands, makes it unhealthy.
            if (present > HEALTHY_ABOVE * flag.length) {
                return false;
            }
        }
        return true;
    }

    /** Lets everything happen that is due at {@code now}. */
    public void tick(Instant now) {
        if (!now.isBefore(nextCheck)) {
            for (int flag = 0; flag < checkers.length; flag++) {
                checkers[flag][turn].saw(zone.stands(flag), model.failureThreshold());
            }
            turn = (turn + 1) % model.checkers();
            nextCheck = now.plus(model.interval().dividedBy(model.checkers()));
        }
        if (!now.isBefore(nextWeights)) {
            Weights last = written.isEmpty() ? weights : written.getLast().getValue();
            Weights current = zone.weights();
            if (!current.equals(last)) {
                written.add(Map.entry(now.plus(model.propagation()), current));
            }
            nextWeights = now.plus(model.interval().dividedBy(2));
        }
        while (!written.isEmpty() && !now.isBefore(written.getFirst().getKey())) {
            weights = written.removeFirst().getValue();
        }
        if (!now.isBefore(answerUntil)) {
            boolean healthy = homeHealthy();
            Side answer = answer(weights, healthy);
            answerUntil = now.plus(model.timeToLive());
            if (answer != side) {
                side = answer;
                String why =
                        (healthy ? "" : "a flag stands, ")
                                + "weights "
                                + weights.home()
                                + "/"
                                + weights.dr();
                synchronized (this) {
                    turns.add(new Turn(now, answer, why));
                }
            }
        }
    }

    /**
     * Which record is answered: records with a weight come first, those without only when none of
     * them is healthy; the DR record has no check and counts as healthy. Two weights share; here
     * the greater one is answered, and with none at all home (Route 53 spreads).
     */
    static Side answer(Weights weights, boolean homeHealthy) {
        if (homeHealthy && weights.home() > 0 && weights.home() >= weights.dr()) {
            return Side.HOME;
        }
        if (weights.dr() > 0 || !homeHealthy) {
            return Side.DR;
        }
        return Side.HOME;
    }

    /** One place that asks for one flag. */
    private static final class Checker {
        private boolean believesPresent;
        private int against;

        void saw(boolean present, int threshold) {
            against = present == believesPresent ? 0 : against + 1;
            if (against >= threshold) {
                believesPresent = present;
                against = 0;
            }
        }
    }
}
