package io.vaultdr.infra.iam;

import io.vaultdr.infra.config.Config.Pair;
import io.vaultdr.infra.config.Names;
import io.vaultdr.runtime.PairSettings.Tag;
import io.vaultdr.vault.Login.Intent;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Allowances that several intents share. */
final class Allowances {
    private static final String OBJECTS =
            "Every snapshot has a key of its own, in a bucket that holds nothing else";
    private static final String SECRET =
            "Secrets Manager ends each secret's ARN with six characters of its own";
    private static final String KEY =
            "The key is made in its own region and known here by its alias only, to which the"
                    + " condition limits this";
    private static final String KEY_ELSEWHERE =
            "The key is made in another account, whose aliases mean nothing here; it is named by"
                    + " the bucket that it encrypts";

    /**
     * What S3 tells KMS of a bucket with a bucket key.
     *
     * @see <a href="https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-key.html">Bucket
     *     keys</a>
     */
    static final String BUCKET_OF_KEY = "kms:EncryptionContext:aws:s3:arn";

    private static final String LISTING = "This action knows no resources";

    private Allowances() {}

    /** Reads a bucket's snapshots. */
    static List<Allowance> readSnapshots(Names names, String region) {
        String bucket = "arn:aws:s3:::" + names.snapshots(region);
        return List.of(
                Allowance.on(bucket, "s3:ListBucket"),
                Allowance.onPattern(bucket + "/*", OBJECTS, "s3:GetObject"),
                key(names, region, "kms:Decrypt"));
    }

    /** Reads and writes a bucket's snapshots, and sweeps uploads that were never finished. */
    static List<Allowance> writeSnapshots(Names names, String region) {
        String bucket = "arn:aws:s3:::" + names.snapshots(region);
        return List.of(
                Allowance.on(bucket, "s3:ListBucket", "s3:ListBucketMultipartUploads"),
                Allowance.onPattern(
                        bucket + "/*",
                        OBJECTS,
                        "s3:GetObject",
                        "s3:PutObject",
                        "s3:AbortMultipartUpload",
                        "s3:ListMultipartUploadParts"),
                key(names, region, "kms:Decrypt", "kms:GenerateDataKey"));
    }

    /** Does something with objects. */
    static Allowance objects(String pattern, String... actions) {
        return Allowance.onPattern(pattern, OBJECTS, actions);
    }

    /** Uses the key of a bucket's snapshots, through S3 only and for that bucket. */
    static Allowance key(Names names, String region, String... actions) {
        Allowance key =
                names.existingKey(region).isPresent()
                        ? Allowance.on(names.existingKey(region).get(), actions)
                        : names.owns(region)
                                ? aliased(names, region, names.snapshotKeyAlias(), actions)
                                : Allowance.onPattern(
                                                "arn:aws:kms:"
                                                        + region
                                                        + ":"
                                                        + names.owner(region)
                                                        + ":key/*",
                                                KEY_ELSEWHERE,
                                                actions)
                                        .when(
                                                "StringEquals",
                                                BUCKET_OF_KEY,
                                                "arn:aws:s3:::" + names.snapshots(region));
        return key.when("StringEquals", "kms:ViaService", "s3." + region + ".amazonaws.com");
    }

    /** Uses the key that has that alias. */
    static Allowance aliased(Names names, String region, String alias, String... actions) {
        return Allowance.onPattern(names.arn("kms", region, "key/*"), KEY, actions)
                .when("ForAnyValue:StringEquals", "kms:ResourceAliases", List.of(alias));
    }

    /** Reads the login of an intent. */
    static Allowance login(Names names, String region, String login, String intent) {
        return secret(names, region, login + "/" + intent);
    }

    /** Reads a secret. */
    static Allowance secret(Names names, String region, String name) {
        return onSecret(names, region, name, "secretsmanager:GetSecretValue");
    }

    /** Does something with a secret. */
    static Allowance onSecret(Names names, String region, String name, String... actions) {
        return Allowance.onPattern(arn(names, region, name), SECRET, actions);
    }

    /** Sees whether a login is there, without reading it. */
    static Allowance seeLogin(Names names, String region, String login, String intent) {
        return Allowance.onPattern(
                arn(names, region, login + "/" + intent), SECRET, "secretsmanager:DescribeSecret");
    }

