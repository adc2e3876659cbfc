package io.vaultdr.rehearsal.world;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

import io.vaultdr.runtime.Json;

import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.model.AttributeDefinition;
import software.amazon.awssdk.services.dynamodb.model.BillingMode;
import software.amazon.awssdk.services.dynamodb.model.KeySchemaElement;
import software.amazon.awssdk.services.kms.KmsClient;
import software.amazon.awssdk.services.kms.model.KeyMetadata;
import software.amazon.awssdk.services.route53.Route53Client;
import software.amazon.awssdk.services.route53.model.Change;
import software.amazon.awssdk.services.route53.model.ChangeAction;
import software.amazon.awssdk.services.route53.model.HealthCheckConfig;
import software.amazon.awssdk.services.route53.model.ResourceRecord;
import software.amazon.awssdk.services.route53.model.ResourceRecordSet;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.BucketVersioningStatus;
import software.amazon.awssdk.services.s3.model.ObjectLockEnabled;
import software.amazon.awssdk.services.s3.model.ObjectLockRetentionMode;
import software.amazon.awssdk.services.s3.model.ServerSideEncryptionRule;
import software.amazon.awssdk.services.secretsmanager.SecretsManagerClient;
import software.amazon.awssdk.services.sfn.SfnClient;
import software.amazon.awssdk.services.sns.SnsClient;
import software.amazon.awssdk.services.ssm.SsmClient;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.UUID;
import java.util.stream.StreamSupport;

/**
 * Makes what the templates describe: state in moto, and functions, roles, alarms, schedules and
 * documents as records for those who play them here. A resource that another refers to is made
 * first. What isn't made is listed with the reason; a property that no one here looks at isn't.
 */
final class TemplateApplier {
    /** A resource, or a part of one, that doesn't exist in the rehearsal. */
    public record NotApplied(String stack, String logicalId, String type, String why) {}

    /** A rule that fires by the clock. */
    record Timer(String region, String name, String arn, Schedule schedule, List<Target> targets) {}

    /** Where a rule's event goes; {@code input} replaces the event. */
    record Target(String arn, Optional<String> input) {}

    /** Who may invoke a function: a service, by the rule or alarm it names. */
    record Permission(String function, String principal, String source) {}

    /** A key, for what S3 asks of it in a caller's name. */
    record Key(String arn, Set<String> aliases) {}

    /** What was made. */
    record Applied(
            Map<String, FunctionSpec> functions,
            Map<String, Policy> roles,
            Map<String, Policy> machineRoles,
            List<AlarmClock.Alarm> alarms,
            List<Timer> timers,
            List<EventRules.Rule> rules,
            Set<String> bucketsThatTell,
            List<Permission> permissions,
            Map<String, JsonNode> documents,
            Map<String, String> bucketRegions,
            Map<String, Policy> bucketPolicies,
            Map<String, Key> bucketKeys,
            Map<String, JsonNode> lifecycles,
            List<GroupSpec> groups,
            List<LoadBalancer.Spec> loadBalancers,
            Map<String, String> aliasRecords,
            List<NotApplied> notApplied) {}

    private record Physical(String ref, Map<String, String> attributes) {}

    private final SdkClients aws;
    private final Compression compression;
    private final List<Template> templates;
    private final Map<String, String> parameters;
    private final Applied applied =
            new Applied(
                    new LinkedHashMap<>(),
                    new HashMap<>(),
                    new HashMap<>(),
                    new ArrayList<>(),
                    new ArrayList<>(),
                    new ArrayList<>(),
                    new HashSet<>(),
                    new ArrayList<>(),
                    new HashMap<>(),
                    new HashMap<>(),
                    new HashMap<>(),
                    new HashMap<>(),
                    new HashMap<>(),
                    new ArrayList<>(),
                    new ArrayList<>(),
                    new HashMap<>(),
                    new ArrayList<>());
    private final Map<String, Key> keys = new HashMap<>();
    private final Set<String> ofMoto = new HashSet<>();

    /**
     * @param parameters what whoever deploys gives for the templates' parameters
     */
    TemplateApplier(
            SdkClients aws,
            Compression compression,
            List<Template> templates,
            Map<String, String> parameters) {
        this.aws = aws;
        this.compression = compression;
        this.templates = templates;
        this.parameters = parameters;
    }

