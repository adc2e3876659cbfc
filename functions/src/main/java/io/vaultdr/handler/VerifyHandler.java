package io.vaultdr.handler;

import com.amazonaws.services.lambda.runtime.Context;

import io.vaultdr.doctor.Looks;
import io.vaultdr.runtime.Wiring;
import io.vaultdr.runtime.WiringOfDoctor;
import io.vaultdr.workflow.Step;
import io.vaultdr.workflow.Verify;

/** Looks what was promoted: {@link Verify}. */
public final class VerifyHandler extends StepHandler {
    /** The function's own wiring. */
    public VerifyHandler() {
        this(Wiring.ofPair());
    }

    VerifyHandler(Wiring wiring) {
        super(wiring);
    }

    @Override
    Step step(Wiring wiring, Context context) {
        return new Verify(wiring.dr(), wiring.leaders(), wiring.login(), wiring.clock());
    }

    @Override
    Looks looks(WiringOfDoctor doctor) {
        return doctor.verify();
    }
}
