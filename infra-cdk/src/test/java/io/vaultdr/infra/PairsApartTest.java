package io.vaultdr.infra;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Three pairs in one deployment, by their templates: none is changed or reached by another. */
class PairsApartTest {
    private static final String ACCOUNT = "111122223333";
    private static final List<String> PAIRS = List.of("payments", "identity", "batch");

    /** Actions that AWS can't limit to a resource; none changes anything of a pair. */
    private static final Set<String> OF_THE_ACCOUNT =
            Set.of(
                    "autoscaling:DescribeAutoScalingGroups",
                    "ec2:AssignPrivateIpAddresses",
                    "ec2:CreateNetworkInterface",
                    "ec2:DeleteNetworkInterface",
                    "ec2:DescribeNetworkInterfaces",
                    "ec2:DescribeSubnets",
                    "ec2:UnassignPrivateIpAddresses",
                    "logs:CreateLogDelivery",
                    "logs:DeleteLogDelivery",
                    "logs:DescribeLogGroups",
                    "logs:DescribeResourcePolicies",
                    "logs:GetLogDelivery",
                    "logs:ListLogDeliveries",
                    "logs:PutResourcePolicy",
                    "logs:UpdateLogDelivery",
                    "ssm:ListCommandInvocations",
                    "xray:GetSamplingRules",
                    "xray:GetSamplingTargets",
                    "xray:PutTelemetryRecords",
                    "xray:PutTraceSegments");

    /** How the ARN of what has a name goes on after region and account. */
    private static final Map<String, List<String>> NAMED =
            Map.of(
                    "AWS::S3::Bucket", List.of("BucketName", "arn:aws:s3:::%s"),
                    "AWS::Lambda::Function", List.of("FunctionName", "lambda function:%s"),
                    "AWS::DynamoDB::GlobalTable", List.of("TableName", "dynamodb table/%s"),
                    "AWS::DynamoDB::Table", List.of("TableName", "dynamodb table/%s"),
                    "AWS::SNS::Topic", List.of("TopicName", "sns %s"),
                    "AWS::SQS::Queue", List.of("QueueName", "sqs %s"),
                    "AWS::StepFunctions::StateMachine",
                            List.of("StateMachineName", "states stateMachine:%s"),
                    "AWS::Logs::LogGroup", List.of("LogGroupName", "logs log-group:%s"),
                    "AWS::SSM::Document", List.of("Name", "ssm document/%s"),
                    "AWS::SSM::Parameter", List.of("Name", "ssm parameter%s"));

    private final Synthesised all = Synthesised.example("several");

    private record Grant(
            String stack, List<String> actions, List<String> resources, String condition) {}

    @ParameterizedTest
    @ValueSource(strings = {"payments", "identity", "batch"})
    void aPairsStacksAreWhatTheyAreWithoutTheOthers(String pair) throws IOException {
        JsonNode yaml =
                new YAMLMapper().readTree(Examples.DIRECTORY.resolve("several.yaml").toFile());
        ((ObjectNode) yaml.get("pairs")).retain(pair);
        Path file = Files.createTempFile(Path.of("target"), pair, ".yaml");
        new YAMLMapper().writeValue(file.toFile(), yaml);

        Map<String, JsonNode> alone = of(pair, Synthesised.of(Examples.load(file)));

        assertFalse(alone.isEmpty());
        assertEquals(alone, of(pair, all));
    }

    @Test
    void noTemplateOfAPairNamesAnother() {
        for (String pair : PAIRS) {
            of(pair, all)
                    .forEach(
                            (stack, template) ->
                                    others(pair)
                                            .forEach(
                                                    other ->
                                                            assertFalse(
                                                                    template.toString()
                                                                            .contains(other),
                                                                    stack + " names " + other)));
        }
    }

    @Test
    void noRoleOfAPairReachesAnother() {
        for (String pair : PAIRS) {
            List<Grant> grants = grants(of(pair, all));
            assertTrue(grants.size() > 10, pair + " has roles");
            for (String other : others(pair).toList()) {
                List<String> things = things(other);
                assertTrue(things.size() > 10, other + " has names");
                for (Grant grant : grants) {
                    reached(grant, things)
                            .forEach(
                                    thing ->
                                            assertTrue(
                                                    grant.condition.contains(pair),
                                                    grant + " reaches " + thing));
                }
            }
        }
    }

    @Test
    void whatNoResourceLimitsIsHarmless() {
        for (String pair : PAIRS) {
            for (Grant grant : grants(of(pair, all))) {
                if (grant.resources.contains("*") && !grant.condition.contains(pair)) {
                    assertTrue(OF_THE_ACCOUNT.containsAll(grant.actions), grant.toString());
                }
            }
        }
    }

