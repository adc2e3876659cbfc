package io.vaultdr.handler;

import com.amazonaws.services.lambda.runtime.Context;

import io.vaultdr.doctor.Looks;
import io.vaultdr.runtime.Wiring;
import io.vaultdr.runtime.WiringOfDoctor;
import io.vaultdr.workflow.Grow;
import io.vaultdr.workflow.Step;

/** Lets the cluster grow: {@link Grow}. */
public final class GrowHandler extends StepHandler {
    /** The function's own wiring. */
    public GrowHandler() {
        this(Wiring.ofPair());
    }

    GrowHandler(Wiring wiring) {
        super(wiring);
    }

    @Override
    Step step(Wiring wiring, Context context) {
        return new Grow(wiring.dr(), wiring.capacity(), wiring.leaders(), wiring.login());
    }

    @Override
    Looks looks(WiringOfDoctor doctor) {
        return doctor.grow();
    }
}
