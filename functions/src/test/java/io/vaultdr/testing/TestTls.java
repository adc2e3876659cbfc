package io.vaultdr.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
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
        Path store = directory.resolve("authority.p12");
        Path serverStore = directory.resolve("server.p12");
        Path request = directory.resolve("server.csr");
        Path ca = directory.resolve("ca.pem");
        Path certificate = directory.resolve("server.pem");
        Path key = directory.resolve("server-key.pem");
        try {
            Files.createDirectories(directory);
            List<String> pair = List.of("-genkeypair", "-keyalg", "EC", "-groupname", "secp256r1");
            keytool(
                    store,
                    pair,
                    List.of("-alias", "ca", "-dname", "CN=test authority"),
                    List.of("-ext", "bc:c", "-validity", "30"));
            keytool(
                    serverStore,
                    pair,
                    List.of("-alias", "server", "-dname", "CN=test server", "-validity", "30"));
            keytool(
                    serverStore,
                    List.of("-certreq", "-alias", "server", "-file", request.toString()));
            keytool(
                    store,
                    List.of("-gencert", "-rfc", "-alias", "ca"),
                    validity,
                    List.of("-infile", request.toString(), "-outfile", certificate.toString()),
                    List.of("-ext", "san=" + alternatives));
            keytool(store, List.of("-exportcert", "-rfc", "-alias", "ca", "-file", ca.toString()));
            keytool(
                    serverStore,
                    List.of("-importcert", "-noprompt", "-alias", "ca", "-file", ca.toString()));
            keytool(
                    serverStore,
                    List.of("-importcert", "-alias", "server", "-file", certificate.toString()));
            Files.writeString(key, privateKey(serverStore));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("export the private key of " + serverStore, e);
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

    private static String privateKey(Path store) throws IOException, GeneralSecurityException {
        KeyStore keys = KeyStore.getInstance(store.toFile(), PASSWORD.toCharArray());
        byte[] encoded = keys.getKey("server", PASSWORD.toCharArray()).getEncoded();
        String base64 = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(encoded);
        return "-----BEGIN PRIVATE KEY-----\n" + base64 + "\n-----END PRIVATE KEY-----\n";
    }

    @SafeVarargs
    private static void keytool(Path store, List<String>... arguments) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
        for (List<String> some : arguments) {
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
                throw new IllegalStateException("keytool " + arguments[0] + ": " + output);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("keytool: interrupted", e);
        }
    }
}
