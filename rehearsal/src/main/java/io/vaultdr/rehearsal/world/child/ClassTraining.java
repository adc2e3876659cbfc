package io.vaultdr.rehearsal.world.child;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import com.fasterxml.jackson.core.JsonProcessingException;

import io.vaultdr.aws.AwsClients;
import io.vaultdr.handler.CloseIncidentHandler;
import io.vaultdr.handler.ControlHandler;
import io.vaultdr.handler.EvaluateFailoverHandler;
import io.vaultdr.handler.FenceHandler;
import io.vaultdr.handler.FreshnessCheckHandler;
import io.vaultdr.handler.GrowHandler;
import io.vaultdr.handler.JudgeHandler;
import io.vaultdr.handler.PromoteHandler;
import io.vaultdr.handler.RedirectTrafficHandler;
import io.vaultdr.handler.VerifyHandler;
import io.vaultdr.model.PairId;
import io.vaultdr.runtime.Json;
import io.vaultdr.runtime.PairMetrics;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.runtime.Settings;

import org.slf4j.LoggerFactory;

import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.sync.RequestBody;

import java.io.File;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.jar.JarFile;

import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;

/**
 * Loads what functions load: all classes of ours and of the runtime interface client, and of the
 * libraries whatever the steps of a failover need that is tried against empty buckets and servers
 * that nobody can find. The JVM that it runs in archives them, with what they link.
 *
 * <p>Its environment is a function's that has a pair, in an AWS of its own with all that the
 * templates describe, to be thrown away.
 */
public final class ClassTraining {
    /** What is left of an invocation's time: a step that finds no server gives up soon. */
    private static final int MILLIS_LEFT = 6_000;

    private final AwsClients aws =
            new AwsClients(StaticCredentialsProvider.create(AwsBasicCredentials.create("a", "b")));
    private final PairSettings pair;
    private final String region;

    private ClassTraining(Settings.OfPair settings) {
        pair = settings.pair();
        region = settings.region();
    }

    /** Takes no arguments; ends with an error if a class can't be read. */
    public static void main(String[] arguments) throws IOException {
        for (String jar : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
            load(new File(jar));
        }
        ClassTraining training = new ClassTraining(Settings.ofPair(System.getenv()));
        training.call();
        training.run();
        talk();
        tell();
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

    /** Calls of services, which the steps below make only where there is something to work on. */
    private void call() {
        PairSettings.Bucket bucket = pair.buckets().getFirst();
        attempt(
                "object",
                () -> {
                    var s3 = aws.s3(bucket);
                    s3.putObject(
                            it -> it.bucket(bucket.name()).key("k"), RequestBody.fromString("v"));
                    s3.getObjectAsBytes(it -> it.bucket(bucket.name()).key("k"));
                });
        attempt("secret", () -> aws.secretsManager(region).getSecretValue(it -> it.secretId("s")));
        attempt("key", () -> aws.kms(region).describeKey(it -> it.keyId("k")));
        attempt("metric", () -> aws.cloudWatch(region).putMetricData(it -> it.namespace("n")));
        attempt("group", () -> aws.autoScaling(region).describeAutoScalingGroups());
    }

    /** An incident that a person opens, and every step of it as far as it comes. */
    private void run() {
        Map<String, Object> event =
                Map.of("pair", pair.pair().value(), "epoch", 1, "time", Instant.now().toString());
        Map<String, Object> failover =
                Map.of("action", "failover", "by", "training", "reason", "training");
        invoke(new EvaluateFailoverHandler(), event);
        invoke(new ControlHandler(), failover);
        List<RequestHandler<Map<String, Object>, ?>> handlers =
                List.of(
                        new JudgeHandler(),
                        new FenceHandler(),
                        new PromoteHandler(),
                        new VerifyHandler(),
                        new RedirectTrafficHandler(),
                        new GrowHandler(),
                        new EvaluateFailoverHandler(),
                        new CloseIncidentHandler(),
                        new FreshnessCheckHandler());
        handlers.forEach(handler -> invoke(handler, event));
    }

    private static void invoke(
            RequestHandler<Map<String, Object>, ?> handler, Map<String, Object> event) {
        Context context =
                (Context)
                        Proxy.newProxyInstance(
                                ClassTraining.class.getClassLoader(),
                                new Class<?>[] {Context.class},
                                (proxy, method, arguments) ->
                                        switch (method.getName()) {
                                            case "getRemainingTimeInMillis" -> MILLIS_LEFT;
                                            case "getMemoryLimitInMB" -> 512;
                                            default ->
                                                    method.getReturnType() == String.class
                                                            ? "training:operate"
                                                            : null;
                                        });
        attempt(
                handler.getClass().getSimpleName(),
                () -> System.out.println(handler.handleRequest(event, context)));
    }

    private static void attempt(String what, Runnable call) {
        try {
            call.run();
        } catch (RuntimeException e) {
            // Something is missing here that is there elsewhere; the classes are loaded by now.
            System.out.println(what + ": " + e);
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
                    HttpRequest.newBuilder(URI.create(System.getenv("AWS_ENDPOINT_URL"))).build(),
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