    /** Makes all of it, once. */
    Applied apply() {
        for (Template template : templates) {
            if (!template.account().equals(MotoServer.ACCOUNT)) {
                throw new IllegalArgumentException(
                        template.stack()
                                + ": is for account "
                                + template.account()
                                + ", expected "
                                + MotoServer.ACCOUNT
                                + ", the only one that exists here");
            }
            new Stack(template).apply();
        }
        return applied;
    }

    /** One stack on its way into the world. */
    private final class Stack implements Template.References {
        private final Template template;
        private final String region;
        private final Map<String, Physical> made = new HashMap<>();
        private final Set<String> underway = new HashSet<>();
        private final Map<String, List<JsonNode>> rolePolicies = new HashMap<>();
        private final Map<String, Map<String, String>> aliases = new HashMap<>();
        private final Map<String, ObjectNode> invokeConfigs = new HashMap<>();
        private final List<ObjectNode> functions = new ArrayList<>();
        private final List<ObjectNode> recordSets = new ArrayList<>();
        private final ClusterParts cluster;

        Stack(Template template) {
            this.template = template;
            region = template.region();
            cluster = new ClusterParts(template.stack(), region);
        }

        void apply() {
            template.resources().keySet().forEach(this::physical);
            functions.forEach(this::function);
            recordSets(recordSets);
            cluster.groups()
                    .forEach(
                            (group, role) -> {
                                applied.groups.add(group);
                                applied.roles.put(
                                        group.name() + "@" + region,
                                        roleOf(role, "role of " + group.name()));
                            });
            applied.loadBalancers.addAll(cluster.loadBalancers());
        }

        @Override
        public String ref(String logicalId) {
            String given = parameters.get(logicalId);
            return given == null ? physical(logicalId).ref : given;
        }

        @Override
        public String attribute(String logicalId, String attribute) {
            String value = physical(logicalId).attributes.get(attribute);
            if (value == null) {
                throw new IllegalArgumentException(
                        where(logicalId) + ": its attribute " + attribute + " isn't known here");
            }
            return value;
        }

        private Physical physical(String logicalId) {
            Physical known = made.get(logicalId);
            if (known != null) {
                return known;
            }
            ObjectNode resource = template.resources().get(logicalId);
            if (resource == null || !underway.add(logicalId)) {
                throw new IllegalArgumentException(
                        where(logicalId)
                                + (resource == null ? ": no such resource" : ": refers to itself"));
            }
            Physical physical = make(logicalId, resource);
            made.put(logicalId, physical);
            return physical;
        }

        private String where(String logicalId) {
            return template.stack() + "/" + logicalId;
        }

        private String arn(String service, String rest) {
            return "arn:aws:" + service + ":" + region + ":" + MotoServer.ACCOUNT + ":" + rest;
        }

