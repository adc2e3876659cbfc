package io.vaultdr.infra;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;

import io.vaultdr.infra.construct.NodeSubnets;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** What the templates of made clusters have to hold, one promise per test. */
class ClusterStackTest {
    private static final String HOME = "vault-dr-payments-cluster-eu-west-1";
    private static final String DR = "vault-dr-payments-cluster-eu-central-1";
    private static final String PILOT_HOME = "vault-dr-orders-cluster-us-east-1";
    private static final String PILOT_DR = "vault-dr-orders-cluster-us-west-2";

    private static Synthesised warm() {
        return Synthesised.example("cluster");
    }

    private static Synthesised pilot() {
        return Synthesised.example("pilot-light");
    }

    private static JsonNode only(Synthesised all, String stack, String type) {
        Map<String, JsonNode> found = all.resources(stack, type);
        assertEquals(1, found.size(), stack + " " + type + " " + found.keySet());
        return found.values().iterator().next().get("Properties");
    }

    private static JsonNode group(Synthesised all, String stack) {
        return only(all, stack, "AWS::AutoScaling::AutoScalingGroup");
    }

    private static JsonNode template(Synthesised all, String stack) {
        return only(all, stack, "AWS::EC2::LaunchTemplate").get("LaunchTemplateData");
    }

    @Test
    void theStrategySaysWhatStandsInDr() {
        assertEquals("5", group(warm(), HOME).get("MinSize").asText());
        assertEquals("1", group(warm(), DR).get("MinSize").asText());
        assertEquals("6", group(warm(), DR).get("MaxSize").asText());
        assertEquals("3", group(pilot(), PILOT_HOME).get("MinSize").asText());
        assertEquals("0", group(pilot(), PILOT_DR).get("MinSize").asText());
        assertEquals("4", group(pilot(), PILOT_DR).get("MaxSize").asText());
    }

    /** CloudFormation would set it back at the next deployment, while DR serves with all nodes. */
    @Test
    void noTemplateSaysHowManyInstancesThereAre() {
        for (String stack : List.of(HOME, DR)) {
            assertFalse(group(warm(), stack).has("DesiredCapacity"), stack);
        }
    }

    @Test
    void onlyEc2ItselfMakesTheGroupReplaceANode() {
        assertEquals("EC2", group(warm(), HOME).get("HealthCheckType").asText());
        assertEquals("EC2", group(warm(), DR).get("HealthCheckType").asText());
    }

    @Test
    void aNewNodeComesBeforeTheOldOneGoes() {
        JsonNode policy = group(warm(), HOME).get("InstanceMaintenancePolicy");
        assertEquals(100, policy.get("MinHealthyPercentage").asInt());
        assertEquals(120, policy.get("MaxHealthyPercentage").asInt());
        // 133 percent of three are 3.99, which AWS rounds down.
        assertEquals(
                134,
                group(pilot(), PILOT_HOME)
                        .at("/InstanceMaintenancePolicy/MaxHealthyPercentage")
                        .asInt());
    }

    @Test
    void hooksHoldInstancesOnBothWays() {
        Map<String, String> hooks = new TreeMap<>();
        for (JsonNode hook : group(warm(), HOME).get("LifecycleHookSpecificationList")) {
            hooks.put(
                    hook.get("LifecycleHookName").asText(),
                    hook.get("LifecycleTransition").asText()
                            + " "
                            + hook.get("DefaultResult").asText());
            // A termination is held for two hours; AWS allows a hundred times this.
            assertTrue(hook.get("HeartbeatTimeout").asInt() * 100 >= 2 * 3_600, hook.toString());
        }
        assertEquals(
                Map.of(
                        "vault-dr-payments-launch",
                        "autoscaling:EC2_INSTANCE_LAUNCHING ABANDON",
                        "vault-dr-payments-terminate",
                        "autoscaling:EC2_INSTANCE_TERMINATING CONTINUE"),
                hooks);
    }

