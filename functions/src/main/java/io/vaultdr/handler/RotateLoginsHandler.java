package io.vaultdr.handler;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;

import io.vaultdr.cluster.RotateLogins;
import io.vaultdr.doctor.Looks;
import io.vaultdr.runtime.PairMetrics;
import io.vaultdr.runtime.Wiring;
import io.vaultdr.runtime.WiringOfDoctor;

import java.util.Map;
import java.util.function.Supplier;

/** Rotates the secret ids of the pair's logins where its side serves; nothing of the event. */
public final class RotateLoginsHandler
        implements RequestHandler<Map<String, Object>, Map<String, ?>> {
    private final RotateLogins rotation;
    private final Supplier<Looks> looks;
    private final PairMetrics metrics;

    /** Wired from the environment. */
    public RotateLoginsHandler() {
        this(Wiring.ofPair());
    }

    private RotateLoginsHandler(Wiring wiring) {
        this(
                wiring.rotateLogins(),
                () -> new WiringOfDoctor(wiring).rotateLogins(),
                PairMetrics.embedded(wiring.pair().pair()));
    }

    RotateLoginsHandler(RotateLogins rotation, Supplier<Looks> looks, PairMetrics metrics) {
        this.rotation = rotation;
        this.looks = looks;
        this.metrics = metrics;
    }

    @Override
    public Map<String, ?> handleRequest(Map<String, Object> event, Context context) {
        if (DryRun.reports(event)) {
            return DryRun.report(looks.get(), () -> rotation.run(true), context);
        }
        return DryRun.asked(event)
                ? DryRun.of(metrics, looks, () -> Scheduled.answer(rotation.run(true)))
                : Scheduled.answer(rotation.run(false));
    }
}
