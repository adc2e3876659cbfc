package io.vaultdr.infra.construct;

import io.vaultdr.infra.config.Names;

import software.amazon.awscdk.services.stepfunctions.Choice;
import software.amazon.awscdk.services.stepfunctions.Condition;
import software.amazon.awscdk.services.stepfunctions.IChainable;
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
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * The way of a drill, as a state machine whose every task is a phase of one function:
 *
 * <pre>
 * Begin ▶ Over? ─ yes ───────────────▶ Close ▶ Ended
 *           └──── no ─▶ Wait ▶ Look ▶ Over?
 * </pre>
 *
 * Where a cluster is booted, the pair's real promotion follows a chain that went through:
 *
 * <pre>
 * Over? ─ yes ▶ Boots? ─ yes ▶ Boot ▶ Promote ▶ Verify ▶ Grow ▶ TearDown ▶ Close
 *                      └ no ──────────────────────────────────────────────▶ Close
 * </pre>
 *
 * What fails ends in {@code Close}, which reports it, and by way of {@code TearDown} where
 * something stands; an execution that fails has no report.
 */
public final class DrillMachine extends Construct {
    private static final Duration QUICK = Duration.ofMinutes(2);

    private final StateMachine machine;

    /**
     * Makes the machine.
     *
     * @param cluster the function that boots a cluster; empty: none is booted
     */
    public DrillMachine(
            Construct scope,
            String id,
            Names names,
            String region,
            VaultDrFunction drill,
            Optional<VaultDrFunction> cluster) {
        super(scope, id);
        LambdaInvoke begin = phase("Begin", drill, QUICK);
        LambdaInvoke look = phase("Look", drill, QUICK);
        LambdaInvoke close = phase("Close", drill, QUICK);
        begin.addCatch(close, FailoverMachine.failure());
        look.addCatch(close, FailoverMachine.failure());
        close.next(Succeed.Builder.create(this, "Ended").build());
        Choice over =
                Choice.Builder.create(this, "Over")
                        .build()
                        .when(
                                Condition.booleanEquals("$.over", true),
                                cluster.map(it -> boots(it, close)).orElse(close))
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
                        cluster.isPresent() ? List.of("drill", "drill-cluster") : List.of("drill"),
                        Duration.ofHours(cluster.isPresent() ? 5 : 3),
                        begin);
    }

    /** The machine itself. */
    public StateMachine machine() {
        return machine;
    }

    /** The phases of a cluster, of which the last comes whatever becomes of the others. */
    private IChainable boots(VaultDrFunction cluster, LambdaInvoke close) {
        Duration whole = Duration.ofMinutes(15);
        LambdaInvoke tearDown = phase("TearDown", cluster, whole);
        tearDown.addCatch(close, FailoverMachine.failure());
        tearDown.next(close);
        List<LambdaInvoke> phases =
                Stream.of("Boot", "Promote", "Verify", "Grow")
                        .map(name -> phase(name, cluster, whole))
                        .toList();
        for (int n = 0; n < phases.size(); n++) {
            phases.get(n).addCatch(tearDown, FailoverMachine.failure());
            phases.get(n).next(n + 1 < phases.size() ? phases.get(n + 1) : tearDown);
        }
        return Choice.Builder.create(this, "Boots")
                .build()
                .when(Condition.booleanEquals("$.boots", true), phases.getFirst())
                .otherwise(close);
    }

    private LambdaInvoke phase(String name, VaultDrFunction function, Duration limit) {
        return FailoverMachine.retried(
                LambdaInvoke.Builder.create(this, name)
                        .stateName(name)
                        .lambdaFunction(function.version())
                        .payload(
                                TaskInput.fromObject(
                                        new TreeMap<>(
                                                Map.of(
                                                        "phase",
                                                        FailoverMachine.kebab(name)
                                                                .replace('-', '_'),
                                                        "execution",
                                                        JsonPath.stringAt("$$.Execution.Id"),
                                                        "startedAt",
                                                        JsonPath.stringAt("$$.Execution.StartTime"),
                                                        "state",
                                                        JsonPath.getEntirePayload()))))
                        .outputPath("$.Payload")
                        .taskTimeout(Timeout.duration(Times.of(limit)))
                        .retryOnServiceExceptions(false)
                        .build());
    }
}