    @Test
    void aLaunchTemplateLeavesNoWayInButSessionManager() {
        JsonNode data = template(warm(), HOME);
        JsonNode metadata = data.get("MetadataOptions");
        assertEquals("required", metadata.get("HttpTokens").asText());
        assertEquals(1, metadata.get("HttpPutResponseHopLimit").asInt());
        assertEquals("enabled", metadata.get("InstanceMetadataTags").asText());
        assertFalse(data.has("KeyName"));
        assertFalse(data.has("UserData"));
        assertEquals(
                "resolve:ssm:/imagebuilder/vault-dr/payments/image", data.get("ImageId").asText());
        JsonNode volume = data.at("/BlockDeviceMappings/0/Ebs");
        assertTrue(volume.get("Encrypted").asBoolean());
        assertEquals(50, volume.get("VolumeSize").asInt());
        for (JsonNode in : ingress(warm(), HOME)) {
            assertTrue(in.get("FromPort").asInt() >= 8200, in.toString());
            assertTrue(in.get("ToPort").asInt() <= 8201, in.toString());
        }
    }

    private static List<JsonNode> ingress(Synthesised all, String stack) {
        List<JsonNode> found = new ArrayList<>();
        all.resources(stack, "AWS::EC2::SecurityGroup").values().stream()
                .filter(it -> !it.at("/Properties/GroupName").asText().isEmpty())
                .forEach(it -> it.at("/Properties/SecurityGroupIngress").forEach(found::add));
        all.resources(stack, "AWS::EC2::SecurityGroupIngress")
                .values()
                .forEach(it -> found.add(it.get("Properties")));
        return found;
    }

    @Test
    void aTagOfEachInstanceNamesItsSettings() {
        Map<String, String> tags = new TreeMap<>();
        for (JsonNode tag : group(warm(), DR).get("Tags")) {
            assertTrue(tag.get("PropagateAtLaunch").asBoolean(), tag.toString());
            tags.put(tag.get("Key").asText(), tag.get("Value").asText());
        }
        assertEquals("/vault-dr/payments/node-dr", tags.get("vault-dr:node"));
        assertEquals("payments-dr", tags.get("vault-dr"));
    }

    @Test
    void aNodeIsToldAllButSecrets() {
        JsonNode home = node(warm(), HOME, "/vault-dr/payments/node-home");
        assertEquals(
                Synthesised.json(
                        """
                                {"pair": "payments", "side": "home", "region": "eu-west-1",
                                 "edition": "OPENBAO", "unit": "openbao",
                                 "serverName": "vault.example.com", "apiPort": 8200, "clusterPort": 8201,
                                 "dataDirectory": "/opt/openbao/data",
                                 "auditFile": "/var/log/openbao/audit.log",
                                 "tlsSecret": "payments/vault-tls",
                                 "seal": {"type": "awskms", "region": "eu-west-1",
                                          "key": "alias/vault-dr-payments-seal",
                                          "plugin": {"path": "/opt/vault-dr/plugins/seal", "sha256":
                        "1f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0"}},
                                 "join": {"tagKey": "vault-dr", "tagValue": "payments-home"},
                                 "quarantine": [
                                   {"region": "eu-central-1", "key": "quarantine/home",
                                    "bucket": "vault-dr-payments-flag-111122223333-eu-central-1"},
                                   {"region": "eu-north-1", "key": "quarantine/home",
                                    "bucket": "vault-dr-payments-flag-111122223333-eu-north-1"}],
                                 "selfFence": true, "readTimeoutSeconds": 300,
                                 "pages": "arn:aws:sns:eu-west-1:111122223333:vault-dr-payments-pages"}
                        """),
                home);
        JsonNode pilot = node(pilot(), PILOT_DR, "/vault-dr/orders/node-dr");
        assertEquals("orders/vault-licence", pilot.get("licenceSecret").asText());
        assertEquals(
                "arn:aws:kms:us-west-2:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab",
                pilot.at("/seal/key").asText());
    }

