package io.vaultdr.infra.watch;

import software.amazon.awscdk.RemovalPolicy;
import software.amazon.awscdk.services.logs.LogGroup;
import software.amazon.awscdk.services.logs.RetentionDays;
import software.amazon.awscdk.services.ssm.StringParameter;
import software.constructs.Construct;

/**
 * What a node's CloudWatch agent finds: its configuration in a parameter, and the log groups that
 * it writes to. A changed configuration is taken by new nodes, and by old ones when their unit
 * {@code vault-dr-agent} is restarted.
 */
public final class NodeAgent extends Construct {
    public NodeAgent(Construct scope, String id, WatchedCluster cluster) {
        super(scope, id);
        StringParameter.Builder.create(this, "Configuration")
                .parameterName(cluster.agentParameter())
                .description("What the CloudWatch agent of " + cluster.cluster() + "'s nodes sends")
                .stringValue(AgentConfiguration.of(cluster).json())
                .build();
        LogGroup.Builder.create(this, "Audit")
                .logGroupName(cluster.auditLog())
                .retention(RetentionDays.ONE_YEAR)
                // Who read what stays, whatever becomes of the stack.
                .removalPolicy(RemovalPolicy.RETAIN)
                .build();
        LogGroup.Builder.create(this, "Telemetry")
                .logGroupName(cluster.telemetryLog())
                .retention(RetentionDays.TWO_WEEKS)
                .removalPolicy(RemovalPolicy.DESTROY)
                .build();
    }
}
