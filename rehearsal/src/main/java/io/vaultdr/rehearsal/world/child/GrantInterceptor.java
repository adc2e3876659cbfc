package io.vaultdr.rehearsal.world.child;

import software.amazon.awssdk.awscore.AwsExecutionAttribute;
import software.amazon.awssdk.core.SdkRequest;
import software.amazon.awssdk.core.interceptor.Context;
import software.amazon.awssdk.core.interceptor.ExecutionAttributes;
import software.amazon.awssdk.core.interceptor.ExecutionInterceptor;
import software.amazon.awssdk.core.interceptor.SdkExecutionAttribute;
import software.amazon.awssdk.http.SdkHttpRequest;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.PutItemRequest;
import software.amazon.awssdk.services.dynamodb.model.TransactWriteItemsRequest;
import software.amazon.awssdk.services.route53.model.ChangeResourceRecordSetsRequest;
import software.amazon.awssdk.services.s3.model.DeleteObjectsRequest;
import software.amazon.awssdk.services.ssm.model.SendCommandRequest;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Says in each AWS call of a function which IAM actions it needs, on which resources. The gateway
 * holds them against the function's role and answers AccessDenied in the service's own words. The
 * SDK finds this class on the function's class path; the function knows nothing of it. An operation
 * that isn't in the table fails the call: what isn't known can't be held to a policy.
 */
public final class GrantInterceptor implements ExecutionInterceptor {
    /** Header: {@code <service>.<operation>}, in the SDK's words. */
    public static final String CALL = "x-rehearsal-call";

    /**
     * Header, a comma between actions: action, resource and context, URL-encoded, a bar between.
     */
    public static final String NEEDS = "x-rehearsal-needs";

    /** As a resource: the action has resources, but a call doesn't name one. */
    public static final String UNNAMED = "unnamed";

    private static final String OBJECT = "arn:aws:s3:::{Bucket}/{Key}";
    private static final String BUCKET = "arn:aws:s3:::{Bucket}";
    private static final String TABLE = "arn:aws:dynamodb:{region}:{account}:table/{TableName}";
    private static final String GROUP =
            "arn:aws:autoscaling:{region}:{account}:autoScalingGroup:"
                    + "00000000-0000-0000-0000-000000000000:"
                    + "autoScalingGroupName/{AutoScalingGroupName}";
    private static final String PARAMETER = "arn:aws:ssm:{region}:{account}:parameter{Name}";
    private static final String KEY = "{key} kms:ResourceAliases={alias}";
    private static final String ZONE = "arn:aws:route53:::hostedzone/{HostedZoneId}";