    /** A mark is home's; it would keep the DR side from serving. */
    @Test
    void onlyHomeLooksForQuarantineMarks() {
        JsonNode dr = node(warm(), DR, "/vault-dr/payments/node-dr");
        assertEquals(0, dr.get("quarantine").size());
        assertFalse(dr.get("selfFence").asBoolean());
    }

    private static JsonNode node(Synthesised all, String stack, String name) {
        return Synthesised.json(
                all.properties(stack, "AWS::SSM::Parameter", "Name", name).get("Value").asText());
    }

    @Test
    void aNodesRoleUnsealsReadsItsOwnAndChangesNothing() {
        Set<String> actions = new TreeSet<>();
        for (JsonNode statement :
                warm().properties(
                                HOME,
                                "AWS::IAM::Role",
                                "RoleName",
                                "vault-dr-payments-node-eu-west-1")
                        .at("/Policies/0/PolicyDocument/Statement")) {
            JsonNode action = statement.get("Action");
            if (action.isArray()) {
                action.forEach(it -> actions.add(it.asText()));
            } else {
                actions.add(action.asText());
            }
        }
        actions.removeIf(it -> it.matches("(ssm|ssmmessages|ec2messages|logs|cloudwatch):.*"));
        assertEquals(
                Set.of(
                        "ec2:DescribeInstances",
                        "kms:Decrypt",
                        "kms:DescribeKey",
                        "kms:Encrypt",
                        "s3:GetObject",
                        "s3:ListBucket",
                        "secretsmanager:GetSecretValue",
                        "sns:Publish"),
                actions);
    }

    @Test
    void theBalancerPassesTlsThroughAndSendsClientsToWhoCanServe() {
        JsonNode balancer = only(warm(), HOME, "AWS::ElasticLoadBalancingV2::LoadBalancer");
        assertEquals("internal", balancer.get("Scheme").asText());
        assertEquals("network", balancer.get("Type").asText());
        assertTrue(
                attributes(balancer, "LoadBalancerAttributes")
                        .contains("load_balancing.cross_zone.enabled=true"));
        JsonNode listener = only(warm(), HOME, "AWS::ElasticLoadBalancingV2::Listener");
        assertEquals("TCP", listener.get("Protocol").asText());
        assertEquals(8200, listener.get("Port").asInt());
        JsonNode targets = only(warm(), HOME, "AWS::ElasticLoadBalancingV2::TargetGroup");
        assertEquals("TCP", targets.get("Protocol").asText());
        assertEquals("HTTPS", targets.get("HealthCheckProtocol").asText());
        assertEquals(
                "/v1/sys/health?standbyok=true&perfstandbyok=true",
                targets.get("HealthCheckPath").asText());
        assertEquals("200", targets.at("/Matcher/HttpCode").asText());
        assertEquals(
                Set.of(
                        "deregistration_delay.connection_termination.enabled=true",
                        "deregistration_delay.timeout_seconds=15",
                        "preserve_client_ip.enabled=true",
                        "target_health_state.unhealthy.connection_termination.enabled=true"),
                attributes(targets, "TargetGroupAttributes"));
    }

    private static Set<String> attributes(JsonNode properties, String list) {
        Set<String> found = new TreeSet<>();
        properties
                .get(list)
                .forEach(it -> found.add(it.get("Key").asText() + "=" + it.get("Value").asText()));
        return found;
    }

    @Test
    void theAddressLeadsToTheBalancerFromTheFirstDeploymentOn() {
        JsonNode record = only(pilot(), PILOT_DR, "AWS::Route53::RecordSet");
        assertEquals("vault.orders-dr.example.com", record.get("Name").asText());
        assertEquals("A", record.get("Type").asText());
        assertTrue(record.get("AliasTarget").toString().contains("DNSName"));
    }

