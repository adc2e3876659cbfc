package io.vaultdr.workflow;

import io.vaultdr.failover.Executions;
import io.vaultdr.failover.InMemoryLedger;
import io.vaultdr.failover.Incident;
import io.vaultdr.failover.Incident.Approval;
import io.vaultdr.failover.Pager;
import io.vaultdr.model.Epoch;
import io.vaultdr.model.Failure;
import io.vaultdr.model.Loss;
import io.vaultdr.model.Outcome;
import io.vaultdr.model.PairId;
import io.vaultdr.model.Secret;
import io.vaultdr.promotion.Capacity;
import io.vaultdr.runtime.Deadline;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.runtime.PairSettings.Bucket;
import io.vaultdr.runtime.PairSettings.Cluster;
import io.vaultdr.runtime.PairSettings.Edition;
import io.vaultdr.runtime.PairSettings.Flag;
import io.vaultdr.runtime.PairSettings.Stage;
import io.vaultdr.runtime.PairSettings.Tag;
import io.vaultdr.runtime.PairSettings.Traffic;
import io.vaultdr.runtime.PairSettings.Vantage;

import java.net.URI;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/** A pair, its ledger with an open incident, and stand-ins that write down what they were told. */
final class Fixture {
    static final Instant NOW = Instant.parse("2026-03-01T03:00:00Z");
    static final Clock CLOCK = Clock.fixed(NOW, ZoneOffset.UTC);
    static final PairId PAIR = new PairId("payments");
    static final Epoch EPOCH = new Epoch(1);
    static final Flag DR_FLAG = new Flag.InBucket("eu-central-1", "flag-dr", "traffic/dr");
    static final Flag WITNESS_FLAG = new Flag.InBucket("eu-north-1", "flag-witness", "traffic/dr");

    final InMemoryLedger ledger = new InMemoryLedger(PAIR);
    final List<Pager.Page> pages = new ArrayList<>();
    final Pager pager =
            new Pager() {
                @Override
                public void page(Page page) {
                    pages.add(page);
                }

                @Override
                public int receivers() {
                    return 2;
                }
            };
    final Group dr = new Group();
    final Group home = new Group();
    final List<String> resumed = new ArrayList<>();
    final List<Epoch> started = new ArrayList<>();
    final Executions executions =
            new Executions() {
                @Override
                public String start(Epoch epoch) {
                    started.add(epoch);
                    return "arn:" + epoch;
                }

                @Override
                public String startDryRun(Instant at) {
                    return "arn:dryrun";
                }

                @Override
                public boolean running(String arn) {
                    return true;
                }

                @Override
                public boolean resume(Secret token) {
                    return resumed.add(token.reveal());
                }
            };

    static PairSettings pair(Stage stage) {
        return pair(stage, URI.create("https://home-1:8200"), URI.create("https://dr-1:8200"));
    }

    static PairSettings pair(Stage stage, URI home, URI dr) {
        return new PairSettings(
                PAIR,
                Edition.OPENBAO,
                stage,
                "123456789012",
                cluster("eu-west-1", home),
                Optional.of(cluster("eu-central-1", dr)),
                List.of(
                        new Bucket("eu-west-1", "home", "123456789012"),
                        new Bucket("eu-central-1", "dr", "123456789012")),
                List.of(
                        new Vantage("eu-west-1", Vantage.Role.HOME),
                        new Vantage("eu-central-1", Vantage.Role.DR),
                        new Vantage("eu-north-1", Vantage.Role.WITNESS)),
                Optional.of(failover()),
                Optional.of(
                        new Traffic(
                                "Z1",
                                "vault.example.com",
                                "home",
                                "dr",
                                List.of(DR_FLAG, WITNESS_FLAG))),
                Duration.ofSeconds(10),
                Duration.ofMinutes(15),
                "arn:aws:sns:eu-central-1:123456789012:pages");
    }

    static Cluster cluster(String region, URI node) {
        return new Cluster(
                region,
                node,
                List.of(node),
                Optional.empty(),
                "payments-vault-dr",
                Optional.of("vault-" + region),
                Optional.of(new Tag("Name", "vault-" + region)),
                3,
                Optional.empty(),
                Optional.empty());
    }

    static PairSettings.Failover failover() {
        return new PairSettings.Failover(
                "ledger",
                "arn:aws:states:eu-central-1:123456789012:stateMachine:vault-dr-payments-failover",
                "restart",
                "wipe",
                "stop",
                "openbao",
                Duration.ofHours(1),
                Duration.ofHours(4),
                Duration.ofMinutes(30),
                Duration.ofMinutes(20),
                Duration.ofHours(2),
                Optional.empty(),
                PairSettings.Failover.Prefer.PROVEN,
                PairSettings.Failover.Strategy.WARM_STANDBY);
    }

    static Incident incident(Approval approval) {
        return incident(EPOCH, "evidence", approval);
    }

    static Incident incident(Epoch epoch, String requestedBy, Approval approval) {
        return new Incident(
                PAIR,
                epoch,
                NOW,
                requestedBy,
                "DOWN",
                Map.of("eu-north-1", "NO"),
                List.of(),
                List.of(),
                "FAIL_OVER",
                "FAIL_OVER",
                loss(300),
                Optional.of(NOW.minusSeconds(120)),
                approval,
                Map.of(),
                Optional.empty(),
                List.of(),
                Outcome.OPEN,
                Optional.empty(),
                0);
    }

    static Loss loss(long seconds) {
        return new Loss(Duration.ofSeconds(seconds), OptionalLong.empty());
    }

    /** A group that writes down what it was told, or doesn't answer. */
    static final class Group implements Capacity {
        final List<String> told = new ArrayList<>();
        boolean away;

        @Override
        public Size size() {
            return new Size(1, 5);
        }

        @Override
        public void want(int instances) {
            say("want " + instances);
        }

        @Override
        public void suspendTermination() {
            say("suspend");
        }

        @Override
        public void resumeTermination() {
            say("resume");
        }

        private void say(String what) {
            if (away) {
                throw new Failure.Retryable("ask the group", "silence", "Try again");
            }
            told.add(what);
        }
    }

    /** Opens the incident. */
    Fixture open(Approval approval) {
        ledger.open(ledger.state(), incident(approval));
        return this;
    }

    Incident incident() {
        return ledger.incident(EPOCH).orElseThrow();
    }

    Map<String, String> run(Step step) {
        return new StepRunner(ledger, CLOCK).run(step, input(), deadline());
    }

    static StepInput input() {
        return new StepInput(PAIR, EPOCH, false, false, Optional.of(Secret.of("task-token")));
    }

    static StepInput dryRun() {
        return new StepInput(PAIR, Epoch.ZERO, true, false, Optional.of(Secret.of("task-token")));
    }

    static Deadline deadline() {
        return new Deadline(CLOCK, NOW);
    }
}
