package io.vaultdr.infra.image;

import io.vaultdr.infra.config.Config.Artifact;
import io.vaultdr.runtime.PairSettings.Edition;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What an image is made of. Nothing in it belongs to one node, side or account, and nothing is
 * secret: a node learns all that at boot.
 *
 * @param unit the systemd unit of the server
 * @param dataDirectory where the server keeps its data
 * @param auditFile the file of the server's audit device
 * @param version the server's version, as it says it itself, without a {@code v}
 * @param server the server, for Linux on arm64
 * @param sealPlugin its seal's plugin, where it needs one
 * @param pluginFile where the plugin lies on the image
 */
public record ImageContent(
        Edition edition,
        String unit,
        String dataDirectory,
        String auditFile,
        String version,
        Artifact server,
        Optional<Artifact> sealPlugin,
        String pluginFile) {
    private static final String RESOURCES = "/io/vaultdr/infra/";

    /** File on the build machine → resource. */
    private static final Map<String, String> FILES =
            Map.of(
                    "README", "image/README",
                    "install.sh", "image/install.sh",
                    "logrotate", "image/logrotate",
                    "vault-dr-agent.service", "image/vault-dr-agent.service",
                    "vault-dr-boot.service", "image/vault-dr-boot.service",
                    "vault-dr-watch.service", "image/vault-dr-watch.service",
                    "vault_dr_agent.py", "image/vault_dr_agent.py",
                    "vault_dr_node.py", "node/vault_dr_node.py",
                    "verify.sh", "image/verify.sh");

    /** The files that are brought to the build machine, each with its text. */
    public Map<String, String> files() {
        Map<String, String> files = new TreeMap<>();
        FILES.forEach((file, resource) -> files.put(file, filled(text(resource))));
        files.put(unit + ".service", filled(text("image/server.service")));
        return files;
    }

    /** Writes {@link #files()} into a new directory, which is deleted when Java ends. */
    Path written() {
        try {
            Path directory = Files.createTempDirectory("vault-dr-image");
            directory.toFile().deleteOnExit();
            for (Map.Entry<String, String> file : files().entrySet()) {
                Path path = Files.writeString(directory.resolve(file.getKey()), file.getValue());
                path.toFile().deleteOnExit();
            }
            return directory;
        } catch (IOException e) {
            throw new UncheckedIOException("the image's files", e);
        }
    }

    /** The server's program, which is also the user that it runs as. */
    String program() {
        return switch (edition) {
            case OPENBAO -> "bao";
            case VAULT -> "vault";
        };
    }

    private String filled(String text) {
        Map<String, String> values =
                Map.of(
                        "@PROGRAM@",
                        program(),
                        "@USER@",
                        edition == Edition.OPENBAO ? "openbao" : "vault",
                        "@UNIT@",
                        unit,
                        "@DATA@",
                        dataDirectory,
                        "@AUDIT@",
                        auditFile.substring(0, auditFile.lastIndexOf('/')),
                        "@VERSION@",
                        version,
                        "@PLUGIN@",
                        pluginFile,
                        // OpenBao locks no memory; it, and Vault besides, has no swap to go to.
                        "@CAPABILITIES@",
                        edition == Edition.VAULT ? "CAP_IPC_LOCK" : "");
        String result = text;
        for (Map.Entry<String, String> value : values.entrySet()) {
            result = result.replace(value.getKey(), value.getValue());
        }
        return result;
    }

    private static String text(String resource) {
        try (InputStream in = ImageContent.class.getResourceAsStream(RESOURCES + resource)) {
            if (in == null) {
                throw new IllegalStateException(
                        RESOURCES + resource + ": not on the class path; build infra-cdk anew");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(resource, e);
        }
    }
}
