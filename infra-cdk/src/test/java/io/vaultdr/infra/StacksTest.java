package io.vaultdr.infra;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;

import io.vaultdr.infra.config.Config;
import io.vaultdr.infra.construct.FailoverMachine;
import io.vaultdr.runtime.DrillSettings;
import io.vaultdr.runtime.Json;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.runtime.ProofSettings;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/** What the templates have to hold, one promise per test. */
class StacksTest {
    private static final String HOME = "vault-dr-payments-backup-eu-west-1";
    private static final String DR = "vault-dr-payments-backup-eu-central-1";
    private static final String FAILOVER = "vault-dr-payments-failover";
    private static final String TRAFFIC = "vault-dr-payments-traffic";
    private static final String PROOF = "vault-dr-payments-proof";
    private static final String WATCH = "vault-dr-payments-watch";
    private static final String DRILL = "vault-dr-payments-drill";

    private static Synthesised automatic() {
        return Synthesised.example("automatic");
    }

    @Test
    void eachRungDeploysWhatItNeedsAndNoMore() {
        assertEquals(
                Set.of(DR, HOME, WATCH),
                Set.copyOf(Synthesised.example("backup").templates().keySet()));
        assertEquals(
                Set.of(DR, HOME, PROOF, DRILL, WATCH),
                Set.copyOf(Synthesised.example("proven").templates().keySet()));
        assertEquals(
                Set.of(
                        DR,
                        HOME,
                        PROOF,
                        DRILL,
                        WATCH,
                        FAILOVER,
                        "vault-dr-vantage-eu-central-1",
                        "vault-dr-vantage-eu-west-1"),
                Synthesised.example("observe").templates().keySet());
        assertEquals(
                Set.of(
                        DR,
                        HOME,
                        PROOF,
                        DRILL,
                        WATCH,
                        FAILOVER,
                        TRAFFIC,
                        "vault-dr-vantage-eu-central-1",
                        "vault-dr-vantage-eu-west-1"),
                Synthesised.example("approval").templates().keySet());
        assertEquals(
                Set.of(
                        DR,
                        HOME,
                        PROOF,
                        DRILL,
                        WATCH,
                        FAILOVER,
                        TRAFFIC,
                        TRAFFIC + "-eu-north-1",
                        "vault-dr-vantage-eu-central-1",
                        "vault-dr-vantage-eu-north-1",
                        "vault-dr-vantage-eu-west-1"),
                automatic().templates().keySet());
    }

    @Test
    void aCopyRegionWithoutClusterTakesNoSnapshots() {
        assertEquals(
                Set.of("vault-dr-payments-freshness-check"),
                names(Synthesised.example("backup"), DR, "AWS::Lambda::Function", "FunctionName"));
    }

    @ParameterizedTest
    @MethodSource("io.vaultdr.infra.Examples#names")
    void everyFunctionIsBuiltTheSameWay(String example) {
        Synthesised all = Synthesised.example(example);
        for (String stack : all.templates().keySet()) {
            all.resources(stack, "AWS::Lambda::Function")
                    .forEach((id, function) -> checkFunction(all, stack, function));
        }
    }

    private static void checkFunction(Synthesised all, String stack, JsonNode function) {
        JsonNode properties = function.get("Properties");
        String name = properties.get("FunctionName").asText();
        String handler = properties.get("Handler").asText();
        assertDoesNotThrow(
                () ->
                        Class.forName(
                                handler.substring(0, handler.indexOf("::")),
                                false,
                                StacksTest.class.getClassLoader()),
                name);
        String event = FailoverMachine.kebab(handler.replaceAll(".*\\.|Handler::.*", ""));
        assertTrue(
                Files.isRegularFile(Examples.DIRECTORY.resolve("../../events/" + event + ".json")),
                name + " has no event to be invoked with by hand");
        assertEquals("java25", properties.get("Runtime").asText(), name);
        assertEquals("arm64", properties.get("Architectures").get(0).asText(), name);
        assertEquals("JSON", properties.at("/LoggingConfig/LogFormat").asText(), name);
        assertEquals("Active", properties.at("/TracingConfig/Mode").asText(), name);
        assertEquals(
                "regional",
                properties.at("/Environment/Variables/AWS_STS_REGIONAL_ENDPOINTS").asText(),
                name);
        assertEquals(
                90,
                all.properties(stack, "AWS::Logs::LogGroup", "LogGroupName", "/aws/lambda/" + name)
                        .get("RetentionInDays")
                        .asInt());
        Set<String> alarms = names(all, stack, "AWS::CloudWatch::Alarm", "AlarmName");
        assertTrue(alarms.contains(name + "-errors"), name);
        assertTrue(alarms.contains(name + "-throttles"), name);
        boolean scheduled = names(all, stack, "AWS::Events::Rule", "Name").contains(name);
        assertEquals(scheduled, alarms.contains(name + "-silent"), name);
        assertEquals(
                properties.has("VpcConfig"),
                Objects.requireNonNull(
                                all.resources(stack, "AWS::IAM::Role")
                                        .get(properties.at("/Role/Fn::GetAtt/0").asText()))
                        .at("/Properties/Policies/0/PolicyDocument/Statement")
                        .valueStream()
                        .filter(it -> it.get("Effect").asText().equals("Deny"))
                        .filter(it -> it.get("Action").toString().contains("NetworkInterface"))
                        .anyMatch(
                                it ->
                                        it.at("/Condition/ArnEquals/lambda:SourceFunctionArn")
                                                .asText()
                                                .endsWith(":function:" + name)),
                name + ": its own code must not touch the account's network interfaces");
        int size = 0;
        for (var variable : properties.at("/Environment/Variables").properties()) {
            size += variable.getKey().length() + variable.getValue().asText().length();
        }
        assertTrue(size <= 4_096, name + ": " + size + ", and 4 KB are all that it may be");
    }

