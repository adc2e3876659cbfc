package io.vaultdr.rehearsal.world;

import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/** Something that happened in the world, for the console, the timeline and the report. */
public sealed interface WorldEvent {
    /** When it happened. */
    Instant at();

    /** An invocation was handed to a JVM; {@code cold} when the JVM had to be started for it. */
    record FunctionStarted(
            Instant at,
            String region,
            String function,
            String requestId,
            String trigger,
            boolean cold)
            implements WorldEvent {}

    /**
     * An invocation ended.
     *
     * @param took from the hand-over to the answer, the JVM's start not included
     * @param coldStart from the process' start to its first call for work
     * @param error the error's type
     */
    record FunctionEnded(
            Instant at,
            String region,
            String function,
            String requestId,
            Duration took,
            Optional<Duration> coldStart,
            Optional<String> error)
            implements WorldEvent {}

    /** A log line of level WARN or above. */
    record FunctionLog(Instant at, String region, String function, String level, String line)
            implements WorldEvent {}

    /** A schedule fired. */
    record ScheduleFired(Instant at, String region, String rule) implements WorldEvent {}

    /** An alarm changed its state. */
    record AlarmChanged(
            Instant at, String region, String alarm, String from, String to, String reason)
            implements WorldEvent {}

    /** A state machine's execution started or ended. */
    record ExecutionChanged(Instant at, String execution, String status) implements WorldEvent {}

    /** An execution entered or left a state. */
    record StateChanged(Instant at, String execution, String state, boolean entered)
            implements WorldEvent {}

    /** A datapoint, put by PutMetricData or written as embedded metric format. */
    record MetricPut(
            Instant at,
            String region,
            String namespace,
            String name,
            Map<String, String> dimensions,
            double value,
            Instant timestamp)
            implements WorldEvent {}

    /** A call that the function's role doesn't grant; it got AccessDenied. */
    record CallDenied(Instant at, String function, String action, String resource)
            implements WorldEvent {}

    /** A message was published to a topic. */
    record Paged(Instant at, String region, String topic, String subject, String message)
            implements WorldEvent {}

    /** Run Command's document ended on a machine. */
    record CommandRun(Instant at, String region, String document, String instance, int exitCode)
            implements WorldEvent {}

    /** A group's desired capacity was set. */
    record CapacityChanged(Instant at, String region, String group, int desired)
            implements WorldEvent {}

    /** An instance of a group changed its lifecycle state. */
    record InstanceChanged(
            Instant at, String region, String group, String instance, String zone, String state)
            implements WorldEvent {}

    /** An instance refresh began or ended. */
    record RefreshChanged(Instant at, String region, String group, String what)
            implements WorldEvent {}

    /** A zone was taken away. */
    record ZoneLost(Instant at, String zone) implements WorldEvent {}

    /** A load balancer found a target well, or no longer. */
    record TargetChanged(Instant at, String loadBalancer, String target, boolean healthy)
            implements WorldEvent {}

    /** A region was taken away. */
    record RegionLost(Instant at, String region) implements WorldEvent {}

    /** A region came back. */
    record RegionRestored(Instant at, String region) implements WorldEvent {}

    /** A fault that was asked for met a call. */
    record FaultHit(Instant at, String fault, String function, String call) implements WorldEvent {}

    /** An event that was given up: its function failed until the retries ran out. */
    record Undelivered(Instant at, String region, String function, String error, String payload)
            implements WorldEvent {}
}
