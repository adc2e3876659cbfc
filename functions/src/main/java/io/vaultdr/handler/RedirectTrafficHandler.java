package io.vaultdr.handler;

import com.amazonaws.services.lambda.runtime.Context;

import io.vaultdr.doctor.Looks;
import io.vaultdr.runtime.Wiring;
import io.vaultdr.runtime.WiringOfDoctor;
import io.vaultdr.workflow.RedirectTraffic;
import io.vaultdr.workflow.Step;

/** Turns the clients: {@link RedirectTraffic}. */
public final class RedirectTrafficHandler extends StepHandler {
    /** The function's own wiring. */
    public RedirectTrafficHandler() {
        this(Wiring.ofPair());
    }

    RedirectTrafficHandler(Wiring wiring) {
        super(wiring);
    }

    @Override
    Step step(Wiring wiring, Context context) {
        return new RedirectTraffic(
                wiring.ledger(),
                wiring.trafficFlags(),
                wiring.weightedRecords(),
                wiring.pager(),
                wiring.clock());
    }

    @Override
    Looks looks(WiringOfDoctor doctor) {
        return doctor.redirectTraffic();
    }
}
