package io.vaultdr.infra.iam;

import io.vaultdr.infra.config.Names;
import io.vaultdr.infra.config.NodeSettings;
import io.vaultdr.infra.config.NodeSettings.Seal;

import java.util.ArrayList;
import java.util.List;

/**
 * What an instance of a made cluster needs: its settings, certificate and licence, the seal's key,
 * the other nodes' addresses, the quarantine marks, and Systems Manager instead of SSH. What
 * watches it brings its own.
 *
 * @param parameter the path of its parameter
 * @param node what that says
 */
public record NodePolicy(Names names, String parameter, NodeSettings node) implements Policy {
    @Override
    public List<Allowance> allowances() {
        String region = node.region();
        List<Allowance> all = new ArrayList<>();
        all.add(
                Allowance.on(
                        names.arn("ssm", region, "parameter" + parameter), "ssm:GetParameter"));
        all.add(Allowances.secret(names, region, node.tlsSecret()));
        node.licenceSecret().ifPresent(it -> all.add(Allowances.secret(names, region, it)));
        all.add(seal(region));
        for (NodeSettings.Mark mark : node.quarantine()) {
            String bucket = "arn:aws:s3:::" + mark.bucket();
            all.add(Allowance.on(bucket + "/" + mark.key(), "s3:GetObject"));
            // Without it S3 doesn't tell a mark that isn't there from one that may not be read.
            all.add(Allowance.on(bucket, "s3:ListBucket"));
        }
        all.add(Allowance.on(node.pages(), "sns:Publish"));
        all.add(Allowances.unscoped("ec2:DescribeInstances"));
        all.add(Allowances.managedInstance());
        return all;
    }

    private Allowance seal(String region) {
        return switch (node.seal()) {
            case Seal.AwsKms kms when kms.key().startsWith("alias/") ->
                    Allowances.aliased(names, region, kms.key(), UNSEAL);
            case Seal.AwsKms kms -> Allowance.on(kms.key(), UNSEAL);
        };
    }

    private static final String[] UNSEAL = {"kms:Encrypt", "kms:Decrypt", "kms:DescribeKey"};
}
