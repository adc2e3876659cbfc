package io.vaultdr.vault;

import io.vaultdr.model.Failure;
import io.vaultdr.runtime.Deadline;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.runtime.Sleep;
import io.vaultdr.vault.VaultClient.Health;
import io.vaultdr.vault.VaultClient.NodeStatus;

import java.net.URI;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * Finds the node that is active, by asking all nodes at once. Only a 200 from the active node
 * itself counts: after a quorum was lost the survivors go on answering 429 and naming a leader that
 * is dead (facts §11 J), so a standby's word is followed and the node that it names is asked.
 */
public final class LeaderFinder {
    /** Before nodes of which none said anything are asked again. */
    private static final Duration AGAIN = Duration.ofMillis(500);

    private final VaultClients clients;

    /** A finder that asks through {@code clients}. */
    public LeaderFinder(VaultClients clients) {
        this.clients = clients;
    }

    /** What asking all nodes came to. */
    public sealed interface Finding {
        /** This node is active. */
        record Active(VaultClient node, Health health) implements Finding {}

        /**
         * No node is.
         *
         * @param answers of each node that was asked, in the order of the configuration, then those
         *     that standbys named
         */
        record NoneActive(List<Answer> answers) implements Finding {
            public NoneActive {
                answers = List.copyOf(answers);
            }

            /** Whether no node answered. */
            public boolean silent() {
                return answers.stream().allMatch(answer -> answer.status().isEmpty());
            }

            /** Whether some node answered, and all that did are sealed. */
            public boolean sealed() {
                return !silent()
                        && answers.stream()
                                .flatMap(answer -> answer.status().stream())
                                .allMatch(NodeStatus.SEALED::equals);
            }

            /** Whether some node answered, and all that did are not initialised. */
            public boolean blank() {
                return !silent()
                        && answers.stream()
                                .flatMap(answer -> answer.status().stream())
                                .allMatch(NodeStatus.NOT_INITIALISED::equals);
            }

            /** What each node said, for people. */
            @Override
            public String toString() {
                return String.join(", ", answers.stream().map(Answer::toString).toList());
            }
        }
    }

    /**
     * What one node said.
     *
     * @param status empty when it gave no answer
     * @param why why there is no answer; empty when there is one
     */
    public record Answer(URI node, Optional<NodeStatus> status, Optional<Failure> why) {
        @Override
        public String toString() {
            return status.map(said -> node + " " + said)
                    .or(() -> why.map(Failure::seen))
                    .orElse(node + " SILENT");
        }
    }

    private record Asked(
            VaultClient node, Optional<Health> health, Answer answer, Optional<URI> names) {}

    /**
     * Asks all nodes of {@code cluster}; returns as soon as one is found to be active.
     *
     * @param limit how long to wait for all answers together; a node that hasn't answered by then
     *     is silent
     */
    public Finding find(PairSettings.Cluster cluster, Duration limit) {
        long end = System.nanoTime() + limit.toNanos();
        BlockingQueue<Asked> answers = new LinkedBlockingQueue<>();
        List<URI> asked = new ArrayList<>();
        List<Thread> threads = new ArrayList<>();
        List<Answer> heard = new ArrayList<>();
        try {
            for (URI node : cluster.nodes()) {
                ask(cluster, node, answers, asked, threads);
            }
            while (heard.size() < asked.size()) {
                Asked next = answers.poll(end - System.nanoTime(), TimeUnit.NANOSECONDS);
                if (next == null) {
                    break;
                }
                if (next.answer().status().filter(NodeStatus.ACTIVE::equals).isPresent()) {
                    return new Finding.Active(next.node(), next.health().orElseThrow());
                }
                heard.add(next.answer());
                if (next.names().isPresent() && !asked.contains(next.names().get())) {
                    ask(cluster, next.names().get(), answers, asked, threads);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            threads.forEach(Thread::interrupt);
        }
        for (URI node : List.copyOf(asked)) {
            if (heard.stream().noneMatch(answer -> answer.node().equals(node))) {
                heard.add(
                        new Answer(
                                node,
                                Optional.empty(),
                                Optional.of(
                                        new Failure.Retryable(
                                                "GET sys/health on " + node,
                                                "no answer within " + limit,
                                                "Check the node and the network to it"))));
            }
        }
        heard.sort(Comparator.comparingInt(answer -> asked.indexOf(answer.node())));
        return new Finding.NoneActive(heard);
    }

    /**
     * The active node of {@code cluster}. While no node says anything they are asked again: a
     * function that has just started shakes hands with all of them at once for the first time, and
     * may need longer for that than a connection may take.
     *
     * @param limit how long to ask, all in all
     * @throws Failure.Retryable naming what each node said, where none is active
     */
    public VaultClient require(PairSettings.Cluster cluster, Duration limit) {
        Clock clock = Clock.systemUTC();
        Deadline deadline = new Deadline(clock, clock.instant().plus(limit));
        Finding found = find(cluster, limit);
        while (silent(found)
                && deadline.left().compareTo(AGAIN) > 0
                && !Thread.currentThread().isInterrupted()) {
            Sleep.on(clock).accept(clock.instant().plus(AGAIN));
            found = find(cluster, deadline.left());
        }
        return switch (found) {
            case Finding.Active(VaultClient node, Health _) -> node;
            case Finding.NoneActive none ->
                    throw new Failure.Retryable(
                            "find the active node of " + cluster.address(),
                            "none is (" + none + ")",
                            "Try again once a node is unsealed and leads");
        };
    }

    private static boolean silent(Finding found) {
        return found instanceof Finding.NoneActive none && none.silent();
    }

    private void ask(
            PairSettings.Cluster cluster,
            URI address,
            BlockingQueue<Asked> answers,
            List<URI> asked,
            List<Thread> threads) {
        asked.add(address);
        threads.add(
                Thread.ofVirtual()
                        .name("health of " + address)
                        .start(() -> answers.add(ask(clients.at(cluster, address)))));
    }

    private static Asked ask(VaultClient node) {
        URI address = node.address();
        try {
            Health health = node.health();
            return new Asked(
                    node,
                    Optional.of(health),
                    new Answer(address, Optional.of(health.meaning()), Optional.empty()),
                    named(node, health.meaning()));
        } catch (Failure e) {
            return new Asked(
                    node,
                    Optional.empty(),
                    new Answer(address, Optional.empty(), Optional.of(e)),
                    Optional.empty());
        }
    }

    /** The leader that a standby names, unless it is to be reached with less protection. */
    private static Optional<URI> named(VaultClient node, NodeStatus status) {
        return switch (status) {
            case STANDBY, PERFORMANCE_STANDBY, UNHEALTHY_STANDBY -> {
                try {
                    yield node.leader()
                            .address()
                            .filter(it -> node.address().getScheme().equals(it.getScheme()));
                } catch (Failure e) {
                    // It said that it stands by, which is all that its answer has to hold.
                    yield Optional.empty();
                }
            }
            case ACTIVE, DR_SECONDARY, NOT_INITIALISED, SEALED, REMOVED, UNKNOWN ->
                    Optional.empty();
        };
    }
}
