package io.vaultdr.rehearsal.world.child;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

import software.amazon.awssdk.core.SdkRequest;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.Put;
import software.amazon.awssdk.services.dynamodb.model.PutItemRequest;
import software.amazon.awssdk.services.dynamodb.model.ScanRequest;
import software.amazon.awssdk.services.dynamodb.model.TransactWriteItem;
import software.amazon.awssdk.services.dynamodb.model.TransactWriteItemsRequest;
import software.amazon.awssdk.services.kms.model.GetPublicKeyRequest;
import software.amazon.awssdk.services.kms.model.SignRequest;
import software.amazon.awssdk.services.s3.model.DeleteObjectsRequest;
import software.amazon.awssdk.services.s3.model.GetObjectRequest;
import software.amazon.awssdk.services.s3.model.ObjectIdentifier;
import software.amazon.awssdk.services.s3.model.PutObjectRequest;
import software.amazon.awssdk.services.s3.model.PutObjectTaggingRequest;
import software.amazon.awssdk.services.s3.model.Tag;
import software.amazon.awssdk.services.secretsmanager.model.GetSecretValueRequest;
import software.amazon.awssdk.services.ssm.model.SendCommandRequest;
import software.amazon.awssdk.services.ssm.model.Target;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/** Which IAM actions and resources a call needs. */
class GrantInterceptorTest {
    private static final Map<String, AttributeValue> STATE =
            Map.of("pk", AttributeValue.fromS("state"), "sk", AttributeValue.fromN("0"));

    private final GrantInterceptor interceptor = new GrantInterceptor("123456789012");

    @Test
    void namesActionAndResourceOfACall() {
        assertEquals(
                List.of("s3:GetObject|arn:aws:s3:::b/a/b c|"),
                needs("S3.GetObject", GetObjectRequest.builder().bucket("b").key("a/b c").build()));
        assertEquals(
                List.of("s3:GetObjectVersion|arn:aws:s3:::b/k|"),
                needs(
                        "S3.GetObject",
                        GetObjectRequest.builder().bucket("b").key("k").versionId("1").build()));
        assertEquals(
                List.of(
                        "secretsmanager:GetSecretValue"
                            + "|arn:aws:secretsmanager:eu-west-1:123456789012:secret:x/y-AbCdEf|"),
                needs(
                        "SecretsManager.GetSecretValue",
                        GetSecretValueRequest.builder().secretId("x/y").build()));
    }

    @Test
    void namesTagsOnceWhetherTheyComeWithAnObjectOrAlone() {
        assertEquals(
                List.of("s3:PutObject|arn:aws:s3:::b/k|", "s3:PutObjectTagging|arn:aws:s3:::b/k|"),
                needs(
                        "S3.PutObject",
                        PutObjectRequest.builder().bucket("b").key("k").tagging("a=b").build()));
        assertEquals(
                List.of("s3:PutObjectTagging|arn:aws:s3:::b/k|"),
                needs(
                        "S3.PutObjectTagging",
                        PutObjectTaggingRequest.builder()
                                .bucket("b")
                                .key("k")
                                .tagging(it -> it.tagSet(Tag.builder().key("a").value("b").build()))
                                .build()));
    }

    @Test
    void namesEachObjectOfADeletionAndWhetherForGood() {
        assertEquals(
                List.of(
                        "s3:DeleteObjectVersion|arn:aws:s3:::b/archives/one|",
                        "s3:DeleteObject|arn:aws:s3:::b/archives/two|"),
                needs(
                        "S3.DeleteObjects",
                        DeleteObjectsRequest.builder()
                                .bucket("b")
                                .delete(
                                        it ->
                                                it.objects(
                                                        ObjectIdentifier.builder()
                                                                .key("archives/one")
                                                                .versionId("1")
                                                                .build(),
                                                        ObjectIdentifier.builder()
                                                                .key("archives/two")
                                                                .build()))
                                .build()));
    }

    @Test
    void namesEachPartOfATransactionAndEachTargetOfACommand() {
        assertEquals(
                List.of(
                        "dynamodb:PutItem|arn:aws:dynamodb:eu-west-1:123456789012:table/t"
                                + "|dynamodb:LeadingKeys=state"),
                needs(
                        "DynamoDb.TransactWriteItems",
                        TransactWriteItemsRequest.builder()
                                .transactItems(
                                        TransactWriteItem.builder()
                                                .put(
                                                        Put.builder()
                                                                .tableName("t")
                                                                .item(STATE)
                                                                .build())
                                                .build())
                                .build()));
        assertEquals(
                List.of(
                        "dynamodb:PutItem|arn:aws:dynamodb:eu-west-1:123456789012:table/t"
                                + "|dynamodb:LeadingKeys=state"),
                needs(
                        "DynamoDb.PutItem",
                        PutItemRequest.builder().tableName("t").item(STATE).build()));
        assertEquals(
                List.of(
                        "ssm:SendCommand|arn:aws:ssm:eu-west-1:123456789012:document/stop|",
                        "ssm:SendCommand"
                                + "|arn:aws:ec2:eu-west-1:123456789012:instance/i-00000000000000000"
                                + "|ssm:resourceTag/side=home&aws:ResourceTag/side=home"),
                needs(
                        "Ssm.SendCommand",
                        SendCommandRequest.builder()
                                .documentName("stop")
                                .targets(Target.builder().key("tag:side").values("home").build())
                                .build()));
    }

    @Test
    void aKeyThatIsNamedByItsAliasIsGrantedByTheAlias() {
        String alias = "arn:aws:kms:eu-west-1:123456789012:alias/vault-dr-payments-drill";
        assertEquals(
                List.of(
                        "kms:Sign|arn:aws:kms:eu-west-1:123456789012:key/unnamed"
                                + "|kms:ResourceAliases=alias/vault-dr-payments-drill"),
                needs("Kms.Sign", SignRequest.builder().keyId(alias).build()));
        String key = "arn:aws:kms:eu-west-1:123456789012:key/k";
        assertEquals(
                List.of("kms:GetPublicKey|" + key + "|kms:ResourceAliases="),
                needs("Kms.GetPublicKey", GetPublicKeyRequest.builder().keyId(key).build()));
    }

    @Test
    void failsACallThatItDoesNotKnow() {
        assertThrows(
                IllegalStateException.class,
                () -> needs("DynamoDb.Scan", ScanRequest.builder().tableName("t").build()));
    }

    private List<String> needs(String call, SdkRequest request) {
        return interceptor.needs(call, request, "eu-west-1").stream()
                .map(need -> URLDecoder.decode(need, StandardCharsets.UTF_8))
                .toList();
    }
}