    @ParameterizedTest
    @MethodSource("io.vaultdr.infra.Examples#names")
    void everyVersionOutlivesItsDeploymentAndFailedEventsAreKept(String example) {
        Synthesised all = Synthesised.example(example);
        for (String stack : all.templates().keySet()) {
            all.resources(stack, "AWS::Lambda::Version")
                    .values()
                    .forEach(it -> assertEquals("Retain", it.get("DeletionPolicy").asText()));
            assertEquals(
                    all.resources(stack, "AWS::Lambda::Alias").size(),
                    all.resources(stack, "AWS::Lambda::EventInvokeConfig").size());
            all.resources(stack, "AWS::Lambda::EventInvokeConfig")
                    .values()
                    .forEach(
                            it ->
                                    assertTrue(
                                            it.at(
                                                            "/Properties/DestinationConfig/OnFailure/Destination")
                                                    .isObject()));
        }
    }

    @ParameterizedTest
    @MethodSource("io.vaultdr.infra.Examples#names")
    void noStackNeedsAnother(String example) {
        Synthesised.example(example)
                .templates()
                .forEach(
                        (stack, template) -> {
                            assertFalse(template.toString().contains("Fn::ImportValue"), stack);
                            assertFalse(template.has("Outputs"), stack);
                        });
    }

    @Test
    void theFailoverStackCallsNothingInHomeButTheFence() {
        automatic()
                .resources(FAILOVER, "AWS::IAM::Role")
                .values()
                .forEach(
                        role -> {
                            String name = role.at("/Properties/RoleName").asText();
                            boolean home = resources(role).anyMatch(it -> it.contains("eu-west-1"));
                            assertEquals(
                                    name.equals("vault-dr-payments-fence-eu-central-1"),
                                    home,
                                    name);
                        });
    }

    @Test
    void functionsThatTalkToServersAndNoOthersStandInAVpc() {
        Set<String> inVpc = new HashSet<>();
        for (String stack : automatic().templates().keySet()) {
            automatic()
                    .resources(stack, "AWS::Lambda::Function")
                    .values()
                    .forEach(
                            it -> {
                                if (it.get("Properties").has("VpcConfig")) {
                                    inVpc.add(it.at("/Properties/FunctionName").asText());
                                }
                            });
        }
        assertEquals(
                Set.of(
                        "vault-dr-payments-take-snapshot",
                        "vault-dr-payments-rotate-logins",
                        "vault-dr-payments-prove-snapshot",
                        "vault-dr-payments-restore-secret",
                        "vault-dr-payments-fence",
                        "vault-dr-payments-promote",
                        "vault-dr-payments-verify",
                        "vault-dr-payments-grow",
                        "vault-dr-probe"),
                inVpc);
    }

    @ParameterizedTest
    @ValueSource(strings = {"eu-west-1", "eu-central-1", "eu-north-1"})
    void everyVantageHasAnAlarmOverTwelveSlotsThatAsksForAnEvaluation(String vantage) {
        JsonNode alarm =
                automatic()
                        .properties(
                                FAILOVER,
                                "AWS::CloudWatch::Alarm",
                                "AlarmName",
                                "vault-dr-payments-unreached-" + vantage);
        assertEquals(10, alarm.get("Period").asInt());
        assertEquals(12, alarm.get("EvaluationPeriods").asInt());
        assertEquals(12, alarm.get("DatapointsToAlarm").asInt());
        assertEquals(1, alarm.get("Threshold").asInt());
        assertEquals("LessThanThreshold", alarm.get("ComparisonOperator").asText());
        assertEquals("breaching", alarm.get("TreatMissingData").asText());
        assertEquals("ServingReached", alarm.get("MetricName").asText());
        JsonNode live =
                automatic()
                        .template(FAILOVER)
                        .get("Resources")
                        .get(alarm.get("AlarmActions").get(0).get("Ref").asText());
        assertEquals("AWS::Lambda::Alias", live.get("Type").asText());
        assertEquals("live", live.at("/Properties/Name").asText());
        assertEquals(
                3,
                automatic().resources(FAILOVER, "AWS::Lambda::Permission").values().stream()
                        .filter(
                                it ->
                                        it.at("/Properties/Principal")
                                                .asText()
                                                .equals("lambda.alarms.cloudwatch.amazonaws.com"))
                        .count());
    }

    @Test
    void theLedgerIsKept() {
        JsonNode table =
                automatic().resources(FAILOVER, "AWS::DynamoDB::Table").values().iterator().next();
        assertEquals("Retain", table.get("DeletionPolicy").asText());
        JsonNode properties = table.get("Properties");
        assertTrue(properties.get("DeletionProtectionEnabled").asBoolean());
        assertTrue(
                properties
                        .at("/PointInTimeRecoverySpecification/PointInTimeRecoveryEnabled")
                        .asBoolean());
        assertEquals("expires", properties.at("/TimeToLiveSpecification/AttributeName").asText());
        assertTrue(properties.at("/SSESpecification/SSEEnabled").asBoolean());
    }

