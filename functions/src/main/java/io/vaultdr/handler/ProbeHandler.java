package io.vaultdr.handler;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;

import io.vaultdr.runtime.Deadline;
import io.vaultdr.runtime.WiringOfVantage;

import software.amazon.lambda.powertools.logging.PowertoolsLogging;

import java.time.Duration;
import java.util.Map;

/**
 * Probes every pair from one region, slot after slot, until the next invocation takes over. {@code
 * {"dryRun":true,"report":true,"pair":"payments"}} looks at one pair once, and writes no evidence.
 */
public final class ProbeHandler implements RequestHandler<Map<String, Object>, Map<String, ?>> {
    private final WiringOfVantage vantage;

    public ProbeHandler() {
        this(WiringOfVantage.ofEnvironment());
    }

    ProbeHandler(WiringOfVantage vantage) {
        this.vantage = vantage;
    }

    @Override
    public Map<String, ?> handleRequest(Map<String, Object> event, Context context) {
        return PowertoolsLogging.withLogging(
                context,
                () -> {
                    if (DryRun.reports(event)) {
                        return DryRun.report(
                                vantage.looks(String.valueOf(event.get("pair"))), context);
                    }
                    Deadline deadline =
                            Deadline.of(
                                    vantage.clock(),
                                    context::getRemainingTimeInMillis,
                                    Duration.ofSeconds(1));
                    String started = "%019d".formatted(vantage.clock().millis());
                    vantage.probe(started + "-" + context.getAwsRequestId(), deadline.at());
                    return Map.of();
                });
    }
}
