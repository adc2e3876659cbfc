package io.vaultdr.handler;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;

import io.vaultdr.doctor.Looks;
import io.vaultdr.runtime.PairMetrics;
import io.vaultdr.runtime.Wiring;
import io.vaultdr.runtime.WiringOfDoctor;
import io.vaultdr.runtime.WiringOfRetention;
import io.vaultdr.snapshot.RetentionRun;

import java.time.Clock;
import java.util.Map;
import java.util.function.Supplier;

/** Deletes what the pair's rules don't want any more; see {@link RetentionInput}. */
public final class RetentionHandler implements RequestHandler<Map<String, Object>, Map<String, ?>> {
    private final RetentionRun retention;
    private final Supplier<Looks> looks;
    private final PairMetrics metrics;

    /** Wired from the environment. */
    public RetentionHandler() {
        this(Wiring.ofPair());
    }

    private RetentionHandler(Wiring wiring) {
        this(
                WiringOfRetention.ofEnvironment(wiring),
                () -> new WiringOfDoctor(wiring).retention(),
                PairMetrics.embedded(wiring.pair().pair()));
    }

    RetentionHandler(RetentionRun retention, Supplier<Looks> looks, PairMetrics metrics) {
        this.retention = retention;
        this.looks = looks;
        this.metrics = metrics;
    }

    @Override
    public Map<String, ?> handleRequest(Map<String, Object> event, Context context) {
        return switch (RetentionInput.of(event)) {
            case RetentionInput.Run(boolean dryRun) ->
                    dryRun
                            ? DryRun.of(metrics, looks, () -> run(true, context))
                            : run(false, context);
            case RetentionInput.Look() ->
                    DryRun.report(looks.get(), () -> run(true, context), context);
            case RetentionInput.Accept(String by, String reason) ->
                    retention
                            .accept(by, reason, Clock.systemUTC().instant())
                            .<Map<String, ?>>map(
                                    said ->
                                            Map.of(
                                                    "result",
                                                    "ACCEPTED",
                                                    "acceptance",
                                                    Scheduled.answer(said)))
                            .orElse(Map.of("result", "NOT_FROZEN"));
        };
    }

    private Map<String, ?> run(boolean dryRun, Context context) {
        return Scheduled.answer(retention.run(dryRun, Scheduled.deadline(context)));
    }
}
