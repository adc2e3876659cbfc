package io.vaultdr.handler;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import com.amazonaws.services.lambda.runtime.events.ScheduledEvent;

import io.vaultdr.runtime.Wiring;
import io.vaultdr.snapshot.SnapshotRun;

import java.util.Map;

/** Takes a snapshot of the pair's serving side when the schedule says so. */
public final class TakeSnapshotHandler implements RequestHandler<ScheduledEvent, Map<String, ?>> {
    private final SnapshotRun run;

    /** Wired from the environment. */
    public TakeSnapshotHandler() {
        this(Wiring.ofPair().snapshotRun());
    }

    TakeSnapshotHandler(SnapshotRun run) {
        this.run = run;
    }

    @Override
    public Map<String, ?> handleRequest(ScheduledEvent event, Context context) {
        return Scheduled.answer(run.run(Scheduled.time(event), Scheduled.deadline(context)));
    }
}