    /** What the pairs share: it sees all of them, and writes down what it saw. */
    @Test
    void aVantageChangesNothingOfAPairButItsEvidence() {
        Set<String> changing = new TreeSet<>();
        for (Grant grant : grants(of("vantage", all))) {
            if (PAIRS.stream().anyMatch(it -> grant.resources.toString().contains(it))) {
                changing.addAll(grant.actions);
                if (grant.actions.contains("dynamodb:PutItem")) {
                    String vantage = grant.stack.replace("vault-dr-vantage-", "");
                    assertEquals(
                            "{\"ForAllValues:StringEquals\":{\"dynamodb:LeadingKeys\":"
                                    + "[\"evidence#@\",\"readiness#@\"]}}".replace("@", vantage),
                            grant.condition,
                            "of the ledger it writes its own evidence, and not who serves");
                }
            }
        }
        changing.removeIf(action -> action.matches("[a-z0-9]+:(Get|List|Describe|Query).*"));

        assertEquals(Set.of("dynamodb:PutItem"), changing);
    }

    private static Stream<String> others(String pair) {
        return PAIRS.stream().filter(it -> !it.equals(pair));
    }

    private static Map<String, JsonNode> of(String pair, Synthesised synthesised) {
        Map<String, JsonNode> own = new TreeMap<>(synthesised.templates());
        own.keySet().removeIf(stack -> !stack.startsWith("vault-dr-" + pair + "-"));
        return own;
    }

    /** The ARNs of what has a name in a pair's stacks, its logins, keys and machines. */
    private List<String> things(String pair) {
        List<String> found = new ArrayList<>();
        of(pair, all)
                .forEach(
                        (name, template) -> {
                            String region =
                                    all.stacks().stream()
                                            .filter(it -> it.name().equals(name))
                                            .findFirst()
                                            .orElseThrow()
                                            .region();
                            for (JsonNode resource : template.get("Resources")) {
                                List<String> how = NAMED.get(resource.get("Type").asText());
                                if (how != null) {
                                    String named =
                                            text(resource.at("/Properties/" + how.getFirst()));
                                    found.addAll(arns(how.getLast(), named, region));
                                }
                            }
                        });
        for (String region : List.of("eu-west-1", "eu-central-1", "eu-north-1")) {
            found.add(
                    arn("secretsmanager", region, "secret:" + pair + "/vault-dr/snapshot-AbCdEf"));
            found.add(arn("kms", region, "key/mrk-" + pair));
            found.add(arn("ec2", region, "instance/i-" + pair));
            found.add(
                    arn(
                            "autoscaling",
                            region,
                            "autoScalingGroup:0:autoScalingGroupName/" + pair + "-dr"));
        }
        return found;
    }

    /** The thing, and what lies in it: objects, versions, executions, streams. */
    private static List<String> arns(String how, String named, String region) {
        String arn =
                how.startsWith("arn:")
                        ? how.formatted(named)
                        : arn(
                                how.substring(0, how.indexOf(' ')),
                                region,
                                how.substring(how.indexOf(' ') + 1).formatted(named));
        return List.of(
                arn,
                arn + "/any",
                arn + ":live",
                arn + ":log-stream:any",
                arn.replace(":stateMachine:", ":execution:") + ":any");
    }

    private static String arn(String service, String region, String rest) {
        return "arn:aws:" + service + ":" + region + ":" + ACCOUNT + ":" + rest;
    }

    private static Stream<String> reached(Grant grant, List<String> things) {
        return grant.resources.stream()
                .filter(resource -> !resource.equals("*"))
                .map(
                        resource ->
                                Pattern.compile(
                                        Stream.of(resource.split("\\*", -1))
                                                .map(Pattern::quote)
                                                .collect(Collectors.joining(".*"))))
                .flatMap(
                        pattern ->
                                things.stream().filter(thing -> pattern.matcher(thing).matches()));
    }

    private static List<Grant> grants(Map<String, JsonNode> templates) {
        List<Grant> found = new ArrayList<>();
        templates.forEach(
                (stack, template) -> {
                    for (JsonNode resource : template.get("Resources")) {
                        for (JsonNode policy : resource.at("/Properties/Policies")) {
                            add(found, stack, policy.get("PolicyDocument"));
                        }
                        if (resource.get("Type").asText().equals("AWS::IAM::Policy")) {
                            add(found, stack, resource.at("/Properties/PolicyDocument"));
                        }
                    }
                });
        return found;
    }

    private static void add(List<Grant> found, String stack, JsonNode document) {
        for (JsonNode statement : document.get("Statement")) {
            if (statement.get("Effect").asText().equals("Allow")) {
                found.add(
                        new Grant(
                                stack,
                                texts(statement.get("Action")),
                                texts(statement.get("Resource")),
                                statement.path("Condition").toString()));
            }
        }
    }

    private static List<String> texts(JsonNode node) {
        List<String> found = new ArrayList<>();
        if (node.isArray()) {
            node.forEach(it -> found.add(text(it)));
        } else {
            found.add(text(node));
        }
        return found;
    }

    /** What CloudFormation makes of it; a reference into its own stack is left as its JSON. */
    private static String text(JsonNode node) {
        if (node.isTextual()) {
            return node.asText();
        }
        if (node.path("Ref").asText().equals("AWS::Partition")) {
            return "aws";
        }
        if (node.has("Fn::Join")) {
            JsonNode join = node.get("Fn::Join");
            List<String> parts = new ArrayList<>();
            join.get(1).forEach(part -> parts.add(text(part)));
            return String.join(join.get(0).asText(), parts);
        }
        return node.toString();
    }
}