        private Physical make(String id, ObjectNode resource) {
            String type = resource.path("Type").asText();
            ObjectNode resolved =
                    resource.path("Properties").isObject()
                            ? (ObjectNode) template.resolve(resource.get("Properties"), this)
                            : Json.MAPPER.createObjectNode();
            ObjectNode p =
                    compression.apply(name(id, resolved) + " (" + region + ")", type, resolved);
            String name = name(id, p);
            return switch (type) {
                case "AWS::DynamoDB::Table" -> table(id, name, p);
                case "AWS::S3::Bucket" -> bucket(id, name, p);
                case "AWS::S3::BucketPolicy" -> bucketPolicy(id, p);
                case "AWS::SNS::Topic" -> topic(name);
                case "AWS::SSM::Parameter" -> parameter(name, p);
                case "AWS::SSM::Document" -> {
                    applied.documents.put(region + "/" + name, p.path("Content"));
                    yield new Physical(name, Map.of());
                }
                case "AWS::StepFunctions::StateMachine" -> machine(name, p);
                case "AWS::Route53::HealthCheck" -> healthCheck(id, p);
                case "AWS::Route53::RecordSet" -> {
                    recordSets.add(p);
                    yield new Physical(p.path("Name").asText(), Map.of());
                }
                case "AWS::IAM::Role" -> role(id, p);
                case "AWS::IAM::Policy" -> {
                    p.path("Roles")
                            .forEach(role -> policies(role.asText()).add(p.path("PolicyDocument")));
                    yield new Physical(id, Map.of());
                }
                case "AWS::Lambda::Function" -> {
                    functions.add(p.put("_name", name));
                    yield new Physical(name, Map.of("Arn", arn("lambda", "function:" + name)));
                }
                case "AWS::Lambda::Version" ->
                        new Physical(
                                functionArn(p.path("FunctionName").asText()) + ":1",
                                Map.of("Version", "1"));
                case "AWS::Lambda::Alias" -> {
                    String function = p.path("FunctionName").asText();
                    aliases.computeIfAbsent(plain(function), key -> new HashMap<>())
                            .put(p.path("Name").asText(), p.path("FunctionVersion").asText());
                    yield new Physical(
                            functionArn(function) + ":" + p.path("Name").asText(), Map.of());
                }
                case "AWS::Lambda::EventInvokeConfig" -> {
                    invokeConfigs.put(plain(p.path("FunctionName").asText()), p);
                    yield new Physical(id, Map.of());
                }
                case "AWS::Lambda::Permission" -> {
                    applied.permissions.add(
                            new Permission(
                                    functionArn(p.path("FunctionName").asText()),
                                    p.path("Principal").asText(),
                                    p.path("SourceArn").asText("")));
                    yield new Physical(id, Map.of());
                }
                case "AWS::Events::Rule" -> rule(id, name, p);
                case "AWS::CloudWatch::Alarm" -> alarm(id, name, p);
                case "AWS::SecretsManager::Secret" -> secret(name, p);
                case "AWS::EC2::Subnet" -> {
                    Physical subnet = elsewhere(id, type, name);
                    cluster.subnet(subnet.ref, p);
                    yield subnet;
                }
                case "AWS::EC2::LaunchTemplate" -> {
                    cluster.launchTemplate(name, p);
                    yield new Physical(
                            name,
                            Map.of(
                                    "LaunchTemplateId",
                                    name,
                                    "LatestVersionNumber",
                                    "1",
                                    "DefaultVersionNumber",
                                    "1"));
                }
                case "AWS::IAM::InstanceProfile" -> {
                    String arn = "arn:aws:iam::" + MotoServer.ACCOUNT + ":instance-profile/" + name;
                    cluster.profile(arn, p);
                    cluster.profile(name, p);
                    yield new Physical(name, Map.of("Arn", arn));
                }
                case "AWS::AutoScaling::AutoScalingGroup" -> {
                    cluster.group(name, p);
                    yield new Physical(name, Map.of());
                }
                case "AWS::AutoScaling::LifecycleHook" -> {
                    cluster.hook(p);
                    yield new Physical(name, Map.of());
                }
                case "AWS::ElasticLoadBalancingV2::LoadBalancer" -> {
                    String arn = arn("elasticloadbalancing", "loadbalancer/net/" + name + "/0");
                    String dns = name + ".elb." + region + ".amazonaws.com";
                    cluster.loadBalancer(arn, name, dns, p);
                    yield new Physical(
                            arn,
                            Map.of(
                                    "LoadBalancerArn",
                                    arn,
                                    "LoadBalancerName",
                                    name,
                                    "LoadBalancerFullName",
                                    "net/" + name + "/0",
                                    "DNSName",
                                    dns,
                                    "CanonicalHostedZoneID",
                                    "Z00000000000NLB"));
                }
                case "AWS::ElasticLoadBalancingV2::TargetGroup" -> {
                    String arn = arn("elasticloadbalancing", "targetgroup/" + name + "/0");
                    cluster.targetGroup(arn, p);
                    yield new Physical(
                            arn,
                            Map.of(
                                    "TargetGroupArn",
                                    arn,
                                    "TargetGroupName",
                                    name,
                                    "TargetGroupFullName",
                                    "targetgroup/" + name + "/0"));
                }
                case "AWS::ElasticLoadBalancingV2::Listener" -> {
                    cluster.listener(p);
                    String arn = arn("elasticloadbalancing", "listener/net/" + id + "/0/0");
                    yield new Physical(arn, Map.of("ListenerArn", arn));
                }
                case "AWS::KMS::Key" -> key(id, type, p);
                case "AWS::KMS::ReplicaKey" -> keyOfMoto(p);
                case "AWS::KMS::Alias" -> {
                    Key key = keys.get(p.path("TargetKeyId").asText());
                    if (key != null) {
                        key.aliases.add(name);
                        // A bucket may name its key by its alias; who may use it is asked of
                        // the key.
                        keys.put(arn("kms", name), key);
                        if (ofMoto.contains(key.arn)) {
                            aliased(name, key.arn);
                        }
                    }
                    yield new Physical(name, Map.of());
                }
                default -> elsewhere(id, type, name);
            };
        }