    @ParameterizedTest
    @ValueSource(strings = {HOME, DR})
    void snapshotsAreEncryptedVersionedLockedAndSwept(String stack) {
        JsonNode bucket =
                automatic().resources(stack, "AWS::S3::Bucket").values().iterator().next();
        assertEquals("Retain", bucket.get("DeletionPolicy").asText());
        JsonNode properties = bucket.get("Properties");
        assertEquals("Enabled", properties.at("/VersioningConfiguration/Status").asText());
        assertEquals(
                "aws:kms",
                properties
                        .at(
                                "/BucketEncryption/ServerSideEncryptionConfiguration/0"
                                        + "/ServerSideEncryptionByDefault/SSEAlgorithm")
                        .asText());
        assertTrue(properties.get("ObjectLockEnabled").asBoolean());
        assertEquals(
                1,
                properties
                        .at(
                                "/LifecycleConfiguration/Rules/0"
                                        + "/AbortIncompleteMultipartUpload/DaysAfterInitiation")
                        .asInt());
        assertEquals(4, properties.get("PublicAccessBlockConfiguration").size());
        assertTrue(
                properties
                        .at(
                                "/NotificationConfiguration/EventBridgeConfiguration"
                                        + "/EventBridgeEnabled")
                        .asBoolean());
        JsonNode archive = properties.at("/LifecycleConfiguration/Rules/1");
        assertEquals("GLACIER_IR", archive.at("/Transitions/0/StorageClass").asText());
        assertEquals("archive", archive.at("/TagFilters/0/Value").asText());
        for (JsonNode rule : properties.at("/LifecycleConfiguration/Rules")) {
            assertFalse(
                    rule.has("ExpirationInDays") || rule.has("NoncurrentVersionExpiration"),
                    "Retention deletes, nothing else does");
        }
    }

    @Test
    void aProverStandsWhereNothingLeadsOut() {
        Synthesised proven = Synthesised.example("proven");
        assertEquals(1, proven.resources(PROOF, "AWS::EC2::VPC").size());
        for (String way :
                List.of(
                        "AWS::EC2::InternetGateway",
                        "AWS::EC2::NatGateway",
                        "AWS::EC2::EgressOnlyInternetGateway",
                        "AWS::EC2::Route",
                        "AWS::EC2::VPCPeeringConnection")) {
            assertEquals(0, proven.resources(PROOF, way).size(), way);
        }
        var endpoints = proven.resources(PROOF, "AWS::EC2::VPCEndpoint");
        assertEquals(3, endpoints.size());
        endpoints
                .values()
                .forEach(
                        it ->
                                it.at("/Properties/PolicyDocument/Statement")
                                        .forEach(
                                                statement -> {
                                                    assertEquals(
                                                            "111122223333",
                                                            statement
                                                                    .at(
                                                                            "/Condition/StringEquals"
                                                                                + "/aws:PrincipalAccount")
                                                                    .asText());
                                                    assertFalse(
                                                            statement
                                                                    .get("Resource")
                                                                    .asText()
                                                                    .equals("*"));
                                                }));
        assertEquals(
                "REJECT",
                proven.resources(PROOF, "AWS::EC2::FlowLog")
                        .values()
                        .iterator()
                        .next()
                        .at("/Properties/TrafficType")
                        .asText());
    }

    @Test
    void aProverIsSizedByTheLargestSnapshotAndWokenByManifests() throws JsonProcessingException {
        JsonNode function =
                automatic()
                        .properties(
                                PROOF,
                                "AWS::Lambda::Function",
                                "FunctionName",
                                "vault-dr-payments-prove-snapshot");
        assertEquals(3 * 2_048 + 512, function.get("MemorySize").asInt());
        assertEquals(2 * 2_048 + 768, function.at("/EphemeralStorage/Size").asInt());
        ProofSettings settings =
                Json.MAPPER.readValue(
                        function.at("/Environment/Variables/PROOF").asText(), ProofSettings.class);
        assertEquals(2L << 30, settings.largestSnapshotBytes());
        assertEquals(
                "vault-dr-payments-recovered-111122223333-eu-central-1",
                settings.recovered().orElseThrow().name());
        JsonNode event =
                automatic()
                        .properties(
                                PROOF,
                                "AWS::Events::Rule",
                                "Name",
                                "vault-dr-payments-prove-snapshot-event");
        assertEquals(
                Synthesised.json(
                        """
                        {"source": ["aws.s3"], "detail-type": ["Object Created"],
                         "detail": {
                           "bucket": {"name": ["vault-dr-payments-snapshots-111122223333-eu-central-1"]},
                           "object": {"key": [{"prefix": "manifests/"}]}}}
                        """),
                event.get("EventPattern"));
    }

    @Test
    void whatWasRecoveredIsGoneAfterADay() {
        JsonNode bucket =
                automatic()
                        .properties(
                                PROOF,
                                "AWS::S3::Bucket",
                                "BucketName",
                                "vault-dr-payments-recovered-111122223333-eu-central-1");
        assertEquals(1, bucket.at("/LifecycleConfiguration/Rules/0/ExpirationInDays").asInt());
        assertFalse(bucket.has("VersioningConfiguration"));
        assertFalse(bucket.has("ObjectLockEnabled"));
    }