    /** Does something with the logins of all intents that {@code pair} has. */
    static Allowance logins(
            Names names, Pair pair, String region, String login, String... actions) {
        return new Allowance(
                List.of(actions),
                Intent.of(pair.made()).stream()
                        .map(intent -> arn(names, region, login + "/" + intent))
                        .toList(),
                Map.of(),
                Optional.of(SECRET));
    }

    private static String arn(Names names, String region, String secret) {
        return names.arn("secretsmanager", region, "secret:" + secret + "-??????");
    }

    /** Reads the certificate authorities of both sides. */
    static Allowance certificates(Names names, String region) {
        String path = names.arn("ssm", region, "parameter" + names.caPath());
        return new Allowance(
                List.of("ssm:GetParameter"),
                List.of(path + "/home", path + "/dr"),
                Map.of(),
                Optional.empty());
    }

    /** Something on the ledger. */
    static Allowance ledger(Names names, String region, String... actions) {
        return Allowance.on(names.arn("dynamodb", region, "table/" + names.table()), actions);
    }

    /** Reads and changes the ledger as its port does: optimistic writes and transactions. */
    static Allowance changeLedger(Names names, String region) {
        return ledger(
                names,
                region,
                "dynamodb:GetItem",
                "dynamodb:Query",
                "dynamodb:PutItem",
                "dynamodb:ConditionCheckItem");
    }

    /** Pages people in {@code region}. */
    static Allowance page(Names names, String region) {
        return Allowance.on(names.pagesArn(region), "sns:Publish");
    }

    /** The same, and in a dry run looks whether a page would reach somebody. */
    static Allowance pageOrLook(Names names, String region) {
        return Allowance.on(names.pagesArn(region), "sns:Publish", "sns:GetTopicAttributes");
    }

    /** Looks what became of the failover's executions. */
    static Allowance seeExecutions(Names names, String region) {
        return executions(names, region, "states:DescribeExecution");
    }

    /** Something on the failover's executions. */
    static Allowance executions(Names names, String region, String... actions) {
        return Allowance.onPattern(
                names.arn("states", region, "execution:" + names.stateMachine() + ":*"),
                "Each incident has an execution of its own",
                actions);
    }

    /** Puts metrics into a namespace. */
    static Allowance putMetrics(String namespace) {
        return Allowance.onPattern(
                        "*",
                        "Metrics have no ARN; the condition names the namespace",
                        "cloudwatch:PutMetricData")
                .when("StringEquals", "cloudwatch:namespace", namespace);
    }

    /** An action that takes no resource. */
    static Allowance unscoped(String... actions) {
        return Allowance.onPattern("*", LISTING, actions);
    }

    /** Sends a document to the instances with a tag, and reads what became of it. */
    static List<Allowance> run(Names names, String region, Tag tag, String... documents) {
        List<Allowance> all = new ArrayList<>();
        for (String document : documents) {
            all.add(
                    Allowance.on(
                            names.arn("ssm", region, "document/" + names.of(document)),
                            "ssm:SendCommand"));
        }
        all.add(
                Allowance.onPattern(
                                names.arn("ec2", region, "instance/*"),
                                "Servers come and go; the condition names their tag",
                                "ssm:SendCommand")
                        .when("StringEquals", "ssm:resourceTag/" + tag.key(), tag.value()));
        all.add(unscoped("ssm:ListCommandInvocations"));
        return all;
    }

    /** Lets Systems Manager lead an instance, which takes the place of SSH. */
    static Allowance managedInstance() {
        return unscoped(
                "ssm:UpdateInstanceInformation",
                "ssm:ListAssociations",
                "ssm:ListInstanceAssociations",
                "ssm:PutInventory",
                "ssmmessages:CreateControlChannel",
                "ssmmessages:CreateDataChannel",
                "ssmmessages:OpenControlChannel",
                "ssmmessages:OpenDataChannel",
                "ec2messages:AcknowledgeMessage",
                "ec2messages:DeleteMessage",
                "ec2messages:FailMessage",
                "ec2messages:GetEndpoint",
                "ec2messages:GetMessages",
                "ec2messages:SendReply");
    }

    /** Something on a group. */
    static Allowance group(Names names, String region, String group, String... actions) {
        return Allowance.onPattern(
                names.arn(
                        "autoscaling", region, "autoScalingGroup:*:autoScalingGroupName/" + group),
                "A group's ARN holds an id that its name doesn't tell",
                actions);
    }
}
