package io.vaultdr.handler;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import com.amazonaws.services.lambda.runtime.events.ScheduledEvent;

import io.vaultdr.runtime.Deadline;
import io.vaultdr.runtime.WiringOfVantage;

import org.jspecify.annotations.Nullable;

import software.amazon.lambda.powertools.logging.PowertoolsLogging;

import java.time.Duration;

/** Probes every pair from one region, slot after slot, until the next invocation takes over. */
public final class ProbeHandler implements RequestHandler<ScheduledEvent, @Nullable Void> {
    private final WiringOfVantage vantage;

    public ProbeHandler() {
        this(WiringOfVantage.ofEnvironment());
    }

    ProbeHandler(WiringOfVantage vantage) {
        this.vantage = vantage;
    }

    @Override
    public @Nullable Void handleRequest(ScheduledEvent event, Context context) {
        return PowertoolsLogging.withLogging(
                context,
                () -> {
                    Deadline deadline =
                            Deadline.of(
                                    vantage.clock(),
                                    context::getRemainingTimeInMillis,
                                    Duration.ofSeconds(1));
                    String started = "%019d".formatted(vantage.clock().millis());
                    vantage.probe(started + "-" + context.getAwsRequestId(), deadline.at());
                    return null;
                });
    }
}
