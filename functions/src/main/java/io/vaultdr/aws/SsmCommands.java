package io.vaultdr.aws;

import io.vaultdr.model.Failure;
import io.vaultdr.promotion.NodeCommands;
import io.vaultdr.runtime.Deadline;
import io.vaultdr.runtime.PairSettings;

import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.ssm.SsmClient;
import software.amazon.awssdk.services.ssm.model.CommandInvocation;
import software.amazon.awssdk.services.ssm.model.CommandInvocationStatus;
import software.amazon.awssdk.services.ssm.model.Target;

import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** Documents run by Systems Manager Run Command, on the instances that carry a tag. */
public final class SsmCommands implements NodeCommands {
    /** An instance that doesn't take a command within this time is taken as away (30 is least). */
    private static final int DELIVERY_SECONDS = 30;

    /** A region that is away must not hold up the failover. */
    private static final Duration CALL = Duration.ofMillis(1500);

    /** How long the service may take to find the instances of a tag. */
    private static final Duration APPEAR = Duration.ofSeconds(10);

    private static final Duration POLL = Duration.ofMillis(500);

    private final Function<String, SsmClient> clients;
    private final Clock clock;

    /** Runs documents through the client of each cluster's region. */
    public SsmCommands(Function<String, SsmClient> clients, Clock clock) {
        this.clients = clients;
        this.clock = clock;
    }

    @Override
    public List<Run> run(PairSettings.Cluster cluster, String document, Duration limit) {
        SsmClient ssm = clients.apply(cluster.region());
        String command = send(ssm, cluster, document);
        Deadline all = new Deadline(clock, clock.instant().plus(limit));
        if (all.within(APPEAR).poll(POLL, () -> some(invocations(ssm, command))).isEmpty()) {
            return List.of();
        }
        all.poll(POLL, () -> over(invocations(ssm, command)));
        return invocations(ssm, command).stream().map(SsmCommands::run).toList();
    }

    private static String send(SsmClient ssm, PairSettings.Cluster cluster, String document) {
        PairSettings.Tag tag =
                cluster.instanceTag()
                        .orElseThrow(
                                () ->
                                        new Failure.Terminal(
                                                "run " + document,
                                                "the configuration of "
                                                        + cluster.region()
                                                        + " names no instance tag",
                                                "Give it one and deploy again"));
        try {
            return ssm.sendCommand(
                            request ->
                                    request.documentName(document)
                                            .targets(
                                                    List.of(
                                                            Target.builder()
                                                                    .key("tag:" + tag.key())
                                                                    .values(tag.value())
                                                                    .build()))
                                            .timeoutSeconds(DELIVERY_SECONDS)
                                            .maxConcurrency("100%")
                                            .maxErrors("100%")
                                            .overrideConfiguration(c -> c.apiCallTimeout(CALL)))
                    .command()
                    .commandId();
        } catch (SdkException e) {
            throw AwsFailures.of(
                    "run " + document + " in " + cluster.region(),
                    e,
                    true,
                    "Look whether it ran before it is sent again.");
        }
    }

    private static List<CommandInvocation> invocations(SsmClient ssm, String command) {
        try {
            return ssm
                    .listCommandInvocationsPaginator(
                            request ->
                                    request.commandId(command)
                                            .overrideConfiguration(c -> c.apiCallTimeout(CALL)))
                    .commandInvocations()
                    .stream()
                    .toList();
        } catch (SdkException e) {
            throw AwsFailures.of(
                    "look after command " + command,
                    e,
                    true,
                    "It was accepted: look whether it ran before it is sent again.");
        }
    }

    private static Optional<List<CommandInvocation>> some(List<CommandInvocation> seen) {
        return seen.isEmpty() ? Optional.empty() : Optional.of(seen);
    }

    private static Optional<List<CommandInvocation>> over(List<CommandInvocation> seen) {
        return seen.stream().allMatch(i -> over(i.status())) ? Optional.of(seen) : Optional.empty();
    }

    private static boolean over(CommandInvocationStatus status) {
        return switch (status) {
            case PENDING, IN_PROGRESS, DELAYED, CANCELLING -> false;
            default -> true;
        };
    }

    private static Run run(CommandInvocation seen) {
        Result result =
                switch (seen.statusDetails() == null ? "" : seen.statusDetails()) {
                    case "Success" -> Result.SUCCEEDED;
                    case "Failed", "ExecutionTimedOut", "Execution Timed Out" -> Result.FAILED;
                    default ->
                            seen.status() == CommandInvocationStatus.SUCCESS
                                    ? Result.SUCCEEDED
                                    : Result.UNANSWERED;
                };
        return new Run(
                seen.instanceId(),
                result,
                seen.statusDetails() == null ? seen.statusAsString() : seen.statusDetails());
    }
}
