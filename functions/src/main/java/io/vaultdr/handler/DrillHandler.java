package io.vaultdr.handler;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;

import io.vaultdr.drill.Drill;
import io.vaultdr.drill.DrillInput;
import io.vaultdr.runtime.WiringOfDrill;

import software.amazon.lambda.powertools.logging.PowertoolsLogging;

import java.util.Map;

/**
 * The phases of a drill: {@link Drill}. The state machine {@code <prefix>-<pair>-drill} (JSONPath)
 * calls them; its input is {@code {"requestedBy":"NAME"}}, the weekly schedule's {@code
 * {"requestedBy":"schedule"}}.
 *
 * <pre>
 * Begin ▶ Over? ─ $.over = true ───────────▶ Close ▶ Ended (Succeed)
 *           └── else ▶ Wait 10 s ▶ Look ▶ Over?
 *
 * Begin, Look, Close  this function (its version, as the failover's steps); outputPath $.Payload;
 *                     payload {"phase": "begin" | "look" | "close",
 *                              "execution.$": "$$.Execution.Id",
 *                              "startedAt.$": "$$.Execution.StartTime",
 *                              "state.$": "$"};
 *                     retried as the failover's steps; a task takes two minutes at most
 * Catch of Begin and  States.ALL, resultPath $.failure, to Close, which reports it
 * Look
 * the whole machine   three hours at most
 * </pre>
 *
 * The execution succeeds whenever a report was written; its output is {@code {"outcome": "MET" |
 * "GOALS_MISSED" | "FAILED" | "STOPPED_BY_INCIDENT" | "REFUSED", "report": "s3://…/report.json",
 * "findings": […]}}, and the metric {@code DrillFailed} counts 1 for {@code FAILED} and {@code
 * GOALS_MISSED}. An execution that fails wrote none.
 *
 * <p>The function stands outside any VPC, in the region whose bucket proofs are made from (the DR
 * region, {@code copyTo}'s, else home's). It may: read the ledger; {@code lambda:InvokeFunction} on
 * the aliases of TakeSnapshot; read and list {@code manifests/} and {@code proofs/} of its region's
 * snapshot bucket; {@code states:StartExecution} on the failover's machine and {@code
 * states:DescribeExecution}, {@code states:GetExecutionHistory} on its executions; {@code
 * s3:GetObject}, {@code s3:PutObject} and {@code s3:ListBucket} on the drill bucket, with its
 * encryption key; {@code kms:Sign} and {@code kms:GetPublicKey} on the signing key. {@code
 * {"dryRun":true}} asks all of them and changes nothing.
 */
public final class DrillHandler implements RequestHandler<Map<String, Object>, Map<String, ?>> {
    private final WiringOfDrill wiring;

    /** The function's own wiring. */
    public DrillHandler() {
        this(WiringOfDrill.ofEnvironment());
    }

    DrillHandler(WiringOfDrill wiring) {
        this.wiring = wiring;
    }

    @Override
    public Map<String, ?> handleRequest(Map<String, Object> event, Context context) {
        return PowertoolsLogging.withLogging(
                context,
                () -> {
                    Drill drill = wiring.drill();
                    if (DryRun.reports(event)) {
                        return DryRun.report(wiring.looks(), drill::dryRun, context);
                    }
                    if (DryRun.asked(event)) {
                        return DryRun.of(wiring.metrics(), wiring::looks, drill::dryRun);
                    }
                    Map<String, String> versions =
                            Map.of(
                                    "function",
                                    context.getFunctionName() + ":" + context.getFunctionVersion(),
                                    "java",
                                    Runtime.version().toString());
                    return Scheduled.answer(DrillInput.of(event).run(drill, versions));
                });
    }
}
