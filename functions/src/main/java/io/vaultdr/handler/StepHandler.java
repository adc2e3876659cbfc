package io.vaultdr.handler;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;

import io.vaultdr.doctor.Looks;
import io.vaultdr.runtime.Deadline;
import io.vaultdr.runtime.Wiring;
import io.vaultdr.runtime.WiringOfDoctor;
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
public abstract class StepHandler implements RequestHandler<Map<String, Object>, Map<String, ?>> {
    private static final Logger LOG = LoggerFactory.getLogger(StepHandler.class);

    /** For writing down how far a step came before the runtime ends it. */
    private static final Duration RESERVE = Duration.ofSeconds(5);

    private final Wiring wiring;

    StepHandler(Wiring wiring) {
        this.wiring = wiring;
    }

    /** The step, for this invocation. */
    abstract Step step(Wiring wiring, Context context);

    /** What the step uses. */
    abstract Looks looks(WiringOfDoctor doctor);

    /** Whether the step's dry run needs nothing that only the state machine has. */
    boolean alone() {
        return true;
    }

    @Override
    public final Map<String, ?> handleRequest(Map<String, Object> event, Context context) {
        return PowertoolsLogging.withLogging(
                context,
                () -> DryRun.reports(event) ? report(event, context) : run(event, context));
    }

    private Looks looks() {
        return looks(new WiringOfDoctor(wiring));
    }

    private Map<String, Object> report(Map<String, Object> event, Context context) {
        StepInput input = StepInput.of(event, wiring.pair().pair());
        Deadline deadline = Deadline.of(wiring.clock(), context::getRemainingTimeInMillis, RESERVE);
        return alone()
                ? DryRun.report(
                        looks(),
                        () ->
                                new StepRunner(wiring.ledger(), wiring.clock())
                                        .run(step(wiring, context), input, deadline),
                        context)
                : DryRun.report(looks(), context);
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
                        ? DryRun.of(
                                wiring.pair(), this::looks, () -> runner.run(step, input, deadline))
                        : runner.run(step, input, deadline);
        LOG.info("{} answers {}", step.name(), answer);
        return answer;
    }
}
