package io.vaultdr.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;

import io.vaultdr.aws.AwsClients;
import io.vaultdr.drill.DrillReport;
import io.vaultdr.drill.DrillState;
import io.vaultdr.infra.config.Config;
import io.vaultdr.infra.config.PairSettingsMaker;
import io.vaultdr.model.Failure;
import io.vaultdr.runtime.Json;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

import software.amazon.awssdk.arns.Arn;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.sfn.SfnClient;
import software.amazon.awssdk.services.sfn.model.DescribeExecutionResponse;
import software.amazon.awssdk.services.sfn.model.ExecutionStatus;
import software.amazon.awssdk.services.sfn.model.HistoryEvent;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Callable;

/** {@code drill PAIR}: starts a drill and follows it. */
@Command(
        name = "drill",
        header = "Takes, proves and runs every step dry, timed against the pair's goals.",
        description = {
            "Starts the pair's drill and prints each stage as it passes: a snapshot is taken, a"
                    + " real server restores it in isolation, and every step of the failover runs"
                    + " but for its last call. The signed report is in the drill bucket, under"
                    + " object lock. Never beside an incident. docs/drill.md tells what it proves.",
            "",
            "The same with the AWS CLI:",
            "aws stepfunctions start-execution --region REGION --state-machine-arn"
                    + " arn:aws:states:REGION:ACCOUNT:stateMachine:vault-dr-PAIR-drill --input"
                    + " '{\"requestedBy\":\"YOUR NAME\"}'"
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:the chain went through, within both goals",
            "1:it went through and missed a goal, or was refused or stopped beside an incident",
            "2:the call can't be used; nothing was started",
            "3:the chain broke, or AWS didn't start it or didn't say how it ended"
        },
        subcommands = DrillVerifyCommand.class,
        mixinStandardHelpOptions = true)
final class DrillCommand implements Callable<Integer> {
    private static final Duration LOOK = Duration.ofSeconds(3);

    /** Longer than the machine itself may run. */
    private static final Duration WHOLE = Duration.ofMinutes(190);

    @Spec private @Nullable CommandSpec spec;

    @Parameters(
            paramLabel = "PAIR",
            arity = "0..1",
            description = "The pair's name in the configuration.")
    private @Nullable String pair;

    @Option(
            names = "--config",
            paramLabel = "FILE",
            description = "The configuration. Default: ${DEFAULT-VALUE}")
    private Path config = Path.of("vault-dr.yaml");

    @Option(
            names = "--state-machine",
            paramLabel = "ARN",
            description = "The drill's state machine, without a configuration.")
    private @Nullable String machine;

    @Option(
            names = "--by",
            paramLabel = "NAME",
            description = "Who asks, as the report shall show it. Default: ${DEFAULT-VALUE}")
    private String by = System.getProperty("user.name", "");

    @Option(names = "--json", description = "Print only what it came to, as JSON, one line.")
    private boolean json;

    @Override
    public Integer call() throws InterruptedException {
        String arn = machine();
        AwsClients aws = Account.clients();
        SfnClient sfn = aws.stepFunctions(region(arn));
        String execution = start(sfn, arn);
        say("drill    " + execution);
        DescribeExecutionResponse ended = follow(sfn, execution);
        if (ended.status() != ExecutionStatus.SUCCEEDED) {
            throw new Failure.Terminal(
                    "drill " + pair,
                    "its execution ended " + ended.statusAsString() + " and wrote no report",
                    "Look at " + execution + " and the log of the function drill");
        }
        JsonNode came = read(ended.output());
        if (json) {
            out().println(came);
        } else {
            print(aws, region(arn), came);
        }
        out().flush();
        return switch (DrillState.Outcome.valueOf(came.path("outcome").asText())) {
            case MET -> Exit.EXPECTED;
            case GOALS_MISSED, REFUSED, STOPPED_BY_INCIDENT -> Exit.NEGATIVE;
            case FAILED -> Exit.FAILED;
        };
    }

    private String machine() {
        if (machine != null) {
            region(machine);
            return machine;
        }
        if (pair == null) {
            throw new Unusable("no PAIR: expected a pair's name, or 'verify FILE'");
        }
        Configuration.Found found = Configuration.pair(config, pair);
        if (found.pair().proving().isEmpty()) {
            throw new Unusable(
                    pair
                            + ": stage backup has no drills, expected proven or higher; 'config"
                            + " check' tells what that wants");
        }
        String region = found.pair().drillRegion();
        Config inAccount = Account.of(found.config(), region);
        return PairSettingsMaker.names(inAccount, found.pair())
                .arn(
                        "states",
                        region,
                        "stateMachine:" + inAccount.prefix() + "-" + pair + "-drill");
    }

    private static String region(String arn) {
        try {
            return Arn.fromString(arn).region().orElseThrow();
        } catch (IllegalArgumentException | java.util.NoSuchElementException e) {
            throw new Unusable(arn + ": expected a state machine's ARN with a region");
        }
    }

