package io.vaultdr.handler;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;

import io.vaultdr.runtime.WiringOfProof;
import io.vaultdr.snapshot.ProofRequest;
import io.vaultdr.snapshot.ProofRun;
import io.vaultdr.vault.Login;

import software.amazon.lambda.powertools.logging.PowertoolsLogging;

import java.util.Map;

/**
 * Proves a snapshot by restoring it in isolation: {@link ProofRun}.
 *
 * <p>Calls, all in its own region: S3 {@code ListObjectsV2} below {@code manifests/} and {@code
 * proofs/} of its bucket, {@code GetObject} there and below {@code archives/}, {@code PutObject}
 * below {@code proofs/} (If-None-Match and If-Match), {@code GetObject} of the programs; KMS {@code
 * DescribeKey}, {@code Encrypt} and {@code Decrypt} with the seal's key, {@code Decrypt} and {@code
 * GenerateDataKey} with the bucket's; Secrets Manager {@code GetSecretValue} of {@code
 * <login>/prove}, of the licence and of a static key. Metrics go by its log.
 */
public final class ProveSnapshotHandler
        implements RequestHandler<Map<String, Object>, Map<String, ?>> {
    private final WiringOfProof wiring;

    /** The function's own wiring. */
    public ProveSnapshotHandler() {
        this(WiringOfProof.ofEnvironment());
    }

    ProveSnapshotHandler(WiringOfProof wiring) {
        this.wiring = wiring;
    }

    @Override
    public Map<String, ?> handleRequest(Map<String, Object> event, Context context) {
        return PowertoolsLogging.withLogging(
                context,
                () ->
                        DryRun.reports(event)
                                ? DryRun.report(
                                        wiring.looks(Login.Intent.PROVE),
                                        () -> run(event, context),
                                        context)
                                : run(event, context));
    }

    private Map<String, ?> run(Map<String, Object> event, Context context) {
        return Scheduled.answer(
                wiring.proofRun()
                        .run(
                                ProofRequest.of(event),
                                context.getAwsRequestId(),
                                Scheduled.deadline(context)));
    }
}
