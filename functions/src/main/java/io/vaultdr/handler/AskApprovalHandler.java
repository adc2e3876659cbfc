package io.vaultdr.handler;

import com.amazonaws.services.lambda.runtime.Context;

import io.vaultdr.doctor.Looks;
import io.vaultdr.runtime.Wiring;
import io.vaultdr.runtime.WiringOfDoctor;
import io.vaultdr.workflow.AskApproval;
import io.vaultdr.workflow.Step;

/** Asks a person: {@link AskApproval}. */
public final class AskApprovalHandler extends StepHandler {
    /** The function's own wiring. */
    public AskApprovalHandler() {
        this(Wiring.ofPair());
    }

    AskApprovalHandler(Wiring wiring) {
        super(wiring);
    }

    @Override
    Step step(Wiring wiring, Context context) {
        return new AskApproval(
                wiring.pair(),
                wiring.ledger(),
                wiring.executions(),
                wiring.pager(),
                context.getFunctionName().replaceFirst("ask-approval$", "control"),
                wiring.clock());
    }

    @Override
    Looks looks(WiringOfDoctor doctor) {
        return doctor.askApproval();
    }

    @Override
    boolean alone() {
        return false;
    }
}