        private String name(String id, JsonNode p) {
            for (String property :
                    List.of(
                            "TableName",
                            "BucketName",
                            "TopicName",
                            "FunctionName",
                            "StateMachineName",
                            "AlarmName",
                            "AliasName",
                            "RoleName",
                            "QueueName",
                            "LogGroupName",
                            "GroupName",
                            "AutoScalingGroupName",
                            "LaunchTemplateName",
                            "InstanceProfileName",
                            "Name")) {
                if (p.path(property).isTextual()) {
                    return p.path(property).asText();
                }
            }
            return template.stack() + "-" + id;
        }

        /** What nothing here plays; others may still name it. */
        private Physical elsewhere(String id, String type, String name) {
            Map<String, String> attributes = new HashMap<>();
            String why =
                    switch (type) {
                        case "AWS::SQS::Queue", "AWS::SQS::QueuePolicy" -> {
                            attributes.put("Arn", arn("sqs", name));
                            attributes.put("QueueName", name);
                            yield "events given up are kept by the rehearsal and reported";
                        }
                        case "AWS::Logs::LogGroup" -> {
                            attributes.put("Arn", arn("logs", "log-group:" + name + ":*"));
                            yield "logs go to files";
                        }
                        case "AWS::EC2::SecurityGroup" -> {
                            attributes.put(
                                    "GroupId", "sg-" + id.toLowerCase(java.util.Locale.ROOT));
                            yield "there is no VPC here";
                        }
                        case "AWS::EC2::FlowLog",
                                "AWS::EC2::RouteTable",
                                "AWS::EC2::Subnet",
                                "AWS::EC2::SubnetRouteTableAssociation",
                                "AWS::EC2::VPC",
                                "AWS::EC2::VPCEndpoint" ->
                                "there is no VPC here";
                        case "AWS::SecretsManager::ResourcePolicy" ->
                                "moto doesn't hold to secrets' policies";
                        case "AWS::SNS::TopicPolicy" -> "moto doesn't hold to topic policies";
                        case "AWS::CloudWatch::Dashboard" -> "there is no console to look at it";
                        case "AWS::SNS::Subscription" -> "pages are reported, nobody is called";
                        default -> "the rehearsal doesn't know this type";
                    };
            notApplied(id, type, why);
            return new Physical(name, attributes);
        }

        private void notApplied(String id, String type, String why) {
            applied.notApplied.add(new NotApplied(template.stack(), id, type, why));
        }

        private Physical table(String id, String name, JsonNode p) {
            try (DynamoDbClient client = aws.at(DynamoDbClient.builder(), region).build()) {
                client.createTable(
                        t ->
                                t.tableName(name)
                                        .billingMode(BillingMode.PAY_PER_REQUEST)
                                        .keySchema(
                                                list(p.path("KeySchema")).stream()
                                                        .map(
                                                                k ->
                                                                        KeySchemaElement.builder()
                                                                                .attributeName(
                                                                                        text(
                                                                                                k,
                                                                                                "AttributeName"))
                                                                                .keyType(
                                                                                        text(
                                                                                                k,
                                                                                                "KeyType"))
                                                                                .build())
                                                        .toList())
                                        .attributeDefinitions(
                                                list(p.path("AttributeDefinitions")).stream()
                                                        .map(
                                                                a ->
                                                                        AttributeDefinition
                                                                                .builder()
                                                                                .attributeName(
                                                                                        text(
                                                                                                a,
                                                                                                "AttributeName"))
                                                                                .attributeType(
                                                                                        text(
                                                                                                a,
                                                                                                "AttributeType"))
                                                                                .build())
                                                        .toList()));
                if (p.has("TimeToLiveSpecification")) {
                    client.updateTimeToLive(
                            t ->
                                    t.tableName(name)
                                            .timeToLiveSpecification(
                                                    s ->
                                                            s.enabled(true)
                                                                    .attributeName(
                                                                            text(
                                                                                    p.path(
                                                                                            "TimeToLiveSpecification"),
                                                                                    "AttributeName"))));
                }
            }
            if (p.has("GlobalSecondaryIndexes") || p.has("LocalSecondaryIndexes")) {
                throw new IllegalArgumentException(where(id) + ": indexes aren't made here");
            }
            return new Physical(name, Map.of("Arn", arn("dynamodb", "table/" + name)));
        }

