package io.vaultdr.handler;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;

import io.vaultdr.runtime.Json;
import io.vaultdr.runtime.Wiring;
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
                () ->
                        DryRun.asked(event)
                                ? DryRun.of(
                                        wiring.pair(),
                                        () -> answer(Map.of("action", "status"), context))
                                : answer(event, context));
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
