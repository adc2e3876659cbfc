package io.vaultdr.infra;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

import java.util.Set;
import java.util.TreeSet;

/**
 * What holds data keeps its logical id: another one makes CloudFormation create it a second time,
 * under a name that is taken.
 */
class LogicalIdsTest {
    private static final Set<String> STATEFUL =
            Set.of(
                    "AWS::DynamoDB::Table",
                    "AWS::KMS::Alias",
                    "AWS::KMS::Key",
                    "AWS::Route53::HealthCheck",
                    "AWS::Route53::RecordSet",
                    "AWS::S3::Bucket",
                    "AWS::SNS::Topic",
                    "AWS::SQS::Queue",
                    "AWS::StepFunctions::StateMachine");

    @Test
    void stayTheSame() {
        Set<String> ids = new TreeSet<>();
        Synthesised.example("automatic")
                .templates()
                .forEach(
                        (stack, template) ->
                                template.get("Resources")
                                        .properties()
                                        .forEach(
                                                entry -> {
                                                    String type =
                                                            entry.getValue().get("Type").asText();
                                                    if (STATEFUL.contains(type)) {
                                                        ids.add(
                                                                stack
                                                                        + " "
                                                                        + entry.getKey()
                                                                        + " "
                                                                        + type);
                                                    }
                                                }));
        assertEquals(
                """
                vault-dr-payments-backup-eu-central-1 Pages127DFD1A AWS::SNS::Topic
                vault-dr-payments-backup-eu-central-1 SnapshotsBucket4B2233F7 AWS::S3::Bucket
                vault-dr-payments-backup-eu-central-1 SnapshotsKey4567620F AWS::KMS::Key
                vault-dr-payments-backup-eu-central-1 SnapshotsKeyAlias85F959FE AWS::KMS::Alias
                vault-dr-payments-backup-eu-central-1 UndeliveredF3CF66A9 AWS::SQS::Queue
                vault-dr-payments-backup-eu-west-1 Pages127DFD1A AWS::SNS::Topic
                vault-dr-payments-backup-eu-west-1 SnapshotsBucket4B2233F7 AWS::S3::Bucket
                vault-dr-payments-backup-eu-west-1 SnapshotsKey4567620F AWS::KMS::Key
                vault-dr-payments-backup-eu-west-1 SnapshotsKeyAlias85F959FE AWS::KMS::Alias
                vault-dr-payments-backup-eu-west-1 UndeliveredF3CF66A9 AWS::SQS::Queue
                vault-dr-payments-drill Key961B73FD AWS::KMS::Key
                vault-dr-payments-drill KeyAlias910D852D AWS::KMS::Alias
                vault-dr-payments-drill Machine28806A89 AWS::StepFunctions::StateMachine
                vault-dr-payments-drill Reports65402A0A AWS::S3::Bucket
                vault-dr-payments-drill UndeliveredF3CF66A9 AWS::SQS::Queue
                vault-dr-payments-failover FailoverMachineB18B3F2D AWS::StepFunctions::StateMachine
                vault-dr-payments-failover LedgerB7379752 AWS::DynamoDB::Table
                vault-dr-payments-failover UndeliveredF3CF66A9 AWS::SQS::Queue
                vault-dr-payments-proof Recovered421E2173 AWS::S3::Bucket
                vault-dr-payments-proof ServersB7178C3E AWS::S3::Bucket
                vault-dr-payments-proof UndeliveredF3CF66A9 AWS::SQS::Queue
                vault-dr-payments-traffic FlagBucket17EA5164 AWS::S3::Bucket
                vault-dr-payments-traffic SwitchDrA0BDC251 AWS::Route53::RecordSet
                vault-dr-payments-traffic SwitchFlagAbsenteucentral1CEBB9181 AWS::Route53::HealthCheck
                vault-dr-payments-traffic SwitchFlagAbsenteunorth187F16162 AWS::Route53::HealthCheck
                vault-dr-payments-traffic SwitchFlagHeardeucentral1ECC9E545 AWS::Route53::RecordSet
                vault-dr-payments-traffic SwitchFlagHeardeunorth1C61E9721 AWS::Route53::RecordSet
                vault-dr-payments-traffic SwitchHome3AAF795C AWS::Route53::RecordSet
                vault-dr-payments-traffic SwitchHomeMayServe1B0B583E AWS::Route53::HealthCheck
                vault-dr-payments-traffic-eu-north-1 FlagBucket17EA5164 AWS::S3::Bucket
                vault-dr-vantage-eu-central-1 Pages127DFD1A AWS::SNS::Topic
                vault-dr-vantage-eu-central-1 UndeliveredF3CF66A9 AWS::SQS::Queue
                vault-dr-vantage-eu-north-1 Pages127DFD1A AWS::SNS::Topic
                vault-dr-vantage-eu-north-1 UndeliveredF3CF66A9 AWS::SQS::Queue
                vault-dr-vantage-eu-west-1 Pages127DFD1A AWS::SNS::Topic
                vault-dr-vantage-eu-west-1 UndeliveredF3CF66A9 AWS::SQS::Queue
                """,
                String.join("\n", ids) + "\n");
    }
}