        private Physical bucket(String id, String name, JsonNode p) {
            try (S3Client client = aws.at(S3Client.builder(), region).build()) {
                client.createBucket(
                        b -> {
                            b.bucket(name)
                                    .objectLockEnabledForBucket(
                                            p.path("ObjectLockEnabled").asBoolean());
                            if (!region.equals("us-east-1")) {
                                b.createBucketConfiguration(c -> c.locationConstraint(region));
                            }
                        });
                if (text(p.path("VersioningConfiguration"), "Status").equals("Enabled")) {
                    client.putBucketVersioning(
                            v ->
                                    v.bucket(name)
                                            .versioningConfiguration(
                                                    c -> c.status(BucketVersioningStatus.ENABLED)));
                }
                JsonNode retention =
                        p.path("ObjectLockConfiguration").path("Rule").path("DefaultRetention");
                if (!retention.isMissingNode()) {
                    client.putObjectLockConfiguration(
                            l ->
                                    l.bucket(name)
                                            .objectLockConfiguration(
                                                    c ->
                                                            c.objectLockEnabled(
                                                                            ObjectLockEnabled
                                                                                    .ENABLED)
                                                                    .rule(
                                                                            r ->
                                                                                    r
                                                                                            .defaultRetention(
                                                                                                    d ->
                                                                                                            d.mode(
                                                                                                                            ObjectLockRetentionMode
                                                                                                                                    .fromValue(
                                                                                                                                            text(
                                                                                                                                                    retention,
                                                                                                                                                    "Mode")))
                                                                                                                    .days(
                                                                                                                            retention
                                                                                                                                    .path(
                                                                                                                                            "Days")
                                                                                                                                    .asInt())))));
                }
                encrypt(client, name, p.path("BucketEncryption"));
            }
            applied.bucketRegions.put(name, region);
            if (p.path("NotificationConfiguration").has("EventBridgeConfiguration")) {
                applied.bucketsThatTell.add(name);
            }
            if (p.has("LifecycleConfiguration")) {
                applied.lifecycles.put(name, p.path("LifecycleConfiguration").path("Rules"));
                notApplied(
                        id,
                        "AWS::S3::Bucket lifecycle",
                        "nothing grows old here; what is tagged moves when a scenario lets it");
            }
            return new Physical(
                    name,
                    Map.of(
                            "Arn",
                            "arn:aws:s3:::" + name,
                            "RegionalDomainName",
                            name + ".s3." + region + ".amazonaws.com"));
        }

        private void encrypt(S3Client client, String name, JsonNode encryption) {
            for (JsonNode rule : encryption.path("ServerSideEncryptionConfiguration")) {
                JsonNode by = rule.path("ServerSideEncryptionByDefault");
                String keyId = text(by, "KMSMasterKeyID");
                client.putBucketEncryption(
                        e ->
                                e.bucket(name)
                                        .serverSideEncryptionConfiguration(
                                                c ->
                                                        c.rules(
                                                                ServerSideEncryptionRule.builder()
                                                                        .applyServerSideEncryptionByDefault(
                                                                                d -> {
                                                                                    d.sseAlgorithm(
                                                                                            text(
                                                                                                    by,
                                                                                                    "SSEAlgorithm"));
                                                                                    if (!keyId
                                                                                            .isEmpty()) {
                                                                                        d
                                                                                                .kmsMasterKeyID(
                                                                                                        keyId);
                                                                                    }
                                                                                })
                                                                        .build())));
                if (!keyId.isEmpty()) {
                    applied.bucketKeys.put(
                            name, keys.getOrDefault(keyId, new Key(keyId, new HashSet<>())));
                }
            }
        }

