package io.vaultdr.promotion;

import io.vaultdr.model.Failure;
import io.vaultdr.runtime.Deadline;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.vault.LeaderFinder;
import io.vaultdr.vault.LeaderFinder.Finding;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * Starts the first node of a DR side whose group stands at none. From there on a promotion goes as
 * where a node has been running; killed in between, the group has been asked and is waited for.
 */
public final class PilotLight {
    private static final String ASKED = "askedForFirstNode";
    private static final String BOOT = "bootMillis";
    private static final Duration POLL = Duration.ofSeconds(2);
    private static final Duration LOOK = Duration.ofSeconds(5);

    /** An instance, its system, its server: a minute or two as a rule. */
    private static final Duration BOOTING = Duration.ofMinutes(8);

    private final PairSettings.Cluster cluster;
    private final Capacity capacity;
    private final LeaderFinder leaders;

    /** Starts the first node of {@code cluster} by {@code capacity}. */
    public PilotLight(PairSettings.Cluster cluster, Capacity capacity, LeaderFinder leaders) {
        this.cluster = cluster;
        this.capacity = capacity;
        this.leaders = leaders;
    }

    /**
     * Asks the group for one instance, unless it wants some already, and waits until a node
     * answers. From then on the group ends no instance by itself. What the node answers is judged
     * by who promotes: it should be blank.
     *
     * @throws Failure.Retryable when none answers in time
     */
    public void light(Journal journal, Deadline deadline) {
        if (answers().isPresent()) {
            return;
        }
        if (!journal.remembered().containsKey(ASKED)) {
            journal.remember(ASKED, deadline.clock().instant().toString());
        }
        capacity.suspendTermination();
        if (capacity.size().desired() < 1) {
            capacity.want(1);
        }
        if (deadline.within(BOOTING).poll(POLL, this::answers).isEmpty()) {
            throw new Failure.Retryable(
                    "start the DR side's first node",
                    "none of "
                            + cluster.nodes()
                            + " answers after the group was asked for one instance",
                    "Look at the group's activities: is there capacity of its type? and at the"
                            + " instance's own log");
        }
        Instant asked = Instant.parse(journal.remembered().getOrDefault(ASKED, ""));
        journal.remember(
                BOOT,
                Long.toString(Duration.between(asked, deadline.clock().instant()).toMillis()));
    }

    /**
     * Looks whether the group could start one, and all that follow.
     *
     * @return how many instances it wants now
     * @throws Failure.Terminal where it may not have as many as the cluster has voters
     */
    public int rehearse() {
        Capacity.Size size = capacity.size();
        if (size.max() < cluster.voters()) {
            throw new Failure.Terminal(
                    "rehearse the start of the DR side",
                    "its group may have at most "
                            + size.max()
                            + " instances, expected "
                            + cluster.voters(),
                    "Raise the group's maximum");
        }
        return size.desired();
    }

    private Optional<Finding> answers() {
        return Optional.of(leaders.find(cluster, LOOK))
                .filter(it -> !(it instanceof Finding.NoneActive none && none.silent()));
    }
}