    @Test
    void nodesStandInThreeZonesUnderAnAclWithRoomForAFence() {
        assertEquals(3, warm().resources(HOME, "AWS::EC2::Subnet").size());
        assertEquals(3, warm().resources(HOME, "AWS::EC2::SubnetNetworkAclAssociation").size());
        Set<String> numbers = new TreeSet<>();
        warm().resources(HOME, "AWS::EC2::NetworkAclEntry")
                .values()
                .forEach(
                        it -> {
                            JsonNode entry = it.get("Properties");
                            assertTrue(
                                    entry.get("RuleNumber").asInt() >= NodeSubnets.FIRST,
                                    entry.toString());
                            assertTrue(
                                    numbers.add(
                                            entry.get("Egress").asText()
                                                    + entry.get("RuleNumber").asText()),
                                    entry.toString());
                        });
        assertTrue(numbers.size() > 10, numbers.toString());
    }

    @Test
    void theDrSideIsReservedZoneByZoneForItsOwnGroup() {
        assertEquals(0, warm().resources(HOME, "AWS::EC2::CapacityReservation").size());
        Map<String, JsonNode> reserved = warm().resources(DR, "AWS::EC2::CapacityReservation");
        assertEquals(3, reserved.size());
        int instances = 0;
        for (JsonNode reservation : reserved.values()) {
            instances += reservation.at("/Properties/InstanceCount").asInt();
            assertEquals("targeted", reservation.at("/Properties/InstanceMatchCriteria").asText());
        }
        assertTrue(instances >= 5, "reserved " + instances);
        assertEquals(
                "capacity-reservations-first",
                group(warm(), DR)
                        .at("/CapacityReservationSpecification/CapacityReservationPreference")
                        .asText());
    }

    @Test
    void theSealsKeyIsReplicatedAndOutlivesItsStacks() {
        Map<String, JsonNode> keys = warm().resources(HOME, "AWS::KMS::Key");
        assertEquals(1, keys.size());
        JsonNode key = keys.values().iterator().next();
        assertTrue(key.at("/Properties/MultiRegion").asBoolean());
        assertEquals(30, key.at("/Properties/PendingWindowInDays").asInt());
        assertEquals("Retain", key.get("DeletionPolicy").asText());
        JsonNode replica = warm().resources(DR, "AWS::KMS::ReplicaKey").values().iterator().next();
        assertEquals("Retain", replica.get("DeletionPolicy").asText());
        assertEquals("SealKey", replica.at("/Properties/PrimaryKeyArn/Ref").asText());
        String pattern = warm().template(DR).at("/Parameters/SealKey/AllowedPattern").asText();
        assertTrue(
                "arn:aws:kms:eu-west-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab"
                        .matches(pattern));
        assertFalse(
                "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
                        .matches(pattern));
        // A key that was given is nobody's to make.
        assertEquals(0, pilot().resources(PILOT_HOME, "AWS::KMS::Key").size());
        assertEquals(0, pilot().resources(PILOT_DR, "AWS::KMS::ReplicaKey").size());
        assertFalse(pilot().template(PILOT_DR).has("Parameters"));
    }

    @Test
    void nobodyButTheBreakGlassRoleDisablesOrDeletesTheSealsKey() {
        JsonNode statements = only(warm(), HOME, "AWS::KMS::Key").at("/KeyPolicy/Statement");
        Map<String, JsonNode> byId = new TreeMap<>();
        statements.forEach(it -> byId.put(it.get("Sid").asText(), it));
        JsonNode keep = Objects.requireNonNull(byId.get("Keep"));
        assertEquals("Deny", keep.get("Effect").asText());
        assertEquals(
                "[\"kms:DisableKey\",\"kms:ScheduleKeyDeletion\"]", keep.get("Action").toString());
        assertEquals(
                "arn:aws:iam::111122223333:role/vault-dr-payments-break-glass-eu-west-1",
                keep.at("/Condition/ArnNotEquals/aws:PrincipalArn").asText());
        JsonNode unseal = Objects.requireNonNull(byId.get("Unseal111122223333"));
        assertEquals(
                "[\"kms:Encrypt\",\"kms:Decrypt\",\"kms:DescribeKey\"]",
                unseal.get("Action").toString());
        assertEquals(
                "[\"arn:aws:iam::111122223333:role/vault-dr-payments-node-eu-west-1\"]",
                unseal.at("/Condition/ArnEquals/aws:PrincipalArn").toString());
        assertFalse(
                Objects.requireNonNull(byId.get("Administration")).toString().contains("Decrypt"));
    }

