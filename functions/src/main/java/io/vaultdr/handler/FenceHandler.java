package io.vaultdr.handler;

import com.amazonaws.services.lambda.runtime.Context;

import io.vaultdr.doctor.Looks;
import io.vaultdr.runtime.Wiring;
import io.vaultdr.runtime.WiringOfDoctor;
import io.vaultdr.workflow.Fence;
import io.vaultdr.workflow.Step;

/** Cuts home's clients off: {@link Fence}. */
public final class FenceHandler extends StepHandler {
    /** The function's own wiring. */
    public FenceHandler() {
        this(Wiring.ofPair());
    }

    FenceHandler(Wiring wiring) {
        super(wiring);
    }

    @Override
    Step step(Wiring wiring, Context context) {
        return new Fence(
                wiring.pair(),
                wiring.nodeCommands(),
                wiring.quarantineMarks(),
                wiring.leaders(),
                wiring.homeCapacity());
    }

    @Override
    Looks looks(WiringOfDoctor doctor) {
        return doctor.fence();
    }
}
