package io.vaultdr.aws;

import io.vaultdr.runtime.PairSettings;
import io.vaultdr.vault.SignedIdentity;

import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.awscore.client.builder.AwsClientBuilder;
import software.amazon.awssdk.awscore.client.builder.AwsSyncClientBuilder;
import software.amazon.awssdk.core.SdkClient;
import software.amazon.awssdk.core.client.config.ClientOverrideConfiguration;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.autoscaling.AutoScalingClient;
import software.amazon.awssdk.services.cloudwatch.CloudWatchClient;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.kms.KmsClient;
import software.amazon.awssdk.services.route53.Route53Client;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.secretsmanager.SecretsManagerClient;
import software.amazon.awssdk.services.sfn.SfnClient;
import software.amazon.awssdk.services.sns.SnsClient;
import software.amazon.awssdk.services.ssm.SsmClient;

import java.time.Clock;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;

/**
 * SDK clients, one per service and region, made at first use and shared. All have a connect
 * time-out of two seconds, a read time-out of ten, and give a call up after thirty; S3 moves large
 * bodies and has no limit on the whole call, its callers hold the function's deadline.
 */
public final class AwsClients {
    private static final Duration CONNECT = Duration.ofSeconds(2);
    private static final Duration READ = Duration.ofSeconds(10);
    private static final Duration CALL = Duration.ofSeconds(30);

    private final AwsCredentialsProvider credentials;
    private final SdkHttpClient http =
            new UploadHttpClient(
                    UrlConnectionHttpClient.builder()
                            .connectionTimeout(CONNECT)
                            .socketTimeout(READ)
                            .build(),
                    CONNECT,
                    READ);
    private final Map<String, SdkClient> clients = new ConcurrentHashMap<>();

    /** Clients that sign with {@code credentials}. */
    public AwsClients(AwsCredentialsProvider credentials) {
        this.credentials = credentials;
    }

    /** The credentials that all of them sign with. */
    AwsCredentials credentials() {
        return credentials.resolveCredentials();
    }

    /** Signs as who all of them are, for {@code region}. */
    public SignedIdentity identity(String region, Clock clock) {
        return new SignedIdentity(region, credentials, clock);
    }

    /** The connections that all of them use. */
    SdkHttpClient http() {
        return http;
    }

    /** Amazon S3 in {@code region}. */
    public S3Client s3(String region) {
        return client(
                S3Client.class,
                region,
                at ->
                        configure(S3Client.builder(), at, ClientOverrideConfiguration.builder())
                                .build());
    }

    /**
     * Amazon S3 for one bucket, in its region. Each call names the account whose it has to be, so
     * that none reaches another's bucket of that name.
     *
     * @see <a
     *     href="https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html">Bucket
     *     owner condition</a>
     */
    public S3Client s3(PairSettings.Bucket bucket) {
        return client(
                S3Client.class,
                bucket.region() + "/" + bucket.account(),
                key ->
                        configure(
                                        S3Client.builder(),
                                        bucket.region(),
                                        ClientOverrideConfiguration.builder()
                                                .putHeader(
                                                        "x-amz-expected-bucket-owner",
                                                        bucket.account()))
                                .build());
    }

    /** DynamoDB in {@code region}. */
    public DynamoDbClient dynamoDb(String region) {
        return client(
                DynamoDbClient.class, region, at -> bounded(DynamoDbClient.builder(), at).build());
    }

    /** CloudWatch in {@code region}. */
    public CloudWatchClient cloudWatch(String region) {
        return client(
                CloudWatchClient.class,
                region,
                at -> bounded(CloudWatchClient.builder(), at).build());
    }

    /** Auto Scaling in {@code region}. */
    public AutoScalingClient autoScaling(String region) {
        return client(
                AutoScalingClient.class,
                region,
                at -> bounded(AutoScalingClient.builder(), at).build());
    }

    /** Systems Manager in {@code region}. */
    public SsmClient ssm(String region) {
        return client(SsmClient.class, region, at -> bounded(SsmClient.builder(), at).build());
    }

    /** Secrets Manager in {@code region}. */
    public SecretsManagerClient secretsManager(String region) {
        return client(
                SecretsManagerClient.class,
                region,
                at -> bounded(SecretsManagerClient.builder(), at).build());
    }

    /** Step Functions in {@code region}. */
    public SfnClient stepFunctions(String region) {
        return client(SfnClient.class, region, at -> bounded(SfnClient.builder(), at).build());
    }

    /** SNS in {@code region}. */
    public SnsClient sns(String region) {
        return client(SnsClient.class, region, at -> bounded(SnsClient.builder(), at).build());
    }

    /** KMS in {@code region}. */
    public KmsClient kms(String region) {
        return client(KmsClient.class, region, at -> bounded(KmsClient.builder(), at).build());
    }

    /** Route 53, whose control plane is in us-east-1. */
    public Route53Client route53() {
        return client(
                Route53Client.class,
                Region.AWS_GLOBAL.id(),
                at -> bounded(Route53Client.builder(), at).build());
    }

    private <B extends AwsClientBuilder<B, ?> & AwsSyncClientBuilder<B, ?>> B bounded(
            B builder, String region) {
        return configure(
                builder, region, ClientOverrideConfiguration.builder().apiCallTimeout(CALL));
    }

    private <B extends AwsClientBuilder<B, ?> & AwsSyncClientBuilder<B, ?>> B configure(
            B builder, String region, ClientOverrideConfiguration.Builder override) {
        return builder.region(Region.of(region))
                .credentialsProvider(credentials)
                .httpClient(http)
                .overrideConfiguration(override.build());
    }

    private <C extends SdkClient> C client(Class<C> type, String place, Function<String, C> make) {
        return type.cast(
                clients.computeIfAbsent(
                        type.getSimpleName() + "@" + place, key -> make.apply(place)));
    }
}