        private Physical bucketPolicy(String id, JsonNode p) {
            String bucket = text(p, "Bucket");
            applied.bucketPolicies.put(
                    bucket, Policy.of(List.of(p.path("PolicyDocument")), where(id)));
            return new Physical(bucket, Map.of());
        }

        private Physical topic(String name) {
            try (SnsClient client = aws.at(SnsClient.builder(), region).build()) {
                return new Physical(
                        client.createTopic(t -> t.name(name)).topicArn(),
                        Map.of("TopicName", name));
            }
        }

        private Physical parameter(String name, JsonNode p) {
            try (SsmClient client = aws.at(SsmClient.builder(), region).build()) {
                client.putParameter(
                        r -> r.name(name).type(text(p, "Type")).value(text(p, "Value")));
            }
            return new Physical(name, Map.of());
        }

        private Physical secret(String name, JsonNode p) {
            if (p.has("GenerateSecretString")) {
                throw new IllegalArgumentException(
                        name + ": a generated secret isn't carried out here");
            }
            try (SecretsManagerClient client =
                    aws.at(SecretsManagerClient.builder(), region).build()) {
                String arn =
                        client.createSecret(
                                        it -> {
                                            it.name(name);
                                            if (p.has("SecretString")) {
                                                it.secretString(text(p, "SecretString"));
                                            }
                                        })
                                .arn();
                return new Physical(arn, Map.of("Id", arn));
            }
        }

        private Physical machine(String name, JsonNode p) {
            applied.machineRoles.put(
                    region + "/" + name, roleOf(text(p, "RoleArn"), "machine " + name));
            try (SfnClient client = aws.at(SfnClient.builder(), region).build()) {
                String arn =
                        client.createStateMachine(
                                        m ->
                                                m.name(name)
                                                        .definition(text(p, "DefinitionString"))
                                                        .roleArn(text(p, "RoleArn")))
                                .stateMachineArn();
                return new Physical(arn, Map.of("Arn", arn, "Name", name));
            }
        }

        private Physical healthCheck(String id, JsonNode p) {
            JsonNode c = p.path("HealthCheckConfig");
            try (Route53Client client = aws.at(Route53Client.builder(), "aws-global").build()) {
                HealthCheckConfig.Builder config =
                        HealthCheckConfig.builder().type(text(c, "Type"));
                if (c.has("FullyQualifiedDomainName")) {
                    config.fullyQualifiedDomainName(text(c, "FullyQualifiedDomainName"))
                            .port(c.path("Port").asInt())
                            .resourcePath(text(c, "ResourcePath"))
                            .requestInterval(c.path("RequestInterval").asInt())
                            .failureThreshold(c.path("FailureThreshold").asInt());
                }
                if (c.has("Inverted")) {
                    config.inverted(c.path("Inverted").asBoolean());
                }
                if (c.has("ChildHealthChecks")) {
                    config.healthThreshold(c.path("HealthThreshold").asInt())
                            .childHealthChecks(
                                    list(c.path("ChildHealthChecks")).stream()
                                            .map(JsonNode::asText)
                                            .toList());
                }
                String check =
                        client.createHealthCheck(
                                        h ->
                                                h.callerReference(where(id))
                                                        .healthCheckConfig(config.build()))
                                .healthCheck()
                                .id();
                return new Physical(check, Map.of("HealthCheckId", check));
            }
        }

