package io.vaultdr.rehearsal.world;

import io.vaultdr.rehearsal.world.WorldEvent.ExecutionChanged;
import io.vaultdr.rehearsal.world.WorldEvent.StateChanged;

import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.sfn.SfnClient;
import software.amazon.awssdk.services.sfn.model.ExecutionStatus;
import software.amazon.awssdk.services.sfn.model.HistoryEvent;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.function.Consumer;

/** Watches executions in moto and tells which states they enter and leave, and how they end. */
final class Executions {
    private static final Duration EVERY = Duration.ofMillis(500);

    private final SdkClients aws;
    private final Metrics metrics;
    private final Consumer<WorldEvent> events;
    private final ExecutorService threads;
    private final Set<String> watched = ConcurrentHashMap.newKeySet();

    Executions(
            SdkClients aws, Metrics metrics, Consumer<WorldEvent> events, ExecutorService threads) {
        this.aws = aws;
        this.metrics = metrics;
        this.events = events;
        this.threads = threads;
    }

    /** Watches an execution until it ends; once, however often it is asked for. */
    void watch(String region, String arn) {
        if (!arn.isEmpty() && watched.add(arn)) {
            threads.execute(
                    () -> {
                        try {
                            follow(region, arn);
                        } catch (InterruptedException e) {
                            Thread.currentThread().interrupt();
                        }
                    });
        }
    }

    private void follow(String region, String arn) throws InterruptedException {
        String name = arn.substring(arn.lastIndexOf(':') + 1);
        events.accept(new ExecutionChanged(Instant.now(), name, "RUNNING"));
        int seen = 0;
        try (SfnClient client = aws.at(SfnClient.builder(), region).build()) {
            while (true) {
                try {
                    ExecutionStatus status =
                            client.describeExecution(e -> e.executionArn(arn)).status();
                    List<HistoryEvent> history =
                            client.getExecutionHistory(e -> e.executionArn(arn).maxResults(1000))
                                    .events();
                    for (HistoryEvent event : history.subList(seen, history.size())) {
                        state(name, event);
                    }
                    seen = history.size();
                    if (status != ExecutionStatus.RUNNING) {
                        count(region, arn, status);
                        events.accept(new ExecutionChanged(Instant.now(), name, status.toString()));
                        return;
                    }
                } catch (SdkException e) {
                    if (Thread.currentThread().isInterrupted()) {
                        return;
                    }
                    // moto is busy, or ends; the next look tells.
                    events.accept(new ExecutionChanged(Instant.now(), name, "UNKNOWN"));
                }
                Thread.sleep(EVERY);
            }
        }
    }

    /** As Step Functions' own metrics do. */
    private void count(String region, String arn, ExecutionStatus status) {
        String machine =
                arn.substring(0, arn.lastIndexOf(':')).replace(":execution:", ":stateMachine:");
        String metric =
                switch (status) {
                    case SUCCEEDED -> "ExecutionsSucceeded";
                    case TIMED_OUT -> "ExecutionsTimedOut";
                    case ABORTED -> "ExecutionsAborted";
                    default -> "ExecutionsFailed";
                };
        metrics.add(
                new Metrics.Id(region, "AWS/States", metric, Map.of("StateMachineArn", machine)),
                Instant.now(),
                1);
    }

    private void state(String execution, HistoryEvent event) {
        if (event.stateEnteredEventDetails() != null) {
            events.accept(
                    new StateChanged(
                            event.timestamp(),
                            execution,
                            event.stateEnteredEventDetails().name(),
                            true));
        } else if (event.stateExitedEventDetails() != null) {
            events.accept(
                    new StateChanged(
                            event.timestamp(),
                            execution,
                            event.stateExitedEventDetails().name(),
                            false));
        }
    }
}
