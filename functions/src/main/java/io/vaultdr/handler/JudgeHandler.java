package io.vaultdr.handler;

import com.amazonaws.services.lambda.runtime.Context;

import io.vaultdr.doctor.Looks;
import io.vaultdr.runtime.Wiring;
import io.vaultdr.runtime.WiringOfDoctor;
import io.vaultdr.workflow.Judge;
import io.vaultdr.workflow.Step;

/** Judges the evidence once more: {@link Judge}. */
public final class JudgeHandler extends StepHandler {
    /** The function's own wiring. */
    public JudgeHandler() {
        this(Wiring.ofPair());
    }

    JudgeHandler(Wiring wiring) {
        super(wiring);
    }

    @Override
    Step step(Wiring wiring, Context context) {
        return new Judge(wiring.pair(), wiring.gathering()::now, wiring.clock());
    }

    @Override
    Looks looks(WiringOfDoctor doctor) {
        return doctor.ledger();
    }
}
