package io.vaultdr.infra.construct;

import io.vaultdr.infra.config.Names;
import io.vaultdr.infra.iam.MachinePolicy;
import io.vaultdr.infra.iam.Policy;

import software.amazon.awscdk.RemovalPolicy;
import software.amazon.awscdk.services.lambda.IFunction;
import software.amazon.awscdk.services.logs.LogGroup;
import software.amazon.awscdk.services.logs.RetentionDays;
import software.amazon.awscdk.services.stepfunctions.CatchProps;
import software.amazon.awscdk.services.stepfunctions.Choice;
import software.amazon.awscdk.services.stepfunctions.Condition;
import software.amazon.awscdk.services.stepfunctions.DefinitionBody;
import software.amazon.awscdk.services.stepfunctions.Fail;
import software.amazon.awscdk.services.stepfunctions.IChainable;
import software.amazon.awscdk.services.stepfunctions.IntegrationPattern;
import software.amazon.awscdk.services.stepfunctions.JsonPath;
import software.amazon.awscdk.services.stepfunctions.LogLevel;
import software.amazon.awscdk.services.stepfunctions.LogOptions;
import software.amazon.awscdk.services.stepfunctions.Parallel;
import software.amazon.awscdk.services.stepfunctions.Pass;
import software.amazon.awscdk.services.stepfunctions.QueryLanguage;
import software.amazon.awscdk.services.stepfunctions.RetryProps;
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
import java.util.Objects;
import java.util.TreeMap;

/**
 * The way of a failover, as a state machine:
 *
 * <pre>
 * Judge ▶ Decide ─ PROCEED ───▶ FenceAndPromote ▶ Promoted ─ DONE ▶ ServeAndGrow ▶ CloseIncident
 *   ▲       ├──── ASK ───▶ AskApproval ▶ Judge      └───── ASK ▶ AskApproval
 *   └───────┼──── WAIT ──▶ WaitThreeSlots
 *           └──── else ──▶ CloseIncident
 * </pre>
 *
 * Promote makes the node ready beside Fence and restores when the ledger says that Fence is
 * through. A promotion that fails waits for Fence, so that an incident is closed with home's state
 * known; a fence that fails ends both, for nothing may be restored then.
 *
 * <p>Whatever fails ends in {@code CloseIncident}, which reads the ledger and says how it stands.
 * The input is the pair and the epoch; all else is in the ledger.
 */
public final class FailoverMachine extends Construct {
    private final StateMachine machine;

    /**
     * What runs in the machine.
     *
     * @param steps state name → its function
     * @param approvalTimeout how long a person may take
     */
    public record Props(
            Names names,
            String region,
            Map<String, VaultDrFunction> steps,
            Duration approvalTimeout,
            Pages pages) {}

    public FailoverMachine(Construct scope, String id, Props props) {
        super(scope, id);
        LambdaInvoke close = task(props, "CloseIncident", Duration.ofMinutes(2));
        close.next(
                Choice.Builder.create(this, "Closed")
                        .build()
                        .when(
                                Condition.stringEquals("$.closeIncident.Payload.outcome", "FAILED"),
                                Fail.Builder.create(this, "Failed")
                                        .error("FailoverFailed")
                                        .cause(
                                                "The incident in the ledger says which step failed,"
                                                        + " what was done until then and how to go"
                                                        + " on")
                                        .build())
                        .otherwise(Succeed.Builder.create(this, "Done").build()));

        LambdaInvoke judge = task(props, "Judge", Duration.ofMinutes(2));
        judge.addCatch(close, failure());
        LambdaInvoke ask = askApproval(props, judge, close);
        Parallel fenceAndPromote =
                parallel(
                        "FenceAndPromote",
                        close,
                        task(props, "Fence", Duration.ofMinutes(5)),
                        branch(props, "Promote"));
        Parallel serveAndGrow =
                parallel(
                        "ServeAndGrow",
                        close,
                        branch(props, "Verify", "RedirectTraffic"),
                        branch(props, "Grow"));
        serveAndGrow.next(close);

        judge.next(
                Choice.Builder.create(this, "Decide")
                        .build()
                        .when(decided("judge", "PROCEED"), fenceAndPromote)
                        .when(decided("judge", "ASK"), ask)
                        .when(
                                decided("judge", "WAIT"),
                                Wait.Builder.create(this, "WaitThreeSlots")
                                        .time(WaitTime.duration(Times.of(Duration.ofSeconds(30))))
                                        .build()
                                        .next(judge))
                        .otherwise(close));
        String promoted = "fenceAndPromote[1].promote";
        fenceAndPromote.next(
                Choice.Builder.create(this, "Promoted")
                        .build()
                        .when(Condition.isNotPresent("$." + promoted), close)
                        .when(decided(promoted, "DONE"), serveAndGrow)
                        .when(decided(promoted, "ASK"), ask)
                        .otherwise(close));
        machine =
                machine(
                        this,
                        props.names(),
                        props.region(),
                        props.names().stateMachine(),
                        "Changes the serving side of " + props.names().pair(),
                        props.steps().keySet().stream()
                                .sorted()
                                .map(FailoverMachine::kebab)
                                .toList(),
                        props.approvalTimeout().multipliedBy(2).plus(Duration.ofHours(4)),
                        judge);
    }

    /** The machine itself. */
    public StateMachine machine() {
        return machine;
    }

    /**
     * A machine with a log, a trace and a role that lets it call its functions.
     *
     * @param functions what the functions' names end with
     */
    static StateMachine machine(
            Construct scope,
            Names names,
            String region,
            String name,
            String comment,
            List<String> functions,
            Duration timeout,
            IChainable start) {
        return machine(
                scope,
                region,
                name,
                comment,
                new MachinePolicy(names, region, functions),
                timeout,
                start);
    }