    /**
     * Call to needs, {@code action resource [context]}, from the Service Authorization Reference.
     */
    private static final Map<String, String> TABLE_OF_CALLS =
            Map.ofEntries(
                    Map.entry("S3.GetObject", "s3:GetObject " + OBJECT),
                    Map.entry("S3.HeadObject", "s3:GetObject " + OBJECT),
                    Map.entry("S3.GetObjectTagging", "s3:GetObjectTagging " + OBJECT),
                    Map.entry("S3.PutObjectTagging", "s3:PutObjectTagging " + OBJECT),
                    Map.entry("S3.PutObject", "s3:PutObject " + OBJECT),
                    Map.entry("S3.CreateMultipartUpload", "s3:PutObject " + OBJECT),
                    Map.entry("S3.UploadPart", "s3:PutObject " + OBJECT),
                    Map.entry("S3.CompleteMultipartUpload", "s3:PutObject " + OBJECT),
                    Map.entry("S3.AbortMultipartUpload", "s3:AbortMultipartUpload " + OBJECT),
                    Map.entry("S3.ListParts", "s3:ListMultipartUploadParts " + OBJECT),
                    Map.entry("S3.ListMultipartUploads", "s3:ListBucketMultipartUploads " + BUCKET),
                    Map.entry(
                            "S3.ListObjectsV2", "s3:ListBucket " + BUCKET + " s3:prefix={Prefix}"),
                    Map.entry("S3.ListObjectVersions", "s3:ListBucketVersions " + BUCKET),
                    Map.entry("S3.HeadBucket", "s3:ListBucket " + BUCKET),
                    Map.entry("S3.GetBucketLocation", "s3:GetBucketLocation " + BUCKET),
                    Map.entry("S3.DeleteObject", "s3:DeleteObject " + OBJECT),
                    Map.entry(
                            "S3.GetObjectLockConfiguration",
                            "s3:GetBucketObjectLockConfiguration " + BUCKET),
                    Map.entry(
                            "S3.CopyObject",
                            "s3:PutObject"
                                + " arn:aws:s3:::{DestinationBucket}/{DestinationKey}|s3:GetObject"
                                + " arn:aws:s3:::{SourceBucket}/{SourceKey}"),
                    Map.entry(
                            "S3.UploadPartCopy",
                            "s3:PutObject"
                                + " arn:aws:s3:::{DestinationBucket}/{DestinationKey}|s3:GetObject"
                                + " arn:aws:s3:::{SourceBucket}/{SourceKey}"),
                    Map.entry("DynamoDb.GetItem", "dynamodb:GetItem " + TABLE),
                    Map.entry("DynamoDb.UpdateItem", "dynamodb:UpdateItem " + TABLE),
                    Map.entry("DynamoDb.DeleteItem", "dynamodb:DeleteItem " + TABLE),
                    Map.entry("DynamoDb.Query", "dynamodb:Query " + TABLE),
                    Map.entry("DynamoDb.DescribeTable", "dynamodb:DescribeTable " + TABLE),
                    Map.entry(
                            "CloudWatch.PutMetricData",
                            "cloudwatch:PutMetricData * cloudwatch:namespace={Namespace}"),
                    Map.entry(
                            "AutoScaling.DescribeAutoScalingGroups",
                            "autoscaling:DescribeAutoScalingGroups *"),
                    Map.entry(
                            "AutoScaling.DescribeScalingActivities",
                            "autoscaling:DescribeScalingActivities *"),
                    Map.entry(
                            "AutoScaling.CompleteLifecycleAction",
                            "autoscaling:CompleteLifecycleAction " + GROUP),
                    Map.entry(
                            "AutoScaling.RecordLifecycleActionHeartbeat",
                            "autoscaling:RecordLifecycleActionHeartbeat " + GROUP),
                    Map.entry(
                            "AutoScaling.SetDesiredCapacity",
                            "autoscaling:SetDesiredCapacity " + GROUP),
                    Map.entry(
                            "AutoScaling.UpdateAutoScalingGroup",
                            "autoscaling:UpdateAutoScalingGroup " + GROUP),
                    Map.entry(
                            "AutoScaling.SuspendProcesses",
                            "autoscaling:SuspendProcesses " + GROUP),
                    Map.entry(
                            "AutoScaling.ResumeProcesses", "autoscaling:ResumeProcesses " + GROUP),
                    Map.entry("Ssm.GetParameter", "ssm:GetParameter " + PARAMETER),
                    Map.entry(
                            "Ssm.GetParametersByPath",
                            "ssm:GetParametersByPath"
                                    + " arn:aws:ssm:{region}:{account}:parameter{Path}"),
                    Map.entry("Ssm.GetCommandInvocation", "ssm:GetCommandInvocation *"),
                    Map.entry("Ssm.ListCommandInvocations", "ssm:ListCommandInvocations *"),
                    Map.entry(
                            "SecretsManager.GetSecretValue",
                            "secretsmanager:GetSecretValue {secret}"),
                    Map.entry(
                            "SecretsManager.DescribeSecret",
                            "secretsmanager:DescribeSecret {secret}"),
                    Map.entry(
                            "SecretsManager.PutSecretValue",
                            "secretsmanager:PutSecretValue {secret}"),
                    Map.entry("Sfn.StartExecution", "states:StartExecution {stateMachineArn}"),
                    Map.entry("Sfn.ListExecutions", "states:ListExecutions {stateMachineArn}"),
                    Map.entry("Sfn.DescribeExecution", "states:DescribeExecution {executionArn}"),
                    Map.entry(
                            "Sfn.GetExecutionHistory", "states:GetExecutionHistory {executionArn}"),
                    Map.entry("Sfn.StopExecution", "states:StopExecution {executionArn}"),
                    Map.entry("Sfn.SendTaskSuccess", "states:SendTaskSuccess " + UNNAMED),
                    Map.entry("Sfn.SendTaskFailure", "states:SendTaskFailure " + UNNAMED),
                    Map.entry("Kms.Sign", "kms:Sign " + KEY),
                    Map.entry("Kms.DescribeKey", "kms:DescribeKey " + KEY),
                    Map.entry("Kms.GetPublicKey", "kms:GetPublicKey " + KEY),
                    Map.entry("Sns.Publish", "sns:Publish {TopicArn}"),
                    Map.entry("Sns.GetTopicAttributes", "sns:GetTopicAttributes {TopicArn}"),
                    Map.entry(
                            "Route53.ListResourceRecordSets",
                            "route53:ListResourceRecordSets " + ZONE),
                    Map.entry(
                            "Route53.GetChange", "route53:GetChange arn:aws:route53:::change/{Id}"),
                    Map.entry(
                            "Route53.GetHealthCheck",
                            "route53:GetHealthCheck arn:aws:route53:::healthcheck/{HealthCheckId}"),
                    Map.entry(
                            "Route53.GetHealthCheckStatus",
                            "route53:GetHealthCheckStatus"
                                    + " arn:aws:route53:::healthcheck/{HealthCheckId}"),
                    Map.entry("Sts.GetCallerIdentity", ""));

