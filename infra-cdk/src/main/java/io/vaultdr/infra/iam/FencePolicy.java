package io.vaultdr.infra.iam;

import io.vaultdr.aws.S3FlagBucket;
import io.vaultdr.infra.config.Config.Pair;
import io.vaultdr.infra.config.Names;
import io.vaultdr.runtime.PairSettings.Flag;
import io.vaultdr.runtime.PairSettings.Traffic;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Stops the server on home's instances, looks whether it stopped, and marks home quarantined. */
public record FencePolicy(Names names, Pair pair, Optional<Traffic> traffic, String region)
        implements Policy {
    @Override
    public List<Allowance> allowances() {
        List<Allowance> all = new ArrayList<>();
        all.add(Allowances.changeLedger(names, region));
        all.add(Allowances.certificates(names, region));
        all.addAll(
                Allowances.run(
                        names,
                        pair.home().region(),
                        pair.home().instances().orElseThrow(),
                        "stop"));
        pair.home()
                .autoScalingGroup()
                .ifPresent(
                        group ->
                                all.add(
                                        Allowances.group(
                                                names,
                                                pair.home().region(),
                                                group,
                                                "autoscaling:SuspendProcesses")));
        traffic.stream().flatMap(it -> it.flags().stream()).forEach(flag -> mark(flag, all));
        return all;
    }

    private static void mark(Flag flag, List<Allowance> all) {
        if (flag instanceof Flag.InBucket object) {
            all.add(
                    Allowance.on(
                            "arn:aws:s3:::" + object.bucket() + "/" + S3FlagBucket.MARK_KEY,
                            "s3:PutObject"));
        }
    }
}
