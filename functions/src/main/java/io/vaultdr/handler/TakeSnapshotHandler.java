package io.vaultdr.handler;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;

import io.vaultdr.doctor.Looks;
import io.vaultdr.runtime.PairMetrics;
import io.vaultdr.runtime.RetentionSettings;
import io.vaultdr.runtime.Settings;
import io.vaultdr.runtime.Wiring;
import io.vaultdr.runtime.WiringOfDoctor;
import io.vaultdr.snapshot.SnapshotDryRun;
import io.vaultdr.snapshot.SnapshotRun;

import java.util.Map;
import java.util.function.Supplier;

/**
 * Takes a snapshot of the pair's serving side when the schedule or a drill says so: the event is
 * EventBridge's, of which the time is read. Its dry run is {@link SnapshotDryRun}.
 */
public final class TakeSnapshotHandler
        implements RequestHandler<Map<String, Object>, Map<String, ?>> {
    private final SnapshotRun run;
    private final SnapshotDryRun dryRun;
    private final Supplier<Looks> looks;
    private final PairMetrics metrics;

    /** Wired from the environment. */
    public TakeSnapshotHandler() {
        this(Wiring.ofPair());
    }

    private TakeSnapshotHandler(Wiring wiring) {
        this(
                wiring.snapshotRun(
                        Settings.optionalPart(
                                System.getenv(), "RETENTION", RetentionSettings.class)),
                wiring.snapshotDryRun(),
                () -> new WiringOfDoctor(wiring).takeSnapshot(),
                PairMetrics.embedded(wiring.pair().pair()));
    }

    TakeSnapshotHandler(
            SnapshotRun run, SnapshotDryRun dryRun, Supplier<Looks> looks, PairMetrics metrics) {
        this.run = run;
        this.dryRun = dryRun;
        this.looks = looks;
        this.metrics = metrics;
    }

    @Override
    public Map<String, ?> handleRequest(Map<String, Object> event, Context context) {
        if (DryRun.reports(event)) {
            return DryRun.report(looks.get(), dryRun::run, context);
        }
        return DryRun.asked(event)
                ? DryRun.of(metrics, looks, dryRun::run)
                : Scheduled.answer(run.run(Scheduled.time(event), Scheduled.deadline(context)));
    }
}
