package io.vaultdr.infra.iam;

import io.vaultdr.infra.config.Config;
import io.vaultdr.infra.config.Config.Pair;
import io.vaultdr.infra.config.Names;
import io.vaultdr.infra.config.PairSettingsMaker;

import software.amazon.awscdk.services.iam.AccountPrincipal;
import software.amazon.awscdk.services.iam.PolicyStatement;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * What the account of a copy lets roles of home's account do with bucket and key: add archives and
 * manifests, look at manifests and proofs, and read archives for a promotion. None of them can
 * overwrite, delete or hide anything, write a proof, or change bucket, lock or key.
 *
 * <p>Roles are named by a condition and not as principals: those have to exist when a policy is
 * written, and either account has to deploy while the other can't.
 *
 * @param home home's account
 * @param bucket the bucket's ARN
 * @param region where it stands
 * @param writers who puts snapshots
 * @param lookers who only looks, the writers not included
 * @param restorers who reads archives
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html">Conditional
 *     writes by policy</a>
 */
public record CopyGrants(
        String home,
        String bucket,
        String region,
        List<String> writers,
        List<String> lookers,
        List<String> restorers) {

    /** The grants for the pair as it is configured, whoever is told of it. */
    public static CopyGrants of(Config config, Pair told) {
        Pair pair = config.pair(told.id().value()).orElseThrow();
        Names names = PairSettingsMaker.names(config, pair);
        String home = pair.home().region();
        List<String> writers = new ArrayList<>(List.of(names.roleArn(home, "take-snapshot")));
        List<String> lookers =
                new ArrayList<>(
                        List.of(
                                names.roleArn(home, "freshness-check"),
                                names.roleArn(home, "rotate-logins")));
        List<String> restorers = new ArrayList<>();
        if (pair.proving().isPresent()) {
            lookers.add(names.roleArn(pair.drillRegion(), "drill"));
        }
        if (pair.probed()) {
            String dr = pair.drCluster().region();
            writers.add(names.roleArn(dr, "take-snapshot"));
            lookers.add(names.roleArn(dr, "rotate-logins"));
            restorers.add(names.roleArn(dr, "promote"));
            if (config.vantages().containsKey(dr)) {
                lookers.add(names.probeRoleArn(dr));
            }
        }
        String region = pair.proofRegion();
        return new CopyGrants(
                names.account(),
                "arn:aws:s3:::" + names.snapshots(region),
                region,
                List.copyOf(writers),
                List.copyOf(lookers),
                List.copyOf(restorers));
    }

    /** The statements of the bucket's policy. */
    public List<PolicyStatement> ofBucket() {
        List<String> commits = List.of(bucket + "/manifests/*", bucket + "/proofs/*");
        List<String> archives = List.of(bucket + "/archives/*");
        List<PolicyStatement> all = new ArrayList<>();
        all.add(statement("List", everybody(), List.of("s3:ListBucket"), List.of(bucket)));
        all.add(statement("Look", everybody(), List.of("s3:GetObject"), commits));
        if (!restorers.isEmpty()) {
            all.add(statement("Restore", restorers, List.of("s3:GetObject"), archives));
        }
        all.add(
                statement(
                        "Sweep",
                        writers,
                        List.of("s3:ListBucketMultipartUploads"),
                        List.of(bucket)));
        all.add(statement("GiveUp", writers, List.of("s3:AbortMultipartUpload"), archives));
        // Parts are no object yet, and can't say that there must be none.
        PolicyStatement upload = statement("Upload", writers, List.of("s3:PutObject"), archives);
        upload.addCondition("Bool", Map.of("s3:ObjectCreationOperation", "false"));
        all.add(upload);
        PolicyStatement add =
                statement(
                        "Add",
                        writers,
                        List.of("s3:PutObject"),
                        List.of(bucket + "/archives/*", bucket + "/manifests/*"));
        add.addCondition("Null", Map.of("s3:if-none-match", "false"));
        all.add(add);
        return all;
    }

    /** The statements of the key's policy; whoever lists needs no key. */
    public List<PolicyStatement> ofKey() {
        List<PolicyStatement> all =
                List.of(
                        statement("Read", everybody(), List.of("kms:Decrypt"), List.of("*")),
                        statement("Write", writers, List.of("kms:GenerateDataKey"), List.of("*")));
        all.forEach(
                it ->
                        it.addCondition(
                                "StringEquals",
                                new TreeMap<>(
                                        Map.of(
                                                "kms:ViaService",
                                                "s3." + region + ".amazonaws.com",
                                                Allowances.BUCKET_OF_KEY,
                                                bucket))));
        return all;
    }

    private List<String> everybody() {
        return Stream.of(writers, lookers, restorers).flatMap(List::stream).toList();
    }

    private PolicyStatement statement(
            String sid, List<String> roles, List<String> actions, List<String> resources) {
        return PolicyStatement.Builder.create()
                .sid(sid)
                .principals(List.of(new AccountPrincipal(home)))
                .actions(actions)
                .resources(resources)
                .conditions(Map.of("ArnEquals", Map.of("aws:PrincipalArn", roles)))
                .build();
    }
}
