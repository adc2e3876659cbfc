package io.vaultdr.infra.construct;

import io.vaultdr.infra.config.Names;

import software.amazon.awscdk.services.stepfunctions.Choice;
import software.amazon.awscdk.services.stepfunctions.Condition;
import software.amazon.awscdk.services.stepfunctions.JsonPath;
import software.amazon.awscdk.services.stepfunctions.StateMachine;
import software.amazon.awscdk.services.stepfunctions.Succeed;
import software.amazon.awscdk.services.stepfunctions.TaskInput;
import software.amazon.awscdk.services.stepfunctions.Timeout;
import software.amazon.awscdk.services.stepfunctions.Wait;
import software.amazon.awscdk.services.stepfunctions.WaitTime;
import software.amazon.awscdk.services.stepfunctions.tasks.LambdaInvoke;
import software.constructs.Construct;

import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * The way of a drill, as a state machine whose every task is a phase of one function:
 *
 * <pre>
 * Begin ▶ Over? ─ yes ───────────────▶ Close ▶ Ended
 *           └──── no ─▶ Wait ▶ Look ▶ Over?
 * </pre>
 *
 * What fails ends in {@code Close}, which reports it; an execution that fails has no report.
 */
public final class DrillMachine extends Construct {
    private final VaultDrFunction drill;
    private final StateMachine machine;

    public DrillMachine(
            Construct scope, String id, Names names, String region, VaultDrFunction drill) {
        super(scope, id);
        this.drill = drill;
        LambdaInvoke begin = phase("Begin");
        LambdaInvoke look = phase("Look");
        LambdaInvoke close = phase("Close");
        begin.addCatch(close, FailoverMachine.failure());
        look.addCatch(close, FailoverMachine.failure());
        close.next(Succeed.Builder.create(this, "Ended").build());
        Choice over =
                Choice.Builder.create(this, "Over")
                        .build()
                        .when(Condition.booleanEquals("$.over", true), close)
                        .otherwise(
                                Wait.Builder.create(this, "Wait")
                                        .time(WaitTime.duration(Times.of(Duration.ofSeconds(10))))
                                        .build()
                                        .next(look));
        begin.next(over);
        look.next(over);
        machine =
                FailoverMachine.machine(
                        this,
                        names,
                        region,
                        names.of("drill"),
                        "Drills " + names.pair(),
                        List.of("drill"),
                        Duration.ofHours(3),
                        begin);
    }

    /** The machine itself. */
    public StateMachine machine() {
        return machine;
    }

    private LambdaInvoke phase(String name) {
        return FailoverMachine.retried(
                LambdaInvoke.Builder.create(this, name)
                        .stateName(name)
                        .lambdaFunction(drill.version())
                        .payload(
                                TaskInput.fromObject(
                                        new TreeMap<>(
                                                Map.of(
                                                        "phase",
                                                        name.toLowerCase(Locale.ROOT),
                                                        "execution",
                                                        JsonPath.stringAt("$$.Execution.Id"),
                                                        "startedAt",
                                                        JsonPath.stringAt("$$.Execution.StartTime"),
                                                        "state",
                                                        JsonPath.getEntirePayload()))))
                        .outputPath("$.Payload")
                        .taskTimeout(Timeout.duration(Times.of(Duration.ofMinutes(2))))
                        .retryOnServiceExceptions(false)
                        .build());
    }
}