    /** Prover and nodes open what home sealed, each in its region. */
    @Test
    void proversOpenTheReplica() {
        String policy =
                warm().resources(DR, "AWS::KMS::ReplicaKey").values().iterator().next().toString();
        assertTrue(policy.contains("role/vault-dr-payments-prove-snapshot-eu-central-1"));
        assertTrue(policy.contains("role/vault-dr-payments-node-eu-central-1"));
    }

    @Test
    void whoTouchesTheSealsKeyIsPagedAbout() {
        for (String stack : List.of(HOME, DR)) {
            JsonNode rule =
                    warm().properties(
                                    stack,
                                    "AWS::Events::Rule",
                                    "Name",
                                    "vault-dr-payments-seal-key-touched");
            assertEquals(
                    "[\"DisableKey\",\"PutKeyPolicy\",\"ScheduleKeyDeletion\"]",
                    rule.at("/EventPattern/detail/eventName").toString());
            assertTrue(
                    rule.at("/Targets/0/Arn").asText().endsWith(":vault-dr-payments-pages"),
                    rule.toString());
            assertTrue(
                    rule.at("/Targets/0/InputTransformer/InputTemplate")
                            .asText()
                            .contains("Runbook: docs/runbooks/seal-key-touched.md"),
                    rule.toString());
        }
        assertTrue(
                Files.isRegularFile(
                        Path.of(System.getProperty("vaultdr.root", ".."))
                                .resolve("docs/runbooks/seal-key-touched.md")));
        String topics =
                warm().resources("vault-dr-payments-backup-eu-west-1", "AWS::SNS::TopicPolicy")
                        .toString();
        assertTrue(topics.contains("events.amazonaws.com"), topics);
    }

    @ParameterizedTest
    @ValueSource(strings = {HOME, DR})
    void recoveryKeysAreReadWithABrokenGlassOnly(String stack) {
        JsonNode policies = null;
        for (JsonNode policy :
                warm().resources(stack, "AWS::SecretsManager::ResourcePolicy").values()) {
            if (policy.toString().contains("RecoveryKeys")) {
                policies = policy.at("/Properties/ResourcePolicy/Statement");
            }
        }
        assertTrue(policies != null, stack);
        JsonNode read = policies.get(0);
        assertEquals("Deny", read.get("Effect").asText());
        assertEquals("secretsmanager:GetSecretValue", read.get("Action").asText());
        assertTrue(
                read.at("/Condition/ArnNotEquals/aws:PrincipalArn")
                        .toString()
                        .contains("vault-dr-payments-break-glass-"),
                read.toString());
        JsonNode write = policies.get(1);
        assertEquals("secretsmanager:PutSecretValue", write.get("Action").asText());
        assertTrue(
                write.toString().contains("vault-dr-payments-initialize-cluster-eu-west-1"),
                write.toString());
        assertEquals("secretsmanager:DeleteSecret", policies.get(2).get("Action").asText());
    }

    @Test
    void aRoleThatIsGivenBreaksTheGlass() {
        assertTrue(
                pilot().resources(PILOT_HOME, "AWS::SecretsManager::ResourcePolicy")
                        .toString()
                        .contains("arn:aws:iam::111122223333:role/security/break-glass"));
        assertFalse(pilot().template(PILOT_HOME).toString().contains("break-glass-us-east-1"));
    }

