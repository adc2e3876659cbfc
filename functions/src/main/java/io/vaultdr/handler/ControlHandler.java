package io.vaultdr.handler;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;

import io.vaultdr.doctor.Looks;
import io.vaultdr.runtime.Json;
import io.vaultdr.runtime.Wiring;
import io.vaultdr.runtime.WiringOfDoctor;
import io.vaultdr.workflow.Control;
import io.vaultdr.workflow.ControlInput;

import software.amazon.lambda.powertools.logging.PowertoolsLogging;

import java.util.Map;

/** What people do with a pair: {@link Control}. Its dry run is a status. */
public final class ControlHandler implements RequestHandler<Map<String, Object>, Object> {
    private final Wiring wiring;

    /** The function's own wiring. */
    public ControlHandler() {
        this(Wiring.ofPair());
    }

    ControlHandler(Wiring wiring) {
        this.wiring = wiring;
    }

    @Override
    public Object handleRequest(Map<String, Object> event, Context context) {
        return PowertoolsLogging.withLogging(
                context,
                () -> {
                    if (DryRun.reports(event)) {
                        return DryRun.report(looks(), () -> status(context), context);
                    }
                    return DryRun.asked(event)
                            ? DryRun.of(wiring.pair(), this::looks, () -> status(context))
                            : answer(event, context);
                });
    }

    private Looks looks() {
        return new WiringOfDoctor(wiring).ledger();
    }

    private Object status(Context context) {
        return answer(Map.of("action", "status"), context);
    }

    private Object answer(Map<String, Object> event, Context context) {
        return Json.MAPPER.convertValue(
                ControlInput.of(event, context.getInvokedFunctionArn(), context.getAwsRequestId())
                        .act(control()),
                Map.class);
    }

    private Control control() {
        return new Control(
                wiring.pair(),
                wiring.ledger(),
                wiring.gathering()::now,
                wiring.executions(),
                wiring.clock());
    }
}
