package io.vaultdr.rehearsal.world.child;

import com.fasterxml.jackson.core.JsonProcessingException;

import io.vaultdr.aws.AwsClients;
import io.vaultdr.model.PairId;
import io.vaultdr.runtime.Json;
import io.vaultdr.runtime.PairMetrics;

import org.slf4j.LoggerFactory;

import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;

import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.security.NoSuchAlgorithmException;
import java.util.List;
import java.util.Map;
import java.util.jar.JarFile;

import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;

/**
 * Loads what functions load: all classes of ours and of the runtime interface client, and of the
 * libraries whatever a call of each service, a log line, a metric and a TLS handshake need. The JVM
 * that it runs in archives them.
 */
public final class ClassTraining {
    /** Calls go to a port that nobody listens at, once each. */
    public static final Map<String, String> ENVIRONMENT =
            Map.of(
                    "AWS_ENDPOINT_URL", "http://127.0.0.1:9",
                    "AWS_MAX_ATTEMPTS", "1",
                    "AWS_EC2_METADATA_DISABLED", "true",
                    "AWS_LAMBDA_FUNCTION_NAME", "training",
                    "REHEARSAL_ACCOUNT", "000000000000");

    private static final String REGION = "eu-west-1";

    private ClassTraining() {}

    /** Takes no arguments; ends with an error if a class can't be read. */
    public static void main(String[] arguments) throws IOException {
        for (String jar : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
            load(new File(jar));
        }
        call();
    }

    private static void load(File jar) throws IOException {
        try (JarFile file = new JarFile(jar)) {
            List<String> names =
                    file.stream()
                            .map(entry -> entry.getName())
                            .filter(it -> it.matches("(io/vaultdr|com/amazonaws)/[^-]*\\.class"))
                            .map(it -> it.replace('/', '.').replaceFirst("\\.class$", ""))
                            .toList();
            ClassLoader loader = ClassTraining.class.getClassLoader();
            for (String name : names) {
                try {
                    Class.forName(name, false, loader);
                } catch (ClassNotFoundException | LinkageError e) {
                    // An optional part of the client, for a library that functions don't have.
                    System.out.println(name + ": " + e);
                }
            }
        }
    }

    private static void call() {
        var aws =
                new AwsClients(
                        StaticCredentialsProvider.create(AwsBasicCredentials.create("a", "b")));
        List<Runnable> calls =
                List.of(
                        () ->
                                aws.dynamoDb(REGION)
                                        .getItem(
                                                it ->
                                                        it.tableName("t")
                                                                .key(
                                                                        Map.of(
                                                                                "k",
                                                                                AttributeValue
                                                                                        .fromS(
                                                                                                "v")))),
                        () -> aws.s3(REGION).listObjectsV2(it -> it.bucket("b")),
                        () -> aws.ssm(REGION).getParameter(it -> it.name("p")),
                        () -> aws.secretsManager(REGION).getSecretValue(it -> it.secretId("s")),
                        () ->
                                aws.stepFunctions(REGION)
                                        .describeExecution(it -> it.executionArn("e")),
                        () -> aws.sns(REGION).publish(it -> it.topicArn("t").message("m")),
                        () -> aws.kms(REGION).describeKey(it -> it.keyId("k")),
                        () -> aws.cloudWatch(REGION).putMetricData(it -> it.namespace("n")),
                        () -> aws.autoScaling(REGION).describeAutoScalingGroups(),
                        ClassTraining::talk,
                        ClassTraining::tell);
        for (Runnable call : calls) {
            try {
                call.run();
            } catch (RuntimeException e) {
                // Nobody listens and no log group is there; the classes are loaded by now.
                System.out.println(e);
            }
        }
    }

    /** What a conversation with a server needs before the server has said a word. */
    private static void talk() {
        try (HttpClient http = HttpClient.newHttpClient()) {
            SSLEngine hello = SSLContext.getDefault().createSSLEngine();
            hello.setUseClientMode(true);
            hello.wrap(
                    ByteBuffer.allocate(0),
                    ByteBuffer.allocate(hello.getSession().getPacketBufferSize()));
            http.send(
                    HttpRequest.newBuilder(URI.create(ENVIRONMENT.get("AWS_ENDPOINT_URL"))).build(),
                    HttpResponse.BodyHandlers.ofString());
        } catch (IOException | NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** A line of the log, a metric, and JSON there and back. */
    private static void tell() {
        var measure = PairMetrics.Measure.count("Trained", 1);
        LoggerFactory.getLogger(ClassTraining.class).info("{}", measure);
        PairMetrics.embedded(new PairId("training")).publish(List.of(measure));
        try {
            String json = Json.MAPPER.writeValueAsString(Map.of("measure", measure));
            Json.MAPPER.treeToValue(Json.MAPPER.readTree(json), Map.class);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }
}