    @Test
    void secretsAreMadeEmptyInEachRegion() {
        Map<String, JsonNode> home = warm().resources(HOME, "AWS::SecretsManager::Secret");
        Map<String, JsonNode> dr = warm().resources(DR, "AWS::SecretsManager::Secret");
        Set<String> inHome = new TreeSet<>();
        Set<String> inDr = new TreeSet<>();
        home.values().forEach(it -> inHome.add(it.at("/Properties/Name").asText()));
        dr.values().forEach(it -> inDr.add(it.at("/Properties/Name").asText()));
        assertTrue(
                inHome.containsAll(
                        Set.of(
                                "vault-dr/payments/initialisation",
                                "vault-dr/payments/recovery-keys",
                                "payments/vault-dr/grow",
                                "payments/vault-dr/configure",
                                "payments/vault-dr/prove",
                                "payments/vault-dr/retire",
                                "payments/vault-dr/rotate",
                                "payments/vault-dr/snapshot",
                                "payments/vault-dr/verify")),
                inHome.toString());
        inHome.remove("vault-dr/payments/initialisation");
        assertEquals(inHome, inDr);
        for (Map<String, JsonNode> all : List.of(home, dr)) {
            for (JsonNode secret : all.values()) {
                assertFalse(secret.toString().contains("SecretString"), secret.toString());
                assertEquals("Retain", secret.get("DeletionPolicy").asText());
            }
        }
    }

    @Test
    void functionsLookAfterEachMadeCluster() {
        assertEquals(
                Set.of("vault-dr-payments-initialize-cluster", "vault-dr-payments-retire-peer"),
                functions(HOME));
        assertEquals(Set.of("vault-dr-payments-retire-peer"), functions(DR));
        JsonNode lifecycle =
                warm().properties(
                                DR,
                                "AWS::Events::Rule",
                                "Name",
                                "vault-dr-payments-retire-peer-lifecycle");
        assertEquals(
                "[\"vault-dr-payments-dr\"]",
                lifecycle.at("/EventPattern/detail/AutoScalingGroupName").toString());
        assertEquals(
                "[\"EC2 Instance-launch Lifecycle Action\","
                        + "\"EC2 Instance-terminate Lifecycle Action\"]",
                lifecycle.at("/EventPattern/detail-type").toString());
        Set<String> alarms = new TreeSet<>();
        warm().resources(HOME, "AWS::CloudWatch::Alarm")
                .values()
                .forEach(it -> alarms.add(it.at("/Properties/AlarmName").asText()));
        for (String alarm :
                List.of(
                        "cluster-drift",
                        "fault-tolerance",
                        "not-initialised",
                        "peers-held",
                        "peers-to-retire")) {
            assertTrue(alarms.contains("vault-dr-payments-" + alarm), alarm + " in " + alarms);
        }
    }

    private static Set<String> functions(String stack) {
        Set<String> names = new TreeSet<>();
        warm().resources(stack, "AWS::Lambda::Function")
                .values()
                .forEach(
                        it -> {
                            JsonNode function = it.get("Properties");
                            assertEquals(1, function.get("ReservedConcurrentExecutions").asInt());
                            assertTrue(function.has("VpcConfig"), function.toString());
                            names.add(function.get("FunctionName").asText());
                        });
        return names;
    }

    /** It may put them where they are kept, and find out nothing of what is there. */
    @Test
    void whoInitialisesNeverReadsRecoveryKeys() {
        Set<String> actions = new TreeSet<>();
        for (JsonNode statement :
                warm().properties(
                                HOME,
                                "AWS::IAM::Role",
                                "RoleName",
                                "vault-dr-payments-initialize-cluster-eu-west-1")
                        .at("/Policies/0/PolicyDocument/Statement")) {
            if (statement.get("Resource").toString().contains("recovery-keys")) {
                actions.add(statement.get("Action").asText());
            }
        }
        assertEquals(Set.of("secretsmanager:PutSecretValue"), actions);
    }