    @Test
    void drillsAreSignedLockedAndWeekly() throws JsonProcessingException {
        JsonNode key = automatic().resources(DRILL, "AWS::KMS::Key").values().iterator().next();
        assertEquals("ECC_NIST_P256", key.at("/Properties/KeySpec").asText());
        assertEquals("SIGN_VERIFY", key.at("/Properties/KeyUsage").asText());
        assertEquals("Retain", key.get("DeletionPolicy").asText());
        JsonNode reports =
                automatic().resources(DRILL, "AWS::S3::Bucket").values().iterator().next();
        assertEquals(
                "GOVERNANCE",
                reports.at("/Properties/ObjectLockConfiguration/Rule/DefaultRetention/Mode")
                        .asText());
        assertEquals(
                "cron(47 9 ? * 3 *)",
                automatic()
                        .properties(
                                DRILL,
                                "AWS::Events::Rule",
                                "Name",
                                "vault-dr-payments-drill-weekly")
                        .get("ScheduleExpression")
                        .asText());
        DrillSettings settings =
                Json.MAPPER.readValue(
                        automatic()
                                .properties(
                                        DRILL,
                                        "AWS::Lambda::Function",
                                        "FunctionName",
                                        "vault-dr-payments-drill")
                                .at("/Environment/Variables/DRILL")
                                .asText(),
                        DrillSettings.class);
        assertEquals(
                "arn:aws:lambda:eu-west-1:111122223333:function:vault-dr-payments-take-snapshot:live",
                settings.takeSnapshot());
    }

    /** What isn't run by itself through its whole way, but is needed in need. */
    @Test
    void whatRarelyRunsRunsDryOnceADay() {
        Set<String> dry = new HashSet<>();
        for (String stack : automatic().templates().keySet()) {
            automatic().resources(stack, "AWS::Events::Rule").values().stream()
                    .map(it -> it.get("Properties"))
                    .filter(it -> it.at("/Targets/0/Input").asText().equals("{\"dryRun\":true}"))
                    .forEach(it -> dry.add(stack + " " + it.get("Name").asText()));
        }
        assertEquals(
                Set.of(
                        HOME + " vault-dr-payments-take-snapshot-dry-run",
                        DR + " vault-dr-payments-take-snapshot-dry-run",
                        HOME + " vault-dr-payments-retention-dry-run",
                        DR + " vault-dr-payments-retention-dry-run",
                        HOME + " vault-dr-payments-rotate-logins-dry-run",
                        DR + " vault-dr-payments-rotate-logins-dry-run",
                        PROOF + " vault-dr-payments-prove-snapshot-dry-run",
                        PROOF + " vault-dr-payments-restore-secret-dry-run",
                        DRILL + " vault-dr-payments-drill-dry-run",
                        FAILOVER + " vault-dr-payments-control-dry-run"),
                dry);
    }

    @Test
    void noRoleMayBypassALockOrShortenIt() {
        for (String example : Examples.names().toList()) {
            String roles = "";
            Synthesised all = Synthesised.example(example);
            for (String stack : all.templates().keySet()) {
                roles += all.resources(stack, "AWS::IAM::Role").toString();
            }
            for (String action :
                    List.of(
                            "BypassGovernanceRetention",
                            "PutObjectRetention",
                            "PutObjectLegalHold",
                            "PutBucketObjectLock")) {
                assertFalse(roles.contains(action), example + " " + action);
            }
        }
    }

    private static final String COPY = "vault-dr-payments-copy-eu-central-1";

    @Test
    void aCopyInAnotherAccountIsKeptAndProvenThereAndTheRestStaysAtHome() {
        Map<String, String> small = accounts(Synthesised.example("copy-account"));
        assertEquals(
                Map.of(
                        HOME, "111122223333",
                        DRILL, "111122223333",
                        WATCH, "111122223333",
                        COPY, "444455556666",
                        PROOF, "444455556666"),
                small);
        Synthesised apart = Synthesised.apart();
        Set<String> there = new HashSet<>();
        accounts(apart)
                .forEach(
                        (stack, account) -> {
                            if (account.equals("444455556666")) {
                                there.add(stack);
                            }
                        });
        assertEquals(Set.of(COPY, PROOF), there);
        assertEquals(
                Set.of("vault-dr-payments-take-snapshot", "vault-dr-payments-rotate-logins"),
                names(apart, DR, "AWS::Lambda::Function", "FunctionName"),
                "of home's account in that region");
        assertEquals(0, apart.resources(DR, "AWS::S3::Bucket").size());
        assertEquals(0, apart.resources(DR, "AWS::KMS::Key").size());
        assertEquals(
                Set.of("vault-dr-payments-retention", "vault-dr-payments-freshness-check"),
                names(apart, COPY, "AWS::Lambda::Function", "FunctionName"));
        assertEquals(
                Set.of("vault-dr-payments-snapshots-444455556666-eu-central-1"),
                names(apart, COPY, "AWS::S3::Bucket", "BucketName"));
    }

    private static Map<String, String> accounts(Synthesised all) {
        return all.stacks().stream()
                .collect(
                        Collectors.toMap(
                                Synthesised.Assembled::name, Synthesised.Assembled::account));
    }

    /** Retention of each account deletes in its own bucket, and no role but that. */
    @Test
    void nobodyDeletesInAnotherAccount() {
        Synthesised apart = Synthesised.apart();
        accounts(apart)
                .forEach(
                        (stack, account) -> {
                            String other =
                                    account.equals("111122223333")
                                            ? "444455556666-eu-central-1"
                                            : "111122223333-eu-west-1";
                            for (JsonNode role :
                                    apart.resources(stack, "AWS::IAM::Role").values()) {
                                for (JsonNode statement :
                                        role.at(
                                                "/Properties/Policies/0/PolicyDocument/Statement")) {
                                    String actions = statement.get("Action").toString();
                                    assertFalse(
                                            statement.get("Resource").toString().contains(other)
                                                    && actions.matches(
                                                            ".*(Delete|Tagging|Lock|kms:Schedule).*"),
                                            stack + " " + statement);
                                    assertFalse(
                                            account.equals("444455556666")
                                                    && statement
                                                            .get("Resource")
                                                            .toString()
                                                            .contains(other),
                                            "the copy's account reaches for nothing of home's");
                                }
                            }
                        });
    }