        private void recordSets(List<ObjectNode> records) {
            try (Route53Client client = aws.at(Route53Client.builder(), "aws-global").build()) {
                for (JsonNode p : records) {
                    if (p.has("AliasTarget")) {
                        // A load balancer's name; who looks it up gets its address here.
                        applied.aliasRecords.put(
                                text(p, "Name").replaceFirst("\\.$", ""),
                                text(p.path("AliasTarget"), "DNSName"));
                        continue;
                    }
                    ResourceRecordSet.Builder set =
                            ResourceRecordSet.builder()
                                    .name(text(p, "Name"))
                                    .type(text(p, "Type"))
                                    .ttl(p.path("TTL").asLong())
                                    .resourceRecords(
                                            list(p.path("ResourceRecords")).stream()
                                                    .map(
                                                            r ->
                                                                    ResourceRecord.builder()
                                                                            .value(r.asText())
                                                                            .build())
                                                    .toList());
                    if (p.has("SetIdentifier")) {
                        set.setIdentifier(text(p, "SetIdentifier"))
                                .weight(p.path("Weight").asLong());
                    }
                    if (p.has("HealthCheckId")) {
                        set.healthCheckId(text(p, "HealthCheckId"));
                    }
                    client.changeResourceRecordSets(
                            r ->
                                    r.hostedZoneId(text(p, "HostedZoneId"))
                                            .changeBatch(
                                                    b ->
                                                            b.changes(
                                                                    Change.builder()
                                                                            .action(
                                                                                    ChangeAction
                                                                                            .CREATE)
                                                                            .resourceRecordSet(
                                                                                    set.build())
                                                                            .build())));
                }
            }
        }

        private Physical role(String id, JsonNode p) {
            String name = name(id, p);
            p.path("Policies").forEach(policy -> policies(name).add(policy.path("PolicyDocument")));
            if (!p.path("ManagedPolicyArns").isEmpty()) {
                notApplied(
                        id,
                        "AWS::IAM::Role managed policies",
                        "AWS' own policies aren't known here");
            }
            return new Physical(
                    name, Map.of("Arn", "arn:aws:iam::" + MotoServer.ACCOUNT + ":role/" + name));
        }

        private List<JsonNode> policies(String role) {
            return rolePolicies.computeIfAbsent(role, key -> new ArrayList<>());
        }

        private Policy roleOf(String arn, String whose) {
            // Policies of their own may stand further down in the template.
            template.resources().entrySet().stream()
                    .filter(r -> text(r.getValue(), "Type").equals("AWS::IAM::Policy"))
                    .forEach(r -> physical(r.getKey()));
            return Policy.of(policies(arn.substring(arn.lastIndexOf('/') + 1)), whose);
        }

        private void aliased(String alias, String key) {
            try (KmsClient client = aws.at(KmsClient.builder(), region).build()) {
                client.createAlias(r -> r.aliasName(alias).targetKeyId(key));
            }
        }

        /** moto makes the keys that sign, and those of seals, which functions look at. */
        private Physical keyOfMoto(JsonNode p) {
            try (KmsClient client = aws.at(KmsClient.builder(), region).build()) {
                KeyMetadata made =
                        client.createKey(
                                        r -> {
                                            r.multiRegion(!p.has("KeySpec"));
                                            if (p.has("KeySpec")) {
                                                r.keySpec(p.path("KeySpec").asText())
                                                        .keyUsage(p.path("KeyUsage").asText());
                                            }
                                        })
                                .keyMetadata();
                Key key = new Key(made.arn(), new HashSet<>());
                keys.put(made.arn(), key);
                keys.put(made.keyId(), key);
                ofMoto.add(made.arn());
                return new Physical(made.keyId(), Map.of("Arn", made.arn(), "KeyId", made.keyId()));
            }
        }

        private Physical key(String id, String type, JsonNode p) {
            if (p.path("KeyUsage").asText().equals("SIGN_VERIFY")
                    || p.path("MultiRegion").asBoolean()) {
                return keyOfMoto(p);
            }
            String keyId =
                    UUID.nameUUIDFromBytes(where(id).getBytes(StandardCharsets.UTF_8)).toString();
            String arn = arn("kms", "key/" + keyId);
            keys.put(arn, new Key(arn, new HashSet<>()));
            notApplied(id, type, "moto encrypts nothing; grants on the key are checked");
            return new Physical(keyId, Map.of("Arn", arn, "KeyId", keyId));
        }

        private String functionArn(String nameOrArn) {
            return nameOrArn.startsWith("arn:")
                    ? nameOrArn
                    : arn("lambda", "function:" + nameOrArn);
        }

