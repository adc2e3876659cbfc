package io.vaultdr.infra.iam;

import io.vaultdr.infra.watch.WatchedCluster;

import java.util.ArrayList;
import java.util.List;

/**
 * Lets a node's agent read its configuration and send metrics and logs. It can't read what other
 * nodes sent, nor make or empty a log group.
 */
public record NodeWatchPolicy(WatchedCluster cluster) implements Policy {
    @Override
    public List<Allowance> allowances() {
        List<Allowance> all = new ArrayList<>();
        all.add(
                Allowance.on(
                        cluster.names()
                                .arn(
                                        "ssm",
                                        cluster.region(),
                                        "parameter" + cluster.agentParameter()),
                        "ssm:GetParameter"));
        all.add(Allowances.putMetrics(WatchedCluster.NAMESPACE));
        for (String log : cluster.logs()) {
            String arn = cluster.names().arn("logs", cluster.region(), "log-group:" + log);
            all.add(
                    Allowance.onPattern(
                            arn + ":*",
                            "Each node writes a log stream of its own",
                            "logs:CreateLogStream",
                            "logs:DescribeLogStreams",
                            "logs:PutLogEvents"));
        }
        return all;
    }
}