    private static final Pattern FIELD = Pattern.compile("\\{(\\w+)}");

    private final String account;

    /** Made by the SDK, once for each client. */
    public GrantInterceptor() {
        this(System.getenv().getOrDefault("REHEARSAL_ACCOUNT", ""));
    }

    GrantInterceptor(String account) {
        this.account = account;
    }

    @Override
    public SdkHttpRequest modifyHttpRequest(
            Context.ModifyHttpRequest context, ExecutionAttributes attributes) {
        String call =
                attributes.getAttribute(SdkExecutionAttribute.SERVICE_NAME)
                        + "."
                        + attributes.getAttribute(SdkExecutionAttribute.OPERATION_NAME);
        String region = String.valueOf(attributes.getAttribute(AwsExecutionAttribute.AWS_REGION));
        SdkHttpRequest.Builder request = context.httpRequest().toBuilder().putHeader(CALL, call);
        // One header: a batch of a thousand deletions has more needs than a server takes headers.
        return request.putHeader(NEEDS, String.join(",", needs(call, context.request(), region)))
                .build();
    }

    /** What {@code call} needs, in the header's form. */
    List<String> needs(String call, SdkRequest request, String region) {
        switch (request) {
            case SendCommandRequest command when call.equals("Ssm.SendCommand") -> {
                return sendCommand(command, region);
            }
            case PutItemRequest put -> {
                return List.of(table("PutItem", put.tableName(), leading(put.item()), region));
            }
            case TransactWriteItemsRequest transaction -> {
                return transaction(transaction, region);
            }
            case DeleteObjectsRequest deletion -> {
                return objects(deletion);
            }
            case ChangeResourceRecordSetsRequest change -> {
                return List.of(
                        encode(
                                "route53:ChangeResourceRecordSets",
                                fill(ZONE, request, region),
                                changes(change)));
            }
            default -> {}
        }
        String row = TABLE_OF_CALLS.get(call);
        if (row == null) {
            throw new IllegalStateException(
                    "the rehearsal doesn't know which IAM action "
                            + call
                            + " needs: add it to GrantInterceptor's table");
        }
        List<String> needs = new ArrayList<>();
        for (String need : row.isEmpty() ? new String[0] : row.split("\\|", -1)) {
            String[] parts = need.split(" ", -1);
            String action = parts[0];
            boolean version = request.getValueForField("VersionId", String.class).isPresent();
            if (version && (action.equals("s3:GetObject") || action.equals("s3:DeleteObject"))) {
                action += "Version";
            }
            needs.add(
                    encode(
                            action,
                            fill(parts[1], request, region),
                            parts.length > 2 ? fill(parts[2], request, region) : ""));
        }
        // As text it is a header of another call; otherwise the call itself is about tags.
        if (request.getValueForField("Tagging", Object.class)
                .filter(String.class::isInstance)
                .isPresent()) {
            needs.add(encode("s3:PutObjectTagging", fill(OBJECT, request, region), ""));
        }
        if (request.getValueForField("ObjectLockMode", String.class).isPresent()) {
            needs.add(encode("s3:PutObjectRetention", fill(OBJECT, request, region), ""));
        }
        return needs;
    }

    private static List<String> objects(DeleteObjectsRequest deletion) {
        return deletion.delete().objects().stream()
                .map(
                        object ->
                                encode(
                                        object.versionId() == null
                                                ? "s3:DeleteObject"
                                                : "s3:DeleteObjectVersion",
                                        "arn:aws:s3:::" + deletion.bucket() + "/" + object.key(),
                                        ""))
                .toList();
    }