        /** The name in a name or an ARN, qualified or not. */
        private static String plain(String nameOrArn) {
            return nameOrArn.startsWith("arn:") ? nameOrArn.split(":", -1)[6] : nameOrArn;
        }

        private void function(ObjectNode p) {
            String name = text(p, "_name");
            Map<String, String> environment = new HashMap<>();
            p.path("Environment")
                    .path("Variables")
                    .properties()
                    .forEach(v -> environment.put(v.getKey(), v.getValue().asText()));
            if (text(p.path("LoggingConfig"), "LogFormat").equals("JSON")) {
                environment.put("AWS_LAMBDA_LOG_FORMAT", "JSON");
            }
            JsonNode config = invokeConfigs.getOrDefault(name, Json.MAPPER.createObjectNode());
            String onFailure =
                    text(config.path("DestinationConfig").path("OnFailure"), "Destination");
            String key = text(p.path("Code"), "S3Key");
            Path code = template.assembly().resolve("asset." + key.replaceFirst(".*/", ""));
            FunctionSpec function =
                    new FunctionSpec(
                            name,
                            region,
                            arn("lambda", "function:" + name),
                            code,
                            text(p, "Handler"),
                            p.path("MemorySize").asInt(128),
                            Duration.ofSeconds(p.path("Timeout").asInt(3)),
                            Map.copyOf(environment),
                            "1",
                            Map.copyOf(aliases.getOrDefault(name, Map.of())),
                            p.has("ReservedConcurrentExecutions")
                                    ? OptionalInt.of(p.path("ReservedConcurrentExecutions").asInt())
                                    : OptionalInt.empty(),
                            config.path("MaximumRetryAttempts").asInt(2),
                            Optional.of(onFailure).filter(arn -> !arn.isEmpty()));
            applied.functions.put(function.arn(), function);
            applied.roles.put(
                    name + "@" + region, roleOf(text(p, "Role"), name + "'s role in " + region));
        }

        private Physical rule(String id, String name, JsonNode p) {
            String arn = arn("events", "rule/" + name);
            if (text(p, "State").equals("DISABLED")) {
                notApplied(id, "AWS::Events::Rule", "it is disabled");
                return new Physical(name, Map.of("Arn", arn));
            }
            if (p.has("EventPattern")
                    && list(p.path("EventPattern").path("source")).stream()
                            .noneMatch(it -> EventRules.SOURCES.contains(it.asText()))) {
                notApplied(id, "AWS::Events::Rule", "nothing here tells of such events");
                return new Physical(name, Map.of("Arn", arn));
            }
            List<Target> targets = new ArrayList<>();
            for (JsonNode target : p.path("Targets")) {
                if (target.has("InputTransformer") || target.has("InputPath")) {
                    throw new IllegalArgumentException(
                            where(id)
                                    + ": its target's input is transformed, which isn't done here");
                }
                targets.add(
                        new Target(
                                text(target, "Arn"),
                                Optional.of(text(target, "Input")).filter(i -> !i.isEmpty())));
            }
            if (p.has("EventPattern")) {
                applied.rules.add(
                        new EventRules.Rule(
                                region, name, arn, p.path("EventPattern").toString(), targets));
            } else {
                applied.timers.add(
                        new Timer(
                                region,
                                name,
                                arn,
                                Schedule.of(text(p, "ScheduleExpression")),
                                targets));
            }
            return new Physical(name, Map.of("Arn", arn));
        }

        private Physical alarm(String id, String name, JsonNode p) {
            String arn = arn("cloudwatch", "alarm:" + name);
            String namespace = text(p, "Namespace");
            if (p.has("Metrics") || !Metrics.TOLD.contains(namespace)) {
                notApplied(
                        id,
                        "AWS::CloudWatch::Alarm",
                        p.has("Metrics")
                                ? "metric math isn't evaluated here"
                                : "nothing here puts metrics into " + namespace);
                return new Physical(name, Map.of("Arn", arn));
            }
            applied.alarms.add(AlarmClock.Alarm.of(region, name, arn, p, where(id)));
            return new Physical(name, Map.of("Arn", arn));
        }
    }

    private static List<JsonNode> list(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false).toList();
    }

    private static String text(JsonNode node, String field) {
        return node.path(field).asText("");
    }
}
