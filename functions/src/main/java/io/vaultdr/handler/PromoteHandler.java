package io.vaultdr.handler;

import com.amazonaws.services.lambda.runtime.Context;

import io.vaultdr.doctor.Looks;
import io.vaultdr.promotion.ByRestore;
import io.vaultdr.runtime.Wiring;
import io.vaultdr.runtime.WiringOfDoctor;
import io.vaultdr.workflow.Promote;
import io.vaultdr.workflow.Step;

/** Restores the newest sound snapshot: {@link Promote}. */
public final class PromoteHandler extends StepHandler {
    /** The function's own wiring. */
    public PromoteHandler() {
        this(Wiring.ofPair());
    }

    PromoteHandler(Wiring wiring) {
        super(wiring);
    }

    @Override
    Step step(Wiring wiring, Context context) {
        return new Promote(
                wiring.ledger(),
                wiring.drCatalog(),
                wiring.drProofs(),
                wiring.pilotLight(),
                new ByRestore(
                        wiring.dr(),
                        ByRestore.Documents.of(wiring.failover()),
                        wiring.vaultClients(),
                        wiring.nodeCommands()),
                wiring.failover(),
                wiring.scratch());
    }

    @Override
    Looks looks(WiringOfDoctor doctor) {
        return doctor.promote();
    }
}
