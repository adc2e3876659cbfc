package io.vaultdr.handler;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;

import io.vaultdr.runtime.WiringOfProof;
import io.vaultdr.snapshot.SecretRecovery;
import io.vaultdr.vault.Login;

import software.amazon.lambda.powertools.logging.PowertoolsLogging;

import java.util.Map;

/**
 * Brings one secret back out of a snapshot: {@link SecretRecovery}. {@code {"dryRun": true}} goes
 * all the way but the restore.
 *
 * <p>Calls are ProveSnapshot's, less what writes proofs and claims; and S3 {@code PutObject} below
 * {@code recovered/} of the bucket for recovered secrets, KMS {@code GenerateDataKey} with its key,
 * Secrets Manager {@code GetSecretValue} of {@code <login>/recover} instead of {@code prove}.
 */
public final class RestoreSecretHandler
        implements RequestHandler<Map<String, Object>, Map<String, ?>> {
    private final WiringOfProof wiring;

    /** The function's own wiring. */
    public RestoreSecretHandler() {
        this(WiringOfProof.ofEnvironment());
    }

    RestoreSecretHandler(WiringOfProof wiring) {
        this.wiring = wiring;
    }

    @Override
    public Map<String, ?> handleRequest(Map<String, Object> event, Context context) {
        return PowertoolsLogging.withLogging(
                context,
                () -> {
                    if (DryRun.reports(event)) {
                        return DryRun.report(
                                wiring.looks(Login.Intent.RECOVER),
                                () -> rehearse(context),
                                context);
                    }
                    if (DryRun.asked(event)) {
                        return rehearse(context);
                    }
                    return Scheduled.answer(
                            wiring.recovery()
                                    .recover(
                                            SecretRecovery.Request.of(event),
                                            context.getAwsRequestId(),
                                            Scheduled.deadline(context)));
                });
    }

    private Map<String, ?> rehearse(Context context) {
        wiring.recovery().rehearse(Scheduled.deadline(context));
        return Map.of("outcome", "REHEARSED");
    }
}
