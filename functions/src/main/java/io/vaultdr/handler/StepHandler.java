package io.vaultdr.handler;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;

import io.vaultdr.runtime.Deadline;
import io.vaultdr.runtime.Wiring;
import io.vaultdr.workflow.Step;
import io.vaultdr.workflow.StepInput;
import io.vaultdr.workflow.StepRunner;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;

import software.amazon.lambda.powertools.logging.PowertoolsLogging;

import java.time.Duration;
import java.util.Map;

/**
 * What the functions of all steps have in common: read the input, run the step, say how it went.
 */
public abstract class StepHandler
        implements RequestHandler<Map<String, Object>, Map<String, String>> {
    private static final Logger LOG = LoggerFactory.getLogger(StepHandler.class);

    /** For writing down how far a step came before the runtime ends it. */
    private static final Duration RESERVE = Duration.ofSeconds(5);

    private final Wiring wiring;

    StepHandler(Wiring wiring) {
        this.wiring = wiring;
    }

    /** The step, for this invocation. */
    abstract Step step(Wiring wiring, Context context);

    @Override
    public final Map<String, String> handleRequest(Map<String, Object> event, Context context) {
        return PowertoolsLogging.withLogging(context, () -> run(event, context));
    }

    private Map<String, String> run(Map<String, Object> event, Context context) {
        StepInput input = StepInput.of(event, wiring.pair().pair());
        MDC.put("incident", input.pair() + "-" + (input.dryRun() ? "dryrun" : input.epoch()));
        Deadline deadline = Deadline.of(wiring.clock(), context::getRemainingTimeInMillis, RESERVE);
        Step step = step(wiring, context);
        LOG.info("{} begins", step.name());
        StepRunner runner = new StepRunner(wiring.ledger(), wiring.clock());
        Map<String, String> answer =
                input.dryRun()
                        ? DryRun.of(wiring.pair(), () -> runner.run(step, input, deadline))
                        : runner.run(step, input, deadline);
        LOG.info("{} answers {}", step.name(), answer);
        return answer;
    }
}
