package io.vaultdr.handler;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import com.amazonaws.services.lambda.runtime.events.ScheduledEvent;

import io.vaultdr.runtime.ProofSettings;
import io.vaultdr.runtime.RetentionSettings;
import io.vaultdr.runtime.Settings;
import io.vaultdr.runtime.Wiring;
import io.vaultdr.snapshot.Freshness;

import java.util.Map;

/** Publishes each minute how old the newest snapshots are, and what is wrong with them. */
public final class FreshnessCheckHandler implements RequestHandler<ScheduledEvent, Map<String, ?>> {
    private final Freshness freshness;

    /** Wired from the environment. */
    public FreshnessCheckHandler() {
        this(
                Wiring.ofPair()
                        .freshness(
                                Settings.optionalPart(System.getenv(), "PROOF", ProofSettings.class)
                                        .map(ProofSettings::seal),
                                Settings.optionalPart(
                                        System.getenv(), "RETENTION", RetentionSettings.class)));
    }

    FreshnessCheckHandler(Freshness freshness) {
        this.freshness = freshness;
    }

    @Override
    public Map<String, ?> handleRequest(ScheduledEvent event, Context context) {
        return Scheduled.answer(freshness.check());
    }
}
