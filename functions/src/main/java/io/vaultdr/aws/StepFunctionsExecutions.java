package io.vaultdr.aws;

import io.vaultdr.failover.Executions;
import io.vaultdr.model.Epoch;
import io.vaultdr.model.PairId;
import io.vaultdr.model.Secret;
import io.vaultdr.runtime.Json;

import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.sfn.SfnClient;
import software.amazon.awssdk.services.sfn.model.ExecutionAlreadyExistsException;
import software.amazon.awssdk.services.sfn.model.ExecutionStatus;
import software.amazon.awssdk.services.sfn.model.InvalidTokenException;
import software.amazon.awssdk.services.sfn.model.TaskDoesNotExistException;
import software.amazon.awssdk.services.sfn.model.TaskTimedOutException;

import java.time.Instant;

/** Executions in AWS Step Functions; a name is used once in 90 days, which makes starts safe. */
public final class StepFunctionsExecutions implements Executions {
    private final SfnClient sfn;
    private final String stateMachineArn;
    private final PairId pair;

    /** Executions of {@code stateMachineArn}, the failover of {@code pair}. */
    public StepFunctionsExecutions(SfnClient sfn, String stateMachineArn, PairId pair) {
        this.sfn = sfn;
        this.stateMachineArn = stateMachineArn;
        this.pair = pair;
    }

    @Override
    public String start(Epoch epoch) {
        return start(
                pair + "-" + epoch,
                Json.MAPPER
                        .createObjectNode()
                        .put("pair", pair.value())
                        .put("epoch", epoch.value())
                        .toString());
    }

    @Override
    public String startDryRun(Instant at) {
        return start(
                pair + "-dryrun-" + at.getEpochSecond(),
                Json.MAPPER
                        .createObjectNode()
                        .put("pair", pair.value())
                        .put("epoch", 0)
                        .put("dryRun", true)
                        .toString());
    }

    private String start(String name, String input) {
        try {
            return sfn.startExecution(
                            request ->
                                    request.stateMachineArn(stateMachineArn)
                                            .name(name)
                                            .input(input))
                    .executionArn();
        } catch (ExecutionAlreadyExistsException e) {
            return stateMachineArn.replace(":stateMachine:", ":execution:") + ":" + name;
        } catch (SdkException e) {
            throw AwsFailures.of(
                    "start execution " + name,
                    e,
                    true,
                    "It is started again under the same name, which starts it once.");
        }
    }

    @Override
    public boolean running(String arn) {
        try {
            return sfn.describeExecution(request -> request.executionArn(arn)).status()
                    == ExecutionStatus.RUNNING;
        } catch (SdkException e) {
            throw AwsFailures.of(
                    "look at execution " + arn, e, false, "It is looked at again in a minute.");
        }
    }

    @Override
    public boolean resume(Secret token) {
        try {
            sfn.sendTaskSuccess(request -> request.taskToken(token.reveal()).output("{}"));
            return true;
        } catch (TaskTimedOutException | TaskDoesNotExistException | InvalidTokenException e) {
            return false;
        } catch (SdkException e) {
            throw AwsFailures.of(
                    "let the waiting execution go on",
                    e,
                    true,
                    "The answer is in the ledger; give it again to let the execution go on.");
        }
    }
}
