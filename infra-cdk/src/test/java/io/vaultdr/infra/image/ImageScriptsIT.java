package io.vaultdr.infra.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpServer;

import io.vaultdr.infra.watch.AgentConfiguration;
import io.vaultdr.runtime.PairSettings.Edition;
import io.vaultdr.testing.Environment;
import io.vaultdr.testing.Moto;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.ssm.SsmClient;
import software.amazon.awssdk.services.ssm.model.ParameterType;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** The image's own programs, run as they are. */
class ImageScriptsIT {
    /** What Amazon Linux 2023 calls python3. */
    private static final String PYTHON = "(3, 9)";

    @TempDir private Path directory;

    private record Run(int status, String output) {}

    private Run run(Map<String, String> environment, String... command) throws Exception {
        Path output = Files.createTempFile(directory, "run", ".txt");
        ProcessBuilder builder =
                new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(output.toFile());
        builder.environment().putAll(environment);
        Process process = builder.start();
        try {
            assertTrue(process.waitFor(60, TimeUnit.SECONDS), "no end: " + List.of(command));
        } finally {
            process.destroyForcibly();
        }
        return new Run(process.exitValue(), Files.readString(output));
    }

    private Path files() throws IOException {
        Path files = Files.createDirectories(directory.resolve("files"));
        for (var file : ImageContentTest.content(Edition.OPENBAO).files().entrySet()) {
            Files.writeString(files.resolve(file.getKey()), file.getValue());
        }
        return files;
    }

    @Test
    void programsAreOfThePythonThatAmazonLinuxHas() throws Exception {
        for (String program : List.of("vault_dr_agent.py", "vault_dr_node.py")) {
            Run parsed =
                    run(
                            Map.of(),
                            Environment.program("python").toString(),
                            "-c",
                            "import ast, sys; ast.parse(open(sys.argv[1]).read(), feature_version="
                                    + PYTHON
                                    + ")",
                            files().resolve(program).toString());
            assertEquals(new Run(0, ""), parsed);
        }
    }

    @Test
    void installRefusesAProgramOfAnotherHash() throws Exception {
        Path files = files();
        Files.writeString(directory.resolve("server"), "not what was asked for");
        Run installed =
                run(
                        Map.of(),
                        "/bin/sh",
                        files.resolve("install.sh").toString(),
                        "0f".repeat(32),
                        "1f".repeat(32));
        assertEquals(1, installed.status(), installed.output());
        assertTrue(
                installed
                        .output()
                        .contains("server: expected SHA-256 " + "0f".repeat(32) + ", read "),
                installed.output());
    }

    @Test
    void scriptsAreOfAPlainShell() throws Exception {
        for (String script : List.of("install.sh", "verify.sh")) {
            Run read = run(Map.of(), "/bin/sh", "-n", files().resolve(script).toString());
            assertEquals(new Run(0, ""), read);
        }
    }

    /** The instance's own metadata, by tokens only. */
    private static HttpServer metadata(String tag) throws IOException {
        HttpServer server =
                HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        Map<String, String> answers =
                Map.of(
                        "/latest/api/token", "T0KEN",
                        "/latest/meta-data/instance-id", "i-0a1b2c3d4e5f60718",
                        "/latest/meta-data/placement/region", "eu-west-1",
                        "/latest/meta-data/tags/instance/vault-dr:node", tag);
        server.createContext(
                "/",
                exchange -> {
                    String path = exchange.getRequestURI().getPath();
                    boolean may =
                            path.endsWith("/token")
                                    ? exchange.getRequestMethod().equals("PUT")
                                    : "T0KEN"
                                            .equals(
                                                    exchange.getRequestHeaders()
                                                            .getFirst("X-aws-ec2-metadata-token"));
                    byte[] body = answers.getOrDefault(path, "").getBytes(StandardCharsets.UTF_8);
                    exchange.sendResponseHeaders(
                            !may ? 401 : answers.containsKey(path) ? 200 : 404,
                            may && body.length > 0 ? body.length : -1);
                    if (may) {
                        exchange.getResponseBody().write(body);
                    }
                    exchange.close();
                });
        server.start();
        return server;
    }

    private Run agent(HttpServer metadata, Moto moto, Path control) throws Exception {
        return run(
                Map.of(
                        "AWS_EC2_METADATA_SERVICE_ENDPOINT",
                        "http://127.0.0.1:" + metadata.getAddress().getPort(),
                        "AWS_ENDPOINT_URL",
                        moto.endpoint().toString(),
                        "AWS_ACCESS_KEY_ID",
                        "test",
                        "AWS_SECRET_ACCESS_KEY",
                        "test",
                        "VAULT_DR_DIRECTORY",
                        directory.resolve("etc").toString(),
                        "VAULT_DR_AGENT_CTL",
                        control.toString()),
                Environment.program("python").toString(),
                files().resolve("vault_dr_agent.py").toString());
    }

    @Test
    void agentIsToldWhatItsParameterSays() throws Exception {
        Path control = Files.writeString(directory.resolve("ctl"), "#!/bin/sh\necho \"ctl $*\"\n");
        assertTrue(control.toFile().setExecutable(true));
        HttpServer metadata = metadata("/vault-dr/payments/node-home");
        try (Moto moto = Moto.start();
                SsmClient ssm =
                        SsmClient.builder()
                                .endpointOverride(moto.endpoint())
                                .region(Region.EU_WEST_1)
                                .credentialsProvider(
                                        StaticCredentialsProvider.create(
                                                AwsBasicCredentials.create("test", "test")))
                                .httpClient(UrlConnectionHttpClient.create())
                                .build()) {
            Run missing = agent(metadata, moto, control);
            assertEquals(1, missing.status());
            assertTrue(missing.output().contains("ParameterNotFound"), missing.output());

            ssm.putParameter(
                    r ->
                            r.name("/vault-dr/payments/agent-home")
                                    .type(ParameterType.STRING)
                                    .value(
                                            "{\"agent\":{\"of\":\"{instance_id}\"},"
                                                    + "\"prometheus\":{\"job\":1}}"));
            Run told = agent(metadata, moto, control);
            assertEquals(0, told.status(), told.output());
            Path etc = directory.resolve("etc");
            assertTrue(
                    told.output()
                            .contains(
                                    "ctl -a fetch-config -m ec2 -s -c file:" + etc + "/agent.json"),
                    told.output());
            assertTrue(
                    Files.readString(etc.resolve("agent.json"))
                            .contains("\"of\": \"i-0a1b2c3d4e5f60718\""));
            assertEquals(
                    Path.of(AgentConfiguration.PROMETHEUS_FILE).getFileName(),
                    etc.resolve("prometheus.yaml").getFileName());
            assertTrue(Files.readString(etc.resolve("prometheus.yaml")).contains("\"job\": 1"));
        } finally {
            metadata.stop(0);
        }
    }

    @Test
    void agentSaysWhatIsWrongWithItsTag() throws Exception {
        HttpServer metadata = metadata("payments");
        try (Moto moto = Moto.start()) {
            Run wrong = agent(metadata, moto, Path.of("/bin/false"));
            assertEquals(1, wrong.status());
            assertTrue(
                    wrong.output().contains("the tag vault-dr:node is \"payments\": expected"),
                    wrong.output());
        } finally {
            metadata.stop(0);
        }
    }
}
