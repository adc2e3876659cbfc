package io.vaultdr.infra.iam;

import software.amazon.awscdk.services.iam.Effect;
import software.amazon.awscdk.services.iam.PolicyStatement;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** What every function needs: its log, its traces, the queue for failed events, its network. */
public record FunctionPolicy(String logGroupArn, String queueArn, boolean inVpc) implements Policy {
    private static final String[] NETWORK = {
        "ec2:CreateNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:DeleteNetworkInterface",
        "ec2:AssignPrivateIpAddresses",
        "ec2:UnassignPrivateIpAddresses"
    };

    @Override
    public List<Allowance> allowances() {
        List<Allowance> all = new ArrayList<>();
        all.add(
                Allowance.onPattern(
                        logGroupArn + ":log-stream:*",
                        "Each instance of the function writes a stream of its own",
                        "logs:CreateLogStream",
                        "logs:PutLogEvents"));
        all.add(Allowances.unscoped("xray:PutTraceSegments", "xray:PutTelemetryRecords"));
        all.add(Allowance.on(queueArn, "sqs:SendMessage"));
        if (inVpc) {
            all.add(Allowances.unscoped(NETWORK));
        }
        return all;
    }

    /**
     * What Lambda does with the role for the function's network, and the function's own code must
     * not: the interfaces are not named, so that it would reach any of the account's.
     *
     * @param functionArn the function that has the role
     * @see <a href="https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html">Connecting
     *     a function to a VPC</a>
     */
    public List<PolicyStatement> denials(String functionArn) {
        return inVpc
                ? List.of(
                        PolicyStatement.Builder.create()
                                .effect(Effect.DENY)
                                .actions(List.of(NETWORK))
                                .resources(List.of("*"))
                                .conditions(
                                        Map.of(
                                                "ArnEquals",
                                                Map.of("lambda:SourceFunctionArn", functionArn)))
                                .build())
                : List.of();
    }
}
