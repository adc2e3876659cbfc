package io.vaultdr.aws;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.mockito.ArgumentMatchers.any;

import io.vaultdr.snapshot.SealKeys.State;

import org.junit.jupiter.api.Test;
import org.mockito.Mockito;

import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.services.kms.KmsClient;
import software.amazon.awssdk.services.kms.model.DescribeKeyRequest;
import software.amazon.awssdk.services.kms.model.DescribeKeyResponse;
import software.amazon.awssdk.services.kms.model.KeyState;
import software.amazon.awssdk.services.kms.model.KmsException;
import software.amazon.awssdk.services.kms.model.NotFoundException;

import java.util.Map;
import java.util.Optional;

class KmsSealKeysTest {
    private final KmsClient kms =
            Mockito.mock(
                    KmsClient.class,
                    call ->
                            call.getArguments().length == 1
                                            && call.getArgument(0) instanceof DescribeKeyRequest
                                    ? answer()
                                    : call.callRealMethod());
    private KeyState state = KeyState.ENABLED;
    private Optional<RuntimeException> failure = Optional.empty();

    private DescribeKeyResponse answer() {
        failure.ifPresent(
                it -> {
                    throw it;
                });
        return DescribeKeyResponse.builder().keyMetadata(it -> it.keyState(state)).build();
    }

    @Test
    void tellsEachStateOfAKey() {
        Map<KeyState, State> states =
                Map.of(
                        KeyState.ENABLED, State.USABLE,
                        KeyState.DISABLED, State.DISABLED,
                        KeyState.PENDING_DELETION, State.PENDING_DELETION,
                        KeyState.PENDING_REPLICA_DELETION, State.PENDING_DELETION,
                        KeyState.UNAVAILABLE, State.UNREACHABLE,
                        KeyState.UNKNOWN_TO_SDK_VERSION, State.UNREACHABLE);
        states.forEach(
                (is, told) -> {
                    state = is;
                    assertEquals(told, new KmsSealKeys(kms).state("arn"), is.name());
                });
    }

    @Test
    void aKeyThatIsntThereIsMissingAndAllElseUnreachable() {
        Map<RuntimeException, State> failures =
                Map.of(
                        NotFoundException.builder().message("no").build(), State.MISSING,
                        SdkClientException.create("no route"), State.UNREACHABLE,
                        KmsException.builder().statusCode(400).message("denied").build(),
                                State.UNREACHABLE);
        failures.forEach(
                (thrown, told) -> {
                    failure = Optional.of(thrown);
                    assertEquals(told, new KmsSealKeys(kms).state("arn"), thrown.toString());
                });
        Mockito.verify(kms, Mockito.times(3)).describeKey(any(DescribeKeyRequest.class));
    }
}
