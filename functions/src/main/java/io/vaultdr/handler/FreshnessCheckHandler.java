package io.vaultdr.handler;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;

import io.vaultdr.doctor.Looks;
import io.vaultdr.runtime.ProofSettings;
import io.vaultdr.runtime.RetentionSettings;
import io.vaultdr.runtime.Settings;
import io.vaultdr.runtime.Wiring;
import io.vaultdr.runtime.WiringOfDoctor;
import io.vaultdr.snapshot.Freshness;

import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/** Publishes each minute how old the newest snapshots are, and what is wrong with them. */
public final class FreshnessCheckHandler
        implements RequestHandler<Map<String, Object>, Map<String, ?>> {
    private final Freshness freshness;
    private final Supplier<Looks> looks;

    /** Wired from the environment. */
    public FreshnessCheckHandler() {
        this(
                Wiring.ofPair(),
                Settings.optionalPart(System.getenv(), "PROOF", ProofSettings.class)
                        .map(ProofSettings::seal));
    }

    private FreshnessCheckHandler(Wiring wiring, Optional<ProofSettings.Seal> seal) {
        this(
                wiring.freshness(
                        seal,
                        Settings.optionalPart(
                                System.getenv(), "RETENTION", RetentionSettings.class)),
                () -> new WiringOfDoctor(wiring).freshness(seal));
    }

    FreshnessCheckHandler(Freshness freshness, Supplier<Looks> looks) {
        this.freshness = freshness;
        this.looks = looks;
    }

    @Override
    public Map<String, ?> handleRequest(Map<String, Object> event, Context context) {
        return DryRun.reports(event)
                ? DryRun.report(looks.get(), freshness::check, context)
                : Scheduled.answer(freshness.check());
    }
}