    private String start(SfnClient sfn, String arn) {
        // A name of its own: sent again since no answer came, it doesn't start a second drill.
        String name = UUID.randomUUID().toString();
        try {
            return sfn.startExecution(
                            request ->
                                    request.stateMachineArn(arn)
                                            .name(name)
                                            .input(
                                                    Json.MAPPER
                                                            .createObjectNode()
                                                            .put("requestedBy", by)
                                                            .toString()))
                    .executionArn();
        } catch (SdkException e) {
            throw new Failure.Terminal(
                    "start a drill with " + arn,
                    String.valueOf(e.getMessage()),
                    "Check the pair's rung (proven or higher), its Drill stack, and your rights.",
                    e);
        }
    }

    private DescribeExecutionResponse follow(SfnClient sfn, String execution)
            throws InterruptedException {
        Instant until = Instant.now().plus(WHOLE);
        List<String> told = new ArrayList<>();
        while (true) {
            try {
                DescribeExecutionResponse now =
                        sfn.describeExecution(request -> request.executionArn(execution));
                for (String line : stages(sfn, execution)) {
                    if (!told.contains(line)) {
                        told.add(line);
                        say(line);
                    }
                }
                if (now.status() != ExecutionStatus.RUNNING) {
                    return now;
                }
            } catch (SdkException e) {
                // Following only watches: the drill goes on without it.
                say("(no answer from Step Functions: " + e.getClass().getSimpleName() + ")");
            }
            if (Instant.now().isAfter(until)) {
                throw new Failure.OutcomeUnknown(
                        "follow " + execution,
                        "it has not ended after " + WHOLE.toMinutes() + " minutes",
                        "Look at it in Step Functions");
            }
            Thread.sleep(LOOK);
        }
    }

    /** What each phase's answer shows for the first time. */
    private static List<String> stages(SfnClient sfn, String execution) {
        List<String> lines = new ArrayList<>();
        sfn
                .getExecutionHistoryPaginator(
                        request ->
                                request.executionArn(execution)
                                        .includeExecutionData(true)
                                        .maxResults(1_000))
                .events()
                .stream()
                .map(HistoryEvent::stateExitedEventDetails)
                .filter(Objects::nonNull)
                .map(exited -> state(exited.output()))
                .flatMap(Optional::stream)
                .forEach(
                        state -> {
                            state.snapshot().ifPresent(id -> lines.add("taking   " + id));
                            state.arrivedAt().ifPresent(at -> lines.add("arrived  " + at));
                            state.dryRun()
                                    .ifPresent(arn -> lines.add("proven   steps dry: " + arn));
                            state.why().ifPresent(why -> lines.add("stopped  " + why));
                        });
        return lines.stream().distinct().toList();
    }

    private static Optional<DrillState> state(@Nullable String output) {
        try {
            return Optional.of(
                    Json.MAPPER.readValue(output == null ? "{}" : output, DrillState.class));
        } catch (JsonProcessingException e) {
            // A state whose output is no drill's, such as the end.
            return Optional.empty();
        }
    }

    private void print(AwsClients aws, String region, JsonNode came) {
        say("outcome  " + came.path("outcome").asText());
        came.path("findings").forEach(finding -> say("  " + finding.asText()));
        String place = came.path("report").asText();
        report(aws, region, place).ifPresent(this::print);
        say("report   " + place);
    }

    private void print(DrillReport report) {
        report.goals()
                .ifPresent(
                        goals -> {
                            goal("RPO", goals.rpo());
                            goal("RTO", goals.rto());
                        });
        report.stages()
                .forEach(
                        stage ->
                                say(
                                        String.format(
                                                Locale.ROOT,
                                                "  %8.1f s  %s%s",
                                                stage.took().toMillis() / 1e3,
                                                stage.name(),
                                                stage.basis() == DrillReport.Basis.MODELLED
                                                        ? " (modelled)"
                                                        : "")));
    }

    private void goal(String name, DrillReport.Goal goal) {
        say(
                name
                        + "      "
                        + goal.measured().toSeconds()
                        + " s of "
                        + goal.goal().toSeconds()
                        + " s: "
                        + (goal.met() ? "met" : "missed"));
    }

    /** Empty where the operator may not read it: the drill's end doesn't hang on that. */
    private Optional<DrillReport> report(AwsClients aws, String region, String place) {
        String[] parts = place.replaceFirst("^s3://", "").split("/", 2);
        try {
            return Optional.of(
                    Json.MAPPER.readValue(
                            aws.s3(region)
                                    .getObjectAsBytes(r -> r.bucket(parts[0]).key(parts[1]))
                                    .asByteArray(),
                            DrillReport.class));
        } catch (SdkException | IOException e) {
            say("(the report can't be read from here: " + e.getMessage() + ")");
            return Optional.empty();
        }
    }

    private JsonNode read(String output) {
        try {
            return Json.MAPPER.readTree(output);
        } catch (JsonProcessingException e) {
            throw new Failure.Terminal(
                    "read what the drill came to",
                    "its execution's output is no JSON",
                    "Check that it is vault-dr's drill",
                    e);
        }
    }

    private void say(String line) {
        if (!json) {
            out().println(line);
            out().flush();
        }
    }

    private PrintWriter out() {
        return Objects.requireNonNull(spec).commandLine().getOut();
    }
}
