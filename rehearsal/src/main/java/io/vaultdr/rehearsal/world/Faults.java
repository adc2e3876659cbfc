package io.vaultdr.rehearsal.world;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;

/** What a scenario breaks on purpose: calls that hang or are refused, JVMs killed at a call. */
public final class Faults {
    /** What happens to a call that a fault meets. */
    enum Effect {
        HANG,
        REFUSE,
        KILL_BEFORE,
        KILL_AFTER
    }

    /** A fault that stands until it is closed or has been used up. */
    public static final class Fault implements AutoCloseable {
        private final Faults owner;
        private final String name;
        private final Predicate<Call> when;
        private final Effect effect;
        private final AtomicInteger left;

        private Fault(Faults owner, String name, Predicate<Call> when, Effect effect, int times) {
            this.owner = owner;
            this.name = name;
            this.when = when;
            this.effect = effect;
            left = new AtomicInteger(times);
        }

        /** What was asked for, in words. */
        public String name() {
            return name;
        }

        Effect effect() {
            return effect;
        }

        @Override
        public void close() {
            owner.faults.remove(this);
        }
    }

    private final List<Fault> faults = new CopyOnWriteArrayList<>();
    private volatile int alarmCopies = 1;

    Faults() {}

    /** Functions' calls to the service get no answer until the fault is closed. */
    public Fault hang(String service) {
        return add(service + " hangs", Effect.HANG, Integer.MAX_VALUE, of(service, ""));
    }

    /** Functions' calls of this operation get no answer until the fault is closed. */
    public Fault hang(String service, String operation) {
        return add(
                service + ":" + operation + " hangs",
                Effect.HANG,
                Integer.MAX_VALUE,
                of(service, operation));
    }

    /** Functions' calls to the service are answered with 503. */
    public Fault refuse(String service) {
        return add(service + " refuses", Effect.REFUSE, Integer.MAX_VALUE, of(service, ""));
    }

    /** Functions' calls of this operation are answered with 503. */
    public Fault refuse(String service, String operation) {
        return add(
                service + ":" + operation + " refuses",
                Effect.REFUSE,
                Integer.MAX_VALUE,
                of(service, operation));
    }

    /**
     * Kills, as kill -9 does, the JVM of {@code function} that makes this call.
     *
     * @param function the end of the function's name, such as {@code promote}
     * @param after whether AWS has carried the call out by then; the function never sees the answer
     * @param times how often
     */
    public Fault killAt(
            String function, String service, String operation, boolean after, int times) {
        return add(
                function + " killed " + (after ? "after " : "before ") + service + ":" + operation,
                after ? Effect.KILL_AFTER : Effect.KILL_BEFORE,
                times,
                of(service, operation).and(call -> call.function().endsWith(function)));
    }

    /** Delivers each alarm's action this often. */
    public void duplicateAlarms(int copies) {
        alarmCopies = copies;
    }

    int alarmCopies() {
        return alarmCopies;
    }

    /** Whether this fault, if it was met, still stands. */
    boolean stands(Fault fault) {
        return faults.contains(fault);
    }

    /** The first fault that meets {@code call}, one of its times used up; null if there is none. */
    @org.jspecify.annotations.Nullable
    Fault meeting(Call call) {
        for (Fault fault : faults) {
            if (fault.when.test(call) && fault.left.getAndUpdate(n -> Math.max(0, n - 1)) > 0) {
                return fault;
            }
        }
        return null;
    }

    private Fault add(String name, Effect effect, int times, Predicate<Call> when) {
        Fault fault = new Fault(this, name, when, effect, times);
        faults.add(fault);
        return fault;
    }

    private static Predicate<Call> of(String service, String operation) {
        return call ->
                !call.function().isEmpty()
                        && call.service().equals(service)
                        && (operation.isEmpty() || call.operation().equals(operation));
    }
}
