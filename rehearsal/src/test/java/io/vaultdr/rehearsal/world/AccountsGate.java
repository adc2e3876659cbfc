package io.vaultdr.rehearsal.world;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Stands before moto as S3's authorisation does: the caller's role has to allow a call, the
 * bucket's policy too where that is another account's, and the same of the key for what is read or
 * written. An access key is {@code <account>.<role>}.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html">Policy
 *     evaluation across accounts</a>
 */
final class AccountsGate implements AutoCloseable {
    private static final Pattern CREDENTIAL = Pattern.compile("Credential=([^/]+)/");
    private static final Set<String> NOT_PASSED_ON =
            Set.of("host", "content-length", "connection", "expect", "transfer-encoding");

    private final URI moto;
    private final HttpServer server;
    private final HttpClient http = HttpClient.newHttpClient();
    private final Map<String, Policy> roles = new TreeMap<>();
    private final Map<String, Guarded> buckets = new TreeMap<>();
    private final List<String> denied = new CopyOnWriteArrayList<>();

    private record Guarded(
            String owner, String region, Policy policy, String keyArn, Policy keyPolicy) {}

    private record Caller(String account, String role) {
        String arn() {
            return "arn:aws:iam::" + account + ":role/" + role;
        }
    }

    private AccountsGate(URI moto) throws IOException {
        this.moto = moto;
        this.server =
                HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    }

    /** A gate before {@code moto}, with the roles, buckets and keys of {@code templates}. */
    static AccountsGate before(URI moto, List<Template> templates) throws IOException {
        AccountsGate gate = new AccountsGate(moto);
        templates.forEach(gate::read);
        gate.server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        gate.server.createContext("/", gate::handle);
        gate.server.start();
        return gate;
    }

