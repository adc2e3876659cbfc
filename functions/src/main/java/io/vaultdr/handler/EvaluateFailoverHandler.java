package io.vaultdr.handler;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;

import io.vaultdr.failover.Assessment;
import io.vaultdr.runtime.Deadline;
import io.vaultdr.runtime.Wiring;
import io.vaultdr.runtime.WiringOfDoctor;

import software.amazon.lambda.powertools.logging.PowertoolsLogging;

import java.time.Duration;
import java.util.Map;

/** Evaluates the pair, on an alarm and each minute alike: the event says nothing it relies on. */
public final class EvaluateFailoverHandler implements RequestHandler<Map<String, Object>, Object> {
    private final Wiring wiring;

    public EvaluateFailoverHandler() {
        this(Wiring.ofPair());
    }

    EvaluateFailoverHandler(Wiring wiring) {
        this.wiring = wiring;
    }

    @Override
    public Object handleRequest(Map<String, Object> event, Context context) {
        return PowertoolsLogging.withLogging(
                context,
                () -> {
                    if (DryRun.reports(event)) {
                        return DryRun.report(new WiringOfDoctor(wiring).ledger(), context);
                    }
                    Deadline deadline =
                            Deadline.of(
                                    wiring.clock(),
                                    context::getRemainingTimeInMillis,
                                    Duration.ofSeconds(2));
                    Assessment made = wiring.evaluation().evaluate(deadline);
                    EvaluationReport.publish(wiring.pair().pair(), made);
                    return made.diagnosis() + ", " + made.verdict();
                });
    }
}
