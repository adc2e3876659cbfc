package io.vaultdr.workflow;

import io.vaultdr.failover.Incident;
import io.vaultdr.failover.Incident.StepRecord;
import io.vaultdr.model.Failure;
import io.vaultdr.model.StepName;
import io.vaultdr.promotion.Capacity;
import io.vaultdr.promotion.NodeCommands;
import io.vaultdr.promotion.NodeCommands.Result;
import io.vaultdr.promotion.NodeCommands.Run;
import io.vaultdr.promotion.QuarantineMark;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.runtime.Parallel;
import io.vaultdr.vault.LeaderFinder;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Cuts home's clients off, looks whether they are, and says what could not be. A promotion by
 * restore has no Raft path between the sides, so the fence is about clients only: the server is
 * stopped on home's instances, and a mark is left where home's nodes can read it when they come
 * back.
 *
 * <p>A home that doesn't answer can't be stopped. That is recorded, and the failover goes on:
 * waiting would make an outage of what is one already.
 */
public final class Fence implements Step {
    private static final String CUT = "cut";

    /** Delivery's 30 s and what stopping takes. */
    private static final Duration STOP = Duration.ofSeconds(45);

    private static final Duration LOOK = Duration.ofSeconds(3);

    private final PairSettings pair;
    private final NodeCommands commands;
    private final List<QuarantineMark> marks;
    private final LeaderFinder leaders;
    private final Optional<Capacity> group;

    /**
     * Fences the home of {@code pair}.
     *
     * @param group home's group, which is kept from replacing what is stopped here
     */
    public Fence(
            PairSettings pair,
            NodeCommands commands,
            List<QuarantineMark> marks,
            LeaderFinder leaders,
            Optional<Capacity> group) {
        this.group = group;
        this.pair = pair;
        this.commands = commands;
        this.marks = marks;
        this.leaders = leaders;
    }

    @Override
    public StepName name() {
        return StepName.FENCE;
    }

    /** Where the execution comes by again, what couldn't be cut is looked at and tried again. */
    @Override
    public boolean settled(StepRecord finished) {
        return "yes".equals(finished.result().get(CUT));
    }

    @Override
    public Map<String, String> perform(Work work) {
        if (work.dryRun()) {
            return Map.of(CUT, "dry run", "home", seen());
        }
        List<String> couldNot = new ArrayList<>();
        List<Supplier<List<String>>> cuts = new ArrayList<>();
        cuts.add(this::stop);
        group.ifPresent(it -> cuts.add(() -> suspend(it)));
        marks.forEach(mark -> cuts.add(() -> mark(mark, work)));
        Parallel.each(cuts, Supplier::get).forEach(couldNot::addAll);
        if (!couldNot.isEmpty()) {
            work.change(incident -> with(incident, couldNot));
        }
        if (couldNot.isEmpty() && "no".equals(work.remembered().get(CUT))) {
            work.find("Home is fenced now: what couldn't be cut before is cut.");
        }
        return Map.of(CUT, couldNot.isEmpty() ? "yes" : "no", "couldNot", "" + couldNot.size());
    }

    /** Stops home's servers; what could not be stopped. */
    private List<String> stop() {
        PairSettings.Cluster home = pair.home();
        String document = pair.failover().orElseThrow().stopDocument();
        List<Run> runs;
        try {
            runs = commands.run(home, document, STOP);
        } catch (Failure e) {
            return List.of(
                    "Couldn't fence home: "
                            + e.getMessage()
                            + " Its servers may still serve whoever reaches them, and come back"
                            + " with the region: stop them before clients do.");
        }
        List<String> couldNot = new ArrayList<>();
        if (runs.isEmpty()) {
            couldNot.add(
                    "Couldn't fence home: no instance in "
                            + home.region()
                            + " that Systems Manager knows carries the tag "
                            + home.instanceTag()
                                    .map(t -> t.key() + "=" + t.value())
                                    .orElse("(none configured)")
                            + ".");
        }
        runs.stream()
                .filter(run -> run.result() != Result.SUCCEEDED)
                .map(
                        run ->
                                "Couldn't fence home's instance "
                                        + run.instance()
                                        + ": "
                                        + run.detail()
                                        + ". Its server may still run: stop it.")
                .forEach(couldNot::add);
        if (leaders.find(home, LOOK) instanceof LeaderFinder.Finding.Active active) {
            couldNot.add(
                    "Home still serves after it was stopped: "
                            + active.node().address()
                            + " is active. Stop it, or cut its clients off.");
        }
        return couldNot;
    }

    /** A stopped server may look unhealthy, and its data are still wanted. */
    private static List<String> suspend(Capacity group) {
        try {
            group.suspendTermination();
            return List.of();
        } catch (Failure e) {
            return List.of(
                    "Home's group may replace the instances that were stopped: " + e.getMessage());
        }
    }

    private static Incident with(Incident incident, List<String> findings) {
        Incident all = incident;
        for (String finding : findings) {
            all = all.withFinding(finding);
        }
        return all;
    }

    private static List<String> mark(QuarantineMark mark, Work work) {
        try {
            mark.put(work.incident());
            return List.of();
        } catch (Failure e) {
            return List.of("No quarantine mark in " + mark.place() + ": " + e.getMessage());
        }
    }

    private String seen() {
        return switch (leaders.find(pair.home(), LOOK)) {
            case LeaderFinder.Finding.Active active -> "active at " + active.node().address();
            case LeaderFinder.Finding.NoneActive none -> none.silent() ? "silent" : "none active";
        };
    }
}