    /** A machine with a log, a trace and a role of its own. */
    public static StateMachine machine(
            Construct scope,
            String region,
            String name,
            String comment,
            Policy policy,
            Duration timeout,
            IChainable start) {
        LogGroup log =
                LogGroup.Builder.create(scope, "Log")
                        .logGroupName("/aws/vendedlogs/states/" + name)
                        .retention(RetentionDays.THREE_MONTHS)
                        .removalPolicy(RemovalPolicy.DESTROY)
                        .build();
        return StateMachine.Builder.create(scope, "Machine")
                .stateMachineName(name)
                .comment(comment)
                .queryLanguage(QueryLanguage.JSON_PATH)
                .definitionBody(DefinitionBody.fromChainable(start))
                .role(
                        Roles.role(
                                        scope,
                                        "Role",
                                        name + "-machine-" + region,
                                        "states.amazonaws.com",
                                        policy.allowances())
                                .withoutPolicyUpdates())
                .timeout(Times.of(timeout))
                .tracingEnabled(true)
                .logs(
                        LogOptions.builder()
                                .destination(log)
                                .level(LogLevel.ALL)
                                // Data of an execution holds the token of a waiting approval.
                                .includeExecutionData(false)
                                .build())
                .build();
    }

    /** Branches beside each other; what none of them caught closes the incident. */
    private Parallel parallel(String name, IChainable close, IChainable... branches) {
        Parallel parallel =
                Parallel.Builder.create(this, name).resultPath("$." + camel(name)).build();
        parallel.branch(branches);
        parallel.addCatch(close, failure());
        return parallel;
    }

    /** Steps one after the other; one that fails ends this branch alone, and says which it was. */
    private IChainable branch(Props props, String... names) {
        LambdaInvoke first = null;
        LambdaInvoke last = null;
        for (String name : names) {
            Pass failed =
                    Pass.Builder.create(this, name + "Failed")
                            .parameters(
                                    new TreeMap<>(
                                            Map.of(
                                                    "failed",
                                                    name,
                                                    "error",
                                                    JsonPath.objectAt("$.failure"))))
                            .build();
            LambdaInvoke task = task(props, name, Duration.ofMinutes(16));
            task.addCatch(failed, failure());
            if (last != null) {
                last.next(task);
            }
            first = first == null ? task : first;
            last = task;
        }
        return Objects.requireNonNull(first);
    }

    private LambdaInvoke task(Props props, String name, Duration timeout) {
        return retried(
                LambdaInvoke.Builder.create(this, name)
                        .stateName(name)
                        .lambdaFunction(function(props, name))
                        .payload(TaskInput.fromJsonPathAt("$"))
                        .resultSelector(Map.of("Payload", JsonPath.objectAt("$.Payload")))
                        .resultPath("$." + camel(name))
                        .taskTimeout(Timeout.duration(Times.of(timeout)))
                        .retryOnServiceExceptions(false)
                        .build());
    }

    private LambdaInvoke askApproval(Props props, LambdaInvoke judge, IChainable close) {
        LambdaInvoke ask =
                retried(
                        LambdaInvoke.Builder.create(this, "AskApproval")
                                .stateName("AskApproval")
                                .lambdaFunction(function(props, "AskApproval"))
                                .integrationPattern(IntegrationPattern.WAIT_FOR_TASK_TOKEN)
                                .payload(
                                        TaskInput.fromObject(
                                                new TreeMap<>(
                                                        Map.of(
                                                                "input",
                                                                JsonPath.getEntirePayload(),
                                                                "taskToken",
                                                                JsonPath.getTaskToken()))))
                                .resultPath(JsonPath.DISCARD)
                                .taskTimeout(Timeout.duration(Times.of(props.approvalTimeout())))
                                .retryOnServiceExceptions(false)
                                .build());
        // Nobody answered: Judge finds the question still open, and closes it.
        ask.addCatch(
                judge,
                CatchProps.builder()
                        .errors(List.of("States.Timeout"))
                        .resultPath(JsonPath.DISCARD)
                        .build());
        ask.addCatch(close, failure());
        ask.next(judge);
        return ask;
    }

    static LambdaInvoke retried(LambdaInvoke task) {
        task.addRetry(
                RetryProps.builder()
                        .errors(
                                List.of(
                                        "Lambda.ServiceException",
                                        "Lambda.AWSLambdaException",
                                        "Lambda.SdkClientException",
                                        "Lambda.TooManyRequestsException",
                                        "Lambda.Unknown",
                                        "Runtime.ExitError",
                                        "Sandbox.Timedout",
                                        "io.vaultdr.model.Failure$Retryable",
                                        "io.vaultdr.model.Failure$OutcomeUnknown"))
                        .interval(Times.of(Duration.ofSeconds(1)))
                        .backoffRate(2)
                        .maxDelay(Times.of(Duration.ofSeconds(10)))
                        .maxAttempts(6)
                        .build());
        return task;
    }

    private static IFunction function(Props props, String name) {
        return Objects.requireNonNull(props.steps().get(name), name).version();
    }

    static CatchProps failure() {
        return CatchProps.builder().errors(List.of("States.ALL")).resultPath("$.failure").build();
    }

    private static Condition decided(String step, String decision) {
        return Condition.stringEquals("$." + step + ".Payload.decision", decision);
    }

    /** {@code RedirectTraffic} as {@code redirectTraffic}. */
    private static String camel(String name) {
        return Character.toLowerCase(name.charAt(0)) + name.substring(1);
    }

    /** {@code RedirectTraffic} as {@code redirect-traffic}. */
    public static String kebab(String name) {
        return name.replaceAll("(?<!^)([A-Z])", "-$1").toLowerCase(Locale.ROOT);
    }
}