    private List<String> sendCommand(SendCommandRequest command, String region) {
        List<String> needs = new ArrayList<>();
        String place = ":" + region + ":" + account + ":";
        needs.add(
                encode(
                        "ssm:SendCommand",
                        "arn:aws:ssm" + place + "document/" + command.documentName(),
                        ""));
        for (String instance : command.instanceIds()) {
            needs.add(
                    encode("ssm:SendCommand", "arn:aws:ec2" + place + "instance/" + instance, ""));
        }
        for (var target : command.targets()) {
            // A tag target reaches whatever carries the tag: the grant has to be by the tag too.
            String key = target.key().replaceFirst("^tag:", "");
            String tags =
                    target.values().stream()
                            .map(
                                    v ->
                                            "ssm:resourceTag/"
                                                    + key
                                                    + "="
                                                    + v
                                                    + "&aws:ResourceTag/"
                                                    + key
                                                    + "="
                                                    + v)
                            .collect(Collectors.joining("&"));
            needs.add(
                    encode(
                            "ssm:SendCommand",
                            "arn:aws:ec2" + place + "instance/i-00000000000000000",
                            tags));
        }
        return needs;
    }

    private List<String> transaction(TransactWriteItemsRequest transaction, String region) {
        List<String> needs = new ArrayList<>();
        for (var item : transaction.transactItems()) {
            if (item.put() != null) {
                needs.add(
                        table(
                                "PutItem",
                                item.put().tableName(),
                                leading(item.put().item()),
                                region));
            }
            if (item.update() != null) {
                needs.add(table("UpdateItem", item.update().tableName(), "", region));
            }
            if (item.delete() != null) {
                needs.add(table("DeleteItem", item.delete().tableName(), "", region));
            }
            if (item.conditionCheck() != null) {
                needs.add(
                        table("ConditionCheckItem", item.conditionCheck().tableName(), "", region));
            }
        }
        return needs.stream().distinct().toList();
    }

    private String table(String action, String table, String context, String region) {
        return encode(
                "dynamodb:" + action,
                "arn:aws:dynamodb:" + region + ":" + account + ":table/" + table,
                context);
    }

    /** The ledger's partition key. */
    private static String leading(Map<String, AttributeValue> item) {
        return item.containsKey("pk") ? "dynamodb:LeadingKeys=" + item.get("pk").s() : "";
    }

    private static String changes(ChangeResourceRecordSetsRequest change) {
        String prefix = "route53:ChangeResourceRecordSets";
        return change.changeBatch().changes().stream()
                .map(
                        c ->
                                prefix
                                        + "NormalizedRecordNames="
                                        + c.resourceRecordSet()
                                                .name()
                                                .toLowerCase(Locale.ROOT)
                                                .replaceFirst("\\.$", "")
                                        + "&"
                                        + prefix
                                        + "RecordTypes="
                                        + c.resourceRecordSet().typeAsString()
                                        + "&"
                                        + prefix
                                        + "Actions="
                                        + c.actionAsString())
                .collect(Collectors.joining("&"));
    }

    private String fill(String pattern, SdkRequest request, String region) {
        return FIELD.matcher(pattern)
                .replaceAll(
                        match ->
                                java.util.regex.Matcher.quoteReplacement(
                                        field(match.group(1), request, region)));
    }

    private String field(String name, SdkRequest request, String region) {
        return switch (name) {
            case "region" -> region;
            case "account" -> account;
            case "secret" -> {
                String id = request.getValueForField("SecretId", String.class).orElse("");
                // AWS appends six characters of its own to a secret's name.
                yield id.startsWith("arn:")
                        ? id
                        : "arn:aws:secretsmanager:"
                                + region
                                + ":"
                                + account
                                + ":secret:"
                                + id
                                + "-AbCdEf";
            }
            // A key that is named by its alias has to be granted by the alias.
            case "key" -> {
                String id = request.getValueForField("KeyId", String.class).orElse("");
                yield id.contains("alias/")
                        ? "arn:aws:kms:" + region + ":" + account + ":key/" + UNNAMED
                        : id;
            }
            case "alias" ->
                    request.getValueForField("KeyId", String.class)
                            .filter(id -> id.contains("alias/"))
                            .map(id -> id.substring(id.indexOf("alias/")))
                            .orElse("");
            case "Name", "Path" -> {
                String value = request.getValueForField(name, String.class).orElse("");
                yield (value.startsWith("/") ? value : "/" + value).replaceFirst("(?<=.)/$", "");
            }
            case "HostedZoneId", "Id" ->
                    request.getValueForField(name, String.class)
                            .orElse("")
                            .replaceFirst("^/?(hostedzone|change)/", "");
            default -> request.getValueForField(name, String.class).orElse("");
        };
    }

    private static String encode(String action, String resource, String context) {
        return URLEncoder.encode(action, StandardCharsets.UTF_8)
                + "|"
                + URLEncoder.encode(resource, StandardCharsets.UTF_8)
                + "|"
                + URLEncoder.encode(context, StandardCharsets.UTF_8);
    }
}
