package io.vaultdr.rehearsal.world;

import io.vaultdr.rehearsal.world.GroupSpec.Hook;

import org.jspecify.annotations.Nullable;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Auto Scaling groups that come from a template, as far as our shapes go: capacity over zones,
 * lifecycle hooks, health by EC2's status checks, replacement, rebalancing, suspended processes and
 * instance refresh, one instance at a time. Everything moves in {@link #tick}; the clock is given.
 *
 * <p>How an instance comes and goes is what the Amazon EC2 Auto Scaling User Guide says in "How
 * lifecycle hooks work": a target is registered when the launch hook has been completed, and
 * deregistered and drained before the termination hook begins. An instance that leaves doesn't
 * count any more, so its replacement is launched beside it; under a maintenance policy that
 * launches first, one that failed its checks stays until the new one is in service.
 */
final class Groups {
    /**
     * From a launch to the boot script: 29 s from RunInstances to an open port in C. Percival's
     * "EC2 boot time benchmarking" (2021).
     */
    static final Duration BOOT = Duration.ofSeconds(30);

    /** From an instance's end until its group knows: EC2's status checks run every minute. */
    static final Duration UNWELL = Duration.ofSeconds(60);

    /** A hook holds no longer than this, and than a hundred heartbeats. */
    private static final Duration LONGEST_HOLD = Duration.ofDays(2);

    private static final int MOST_HEARTBEATS = 100;

    /** What is told of a group's instances. */
    interface Listener {
        /** A hook holds an instance; EventBridge is told. */
        void held(Instance instance, Hook hook, String token);

        /** An instance changed its state. */
        void changed(Instance instance, String state);

        /** An instance takes clients from now on, or no longer does. */
        void target(Instance instance, List<String> targetGroups, boolean registered);

        /**
         * An instance refresh began or ended: {@code Started}, {@code Succeeded}, {@code Failed}.
         */
        void refreshed(String region, String group, String refresh, String what);
    }

    /** Auto Scaling's words for where an instance is on its way. */
    enum State {
        PENDING_WAIT("Pending:Wait"),
        IN_SERVICE("InService"),
        TERMINATING("Terminating"),
        TERMINATING_WAIT("Terminating:Wait"),
        TERMINATED("Terminated");

        private final String word;

        State(String word) {
            this.word = word;
        }

        /** Whether it is on its way in or there. */
        boolean counts() {
            return this == PENDING_WAIT || this == IN_SERVICE;
        }

        @Override
        public String toString() {
            return word;
        }
    }

    /**
     * An instance as a description shows it.
     *
     * @param since when it was launched, or began to leave
     */
    record Shown(Instance instance, State state, boolean healthy, Instant since) {}

    /** A group as a description shows it. */
    record View(GroupSpec spec, int desired, List<Shown> instances, Set<String> suspended) {}

    /** An instance refresh as a description shows it. */
    record RefreshView(String id, String status, String reason, int percentage, int left) {}

    /** A request that Auto Scaling refuses, with its error code. */
    static final class Refused extends RuntimeException {
        private final String code;

        Refused(String code, String message) {
            super(message);
            this.code = code;
        }

        String code() {
            return code;
        }
    }

    private final Machines machines;
    private final Network network;
    private final Clock clock;
    private final double pace;
    private final Listener listener;
    private final Map<String, Group> groups = new TreeMap<>();
    private final Set<String> lostZones = new HashSet<>();

    /**
     * Groups without instances.
     *
     * @param pace how much shorter than on AWS the modelled times are, 1 or less
     */
    Groups(Machines machines, Network network, Clock clock, double pace, Listener listener) {
        this.machines = machines;
        this.network = network;
        this.clock = clock;
        this.pace = pace;
        this.listener = listener;
    }

    /** Makes a group; its first instances are launched by the next tick. */
    synchronized void add(GroupSpec spec) {
        groups.put(spec.region() + "/" + spec.name(), new Group(spec));
    }

    /** Whether a group of this name comes from a template. */
    synchronized boolean has(String region, String name) {
        return groups.containsKey(region + "/" + name);
    }

    /** Lets time pass. */
    synchronized void tick() {
        Instant now = clock.instant();
        groups.values().forEach(group -> group.tick(now));
    }

    /** What a description of the group shows. */
    synchronized View view(String region, String name) {
        Group group = group(region, name);
        return new View(
                group.spec,
                group.desired,
                group.members.stream()
                        .map(it -> new Shown(it.instance, it.state, !it.unhealthy, it.activity))
                        .toList(),
                Set.copyOf(group.suspended));
    }

    /** Every instance that isn't gone, of all groups. */
    synchronized List<Instance> instances() {
        return groups.values().stream()
                .flatMap(group -> group.members.stream())
                .map(it -> it.instance)
                .toList();
    }

    /** Sets how many instances are wanted. */
    synchronized void capacity(String region, String name, int desired) {
        Group group = group(region, name);
        if (desired < group.spec.min() || desired > group.spec.max()) {
            throw new Refused(
                    "ValidationError",
                    "New SetDesiredCapacity value "
                            + desired
                            + " is not between min "
                            + group.spec.min()
                            + " and max "
                            + group.spec.max());
        }
        group.desired = desired;
    }

    /** Suspends processes, or resumes them; none named: all. */
    synchronized void suspend(String region, String name, List<String> processes, boolean stop) {
        Set<String> suspended = group(region, name).suspended;
        List<String> all = List.of("Launch", "Terminate", "ReplaceUnhealthy", "AZRebalance");
        for (String process : processes) {
            if (!all.contains(process)) {
                throw new Refused("ValidationError", process + " isn't carried out here: " + all);
            }
        }
        if (stop) {
            suspended.addAll(processes.isEmpty() ? all : processes);
        } else {
            (processes.isEmpty() ? all : processes).forEach(suspended::remove);
        }
    }

    /** Ends a hook's hold on an instance. */
    synchronized void complete(
            String region, String name, String hook, String instance, boolean proceeds) {
        Group group = group(region, name);
        group.resolved(group.waiting(hook, instance), proceeds, clock.instant());
    }

    /** Begins a hook's time anew. */
    synchronized void heartbeat(String region, String name, String hook, String instance) {
        Member member = group(region, name).waiting(hook, instance);
        Duration heartbeat = member.hook().heartbeat();
        Duration most = heartbeat.multipliedBy(MOST_HEARTBEATS);
        Instant latest =
                member.heldSince.plus(most.compareTo(LONGEST_HOLD) < 0 ? most : LONGEST_HOLD);
        Instant until = clock.instant().plus(heartbeat);
        member.deadline = until.isBefore(latest) ? until : latest;
    }

    /** Ends an instance on request, whatever is suspended. */
    synchronized void terminate(String region, String instance, boolean decrement) {
        for (Group group : groups.values()) {
            for (Member member : List.copyOf(group.members)) {
                if (member.instance.id().equals(instance)
                        && member.instance.region().equals(region)) {
                    if (decrement) {
                        group.desired--;
                    }
                    if (member.state.counts()) {
                        group.leave(member, clock.instant());
                    }
                    return;
                }
            }
        }
        throw new Refused("ValidationError", "Instance Id not found - No instance " + instance);
    }

    /** Takes a zone away: its machines die and none can be launched in it. */
    synchronized void loseZone(String zone) {
        lostZones.add(zone);
        instances().stream()
                .filter(it -> it.zone().equals(zone))
                .forEach(it -> machines.end(it.id()));
    }

    /** Takes all zones of a region away. */
    synchronized void loseRegion(String region) {
        zones(region).forEach(this::loseZone);
    }

    /** Gives the region's zones back, empty. */
    synchronized void restoreRegion(String region) {
        zones(region).forEach(this::restoreZone);
    }

    private List<String> zones(String region) {
        return groups.values().stream()
                .filter(group -> group.spec.region().equals(region))
                .flatMap(group -> group.spec.zones().stream())
                .distinct()
                .toList();
    }

    /** Gives the zone back, empty. */
    synchronized void restoreZone(String zone) {
        lostZones.remove(zone);
    }

    /**
     * What the group launches from now on, as when the launch template's parameter was set anew.
     */
    synchronized void image(String region, String name, String image) {
        group(region, name).image = image;
    }

    /**
     * Begins an instance refresh.
     *
     * @param minHealthy how many per cent of the group stay in service; empty: as its policy says
     * @param maxHealthy above 100 an instance is launched before one is ended
     * @param warmUp how long a new instance must be in service before the next is looked at
     * @param skipMatching whether instances of the group's present image stay
     * @return its id
     */
    synchronized String refresh(
            String region,
            String name,
            OptionalInt minHealthy,
            OptionalInt maxHealthy,
            Duration warmUp,
            boolean skipMatching) {
        Group group = group(region, name);
        int fewest = minHealthy.orElse(group.spec.minHealthy());
        int most = maxHealthy.orElse(group.spec.maxHealthy());
        if (group.refresh != null && group.refresh.runs()) {
            throw new Refused("InstanceRefreshInProgress", "a refresh of " + name + " runs");
        }
        if (group.desired * (100 - fewest) / 100 > 1 || group.desired * (most - 100) / 100 > 1) {
            throw new Refused(
                    "ValidationError",
                    "more than one instance at a time isn't carried out here: min "
                            + fewest
                            + " %, max "
                            + most
                            + " % of "
                            + group.desired);
        }
        Refresh refresh = new Refresh(group, most > 100, times(warmUp), skipMatching);
        group.refresh = refresh;
        listener.refreshed(region, name, refresh.id, "Started");
        return refresh.id;
    }

    /** The group's newest instance refresh. */
    synchronized Optional<RefreshView> refresh(String region, String name) {
        return Optional.ofNullable(group(region, name).refresh).map(Refresh::view);
    }

    private Group group(String region, String name) {
        Group group = groups.get(region + "/" + name);
        if (group == null) {
            throw new Refused(
                    "ValidationError", "AutoScalingGroup name not found - no group " + name);
        }
        return group;
    }

    private Duration times(Duration onAws) {
        return Duration.ofMillis(Math.round(onAws.toMillis() * pace));
    }

    /** An instance on its way. */
    private static final class Member {
        private final Instance instance;
        private final @Nullable Hook launch;
        private final @Nullable Hook end;
        private final Instant boots;
        private State state = State.PENDING_WAIT;
        private Instant since;

        /** When its launch or its termination began. */
        private Instant activity;

        private Instant heldSince;
        private Instant deadline = Instant.MAX;
        private boolean booted;
        private boolean unhealthy;
        private @Nullable Instant unwell;
        private String token = "";

        private Member(
                Instance instance,
                @Nullable Hook launch,
                @Nullable Hook end,
                Instant now,
                Instant boots) {
            this.instance = instance;
            this.launch = launch;
            this.end = end;
            this.boots = boots;
            this.since = now;
            this.activity = now;
            this.heldSince = now;
        }

        /** The hook that holds it. */
        private Hook hook() {
            Hook hook = state == State.PENDING_WAIT ? launch : end;
            if (hook == null) {
                throw new IllegalStateException(instance.id() + " is held by no hook in " + state);
            }
            return hook;
        }
    }

    private final class Group {
        private final GroupSpec spec;
        private final List<Member> members = new ArrayList<>();
        private final Set<String> suspended = new TreeSet<>();
        private int desired;
        private String image;
        private @Nullable Refresh refresh;

        /** What is launched to take the place of one in a fuller zone. */
        private @Nullable Member moving;

        private Group(GroupSpec spec) {
            this.spec = spec;
            this.desired = spec.desired();
            this.image = spec.image();
        }

        private void tick(Instant now) {
            for (Member member : List.copyOf(members)) {
                move(member, now);
            }
            if (refresh != null) {
                refresh.tick(now);
            }
            if (moving != null && moving.state != State.PENDING_WAIT) {
                moving = null;
            }
            int wanted =
                    desired + (refresh == null ? 0 : refresh.extra()) + (moving == null ? 0 : 1);
            while (counted().size() < wanted && !suspended.contains("Launch") && zone() != null) {
                launch(now);
            }
            while (counted().size() > wanted && !suspended.contains("Terminate")) {
                leave(oldestOfTheFullestZone(member -> true), now);
            }
            rebalance(now, wanted);
        }

        /** Those that make up its size: in service and well, or on their way there. */
        private List<Member> counted() {
            return members.stream()
                    .filter(it -> it.state.counts())
                    .filter(it -> !it.unhealthy || !spec.launchesFirst())
                    .toList();
        }

        private boolean replaced() {
            return counted().stream().filter(it -> it.state == State.IN_SERVICE).count() >= desired;
        }

        private Map<String, Integer> perZone() {
            Map<String, Integer> perZone = new LinkedHashMap<>();
            for (String zone : spec.zones()) {
                if (!lostZones.contains(zone)) {
                    perZone.put(zone, 0);
                }
            }
            counted().forEach(it -> perZone.computeIfPresent(it.instance.zone(), (z, n) -> n + 1));
            return perZone;
        }

        /** The emptiest zone that takes launches. */
        private @Nullable String zone() {
            return perZone().entrySet().stream()
                    .min(Map.Entry.comparingByValue())
                    .map(Map.Entry::getKey)
                    .orElse(null);
        }

        private Member oldestOfTheFullestZone(java.util.function.Predicate<Member> which) {
            Map<String, Integer> perZone = perZone();
            return counted().stream()
                    .filter(which)
                    .min(
                            Comparator.<Member>comparingInt(
                                            it -> -perZone.getOrDefault(it.instance.zone(), 0))
                                    .thenComparing(it -> it.boots))
                    .orElseThrow();
        }

        private Member launch(Instant now) {
            String zone = java.util.Objects.requireNonNull(zone());
            String id = "i-0%016x".formatted(ThreadLocalRandom.current().nextLong());
            Instance instance =
                    new Instance(
                            id,
                            spec.region(),
                            zone,
                            spec.name(),
                            network.next(),
                            spec.tags(),
                            image);
            Member member =
                    new Member(instance, hook(true), hook(false), now, now.plus(times(BOOT)));
            members.add(member);
            hold(member, State.PENDING_WAIT, member.launch, now);
            return member;
        }

        private @Nullable Hook hook(boolean launching) {
            return spec.hooks().stream()
                    .filter(it -> it.launching() == launching)
                    .findFirst()
                    .orElse(null);
        }

        private void enter(Member member, State state, Instant now) {
            member.state = state;
            member.since = now;
            listener.changed(member.instance, state.toString());
        }

        /** Holds an instance by a hook; where there is none it goes on at once. */
        private void hold(Member member, State state, @Nullable Hook hook, Instant now) {
            enter(member, state, now);
            if (hook == null) {
                resolved(member, true, now);
                return;
            }
            member.heldSince = now;
            member.deadline = now.plus(hook.heartbeat());
            member.token = UUID.randomUUID().toString();
            listener.held(member.instance, hook, member.token);
        }

        private Member waiting(String hook, String instance) {
            return members.stream()
                    .filter(it -> it.instance.id().equals(instance))
                    .filter(
                            it ->
                                    it.state == State.PENDING_WAIT
                                            || it.state == State.TERMINATING_WAIT)
                    .filter(it -> it.hook().name().equals(hook))
                    .findFirst()
                    .orElseThrow(
                            () ->
                                    new Refused(
                                            "ValidationError",
                                            "No active Lifecycle Action found with instance ID "
                                                    + instance
                                                    + " and hook "
                                                    + hook));
        }

        /** A hook lets an instance go on, or gives its launch up. */
        private void resolved(Member member, boolean proceeds, Instant now) {
            if (member.state == State.TERMINATING_WAIT) {
                end(member, now);
            } else if (proceeds) {
                listener.target(member.instance, spec.targetGroups(), true);
                enter(member, State.IN_SERVICE, now);
            } else {
                if (refresh != null) {
                    refresh.failed("the launch of " + member.instance.id() + " was given up");
                }
                leave(member, now);
            }
        }

        private void leave(Member member, Instant now) {
            boolean took = member.state == State.IN_SERVICE;
            member.activity = now;
            enter(member, State.TERMINATING, now);
            if (took) {
                listener.target(member.instance, spec.targetGroups(), false);
            } else {
                hold(member, State.TERMINATING_WAIT, member.end, now);
            }
        }

        private void end(Member member, Instant now) {
            machines.end(member.instance.id());
            members.remove(member);
            enter(member, State.TERMINATED, now);
        }

        private void move(Member member, Instant now) {
            if (!member.booted && !now.isBefore(member.boots) && member.state.counts()) {
                member.booted = true;
                machines.launch(member.instance);
            }
            switch (member.state) {
                case PENDING_WAIT, TERMINATING_WAIT -> {
                    if (!now.isBefore(member.deadline)) {
                        resolved(member, member.hook().continues(), now);
                    }
                }
                case IN_SERVICE -> health(member, now);
                case TERMINATING -> {
                    if (!now.isBefore(member.since.plus(times(spec.draining())))) {
                        hold(member, State.TERMINATING_WAIT, member.end, now);
                    }
                }
                case TERMINATED -> {}
            }
        }

        private void health(Member member, Instant now) {
            if (!member.booted || machines.runs(member.instance.id())) {
                return;
            }
            if (member.unwell == null) {
                member.unwell = now;
            }
            member.unhealthy |= !now.isBefore(member.unwell.plus(times(UNWELL)));
            if (member.unhealthy
                    && !suspended.contains("ReplaceUnhealthy")
                    && !suspended.contains("Terminate")
                    && (!spec.launchesFirst() || replaced())) {
                leave(member, now);
            }
        }

        /** Moves one instance into a zone that has two fewer, by launching first. */
        private void rebalance(Instant now, int wanted) {
            Map<String, Integer> perZone = perZone();
            if (suspended.contains("AZRebalance")
                    || suspended.contains("Launch")
                    || suspended.contains("Terminate")
                    || perZone.isEmpty()
                    || counted().size() != wanted
                    || counted().stream().anyMatch(it -> it.state != State.IN_SERVICE)) {
                return;
            }
            int most = perZone.values().stream().mapToInt(it -> it).max().getAsInt();
            int fewest = perZone.values().stream().mapToInt(it -> it).min().getAsInt();
            if (most - fewest > 1 && wanted < spec.max()) {
                // One too many until it is in service; then the fullest zone's oldest goes.
                moving = launch(now);
            }
        }
    }

    /** An instance refresh: every instance is replaced, one after the other. */
    private final class Refresh {
        private final String id = UUID.randomUUID().toString();
        private final Group group;
        private final boolean launchesFirst;
        private final Duration warmUp;
        private final Set<String> left = new TreeSet<>();
        private final int all;
        private String status = "InProgress";
        private String reason = "";
        private @Nullable Member leaving;

        private Refresh(Group group, boolean launchesFirst, Duration warmUp, boolean skipMatching) {
            this.group = group;
            this.launchesFirst = launchesFirst;
            this.warmUp = warmUp;
            for (Member member : group.counted()) {
                if (!skipMatching || !member.instance.image().equals(group.image)) {
                    left.add(member.instance.id());
                }
            }
            all = left.size();
        }

        private boolean runs() {
            return status.equals("InProgress");
        }

        private int extra() {
            return runs() && launchesFirst && leaving == null && !left.isEmpty() ? 1 : 0;
        }

        private void tick(Instant now) {
            if (!runs()) {
                return;
            }
            if (leaving != null && leaving.state == State.TERMINATED) {
                leaving = null;
            }
            boolean complete =
                    group.counted().size() >= group.desired + extra()
                            && group.counted().stream()
                                    .allMatch(
                                            it ->
                                                    it.state == State.IN_SERVICE
                                                            && (left.contains(it.instance.id())
                                                                    || !now.isBefore(
                                                                            it.since.plus(
                                                                                    warmUp))));
            left.retainAll(group.counted().stream().map(it -> it.instance.id()).toList());
            if (leaving != null || !complete) {
                return;
            }
            if (left.isEmpty()) {
                over("Successful", "", "Succeeded");
                return;
            }
            leaving = group.oldestOfTheFullestZone(it -> left.contains(it.instance.id()));
            left.remove(leaving.instance.id());
            group.leave(leaving, now);
        }

        private void failed(String why) {
            if (runs()) {
                over("Failed", why, "Failed");
            }
        }

        private void over(String newStatus, String newReason, String what) {
            status = newStatus;
            reason = newReason;
            listener.refreshed(group.spec.region(), group.spec.name(), id, what);
        }

        private RefreshView view() {
            int done = all == 0 ? 100 : 100 * (all - left.size()) / all;
            return new RefreshView(id, status, reason, done, left.size());
        }
    }

    /** The state in the words of EventBridge's lifecycle events. */
    static String transition(Hook hook) {
        return "autoscaling:EC2_INSTANCE_"
                + (hook.launching() ? "launching" : "terminating").toUpperCase(Locale.ROOT);
    }
}
