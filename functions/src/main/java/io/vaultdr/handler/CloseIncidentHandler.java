package io.vaultdr.handler;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;

import io.vaultdr.doctor.Looks;
import io.vaultdr.runtime.Wiring;
import io.vaultdr.runtime.WiringOfDoctor;
import io.vaultdr.workflow.CloseIncident;
import io.vaultdr.workflow.StepInput;

import software.amazon.lambda.powertools.logging.PowertoolsLogging;

import java.util.Map;

/** Ends an incident: {@link CloseIncident}. The Catch that leads here leaves {@code failure}. */
public final class CloseIncidentHandler
        implements RequestHandler<Map<String, Object>, Map<String, ?>> {
    private final Wiring wiring;

    /** The function's own wiring. */
    public CloseIncidentHandler() {
        this(Wiring.ofPair());
    }

    CloseIncidentHandler(Wiring wiring) {
        this.wiring = wiring;
    }

    @Override
    public Map<String, ?> handleRequest(Map<String, Object> event, Context context) {
        return PowertoolsLogging.withLogging(
                context,
                () -> {
                    StepInput input = StepInput.of(event, wiring.pair().pair());
                    if (DryRun.reports(event)) {
                        return DryRun.report(looks(), () -> close(input, event), context);
                    }
                    return input.dryRun()
                            ? DryRun.of(wiring.pair(), this::looks, () -> close(input, event))
                            : close(input, event);
                });
    }

    private Looks looks() {
        return new WiringOfDoctor(wiring).closeIncident();
    }

    private Map<String, String> close(StepInput input, Map<String, Object> event) {
        return new CloseIncident(
                        wiring.ledger(),
                        wiring.pager(),
                        wiring.dr().autoScalingGroup().map(group -> wiring.capacity()),
                        wiring.homeCapacity(),
                        wiring.clock())
                .close(input, StepInput.failure(event));
    }
}
