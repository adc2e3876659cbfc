package io.vaultdr.infra.iam;

import io.vaultdr.infra.config.Names;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a machine may do that an image is made of: read the files and the programs that the image
 * holds and the steps that it is made by, say how it went, and be led by Systems Manager. It can
 * read no secret, no parameter and no snapshot.
 *
 * @param components the names of the steps
 * @param objects the ARNs of what it fetches
 * @param log the log group of its steps
 * @see <a
 *     href="https://docs.aws.amazon.com/imagebuilder/latest/userguide/security-iam-awsmanpol.html">What
 *     AWS's own policy for it allows, which is more</a>
 */
public record ImageBuildPolicy(
        Names names, String region, List<String> components, List<String> objects, String log)
        implements Policy {
    private static final String VERSIONS = "Each change of a step makes a new version of it";

    @Override
    public List<Allowance> allowances() {
        List<Allowance> all = new ArrayList<>();
        for (String component : components) {
            all.add(
                    Allowance.onPattern(
                            names.arn("imagebuilder", region, "component/" + component + "/*"),
                            VERSIONS,
                            "imagebuilder:GetComponent"));
        }
        all.add(new Allowance(List.of("s3:GetObject"), objects, Map.of(), Optional.empty()));
        all.add(
                Allowance.onPattern(
                        "arn:aws:s3:::ec2imagebuilder*",
                        "AWS keeps the program that runs the steps in buckets of its own",
                        "s3:GetObject"));
        all.add(
                Allowance.onPattern(
                        names.arn("logs", region, "log-group:" + log + ":*"),
                        "Each build writes a log stream of its own",
                        "logs:CreateLogStream",
                        "logs:PutLogEvents"));
        all.add(Allowances.managedInstance());
        return all;
    }
}