    /** Another id makes CloudFormation create it a second time, under a name that is taken. */
    @Test
    void whatHoldsDataKeepsItsLogicalId() {
        Set<String> stateful =
                Set.of(
                        "AWS::AutoScaling::AutoScalingGroup",
                        "AWS::ElasticLoadBalancingV2::LoadBalancer",
                        "AWS::KMS::Alias",
                        "AWS::KMS::Key",
                        "AWS::KMS::ReplicaKey",
                        "AWS::Route53::RecordSet",
                        "AWS::SQS::Queue",
                        "AWS::SecretsManager::Secret",
                        "AWS::EC2::Subnet");
        Set<String> ids = new TreeSet<>();
        for (String stack : List.of(HOME, DR)) {
            for (String type : stateful) {
                warm().resources(stack, type)
                        .forEach(
                                (id, resource) ->
                                        ids.add(
                                                stack.replace("vault-dr-payments-cluster-", "")
                                                        + " "
                                                        + id
                                                        + " "
                                                        + type));
            }
        }
        assertEquals(
                """
                eu-central-1 ClientsAddress40EF60B2 AWS::Route53::RecordSet
                eu-central-1 ClientsBalancerD4EA1D29 AWS::ElasticLoadBalancingV2::LoadBalancer
                eu-central-1 SealAlias3290B8E9 AWS::KMS::Alias
                eu-central-1 SealReplica0B4BB2F9 AWS::KMS::ReplicaKey
                eu-central-1 SecretsLoginconfigure0923F39F AWS::SecretsManager::Secret
                eu-central-1 SecretsLogingrowD54AB075 AWS::SecretsManager::Secret
                eu-central-1 SecretsLoginprove9233DD94 AWS::SecretsManager::Secret
                eu-central-1 SecretsLoginretire86C12870 AWS::SecretsManager::Secret
                eu-central-1 SecretsLoginrotateBC94D430 AWS::SecretsManager::Secret
                eu-central-1 SecretsLoginsnapshotCB8DF210 AWS::SecretsManager::Secret
                eu-central-1 SecretsLoginverify90005A3C AWS::SecretsManager::Secret
                eu-central-1 SecretsRecoveryKeysD1BFA643 AWS::SecretsManager::Secret
                eu-central-1 ServersGroup7735B2C0 AWS::AutoScaling::AutoScalingGroup
                eu-central-1 SubnetsSubneteucentral1a61CEB26F AWS::EC2::Subnet
                eu-central-1 SubnetsSubneteucentral1b8F2AF3B2 AWS::EC2::Subnet
                eu-central-1 SubnetsSubneteucentral1c2C8A3028 AWS::EC2::Subnet
                eu-central-1 UndeliveredF3CF66A9 AWS::SQS::Queue
                eu-west-1 ClientsAddress40EF60B2 AWS::Route53::RecordSet
                eu-west-1 ClientsBalancerD4EA1D29 AWS::ElasticLoadBalancingV2::LoadBalancer
                eu-west-1 SealAlias3290B8E9 AWS::KMS::Alias
                eu-west-1 SealKeyA9445C6F AWS::KMS::Key
                eu-west-1 SecretsInitialisation08F931FE AWS::SecretsManager::Secret
                eu-west-1 SecretsLoginconfigure0923F39F AWS::SecretsManager::Secret
                eu-west-1 SecretsLogingrowD54AB075 AWS::SecretsManager::Secret
                eu-west-1 SecretsLoginprove9233DD94 AWS::SecretsManager::Secret
                eu-west-1 SecretsLoginretire86C12870 AWS::SecretsManager::Secret
                eu-west-1 SecretsLoginrotateBC94D430 AWS::SecretsManager::Secret
                eu-west-1 SecretsLoginsnapshotCB8DF210 AWS::SecretsManager::Secret
                eu-west-1 SecretsLoginverify90005A3C AWS::SecretsManager::Secret
                eu-west-1 SecretsRecoveryKeysD1BFA643 AWS::SecretsManager::Secret
                eu-west-1 ServersGroup7735B2C0 AWS::AutoScaling::AutoScalingGroup
                eu-west-1 SubnetsSubneteuwest1a0B36BC7C AWS::EC2::Subnet
                eu-west-1 SubnetsSubneteuwest1b53D9E745 AWS::EC2::Subnet
                eu-west-1 SubnetsSubneteuwest1cF12D43F5 AWS::EC2::Subnet
                eu-west-1 UndeliveredF3CF66A9 AWS::SQS::Queue
                """,
                String.join("\n", ids) + "\n");
    }
}