    URI endpoint() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    }

    /** What was refused, in words. */
    List<String> denied() {
        return denied;
    }

    @Override
    public void close() {
        server.stop(0);
        http.shutdownNow();
    }

    private void read(Template template) {
        Template.References references =
                new Template.References() {
                    @Override
                    public String ref(String id) {
                        return property(template, id, "BucketName").orElse(id);
                    }

                    @Override
                    public String attribute(String id, String attribute) {
                        return property(template, id, "BucketName")
                                .map(name -> "arn:aws:s3:::" + name)
                                .orElse(
                                        "arn:aws:kms:"
                                                + template.region()
                                                + ":"
                                                + template.account()
                                                + ":key/"
                                                + id);
                    }
                };
        template.resources()
                .forEach(
                        (id, resource) -> {
                            JsonNode properties = resource.path("Properties");
                            switch (resource.path("Type").asText()) {
                                case "AWS::IAM::Role" ->
                                        roles.put(
                                                template.account()
                                                        + "."
                                                        + properties.path("RoleName").asText(),
                                                policy(
                                                        template,
                                                        properties.at("/Policies/0/PolicyDocument"),
                                                        references));
                                case "AWS::S3::BucketPolicy" ->
                                        bucket(template, properties, references);
                                default -> {}
                            }
                        });
    }

    private void bucket(Template template, JsonNode properties, Template.References references) {
        String id = properties.at("/Bucket/Ref").asText();
        JsonNode bucket = properties(template, id);
        String key =
                bucket.at(
                                "/BucketEncryption/ServerSideEncryptionConfiguration/0"
                                        + "/ServerSideEncryptionByDefault/KMSMasterKeyID"
                                        + "/Fn::GetAtt/0")
                        .asText();
        if (key.isEmpty()) {
            return;
        }
        buckets.put(
                bucket.path("BucketName").asText(),
                new Guarded(
                        template.account(),
                        template.region(),
                        policy(template, properties.path("PolicyDocument"), references),
                        references.attribute(key, "Arn"),
                        policy(template, properties(template, key).path("KeyPolicy"), references)));
    }

    private static Policy policy(
            Template template, JsonNode document, Template.References references) {
        return Policy.of(List.of(template.resolve(document, references)), template.stack());
    }

    private static JsonNode properties(Template template, String id) {
        JsonNode resource = template.resources().get(id);
        return resource == null ? MissingNode.getInstance() : resource.path("Properties");
    }

    private static Optional<String> property(Template template, String id, String name) {
        return Optional.of(properties(template, id).path(name).asText())
                .filter(value -> !value.isEmpty());
    }

    private void handle(HttpExchange exchange) throws IOException {
        byte[] body = exchange.getRequestBody().readAllBytes();
        Matcher credential = CREDENTIAL.matcher(header(exchange, "Authorization"));
        if (!credential.find()) {
            throw new IllegalStateException("an unsigned call of " + exchange.getRequestURI());
        }
        String[] parts = credential.group(1).split("\\.", 2);
        Caller caller = new Caller(parts[0], parts[1]);
        Optional<String> refused = refused(exchange, caller);
        if (refused.isPresent()) {
            denied.add(refused.get());
            answer(
                    exchange,
                    403,
                    "<Error><Code>AccessDenied</Code></Error>".getBytes(StandardCharsets.UTF_8));
            return;
        }
        HttpRequest.Builder request =
                HttpRequest.newBuilder(moto.resolve(exchange.getRequestURI()))
                        .method(
                                exchange.getRequestMethod(),
                                HttpRequest.BodyPublishers.ofByteArray(body))
                        .header("x-moto-account-id", caller.account());
        exchange.getRequestHeaders()
                .forEach(
                        (name, values) -> {
                            if (!NOT_PASSED_ON.contains(name.toLowerCase(Locale.ROOT))) {
                                values.forEach(value -> request.header(name, value));
                            }
                        });
        try {
            HttpResponse<byte[]> response =
                    http.send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
            response.headers()
                    .map()
                    .forEach(
                            (name, values) -> {
                                if (!NOT_PASSED_ON.contains(name.toLowerCase(Locale.ROOT))) {
                                    exchange.getResponseHeaders().put(name, values);
                                }
                            });
            answer(exchange, response.statusCode(), response.body());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(e);
        }
    }

    private static void answer(HttpExchange exchange, int status, byte[] body) throws IOException {
        boolean none = body.length == 0 || exchange.getRequestMethod().equals("HEAD");
        exchange.sendResponseHeaders(status, none ? -1 : body.length);
        if (!none) {
            exchange.getResponseBody().write(body);
        }
        exchange.close();
    }

    private Optional<String> refused(HttpExchange exchange, Caller caller) {
        String[] path = exchange.getRequestURI().getPath().substring(1).split("/", 2);
        Guarded bucket = buckets.get(path[0]);
        Policy role = roles.get(caller.account() + "." + caller.role());
        if (bucket == null || role == null) {
            throw new IllegalStateException("no template has " + path[0] + " or " + caller);
        }
        Map<String, String> query = query(exchange.getRequestURI());
        String key = path.length > 1 ? path[1] : "";
        String action = action(exchange.getRequestMethod(), query, key);
        // A call that deletes several names them in its body.
        String object = query.containsKey("delete") ? "any" : key;
        String resource = "arn:aws:s3:::" + path[0] + (object.isEmpty() ? "" : "/" + object);
        String what = caller.role() + " " + action + " " + resource;
        String owner = header(exchange, "x-amz-expected-bucket-owner");
        if (!owner.equals(bucket.owner())) {
            return Optional.of(what + ": the owner isn't " + owner);
        }
        Map<String, List<String>> context = new HashMap<>();
        context.put("aws:PrincipalArn", List.of(caller.arn()));
        context.put("aws:SecureTransport", List.of("true"));
        context.put("s3:TlsVersion", List.of("1.3"));
        if (action.equals("s3:PutObject")) {
            boolean part = query.containsKey("uploads") || query.containsKey("partNumber");
            context.put("s3:ObjectCreationOperation", List.of(Boolean.toString(!part)));
            String condition = header(exchange, "If-None-Match");
            if (!condition.isEmpty()) {
                context.put("s3:if-none-match", List.of(condition));
            }
        }
        boolean foreign = !caller.account().equals(bucket.owner());
        if (!role.grants(action, resource, context)
                || (foreign && !bucket.policy().grants(action, resource, context))) {
            return Optional.of(what);
        }
        Map<String, List<String>> use = new HashMap<>();
        use.put("aws:PrincipalArn", List.of(caller.arn()));
        use.put("kms:ViaService", List.of("s3." + bucket.region() + ".amazonaws.com"));
        use.put("kms:EncryptionContext:aws:s3:arn", List.of("arn:aws:s3:::" + path[0]));
        if (!foreign) {
            // Another account's aliases aren't seen.
            use.put("kms:ResourceAliases", List.of("alias/vault-dr-payments-snapshots"));
        }
        for (String need : ofKey(action)) {
            if (!role.grants(need, bucket.keyArn(), use)
                    || (foreign && !bucket.keyPolicy().grants(need, bucket.keyArn(), use))) {
                return Optional.of(what + ": " + need);
            }
        }
        return Optional.empty();
    }

    /** Parts are decrypted when they are put together. */
    private static List<String> ofKey(String action) {
        return switch (action) {
            case "s3:PutObject" -> List.of("kms:GenerateDataKey", "kms:Decrypt");
            case "s3:GetObject", "s3:GetObjectVersion" -> List.of("kms:Decrypt");
            default -> List.of();
        };
    }

    private static String action(String method, Map<String, String> query, String key) {
        if (key.isEmpty()) {
            for (Map.Entry<String, String> one :
                    Map.of(
                                    "uploads", "s3:ListBucketMultipartUploads",
                                    "versions", "s3:ListBucketVersions",
                                    "list-type", "s3:ListBucket",
                                    "object-lock", "s3:GetBucketObjectLockConfiguration",
                                    "delete", "s3:DeleteObjectVersion",
                                    "policy", "s3:PutBucketPolicy",
                                    "lifecycle", "s3:PutLifecycleConfiguration",
                                    "versioning", "s3:PutBucketVersioning")
                            .entrySet()) {
                if (query.containsKey(one.getKey())) {
                    return one.getValue();
                }
            }
            throw new IllegalStateException(method + " of a bucket with " + query);
        }
        boolean version = query.containsKey("versionId");
        return switch (method) {
            case "GET", "HEAD" -> version ? "s3:GetObjectVersion" : "s3:GetObject";
            case "PUT" -> query.containsKey("tagging") ? "s3:PutObjectTagging" : "s3:PutObject";
            case "POST" -> "s3:PutObject";
            case "DELETE" ->
                    query.containsKey("uploadId")
                            ? "s3:AbortMultipartUpload"
                            : version ? "s3:DeleteObjectVersion" : "s3:DeleteObject";
            default -> throw new IllegalStateException(method + " of an object");
        };
    }

    private static Map<String, String> query(URI uri) {
        Map<String, String> all = new TreeMap<>();
        for (String part : Optional.ofNullable(uri.getRawQuery()).orElse("").split("&", -1)) {
            String[] pair = part.split("=", 2);
            all.put(
                    URLDecoder.decode(pair[0], StandardCharsets.UTF_8),
                    pair.length > 1 ? URLDecoder.decode(pair[1], StandardCharsets.UTF_8) : "");
        }
        return all;
    }

    private static String header(HttpExchange exchange, String name) {
        return Optional.ofNullable(exchange.getRequestHeaders().getFirst(name)).orElse("");
    }
}