    @Test
    void homeMayOnlyAddToACopyInAnotherAccount() {
        Synthesised apart = Synthesised.apart();
        Set<String> roles = new HashSet<>();
        accounts(apart)
                .forEach(
                        (stack, account) ->
                                names(apart, stack, "AWS::IAM::Role", "RoleName")
                                        .forEach(
                                                role ->
                                                        roles.add(
                                                                "arn:aws:iam::"
                                                                        + account
                                                                        + ":role/"
                                                                        + role)));
        JsonNode statements =
                apart.resources(COPY, "AWS::S3::BucketPolicy")
                        .values()
                        .iterator()
                        .next()
                        .at("/Properties/PolicyDocument/Statement");
        Set<String> allowed = new HashSet<>();
        for (JsonNode statement : statements) {
            if (statement.get("Effect").asText().equals("Deny")) {
                continue;
            }
            String action = statement.get("Action").asText();
            allowed.add(action);
            assertTrue(statement.get("Principal").toString().contains("111122223333:root"));
            JsonNode named = statement.at("/Condition/ArnEquals/aws:PrincipalArn");
            for (JsonNode role :
                    named.isArray() ? named : Synthesised.JSON.createArrayNode().add(named)) {
                assertTrue(roles.contains(role.asText()), role + " is no role that a stack makes");
            }
            if (action.equals("s3:PutObject")) {
                assertFalse(named.toString().contains("freshness"), "it only looks");
                assertFalse(statement.get("Resource").toString().contains("proofs"));
                assertTrue(
                        statement.at("/Condition/Null/s3:if-none-match").asText().equals("false")
                                || statement
                                        .at("/Condition/Bool/s3:ObjectCreationOperation")
                                        .asText()
                                        .equals("false"),
                        "nothing that is there is written over: " + statement);
            }
            if (statement.get("Resource").toString().contains("archives")
                    && action.equals("s3:GetObject")) {
                assertTrue(
                        named.toString()
                                .matches("[^,]*/vault-dr-payments-promote-eu-central-1[^,]*"));
            }
        }
        assertEquals(
                Set.of(
                        "s3:ListBucket",
                        "s3:GetObject",
                        "s3:PutObject",
                        "s3:AbortMultipartUpload",
                        "s3:ListBucketMultipartUploads"),
                allowed);
        List<JsonNode> ofKey =
                StreamSupport.stream(
                                apart.resources(COPY, "AWS::KMS::Key")
                                        .values()
                                        .iterator()
                                        .next()
                                        .at("/Properties/KeyPolicy/Statement")
                                        .spliterator(),
                                false)
                        .filter(it -> it.get("Principal").toString().contains("111122223333"))
                        .toList();
        assertEquals(2, ofKey.size());
        for (JsonNode statement : ofKey) {
            assertTrue(
                    Set.of("kms:Decrypt", "kms:GenerateDataKey")
                            .contains(statement.get("Action").asText()));
            assertEquals(
                    "arn:aws:s3:::vault-dr-payments-snapshots-444455556666-eu-central-1",
                    statement
                            .at("/Condition/StringEquals/kms:EncryptionContext:aws:s3:arn")
                            .asText());
        }
    }

    @Test
    void eachAccountIsToldWhoseTheBucketsAre() throws JsonProcessingException {
        Synthesised apart = Synthesised.apart();
        PairSettings home = told(apart, HOME, "take-snapshot");
        PairSettings copy = told(apart, COPY, "retention");
        assertEquals("111122223333", home.account());
        assertEquals("444455556666", home.buckets().getLast().account());
        assertTrue(home.apart() && copy.apart());
        assertEquals(home.buckets(), home.seen());
        assertEquals(List.of(home.buckets().getFirst()), home.own());
        assertEquals("444455556666", copy.account());
        assertEquals(List.of(home.buckets().getLast()), copy.own());
        assertEquals(copy.own(), copy.seen());
        assertTrue(copy.failover().isEmpty() && copy.dr().isEmpty(), "it can't ask the ledger");
        assertFalse(told(automatic(), HOME, "take-snapshot").apart());
    }

    private static PairSettings told(Synthesised all, String stack, String purpose)
            throws JsonProcessingException {
        return Json.MAPPER.readValue(
                all.properties(
                                stack,
                                "AWS::Lambda::Function",
                                "FunctionName",
                                "vault-dr-payments-" + purpose)
                        .at("/Environment/Variables/PAIR")
                        .asText(),
                PairSettings.class);
    }

    @Test
    void settingsThatDontFitAreRefusedWithWhatToDo() {
        String message =
                assertThrows(IllegalArgumentException.class, () -> Synthesised.of(withLongNames()))
                        .toString();
        assertTrue(message.contains("which is what Lambda lets an environment hold"), message);
    }

