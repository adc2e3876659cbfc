package io.vaultdr.infra.iam;

import java.util.ArrayList;
import java.util.List;

/** What every function needs: its log, its traces, the queue for failed events, its network. */
public record FunctionPolicy(String logGroupArn, String queueArn, boolean inVpc) implements Policy {
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
            all.add(
                    Allowances.unscoped(
                            "ec2:CreateNetworkInterface",
                            "ec2:DescribeNetworkInterfaces",
                            "ec2:DescribeSubnets",
                            "ec2:DeleteNetworkInterface",
                            "ec2:AssignPrivateIpAddresses",
                            "ec2:UnassignPrivateIpAddresses"));
        }
        return all;
    }
}
