package io.vaultdr.aws;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.mockito.ArgumentMatchers.any;
import static org.mockito.Mockito.CALLS_REAL_METHODS;
import static org.mockito.Mockito.doReturn;
import static org.mockito.Mockito.doThrow;
import static org.mockito.Mockito.mock;

import io.vaultdr.model.Failure;
import io.vaultdr.promotion.NodeCommands.Result;
import io.vaultdr.promotion.NodeCommands.Run;
import io.vaultdr.runtime.PairSettings.Cluster;
import io.vaultdr.runtime.PairSettings.Tag;

import org.junit.jupiter.api.Test;
import org.mockito.ArgumentCaptor;
import org.mockito.Mockito;

import software.amazon.awssdk.core.exception.ApiCallTimeoutException;
import software.amazon.awssdk.services.ssm.SsmClient;
import software.amazon.awssdk.services.ssm.model.CommandInvocation;
import software.amazon.awssdk.services.ssm.model.ListCommandInvocationsRequest;
import software.amazon.awssdk.services.ssm.model.ListCommandInvocationsResponse;
import software.amazon.awssdk.services.ssm.model.SendCommandRequest;
import software.amazon.awssdk.services.ssm.model.SendCommandResponse;
import software.amazon.awssdk.services.ssm.model.Target;

import java.net.URI;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** What Run Command answers and moto can't: instances that don't take a command, and silence. */
class SsmCommandsTest {
    private static final Cluster HOME =
            new Cluster(
                    "eu-west-1",
                    URI.create("https://home:8200"),
                    List.of(URI.create("https://home-1:8200")),
                    Optional.empty(),
                    "login",
                    Optional.empty(),
                    Optional.of(new Tag("Name", "vault")),
                    3,
                    Optional.empty(),
                    Optional.empty());

    private final SsmClient ssm = mock(SsmClient.class, CALLS_REAL_METHODS);
    private final SsmCommands commands = new SsmCommands(region -> ssm, Clock.systemUTC());

    @Test
    void sendsToTheTagWithAShortDeliveryAndWaitsForAll() {
        sent();
        doReturn(
                        invocations(
                                invocation("i-1", "Success", "Success"),
                                invocation("i-2", "InProgress", "InProgress")))
                .doReturn(
                        invocations(
                                invocation("i-1", "Success", "Success"),
                                invocation("i-2", "TimedOut", "DeliveryTimedOut")))
                .when(ssm)
                .listCommandInvocations(any(ListCommandInvocationsRequest.class));

        List<Run> runs = commands.run(HOME, "stop", Duration.ofSeconds(5));

        assertEquals(
                List.of(
                        new Run("i-1", Result.SUCCEEDED, "Success"),
                        new Run("i-2", Result.UNANSWERED, "DeliveryTimedOut")),
                runs);
        ArgumentCaptor<SendCommandRequest> request =
                ArgumentCaptor.forClass(SendCommandRequest.class);
        Mockito.verify(ssm).sendCommand(request.capture());
        assertEquals(
                List.of(Target.builder().key("tag:Name").values("vault").build()),
                request.getValue().targets());
        assertEquals(30, request.getValue().timeoutSeconds());
    }

    @Test
    void aDocumentThatFailedIsToldApart() {
        sent();
        doReturn(invocations(invocation("i-1", "Failed", "Failed")))
                .when(ssm)
                .listCommandInvocations(any(ListCommandInvocationsRequest.class));

        assertEquals(
                List.of(new Run("i-1", Result.FAILED, "Failed")),
                commands.run(HOME, "stop", Duration.ofSeconds(5)));
    }

    @Test
    void noInstanceWithTheTagIsAnEmptyAnswer() {
        sent();
        doReturn(invocations())
                .when(ssm)
                .listCommandInvocations(any(ListCommandInvocationsRequest.class));

        assertEquals(List.of(), commands.run(HOME, "stop", Duration.ofMillis(700)));
    }

    @Test
    void aRegionThatDoesntAnswerIsAnUnknownOutcome() {
        doThrow(ApiCallTimeoutException.create(2500))
                .when(ssm)
                .sendCommand(any(SendCommandRequest.class));

        assertThrows(
                Failure.OutcomeUnknown.class,
                () -> commands.run(HOME, "stop", Duration.ofSeconds(5)));
    }

    private void sent() {
        doReturn(SendCommandResponse.builder().command(c -> c.commandId("c-1")).build())
                .when(ssm)
                .sendCommand(any(SendCommandRequest.class));
    }

    private static ListCommandInvocationsResponse invocations(CommandInvocation... seen) {
        return ListCommandInvocationsResponse.builder().commandInvocations(seen).build();
    }

    private static CommandInvocation invocation(String instance, String status, String details) {
        return CommandInvocation.builder()
                .instanceId(instance)
                .status(status)
                .statusDetails(details)
                .build();
    }
}