    private static Config withLongNames() {
        return automaticWith(
                yaml ->
                        yaml.replace("home-1.example.com", ("a".repeat(60) + ".").repeat(4) + "com")
                                .replace(
                                        "home-2.example.com",
                                        ("b".repeat(60) + ".").repeat(4) + "com")
                                .replace(
                                        "home-3.example.com",
                                        ("c".repeat(60) + ".").repeat(4) + "com")
                                .replace(
                                        "home-4.example.com",
                                        ("d".repeat(60) + ".").repeat(4) + "com")
                                .replace(
                                        "dr-1.example.com",
                                        ("e".repeat(60) + ".").repeat(4) + "com")
                                .replace(
                                        "dr-2.example.com",
                                        ("f".repeat(60) + ".").repeat(4) + "com"));
    }

    /** The example of the highest rung, changed. */
    private static Config automaticWith(UnaryOperator<String> change) {
        try {
            Path file = Files.createTempFile(Path.of("target"), "changed", ".yaml");
            Files.writeString(
                    file,
                    change.apply(
                            Files.readString(Examples.DIRECTORY.resolve("automatic.yaml"))
                                    .replaceAll("ca: .*", "")));
            return Examples.load(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void aBucketThatIsThereIsUsedAndNothingOfItIsMade() {
        String key = "arn:aws:kms:eu-west-1:111122223333:key/0a1b2c3d";
        Synthesised given =
                Synthesised.of(
                        automaticWith(
                                yaml ->
                                        yaml.replace(
                                                "    snapshots:\n",
                                                "    snapshots:\n      existing: {"
                                                        + " eu-west-1: { bucket: our-snapshots,"
                                                        + " key: '"
                                                        + key
                                                        + "' } }\n")));
        assertEquals(Map.of(), given.resources(HOME, "AWS::S3::Bucket"));
        assertEquals(Map.of(), given.resources(HOME, "AWS::KMS::Key"));
        assertEquals(1, given.resources(DR, "AWS::S3::Bucket").size());
        String taker =
                given.properties(
                                HOME,
                                "AWS::IAM::Role",
                                "RoleName",
                                "vault-dr-payments-take-snapshot-eu-west-1")
                        .toString();
        assertTrue(taker.contains("arn:aws:s3:::our-snapshots/*"), taker);
        assertTrue(taker.contains("\"" + key + "\""), taker);
        assertFalse(taker.contains("snapshots-111122223333-eu-west-1"), taker);
        assertTrue(
                given.properties(
                                HOME,
                                "AWS::Lambda::Function",
                                "FunctionName",
                                "vault-dr-payments-take-snapshot")
                        .at("/Environment/Variables/PAIR")
                        .asText()
                        .contains("\"name\":\"our-snapshots\""));
    }

    @Test
    void onlyHealthCheckersReadTheFlagWithoutASignature() {
        JsonNode policy =
                automatic()
                        .resources(TRAFFIC, "AWS::S3::BucketPolicy")
                        .values()
                        .iterator()
                        .next()
                        .at("/Properties/PolicyDocument/Statement");
        List<JsonNode> allowed =
                StreamSupport.stream(policy.spliterator(), false)
                        .filter(it -> it.get("Effect").asText().equals("Allow"))
                        .toList();
        assertEquals(1, allowed.size());
        JsonNode statement = allowed.getFirst();
        assertEquals("s3:GetObject", statement.get("Action").asText());
        assertTrue(statement.get("Resource").toString().contains("/traffic/dr"));
        JsonNode ranges = statement.at("/Condition/IpAddress/aws:SourceIp");
        assertEquals(17, ranges.size());
        for (JsonNode range : ranges) {
            int bits = Integer.parseInt(range.asText().replaceAll(".*/", ""));
            assertTrue(bits >= 8, range + ": broader than Block Public Access accepts");
        }
    }

    @Test
    void clientsAreTurnedByTheFlagsAloneAndNeverToNowhere() {
        JsonNode home =
                automatic()
                        .properties(
                                TRAFFIC,
                                "AWS::Route53::RecordSet",
                                "SetIdentifier",
                                "vault-dr-payments-home");
        JsonNode dr =
                automatic()
                        .properties(
                                TRAFFIC,
                                "AWS::Route53::RecordSet",
                                "SetIdentifier",
                                "vault-dr-payments-dr");
        assertEquals(100, home.get("Weight").asInt());
        assertEquals(0, dr.get("Weight").asInt());
        assertTrue(home.has("HealthCheckId"));
        assertFalse(dr.has("HealthCheckId"), "without a check it counts as healthy");
        assertEquals("15", home.get("TTL").asText());
        List<JsonNode> checks =
                automatic().resources(TRAFFIC, "AWS::Route53::HealthCheck").values().stream()
                        .map(it -> it.at("/Properties/HealthCheckConfig"))
                        .toList();
        List<JsonNode> flags =
                checks.stream().filter(it -> it.get("Type").asText().equals("HTTPS")).toList();
        assertEquals(2, flags.size());
        flags.forEach(it -> assertTrue(it.get("Inverted").asBoolean()));
        JsonNode both =
                checks.stream()
                        .filter(it -> it.get("Type").asText().equals("CALCULATED"))
                        .findFirst()
                        .orElseThrow();
        assertEquals(2, both.get("HealthThreshold").asInt());
        assertEquals(2, both.get("ChildHealthChecks").size());
    }

    @Test
    void aFlagThatIsAMetricHasAnAlarmInBothRegionsAndNothingPublic()
            throws JsonProcessingException {
        Synthesised metric =
                Synthesised.of(
                        automaticWith(
                                yaml ->
                                        yaml.replace(
                                                "traffic:\n", "traffic:\n      flag: metric\n")));
        Set<JsonNode> alarms = new HashSet<>();
        for (String stack : List.of(TRAFFIC, TRAFFIC + "-eu-north-1")) {
            assertTrue(metric.resources(stack, "AWS::S3::Bucket").isEmpty(), stack);
            JsonNode alarm =
                    metric.properties(
                            stack,
                            "AWS::CloudWatch::Alarm",
                            "AlarmName",
                            "vault-dr-payments-clients-to-dr");
            assertEquals("ignore", alarm.get("TreatMissingData").asText());
            assertEquals("Maximum", alarm.get("Statistic").asText());
            assertEquals(60, alarm.get("Period").asInt(), "high resolution isn't supported");
            assertFalse(alarm.has("DatapointsToAlarm"), "M of N isn't supported");
            alarms.add(alarm);
        }
        assertEquals(1, alarms.size(), "the regions' alarms differ");
        Set<String> regions = new HashSet<>();
        for (JsonNode check : metric.resources(TRAFFIC, "AWS::Route53::HealthCheck").values()) {
            JsonNode config = check.at("/Properties/HealthCheckConfig");
            if (config.get("Type").asText().equals("CALCULATED")) {
                assertEquals(2, config.get("HealthThreshold").asInt());
                assertEquals(2, config.get("ChildHealthChecks").size());
                continue;
            }
            assertEquals("CLOUDWATCH_METRIC", config.get("Type").asText());
            assertFalse(config.has("Inverted"), "ALARM is unhealthy");
            assertEquals("LastKnownStatus", config.get("InsufficientDataHealthStatus").asText());
            assertEquals(
                    "vault-dr-payments-clients-to-dr", config.at("/AlarmIdentifier/Name").asText());
            assertTrue(check.get("DependsOn").toString().contains("FlagAlarm"));
            regions.add(config.at("/AlarmIdentifier/Region").asText());
        }
        assertEquals(Set.of("eu-central-1", "eu-north-1"), regions);
        Synthesised.Assembled traffic =
                metric.stacks().stream()
                        .filter(it -> it.name().equals(TRAFFIC))
                        .findFirst()
                        .orElseThrow();
        assertEquals(
                List.of(TRAFFIC + "-eu-north-1"),
                traffic.dependencies(),
                "a health check's alarm has to be there first");
        JsonNode redirect =
                metric.properties(
                        FAILOVER,
                        "AWS::Lambda::Function",
                        "FunctionName",
                        "vault-dr-payments-redirect-traffic");
        PairSettings settings =
                Json.MAPPER.readValue(
                        redirect.at("/Environment/Variables/PAIR").asText(), PairSettings.class);
        assertEquals(
                List.of("eu-central-1", "eu-north-1"),
                settings.traffic().orElseThrow().flags().stream()
                        .map(PairSettings.Flag.InMetric.class::cast)
                        .map(PairSettings.Flag::region)
                        .toList());
    }

    @Test
    void onlyRedirectTrafficPutsTheFlagsDatapoint() {
        Synthesised metric = Synthesised.example("vault");
        List<String> writers = new ArrayList<>();
        for (String stack : metric.templates().keySet()) {
            for (JsonNode role : metric.resources(stack, "AWS::IAM::Role").values()) {
                for (JsonNode statement : role.findValues("Statement")) {
                    statement.forEach(
                            it -> {
                                if (it.get("Action").toString().contains("PutMetricData")
                                        && !it.at("/Condition/StringEquals/cloudwatch:namespace")
                                                .asText()
                                                .equals("VaultDr")) {
                                    writers.add(
                                            role.at("/Properties/RoleName").asText()
                                                    + " "
                                                    + it.get("Condition"));
                                }
                            });
                }
            }
        }
        assertEquals(1, writers.size(), writers::toString);
        String writer = writers.getFirst();
        assertTrue(writer.startsWith("sec-dr-orders-redirect-traffic"), writer);
        assertTrue(writer.contains("\"cloudwatch:namespace\":\"sec-dr-orders-traffic\""), writer);
        assertTrue(writer.contains("\"aws:RequestedRegion\":\"us-west-2\""), writer);
    }

    @Test
    void theSecondRecordWaitsUntilTheChecksHaveData() {
        JsonNode dr =
                automatic().resources(TRAFFIC, "AWS::Route53::RecordSet").values().stream()
                        .filter(it -> it.at("/Properties/Weight").asInt(1) == 0)
                        .findFirst()
                        .orElseThrow();
        assertEquals(1, dr.get("DependsOn").size());
        assertTrue(dr.get("DependsOn").get(0).asText().startsWith("SwitchHome"));
    }

    @Test
    void aNewFlagsCheckCountsOnlyWhenARecordThatNamesItIsInSync() {
        Map<String, JsonNode> checks = automatic().resources(TRAFFIC, "AWS::Route53::HealthCheck");
        Set<String> inverted = new HashSet<>();
        Set<String> waitedFor = new HashSet<>();
        checks.forEach(
                (id, check) -> {
                    if (check.at("/Properties/HealthCheckConfig/Inverted").asBoolean()) {
                        inverted.add(id);
                    }
                    check.path("DependsOn").forEach(it -> waitedFor.add(it.asText()));
                });
        Set<String> named = new HashSet<>();
        automatic()
                .resources(TRAFFIC, "AWS::Route53::RecordSet")
                .forEach(
                        (id, set) -> {
                            if (set.at("/Properties/Type").asText().equals("TXT")
                                    && waitedFor.contains(id)) {
                                named.add(
                                        set.at("/Properties/ResourceRecords/0")
                                                .findValue("Fn::GetAtt")
                                                .get(0)
                                                .asText());
                            }
                        });
        assertEquals(2, inverted.size());
        assertEquals(inverted, named);
    }

    @Test
    void onlyControlHasTheAliasesOfPeople() {
        assertEquals(
                List.of("operate", "read"),
                automatic().resources(FAILOVER, "AWS::Lambda::Alias").values().stream()
                        .filter(
                                it ->
                                        it.at("/Properties/FunctionName/Ref")
                                                .asText()
                                                .startsWith("ControlFunction"))
                        .map(it -> it.at("/Properties/Name").asText())
                        .sorted()
                        .toList());
    }

    @Test
    void settingsAreReadBackAsTheyWereWritten() throws JsonProcessingException {
        JsonNode function =
                automatic()
                        .properties(
                                FAILOVER,
                                "AWS::Lambda::Function",
                                "FunctionName",
                                "vault-dr-payments-promote");
        PairSettings settings =
                Json.MAPPER.readValue(
                        function.at("/Environment/Variables/PAIR").asText(), PairSettings.class);
        assertEquals(PairSettings.Stage.AUTOMATIC, settings.stage());
        assertEquals(3, settings.dr().orElseThrow().voters());
        assertEquals("vault-dr-payments-ledger", settings.failover().orElseThrow().table());
        assertEquals(
                "arn:aws:sns:eu-central-1:111122223333:vault-dr-payments-pages",
                settings.topicArn());
        assertEquals(2, settings.traffic().orElseThrow().flags().size());
        JsonNode parameter =
                automatic()
                        .properties(
                                "vault-dr-vantage-eu-north-1",
                                "AWS::SSM::Parameter",
                                "Name",
                                "/vault-dr/vantage/payments/settings");
        PairSettings vantage =
                Json.MAPPER.readValue(parameter.get("Value").asText(), PairSettings.class);
        assertEquals(settings.failover(), vantage.failover());
        assertEquals(
                "arn:aws:sns:eu-north-1:111122223333:vault-dr-vantage-pages", vantage.topicArn());
    }

    @Test
    void oneRegionsRolesAndNamesDontCollideWithAnothers() {
        for (String example : Examples.names().toList()) {
            List<String> roles = new ArrayList<>();
            Synthesised all = Synthesised.example(example);
            for (String stack : all.templates().keySet()) {
                all.resources(stack, "AWS::IAM::Role")
                        .values()
                        .forEach(it -> roles.add(it.at("/Properties/RoleName").asText()));
            }
            assertEquals(new HashSet<>(roles).size(), roles.size(), example);
            roles.forEach(role -> assertTrue(role.length() <= 64, role));
        }
    }

    @Test
    void onePairsRolesReachNothingOfAnothers() {
        Synthesised two = Synthesised.example("vault");
        for (String stack : two.templates().keySet()) {
            for (JsonNode role : two.resources(stack, "AWS::IAM::Role").values()) {
                List<String> reached = resources(role).toList();
                if (stack.contains("-orders-")) {
                    assertTrue(
                            reached.stream().noneMatch(it -> it.contains("billing")),
                            stack + " " + reached);
                }
                if (stack.contains("-billing-")) {
                    assertTrue(
                            reached.stream().noneMatch(it -> it.contains("orders")),
                            stack + " " + reached);
                }
            }
        }
    }

    @Test
    void prefixBoundaryAndTagsAreOnEverything() {
        Synthesised vault = Synthesised.example("vault");
        for (String stack : vault.templates().keySet()) {
            assertTrue(stack.startsWith("sec-dr-"), stack);
            vault.resources(stack, "AWS::IAM::Role")
                    .values()
                    .forEach(
                            role ->
                                    assertEquals(
                                            "arn:aws:iam::111122223333:policy/workloads",
                                            role.at("/Properties/PermissionsBoundary").asText()));
        }
        automatic()
                .resources(FAILOVER, "AWS::Lambda::Function")
                .values()
                .forEach(
                        it ->
                                assertTrue(
                                        it.at("/Properties/Tags").toString().contains("platform")));
    }

    @Test
    void documentsActOnTheConfiguredUnitAndMayRunTwice() {
        Synthesised vault = Synthesised.example("vault");
        JsonNode wipe =
                vault.properties(
                        "sec-dr-orders-failover",
                        "AWS::SSM::Document",
                        "Name",
                        "sec-dr-orders-wipe");
        assertEquals(
                Synthesised.json(
                        """
                        ["set -eu", "systemctl stop vault",
                         "find /var/lib/vault/raft -mindepth 1 -delete",
                         "systemctl start vault", "systemctl is-active vault"]\
                        """),
                wipe.at("/Content/mainSteps/0/inputs/runCommand"));
        assertEquals("NewVersion", wipe.get("UpdateMethod").asText());
    }

    private static Stream<String> resources(JsonNode role) {
        return StreamSupport.stream(
                        role.at("/Properties/Policies/0/PolicyDocument/Statement").spliterator(),
                        false)
                .map(statement -> statement.get("Resource"))
                .flatMap(
                        it ->
                                it.isArray()
                                        ? StreamSupport.stream(it.spliterator(), false)
                                        : Stream.of(it))
                .map(JsonNode::toString);
    }

    private static Set<String> names(Synthesised all, String stack, String type, String property) {
        Set<String> names = new HashSet<>();
        all.resources(stack, type)
                .values()
                .forEach(it -> names.add(it.at("/Properties/" + property).asText()));
        return names;
    }
}
