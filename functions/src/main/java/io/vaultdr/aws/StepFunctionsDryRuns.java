package io.vaultdr.aws;

import io.vaultdr.drill.DryRuns;
import io.vaultdr.failover.Executions;

import software.amazon.awssdk.services.sfn.SfnClient;
import software.amazon.awssdk.services.sfn.model.DescribeExecutionResponse;
import software.amazon.awssdk.services.sfn.model.ExecutionStatus;
import software.amazon.awssdk.services.sfn.model.HistoryEvent;
import software.amazon.awssdk.services.sfn.model.HistoryEventType;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Dry runs in AWS Step Functions, timed by the events of their history.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/step-functions/latest/apireference/API_GetExecutionHistory.html">GetExecutionHistory</a>
 */
public final class StepFunctionsDryRuns implements DryRuns {
    private final SfnClient sfn;
    private final Executions executions;

    /** Dry runs that {@code executions} starts. */
    public StepFunctionsDryRuns(SfnClient sfn, Executions executions) {
        this.sfn = sfn;
        this.executions = executions;
    }

    @Override
    public String start(Instant at) {
        return executions.startDryRun(at);
    }

    @Override
    public Standing look(String arn) {
        return AwsCalls.read(
                "look at execution " + arn,
                () -> {
                    DescribeExecutionResponse execution =
                            sfn.describeExecution(request -> request.executionArn(arn));
                    List<HistoryEvent> events =
                            sfn
                                    .getExecutionHistoryPaginator(
                                            request ->
                                                    request.executionArn(arn)
                                                            .includeExecutionData(false)
                                                            .maxResults(1_000))
                                    .events()
                                    .stream()
                                    .toList();
                    boolean running = execution.status() == ExecutionStatus.RUNNING;
                    boolean good = execution.status() == ExecutionStatus.SUCCEEDED;
                    return new Standing(
                            running,
                            running || good
                                    ? Optional.empty()
                                    : Optional.of(
                                            Optional.ofNullable(execution.error())
                                                    .orElse(execution.statusAsString())),
                            steps(events));
                });
    }

    /** In parallel branches too: what exits is found by its name, the newest entry first. */
    private static List<Step> steps(List<HistoryEvent> events) {
        Map<String, Instant> entered = new HashMap<>();
        List<Step> steps = new ArrayList<>();
        for (HistoryEvent event : events) {
            if (event.type() == HistoryEventType.TASK_STATE_ENTERED) {
                entered.put(event.stateEnteredEventDetails().name(), event.timestamp());
            } else if (event.type() == HistoryEventType.TASK_STATE_EXITED) {
                String name = event.stateExitedEventDetails().name();
                Instant at = entered.remove(name);
                if (at != null) {
                    steps.add(new Step(name, at, event.timestamp()));
                }
            }
        }
        steps.sort(Comparator.comparing(Step::enteredAt));
        return List.copyOf(steps);
    }
}
