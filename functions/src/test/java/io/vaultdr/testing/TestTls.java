package io.vaultdr.testing;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A certificate authority and a server certificate from it, made with the JDK's keytool.
 *
 * @param ca the authority's certificate, PEM
 * @param certificate the server's certificate, PEM
 * @param key the server's private key, PEM (PKCS #8)
 * @param keyStore the server's key and chain as PKCS #12, alias {@code server}
 * @param names the names that the certificate holds
 */
public record TestTls(Path ca, Path certificate, Path key, Path keyStore, List<String> names) {
    /** What opens {@link #keyStore}. */
    public static final String PASSWORD = "changeit";

    /**
     * Makes both in {@code directory}.
     *
     * @param names DNS names, and IP addresses written {@code ip:127.0.0.1}
     */
    public static TestTls in(Path directory, String... names) {
        return in(directory, List.of("-validity", "30"), names);
    }

    /** The same with a server certificate that ended five days ago. */
    public static TestTls ended(Path directory, String... names) {
        return in(directory, List.of("-startdate", "-10d", "-validity", "5"), names);
    }

    private static TestTls in(Path directory, List<String> validity, String... names) {
        String alternatives =
                Stream.of(names)
                        .map(name -> name.startsWith("ip:") ? name : "dns:" + name)
                        .collect(Collectors.joining(","));
        Path made = directory.resolve("made.p12");
        Path serverStore = directory.resolve("server.p12");
        Path ca = directory.resolve("ca.pem");
        Path certificate = directory.resolve("server.pem");
        Path key = directory.resolve("server-key.pem");
        try {
            Files.createDirectories(directory);
            keytool(
                    made,
                    "ca",
                    List.of("-dname", "CN=test authority", "-ext", "bc:c", "-validity", "30"));
            keytool(
                    made,
                    "server",
                    List.of("-signer", "ca", "-dname", "CN=test server"),
                    List.of("-ext", "san=" + alternatives),
                    validity);
            KeyStore both = KeyStore.getInstance(made.toFile(), PASSWORD.toCharArray());
            Key serverKey = both.getKey("server", PASSWORD.toCharArray());
            KeyStore server = KeyStore.getInstance("PKCS12");
            server.load(null, null);
            server.setCertificateEntry("ca", both.getCertificate("ca"));
            server.setKeyEntry(
                    "server",
                    serverKey,
                    PASSWORD.toCharArray(),
                    both.getCertificateChain("server"));
            try (OutputStream out = Files.newOutputStream(serverStore)) {
                server.store(out, PASSWORD.toCharArray());
            }
            Files.delete(made);
            Files.writeString(ca, pem("CERTIFICATE", both.getCertificate("ca").getEncoded()));
            Files.writeString(
                    certificate, pem("CERTIFICATE", both.getCertificate("server").getEncoded()));
            Files.writeString(key, pem("PRIVATE KEY", serverKey.getEncoded()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("read what keytool made in " + directory, e);
        }
        return new TestTls(ca, certificate, key, serverStore, List.of(names));
    }

    /** The authority's certificate as PEM text. */
    public String caPem() {
        try {
            return Files.readString(ca);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String pem(String type, byte[] encoded) {
        String base64 = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(encoded);
        return "-----BEGIN %s-----\n%s\n-----END %s-----\n".formatted(type, base64, type);
    }

    /** A key pair of its own under {@code alias}. */
    @SafeVarargs
    private static void keytool(Path store, String alias, List<String>... more) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
        // It runs for half a second: no time for the second compiler, nor for threads that collect.
        command.addAll(List.of("-J-XX:TieredStopAtLevel=1", "-J-XX:+UseSerialGC"));
        command.addAll(List.of("-genkeypair", "-alias", alias));
        command.addAll(List.of("-keyalg", "EC", "-groupname", "secp256r1"));
        for (List<String> some : more) {
            command.addAll(some);
        }
        command.addAll(List.of("-keystore", store.toString(), "-storetype", "PKCS12"));
        command.addAll(List.of("-storepass", PASSWORD));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output =
                new String(
                        process.getInputStream().readAllBytes(),
                        java.nio.charset.StandardCharsets.UTF_8);
        try {
            if (process.waitFor() != 0) {
                throw new IllegalStateException("keytool, for " + alias + ": " + output);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("keytool: interrupted", e);
        }
    }
}
