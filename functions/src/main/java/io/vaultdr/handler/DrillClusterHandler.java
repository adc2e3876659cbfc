package io.vaultdr.handler;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;

import io.vaultdr.drill.ClusterDrill;
import io.vaultdr.drill.DrillInput;
import io.vaultdr.runtime.WiringOfClusterDrill;

import software.amazon.lambda.powertools.logging.PowertoolsLogging;

import java.util.Map;

/**
 * The phases of a drill that need a cluster: {@link ClusterDrill}. The drill's state machine calls
 * them after its chain went through, with the payload that {@link DrillHandler} gets and the phases
 * {@code boot}, {@code promote}, {@code verify}, {@code grow}, {@code tear_down}; each answers with
 * the next state. However the phases before ended, {@code tear_down} comes last; and a rule sends
 * it again when an execution was aborted, failed or timed out.
 *
 * <p>The function stands in the drill's own network, which leads nowhere. It may: read the ledger;
 * {@code autoscaling:SetDesiredCapacity} on the drill's group, {@code
 * autoscaling:DescribeAutoScalingGroups}; {@code ssm:DescribeInstanceInformation}, {@code
 * ssm:SendCommand} of the drill's two documents on instances with the drill's tag, {@code
 * ssm:ListCommandInvocations}; read {@code manifests/} and {@code snapshots/} of the DR region's
 * bucket; {@code secretsmanager:GetSecretValue} of the logins {@code verify} and {@code grow}.
 * {@code {"dryRun":true}} asks all of them and changes nothing.
 */
public final class DrillClusterHandler
        implements RequestHandler<Map<String, Object>, Map<String, ?>> {
    private final WiringOfClusterDrill wiring;

    /** The function's own wiring. */
    public DrillClusterHandler() {
        this(WiringOfClusterDrill.ofEnvironment());
    }

    DrillClusterHandler(WiringOfClusterDrill wiring) {
        this.wiring = wiring;
    }

    @Override
    public Map<String, ?> handleRequest(Map<String, Object> event, Context context) {
        return PowertoolsLogging.withLogging(
                context,
                () -> {
                    ClusterDrill drill = wiring.drill();
                    if (DryRun.reports(event)) {
                        return DryRun.report(wiring.looks(), drill::dryRun, context);
                    }
                    return DryRun.asked(event)
                            ? DryRun.of(wiring.metrics(), wiring::looks, drill::dryRun)
                            : Scheduled.answer(
                                    DrillInput.of(event).run(drill, Scheduled.deadline(context)));
                });
    }
}
